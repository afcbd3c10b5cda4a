"""JSONPath expressions, such as `.items[?(@.kind=="Pod")].metadata.name`: which values of a JSON value they lead to.

`parse` makes a path of a text, `Path.values` walks it; `PathError` for what does not parse. Pure. kubectl's templates
are made of such paths, and so are the printer columns of custom resources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

Step = Callable[[Any], Iterator[Any]]
# Longer ones would take longer to read than anybody waits.
_LONGEST = 10_000
# Steps such as `..` multiply what they find: who wants the first value only asks for no more.
SOME = 1000


class PathError(ValueError):
    """Why a text is no path."""


class Path(NamedTuple):
    """Steps, each from one value to any number of others."""

    steps: tuple[Step, ...]

    def values(self, start: Any, most: int | None = None) -> list[Any]:
        """Everything that the path leads to; nothing where a step leads nowhere. `most` bounds what a step finds."""
        found = [start]
        for step in self.steps:
            found = list(islice((item for value in found for item in step(value)), most))
        return found


def parse(text: str) -> Path:
    """A path that may begin with `$` or `@`; PathError for what is none."""
    if len(text) > _LONGEST:
        raise PathError(f"path is longer than {_LONGEST} characters")
    steps: list[Step] = []
    rest = text.lstrip()
    rest = rest[1:] if rest.startswith(("$", "@")) else rest
    try:
        while rest:
            step, rest = _step(rest)
            steps.append(step)
    except RecursionError:
        raise PathError("exceeded max depth") from None
    return Path(tuple(steps))


@cache
def quoted() -> re.Pattern[str]:
    """A quoted word at the beginning of a text."""
    return re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")


@cache
def _identifier() -> re.Pattern[str]:
    return re.compile(r"(?:\\.|[^.\[\]{}()\s,'\"=!<>@$?*:|&])+")


def unquoted(text: str) -> str:
    """A quoted word without its quotes and escapes."""
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda match: escapes.get(match.group(1), match.group(1)), text[1:-1], flags=re.DOTALL)


def _step(text: str) -> tuple[Step, str]:
    """The first step of a path and what follows it."""
    if text.startswith("["):
        end = _closing(text)
        return _bracket(text[1:end].strip()), text[end + 1 :]
    deep = text.startswith("..")
    rest = text.lstrip(".")
    if not deep and not text.startswith("."):
        raise PathError(f"unrecognized character in action: {text[0]!r}")
    if rest.startswith("*"):
        return _descend if deep else _every, rest[1:]
    match = _identifier().match(rest)
    if match is None:
        if rest.startswith("[") or not rest:
            return (_descend if deep else _itself), rest
        raise PathError(f"unrecognized character in action: {rest[0]!r}")
    name = re.sub(r"\\(.)", r"\1", match.group())
    if deep:
        return (lambda value: (found for item in _descend(value) for found in _field(name)(item))), rest[match.end() :]
    return _field(name), rest[match.end() :]


def _closing(text: str) -> int:
    """Where the bracket that opens the text closes."""
    depth, position = 0, 0
    while position < len(text):
        if word := quoted().match(text, position):
            position = word.end()
            continue
        depth += (text[position] == "[") - (text[position] == "]")
        if depth == 0:
            return position
        position += 1
    raise PathError("unterminated array")


def _bracket(inner: str) -> Step:
    if inner == "*":
        return _every
    if inner.startswith("?(") and inner.endswith(")"):
        return _filter(inner[2:-1])
    choices = _split(inner)
    if len(choices) > 1:
        steps = [_bracket(choice) for choice in choices]
        return lambda value: (found for step in steps for found in step(value))
    if quoted().fullmatch(inner):
        return _field(unquoted(inner))
    match = re.fullmatch(r"(-?[0-9]{0,18})(:(-?[0-9]{0,18}))?(:(-?[0-9]{0,18}))?", inner)
    if match is None or not inner or "-" in (match[1], match[3], match[5]):
        raise PathError(f"invalid array index {inner}")
    if ":" not in inner:
        return _index(int(inner))
    start, stop, step = (int(part) if part else None for part in (match[1], match[3], match[5]))
    if step is not None and step <= 0:
        raise PathError("step must be > 0")
    return lambda value: iter(value[slice(start, stop, step)] if isinstance(value, list) else ())


def _split(inner: str) -> list[str]:
    """The members of a union."""
    parts, start, position = [], 0, 0
    while position < len(inner):
        if word := quoted().match(inner, position):
            position = word.end()
            continue
        if inner[position] == ",":
            parts.append(inner[start:position].strip())
            start = position + 1
        position += 1
    return [*parts, inner[start:].strip()]


def _itself(value: Any) -> Iterator[Any]:
    yield value


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value[key] for key in sorted(value))
    elif isinstance(value, list):
        yield from value


def _descend(value: Any) -> Iterator[Any]:
    yield value
    for item in _every(value):
        yield from _descend(item)


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(number: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= number < len(value):
            yield value[number]

    return step


def _filter(text: str) -> Step:
    """`?(@.type=="Ready")`, or `?(@.name)` for what is there."""
    match = re.search(r"==|!=|<=|>=|<|>", _hidden(text))
    if match is None:
        path = parse(text)
        return lambda value: (item for item in _every(value) if path.values(item, SOME))
    left = _operand(text[: match.start()].strip())
    right = _operand(text[match.end() :].strip())
    compare = _COMPARISONS[match[0]]
    return lambda value: (item for item in _every(value) if _holds(compare, left(item), right(item)))


def _hidden(text: str) -> str:
    """The text with quoted parts blanked, so that operators in them do not count."""
    return quoted().sub(lambda match: "q" * len(match.group()), text)


def _operand(text: str) -> Callable[[Any], Sequence[Any]]:
    if text.startswith(("@", ".", "$")):
        path = parse(text)
        return lambda value: path.values(value, SOME)
    if quoted().fullmatch(text):
        constant: Any = unquoted(text)
    else:
        try:
            constant = json.loads(text)
        except ValueError:
            raise PathError(f"unrecognized identifier {text}") from None
    return lambda _value: [constant]


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}


def _holds(compare: Callable[[Any, Any], bool], left: Sequence[Any], right: Sequence[Any]) -> bool:
    if not left or not right:
        return False
    try:
        return compare(left[0], right[0])
    except TypeError:
        return False
