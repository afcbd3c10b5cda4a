"""Field selectors: `metadata.name=x,status.phase!=Running`.

Flow: the text of a query parameter goes in, a `Selector` comes out, or `SelectorError` with upstream's text. Which
fields a kind can be selected by is the API server's concern.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

_OPERATORS = ("!=", "==", "=")


class SelectorError(ValueError):
    """A text that is no field selector."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term; `equal` is False for `!=`."""

    field: str
    value: str
    equal: bool = True

    def __str__(self) -> str:
        return f"{self.field}{'=' if self.equal else '!='}{escape(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; none at all selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, fields: Mapping[str, str] | Callable[[str], str]) -> bool:
        """Whether the fields (a mapping, where absent is empty, or a function from field to value) fit."""
        get = fields if callable(fields) else lambda name: fields.get(name, "")
        return all((get(item.field) == item.value) is item.equal for item in self.requirements)

    @property
    def field_names(self) -> frozenset[str]:
        """The fields that the selector looks at."""
        return frozenset(item.field for item in self.requirements)

    def required_value(self, field: str) -> str | None:
        """The one value that `field` must have, or None: what an index can be asked for."""
        return next((item.value for item in self.requirements if item.field == field and item.equal), None)

    def renamed(self, rename: Callable[[str], str]) -> Selector:
        """The same selector over other field names."""
        return Selector(tuple(Requirement(rename(item.field), item.value, item.equal) for item in self.requirements))

    def __str__(self) -> str:
        return ",".join(str(item) for item in self.requirements)

    def __bool__(self) -> bool:
        return bool(self.requirements)


def parse_selector(text: str) -> Selector:
    """Reads a selector; terms come out sorted. SelectorError with upstream's text."""
    requirements = []
    for term in sorted(_terms(text)):
        if not term:
            continue
        found = _split(term)
        if found is None:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{term}'")
        field, operator, value = found
        requirements.append(Requirement(field, unescape(value), operator != "!="))
    return Selector(tuple(requirements))


def _terms(text: str) -> list[str]:
    """The text between commas that no backslash precedes."""
    terms, start, escaped = [], 0, False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ",":
            terms.append(text[start:position])
            start = position + 1
    return [*terms, text[start:]]


def _split(term: str) -> tuple[str, str, str] | None:
    for position in range(len(term)):
        for operator in _OPERATORS:
            if term.startswith(operator, position):
                return term[:position], operator, term[position + len(operator) :]
    return None


def escape(value: str) -> str:
    """A value as it is written in a selector."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def unescape(value: str) -> str:
    """The inverse of `escape`; SelectorError for a stray comma, equals sign or backslash."""
    if not any(character in value for character in "\\,="):
        return value
    result, escaped = [], False
    for character in value:
        if escaped:
            if character not in "\\,=":
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{character}")
            result.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in ",=":
            raise SelectorError(f"invalid field selector: unescaped character in value: {ord(character)}")
        else:
            result.append(character)
    if escaped:
        raise SelectorError("invalid field selector: invalid escape sequence: \\")
    return "".join(result)
