"""Simple JSON paths: `.spec.size`, `.metadata.labels['a.b']`, `.status.conditions[?(@.type=="Ready")].status`.

Text goes in once and becomes steps; walking them over a value gives what they find, in order. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"\.(?P<name>(?:\\.|[^.\[\\])+)"
    r"|\[(?P<index>-?\d+)\]"
    r"|\[(?P<every>\*)\]"
    r"|\[(?P<quote>['\"])(?P<key>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\]"
    r"|\[\?\(\s*@\.(?P<field>[^=!<>\s]+)\s*(?P<operator>==|!=)\s*(?P<value>[^)]*?)\s*\)\]"
)


class PathError(ValueError):
    """A text that is no simple JSON path."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: into a field, an item, all items, or the items that have some value in a field."""

    key: str | None = None
    index: int | None = None
    field: str = ""
    value: str = ""
    equal: bool = True


Path = tuple[_Step, ...]


@lru_cache(maxsize=1024)
def parse(text: str) -> Path:
    """The steps of a path; PathError when it is none."""
    steps, position = [], 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise PathError(text)
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> _Step:
    if match["name"] is not None:
        return _Step() if match["name"] == "*" else _Step(key=re.sub(r"\\(.)", r"\1", match["name"]))
    if match["index"] is not None:
        return _Step(index=int(match["index"]))
    if match["key"] is not None:
        return _Step(key=match["key"])
    if match["field"] is not None:
        return _Step(field=match["field"], value=match["value"].strip("'\""), equal=match["operator"] == "==")
    return _Step()


def find(value: Any, path: Path) -> Iterator[Any]:
    """Everything that the path leads to; nothing where a step leads nowhere."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    for inner in _follow(value, step):
        yield from find(inner, rest)


def first(value: Any, path: Path) -> Any:
    """The first thing that the path leads to; None when there is nothing."""
    return next(find(value, path), None)


def _follow(value: Any, step: _Step) -> Iterator[Any]:
    if step.key is not None:
        if isinstance(value, dict) and step.key in value:
            yield value[step.key]
    elif step.index is not None:
        if isinstance(value, list) and -len(value) <= step.index < len(value):
            yield value[step.index]
    else:
        held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        yield from (item for item in held if not step.field or _selected(item, step))


def _selected(item: Any, step: _Step) -> bool:
    found = first(item, parse(f".{step.field}"))
    return found is not None and (shown(found) == step.value) is step.equal


def shown(value: Any) -> str:
    """A scalar as selectors and columns show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def keys(path: Path) -> tuple[str, ...] | None:
    """The field names of a path that goes through fields only; None for any other."""
    names = [step.key for step in path if step.key is not None]
    return tuple(names) if len(names) == len(path) else None
