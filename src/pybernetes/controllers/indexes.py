"""Sets of completion indexes as a Job's status writes them: `0-2,5`. Pure; the Job controller and its tests call it."""

from __future__ import annotations

from collections.abc import Iterable


def parse(text: str | None) -> set[int]:
    """The indexes of a text such as `1,3-5`; an empty text has none."""
    result: set[int] = set()
    for part in (text or "").split(","):
        first, _, last = part.partition("-")
        if first:
            result.update(range(int(first), int(last or first) + 1))
    return result


def format(indexes: Iterable[int]) -> str:  # noqa: A001 - reads well as indexes.format
    """Runs of three or more are shortened; two neighbours stay as they are."""
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)
