"""Finds literals that can never mean anything: patterns, durations and times that are none, lists of mixed types. Pure.

A checked tree goes in; CompileError comes out when one is wrong. Called by `Environment.compile`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pybernetes.cel import types
from pybernetes.cel.checker import Checked
from pybernetes.cel.library import formatting
from pybernetes.cel.library.regular import pattern
from pybernetes.cel.library.times import parsed_duration, parsed_timestamp
from pybernetes.cel.source import InstantiationError, Problems
from pybernetes.cel.syntax import Call, ListLiteral, Literal, MapLiteral, Node, walk
from pybernetes.cel.types import Bindings, Type
from pybernetes.cel.values import EvaluationError

# By function: what must be able to read its last argument.
_READERS: Mapping[str, Callable[[str], Any]] = {
    "duration": parsed_duration,
    "timestamp": parsed_timestamp,
    "matches": pattern,
}


def check_literals(checked: Checked, problems: Problems) -> None:
    """CompileError for literals that no function can take, and for mixed ones that nobody asked for."""
    exempt: set[Node] = set()
    for node in walk(checked.tree):
        if isinstance(node, Call):
            if node.function == "format":
                _check_format(node, checked, problems)
                exempt.update(part for argument in node.arguments for part in walk(argument))
            _check_argument(node, problems)
    for node in walk(checked.tree):
        if node not in exempt:
            _check_members(node, checked, problems)
    problems.check()


def check_patterns(checked: Checked) -> None:
    """InstantiationError for a pattern of `find` that is none: upstream finds it after all the rest."""
    for node in walk(checked.tree):
        if isinstance(node, Call) and node.function in ("find", "findAll") and node.arguments:
            argument = node.arguments[0]
            if isinstance(argument, Literal) and isinstance(argument.value, str):
                try:
                    pattern(argument.value)
                except EvaluationError as error:
                    raise InstantiationError(f"program instantiation failed: {error}") from None


def _check_argument(node: Call, problems: Problems) -> None:
    reader = _READERS.get(node.function)
    if reader is None or not node.arguments:
        return
    argument = node.arguments[-1]
    if isinstance(argument, Literal) and isinstance(argument.value, str):
        try:
            reader(argument.value)
        except EvaluationError:
            problems.add(argument.position, f"invalid {node.function} argument")


def _check_format(node: Call, checked: Checked, problems: Problems) -> None:
    """A text that stands in the expression must be able to take the values that do."""
    text, given = node.target, node.arguments[0] if node.arguments else None
    if isinstance(text, Literal) and isinstance(text.value, str) and isinstance(given, ListLiteral):
        wrong = formatting.check(text.value, given.elements, checked.types)
        if wrong is not None:
            problems.add((wrong[1] or node).position, wrong[0])


def _check_members(node: Node, checked: Checked, problems: Problems) -> None:
    """The members of a literal are all of one type, unless `dyn` says otherwise."""
    if isinstance(node, ListLiteral):
        _check_same([(item, index in node.optional) for index, item in enumerate(node.elements)], checked, problems)
    elif isinstance(node, MapLiteral):
        keys = [(entry.key, False) for entry in node.entries if isinstance(entry.key, Node)]
        _check_same(keys, checked, problems)
        _check_same([(entry.value, entry.is_optional) for entry in node.entries], checked, problems)


def _check_same(members: list[tuple[Node, bool]], checked: Checked, problems: Problems) -> None:
    first: Type | None = None
    for node, is_optional in members:
        found = checked.types[node]
        if is_optional and types.is_optional(found):
            found = found.parameters[0]
        if first is None:
            first = found
        elif first != found and not (_is_open(first, found) or _is_open(found, first)):
            problems.add(node.position, f"expected type '{first}' but found '{found}'")


def _is_open(first: Type, second: Type) -> bool:
    """Whether one of two types leaves room for the other: an empty list, a null."""
    return not types.is_dynamic(first) and not types.is_dynamic(second) and Bindings().accepts([first], [second])
