"""Label selectors: `app=nginx,tier in (a, b),!old`, and the LabelSelector that objects carry.

Flow: text (of a query parameter or a flag) or a LabelSelector goes in; a `Selector` comes out, or `SelectorError` with
upstream's text. `Selector.matches` is cheap: lists, watches and controllers ask it for every object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pybernetes.api import names
from pybernetes.api.types.meta_v1 import LabelSelector

IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS = "in", "notin", "=", "==", "!="
EXISTS, DOES_NOT_EXIST, GREATER, LESS = "exists", "!", "gt", "lt"
_BINARY = "in, notin, =, ==, !=, gt, lt"
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)


class SelectorError(ValueError):
    """A selector that does not parse or that no label can satisfy."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term: a key, an operator and the values it compares with."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value in self.values
            case "!=" | "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        return self.compares(value)

    def compares(self, value: str | None) -> bool:
        """The numeric operators: a label that is no integer does not match."""
        if value is None or not _INTEGER.fullmatch(value):
            return False
        bound = int(next(iter(self.values)))
        return int(value) > bound if self.operator == GREATER else int(value) < bound

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return "!" + self.key
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        sign = {GREATER: ">", LESS: "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{''.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold: none selects everything. `nothing` is the selector of an absent LabelSelector."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        if self.nothing:
            return False
        for requirement in self.requirements:  # noqa: SIM110 - a loop is twice as fast as all() here
            if not requirement.matches(labels):
                return False
        return True

    @property
    def is_empty(self) -> bool:
        """Whether everything is selected."""
        return not self.requirements and not self.nothing

    def __str__(self) -> str:
        return ",".join(str(item) for item in self.requirements)


NOTHING = Selector(nothing=True)


def from_labels(labels: Mapping[str, str]) -> Selector:
    """The selector of objects that have all these labels, as Services and ReplicationControllers use it."""
    return Selector(tuple(Requirement(key, EQUALS, frozenset({labels[key]})) for key in sorted(labels)))


_OPERATORS = {"In": IN, "NotIn": NOT_IN, "Exists": EXISTS, "DoesNotExist": DOES_NOT_EXIST}


def from_label_selector(selector: LabelSelector | None) -> Selector:
    """The selector of an object's field: absent selects nothing, empty selects everything. SelectorError."""
    if selector is None:
        return NOTHING
    requirements = [requirement(key, EQUALS, frozenset({value}), "key") for key, value in selector.match_labels.items()]
    for expression in selector.match_expressions:
        operator = _OPERATORS.get(expression.operator)
        if operator is None:
            raise SelectorError(f'"{expression.operator}" is not a valid label selector operator')
        requirements.append(requirement(expression.key, operator, frozenset(expression.values), "key"))
    return Selector(tuple(sorted(requirements, key=lambda item: item.key)))


def requirement(key: str, operator: str, values: frozenset[str], key_path: str = "<nil>") -> Requirement:
    """A checked requirement; SelectorError with upstream's text."""
    problems = _key_problems(key, key_path) + _count_problems(operator, values)
    for index, value in enumerate(sorted(values)):
        if operator in (GREATER, LESS) and not _INTEGER.fullmatch(value):
            detail = "for 'Gt', 'Lt' operators, the value must be an integer"
            problems.append(f'values[{index}]: Invalid value: "{value}": {detail}')
        if errors := names.label_value(value):
            problems.append(f'values[{index}][{key}]: Invalid value: "{_quoted(value)}": {"; ".join(errors)}')
    if problems:
        raise SelectorError(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    return Requirement(key, operator, values)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _key_problems(key: str, path: str) -> list[str]:
    errors = names.qualified_name(key)
    return [f'{path}: Invalid value: "{_quoted(key)}": {"; ".join(errors)}'] if errors else []


def _count_problems(operator: str, values: frozenset[str]) -> list[str]:
    shown = f"values: Invalid value: [{' '.join(sorted(values))}]: "
    match operator:
        case "in" | "notin":
            return [] if values else [shown + "for 'in', 'notin' operators, values set can't be empty"]
        case "exists" | "!":
            return [shown + "values set must be empty for exists and does not exist"] if values else []
        case "gt" | "lt":
            return [] if len(values) == 1 else [shown + "for 'Gt', 'Lt' operators, exactly one value is required"]
    return [] if len(values) == 1 else [shown + "exact-match compatibility requires one single value"]


def parse_selector(text: str) -> Selector:
    """Reads kubectl's syntax; SelectorError with upstream's text."""
    requirements = _Parser(text).requirements()
    return Selector(tuple(sorted(requirements, key=lambda item: item.key)))


_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^ \t\r\n=!(),<>]+|$)")
_SPECIAL = frozenset({"", "==", "!=", "=", "!", "(", ")", ",", "<", ">"})
_SIGNS = {"=": EQUALS, "==": DOUBLE_EQUALS, "!=": NOT_EQUALS, "in": IN, "notin": NOT_IN, ">": GREATER, "<": LESS}


class _Parser:
    """Recursive descent over the tokens; an identifier is whatever is no special token."""

    def __init__(self, text: str) -> None:
        self.tokens = [match.group(1) for match in _TOKEN.finditer(text)]
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while (token := self.peek()) != "":
            if token in _SPECIAL and token != "!":
                raise SelectorError(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self.requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            token = self.take()
            if token == "":
                break
            if token != ",":
                raise SelectorError(f"found '{token}', expected: ',' or 'end of string'")
            after = self.peek()
            if after in _SPECIAL and after != "!":
                raise SelectorError(f"found '{after}', expected: identifier after ','")
        return found

    def requirement(self) -> Requirement:
        key = self.take()
        absent = key == "!"
        if absent:
            key = self.take()
        if key in _SPECIAL:
            raise SelectorError(f"found '{key}', expected: identifier")
        if problems := _key_problems(key, "<nil>"):
            raise SelectorError(problems[0])
        if absent:
            return requirement(key, DOES_NOT_EXIST, frozenset())
        if self.peek() in ("", ","):
            return requirement(key, EXISTS, frozenset())
        sign = self.take()
        operator = _SIGNS.get(sign)
        if operator is None:
            raise SelectorError(f"found '{sign}', expected: {_BINARY}")
        values = self.values() if operator in (IN, NOT_IN) else self.exact()
        return requirement(key, operator, frozenset(values))

    def exact(self) -> set[str]:
        if self.peek() in ("", ","):
            return {""}
        token = self.take()
        if token in _SPECIAL:
            raise SelectorError(f"found '{token}', expected: identifier")
        return {token}

    def values(self) -> set[str]:
        token = self.take()
        if token != "(":
            raise SelectorError(f"found '{token}' expected: '('")
        token = self.peek()
        if token == ")":
            self.take()
            return {""}
        if token in _SPECIAL and token != ",":
            raise SelectorError(f"found '{token}', expected: ',', ')' or identifier")
        values = self.listed()
        closing = self.take()
        if closing != ")":
            raise SelectorError(f"found '{token}', expected: ')'")
        return values

    def listed(self) -> set[str]:
        """Identifiers between commas; an empty place is the empty value."""
        values: set[str] = set()
        while True:
            token = self.take()
            if token == ",":
                if not values:
                    values.add("")
                if self.peek() == ")":
                    return values | {""}
                if self.peek() == ",":
                    self.take()
                    values.add("")
            elif token not in _SPECIAL:
                values.add(token)
                if self.peek() == ")":
                    return values
                if self.peek() != ",":
                    raise SelectorError(f"found '{self.peek()}', expected: ',' or ')'")
            else:
                raise SelectorError(f"found '{token}', expected: ',', or identifier")
