"""JSONPath templates of `-o jsonpath`, `custom-columns` and `--sort-by`, such as `{.items[*].metadata.name}`.

`parse` makes a template of a text, `Template.print` fills it from a JSON value. `CommandError` for what does not parse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pybernetes.kubectl.failures import error

Step = Callable[[Any], Iterator[Any]]
_IDENTIFIER = re.compile(r"(?:\\.|[^.\[\]{}()\s,'\"=!<>@$?*:|&])+")
_SLICE = re.compile(r"(-?\d*)(:(-?\d*))?(:(-?\d*))?")
_FILTER = re.compile(r"^\s*(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*$", re.DOTALL)
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")


@dataclass(frozen=True)
class Text:
    """Printed as it is."""

    text: str


@dataclass(frozen=True)
class Path:
    """Printed as the values that it leads to."""

    steps: tuple[Step, ...]

    def values(self, start: Any) -> list[Any]:
        found = [start]
        for step in self.steps:
            found = [item for value in found for item in step(value)]
        return found


@dataclass(frozen=True)
class Range:
    """Its body is printed once for each value."""

    path: Path
    body: Template


@dataclass(frozen=True)
class Template:
    """A parsed text."""

    parts: tuple[Text | Path | Range, ...]

    def print(self, value: Any) -> str:
        """The template filled from a value."""
        return "".join(self._printed(part, value) for part in self.parts)

    def _printed(self, part: Text | Path | Range, value: Any) -> str:
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Path):
            return " ".join(shown(item) for item in part.values(value))
        return "".join(part.body.print(item) for item in part.path.values(value))


def shown(value: Any) -> str:
    """A value as JSONPath prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def parse(text: str) -> Template:
    """A template; `CommandError` when it does not parse."""
    parser = _Parser(text)
    parts = parser.parts(nested=False)
    return Template(tuple(parts))


def parse_relaxed(text: str) -> Path:
    """The path of `.a.b`, `a.b` or `{.a.b}`."""
    bare = text.strip().removeprefix("{").removesuffix("}")
    return _path(bare if bare.startswith((".", "[", "$")) else f".{bare}", text)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def parts(self, nested: bool) -> list[Text | Path | Range]:
        found: list[Text | Path | Range] = []
        while self.position < len(self.text):
            if self.text[self.position] != "{":
                end = self.text.find("{", self.position)
                end = end if end >= 0 else len(self.text)
                found.append(Text(self.text[self.position : end]))
                self.position = end
                continue
            action = self.action()
            if action == "end":
                if not nested:
                    raise error(f"error parsing jsonpath {self.text}, not in range, nothing to end")
                return found
            found.append(self.part(action))
        if nested:
            raise error(f"error parsing jsonpath {self.text}, unexpected eof, unclosed range")
        return found

    def part(self, action: str) -> Text | Path | Range:
        if action.startswith("range ") or action == "range":
            path = _path(action.removeprefix("range").strip(), self.text)
            return Range(path, Template(tuple(self.parts(nested=True))))
        if _QUOTED.fullmatch(action):
            return Text(unquoted(action))
        return _path(action, self.text)

    def action(self) -> str:
        """What stands between braces; quotes may hold braces."""
        start = self.position = self.position + 1
        while self.position < len(self.text):
            letter = self.text[self.position]
            quoted = _QUOTED.match(self.text, self.position) if letter in "'\"" else None
            if letter == "}":
                self.position += 1
                return self.text[start : self.position - 1].strip()
            self.position = quoted.end() if quoted else self.position + 1
        raise error(f"error parsing jsonpath {self.text}, unclosed action")


def unquoted(text: str) -> str:
    """A quoted word without its quotes and escapes."""
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda match: escapes.get(match.group(1), match.group(1)), text[1:-1], flags=re.DOTALL)


