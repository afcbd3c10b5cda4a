"""Finds what an expression can never change: literals of literals, and conversions of them. Pure.

A checked tree goes in; the nodes with their values come out, or InstantiationError. What is constant costs nothing when
it is evaluated, as upstream has it. Called by the compiler.
"""

from __future__ import annotations

from typing import Any

from pybernetes.cel.checker import Checked
from pybernetes.cel.source import InstantiationError
from pybernetes.cel.syntax import Call, ListLiteral, Literal, MapLiteral, Node
from pybernetes.cel.values import EvaluationError

_CONVERSIONS = frozenset(("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"))


def folded(checked: Checked) -> dict[Node, Any]:
    """The values of all constant nodes."""
    found = dict(checked.constants)
    _fold(checked.tree, checked, found)
    return found


def _fold(node: Node, checked: Checked, found: dict[Node, Any]) -> None:
    if node in found:
        return
    for part in node.parts():
        _fold(part, checked, found)
    if isinstance(node, Literal):
        found[node] = node.value
    elif isinstance(node, ListLiteral):
        if not node.optional and all(element in found for element in node.elements):
            found[node] = [found[element] for element in node.elements]
    elif isinstance(node, MapLiteral):
        _fold_map(node, found)
    elif isinstance(node, Call) and node.function in _CONVERSIONS and node.target is None:
        _fold_conversion(node, checked, found)


def _fold_map(node: MapLiteral, found: dict[Node, Any]) -> None:
    made: dict[Any, Any] = {}
    for entry in node.entries:
        assert isinstance(entry.key, Node)
        if entry.is_optional or entry.key not in found or entry.value not in found:
            return
        key = found[entry.key]
        if not isinstance(key, str | int | float) or key in made:
            # Whoever evaluates it will say what is wrong.
            return
        made[key] = found[entry.value]
    found[node] = made


def _fold_conversion(node: Call, checked: Checked, found: dict[Node, Any]) -> None:
    overloads = checked.overloads[node]
    if len(overloads) != 1 or not all(argument in found for argument in node.arguments):
        return
    try:
        found[node] = overloads[0].implementation(*(found[argument] for argument in node.arguments))
    except EvaluationError as error:
        raise InstantiationError(f"program instantiation failed: {error}") from None
