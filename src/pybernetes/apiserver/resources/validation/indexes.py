"""Indexes of a Job's pods as text such as `0,2-4`: what is wrong with it, and where two texts overlap."""

from __future__ import annotations

from pybernetes.api.whole_number import whole_number


class NotIndexes(ValueError):
    """The text is no list of growing indexes; the message says why."""


def count_indexes(text: str, completions: int) -> int:
    """How many indexes a text tells. Raises NotIndexes."""
    total, last = 0, None
    for part in text.split(",") if text else ():
        first, final = _interval(part, completions)
        if last is not None and last >= first:
            raise NotIndexes(f"non-increasing order, previous: {last}, current: {first}")
        total += final - first + 1
        last = final
    return total


def index_problem(text: str, completions: int) -> str:
    """What is wrong with a text; empty when nothing is."""
    try:
        count_indexes(text, completions)
    except NotIndexes as error:
        return str(error)
    return ""


def first_overlap(one: str, other: str, completions: int) -> int | None:
    """The first index that both texts tell, parts that are no indexes left aside; both grow, or some are missed."""
    mine, theirs = _sound(one, completions), _sound(other, completions)
    here, there = 0, 0
    while here < len(mine) and there < len(theirs):
        (a, b), (c, d) = mine[here], theirs[there]
        if a <= d and c <= b:
            return max(a, c)
        if a <= c:
            here += 1
        else:
            there += 1
    return None


def _sound(text: str, completions: int) -> list[tuple[int, int]]:
    intervals = []
    for part in text.split(",") if text else ():
        try:
            intervals.append(_interval(part, completions))
        except NotIndexes:
            continue
    return intervals


def _interval(part: str, completions: int) -> tuple[int, int]:
    limits = part.split("-")
    if len(limits) > 2:
        raise NotIndexes(
            f'the fragment "{part}" violates the requirement that an index interval can have at most two parts '
            "separated by '-'"
        )
    numbers = [_index(limit, completions) for limit in limits]
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        raise NotIndexes(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]


def _index(text: str, completions: int) -> int:
    number = whole_number((text.removeprefix("+").lstrip("0") or "0") if text.strip("+") else "")
    if number is None:
        raise NotIndexes(f'cannot convert string to integer for index: "{text}"')
    if number >= completions:
        raise NotIndexes(f'too large index: "{text}"')
    return number