def _path(text: str, whole: str) -> Path:
    steps: list[Step] = []
    rest = text.lstrip()
    rest = rest[1:] if rest[:1] in "$@" and rest else rest
    while rest:
        step, rest = _step(rest, whole)
        steps.append(step)
    return Path(tuple(steps))


def _step(text: str, whole: str) -> tuple[Step, str]:
    """The first step of a path and what follows it."""
    if text.startswith("["):
        end = _closing(text, whole)
        return _bracket(text[1:end].strip(), whole), text[end + 1 :]
    deep = text.startswith("..")
    rest = text.lstrip(".")
    if not deep and not text.startswith("."):
        raise error(f"error parsing jsonpath {whole}, unrecognized character in action: {text[0]!r}")
    if rest.startswith("*"):
        return _descend if deep else _every, rest[1:]
    match = _IDENTIFIER.match(rest)
    if match is None:
        if rest.startswith("[") or not rest:
            return (_descend if deep else _itself), rest
        raise error(f"error parsing jsonpath {whole}, unrecognized character in action: {rest[0]!r}")
    name = re.sub(r"\\(.)", r"\1", match.group())
    if deep:
        return (lambda value: (found for item in _descend(value) for found in _field(name)(item))), rest[match.end() :]
    return _field(name), rest[match.end() :]


def _closing(text: str, whole: str) -> int:
    """Where the bracket that opens the text closes."""
    depth, position = 0, 0
    while position < len(text):
        quoted = _QUOTED.match(text, position)
        if quoted:
            position = quoted.end()
            continue
        depth += (text[position] == "[") - (text[position] == "]")
        if depth == 0:
            return position
        position += 1
    raise error(f"error parsing jsonpath {whole}, unterminated array")


def _bracket(inner: str, whole: str) -> Step:
    if inner == "*":
        return _every
    if inner.startswith("?(") and inner.endswith(")"):
        return _filter(inner[2:-1], whole)
    choices = _split(inner)
    if len(choices) > 1:
        steps = [_bracket(choice, whole) for choice in choices]
        return lambda value: (found for step in steps for found in step(value))
    if _QUOTED.fullmatch(inner):
        return _field(unquoted(inner))
    match = _SLICE.fullmatch(inner)
    if match is None or not inner:
        raise error(f"error parsing jsonpath {whole}, invalid array index {inner}")
    if ":" not in inner:
        return _index(int(inner))
    start, stop, step = (int(part) if part else None for part in (match[1], match[3], match[5]))
    return lambda value: iter(value[slice(start, stop, step)] if isinstance(value, list) else ())


def _split(inner: str) -> list[str]:
    """The members of a union."""
    parts, start, position = [], 0, 0
    while position < len(inner):
        quoted = _QUOTED.match(inner, position)
        if quoted:
            position = quoted.end()
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


def _filter(text: str, whole: str) -> Step:
    """`?(@.type=="Ready")`, or `?(@.name)` for what is there."""
    match = _FILTER.match(_hidden(text))
    if match is None:
        path = _path(text, whole)
        return lambda value: (item for item in _every(value) if path.values(item))
    left = _operand(text[: match.end(1)].strip(), whole)
    right = _operand(text[match.start(3) :].strip(), whole)
    compare = _COMPARISONS[match[2]]
    return lambda value: (item for item in _every(value) if _holds(compare, left(item), right(item)))


def _hidden(text: str) -> str:
    """The text with quoted parts blanked, so that operators in them do not count."""
    return _QUOTED.sub(lambda match: "q" * len(match.group()), text)


def _operand(text: str, whole: str) -> Callable[[Any], Sequence[Any]]:
    if text.startswith(("@", ".", "$")):
        return _path(text, whole).values
    if _QUOTED.fullmatch(text):
        constant: Any = unquoted(text)
    else:
        try:
            constant = json.loads(text)
        except ValueError:
            raise error(f"error parsing jsonpath {whole}, unrecognized identifier {text}") from None
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
