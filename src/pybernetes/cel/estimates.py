"""What an expression may cost at least and at most, found before it runs, from how large its variables can be. Pure.

A checked tree and the sizes of what variables hold go in; a range of cost units comes out. Upstream refuses expensive
rules by these numbers, so they follow its reckoning step by step. Called by who accepts expressions from users.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pybernetes.cel import costs
from pybernetes.cel.call_estimates import CallEstimate
from pybernetes.cel.checker import Checked
from pybernetes.cel.ranges import ENDLESS, NOTHING, ONE, UNKNOWN, Entries, Path, Range
from pybernetes.cel.syntax import (
    ACCUMULATOR,
    Call,
    Comprehension,
    Identifier,
    ListLiteral,
    Literal,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
)
from pybernetes.cel.types import Type

Sizes = Callable[[Path], Range | None]
_SCALARS = frozenset(("bool", "double", "duration", "int", "timestamp", "uint"))


def estimate(checked: Checked, sizes: Sizes) -> Range:
    """The cost of one evaluation. `sizes` knows how large the values at a path can be, such as `("self", "@items")`."""
    return _Estimator(checked, sizes).cost(checked.tree)


class _Local(NamedTuple):
    """A variable of a loop."""

    path: Path
    size: Range | None
    entries: Entries | None


class _Estimator:
    """One estimate; sizes and paths of nodes are remembered as they are found."""

    def __init__(self, checked: Checked, sizes: Sizes) -> None:
        self._checked, self._sizes = checked, sizes
        self._locals: dict[str, list[_Local]] = {}
        self._paths: dict[Node, Path] = {}
        self._known: dict[Node, Range] = {}
        self._entries: dict[Node, Entries] = {}

    def cost(self, node: Node) -> Range:
        if isinstance(node, Select) and node in self._checked.names:
            return self._named(node, self._checked.names[node])
        if isinstance(node, Select) and node in self._checked.constants:
            return ONE
        found: Range = _COSTS[type(node)](self, node)
        return found

    def literal(self, _node: Literal) -> Range:
        return NOTHING

    def identifier(self, node: Identifier) -> Range:
        return self._named(node, node.name)

    def _named(self, node: Node, name: str) -> Range:
        local = self._local(name)
        self._paths[node] = local.path if local is not None else (name,)
        return ONE

    def select(self, node: Select) -> Range:
        total = self.cost(node.operand)
        if node.is_test:
            return total
        if node.is_optional or self.type_of(node.operand).kind in ("map", "object", "parameter"):
            total = total.plus(ONE)
        self._paths[node] = (*self._path(node.operand), node.field)
        return total

    def call(self, node: Call) -> Range:
        if node.function == "dyn":
            total = ONE.plus(self.cost(node.arguments[0]))
            self._copy(node, node.arguments[0])
            return total
        arguments = [self.cost(argument) for argument in node.arguments]
        total = self.cost(node.target) if node.target is not None else NOTHING
        if node.function == "_[?_]":
            return ONE.plus(arguments[0]).plus(arguments[1])
        fitting = self._checked.overloads.get(node) or []
        own: Range | None = None
        size: Range | None = None
        for overload in fitting:
            cost, result = CallEstimate(self, node, overload.kinds, arguments).found()
            own = cost if own is None else own.or_(cost)
            if result is not None:
                size = result if size is None else size.or_(result)
            if node.function == "_[_]":
                self._index(node, overload.kinds[0])
                entries = self.entries_of(node.arguments[0])
                size = entries.value if entries is not None else None
            if size is None:
                size = self.size_of(node)
        if size is not None:
            self._known[node] = size
        return total.plus(own) if own is not None else NOTHING

    def _index(self, node: Call, kind: str) -> None:
        self._paths[node] = (*self._path(node.arguments[0]), "@items" if kind == "list" else "@values")

    def list_literal(self, node: ListLiteral) -> Range:
        total, size = NOTHING, Range(ENDLESS if node.elements else 0, 0)
        for element in node.elements:
            total = total.plus(self.cost(element))
            size = size.or_(self.size_or_unknown(element))
        self._entries[node] = Entries("list", ONE, size)
        return total.plus(Range(costs.LIST_COST, costs.LIST_COST))

    def map_literal(self, node: MapLiteral) -> Range:
        total = NOTHING
        key = value = Range(ENDLESS if node.entries else 0, 0)
        for entry in node.entries:
            assert isinstance(entry.key, Node)
            total = total.plus(self.cost(entry.key)).plus(self.cost(entry.value))
            key = key.or_(self.size_or_unknown(entry.key))
            value = value.or_(self.size_or_unknown(entry.value))
        self._entries[node] = Entries("map", key, value)
        return total.plus(Range(costs.MAP_COST, costs.MAP_COST))

    def message(self, node: MessageLiteral) -> Range:
        total = Range(costs.MESSAGE_COST, costs.MESSAGE_COST)
        for entry in node.entries:
            total = total.plus(self.cost(entry.value))
        return total

    def comprehension(self, node: Comprehension) -> Range:
        total = self.cost(node.range).plus(self.cost(node.initial))
        local = _Local(self._path(node.initial), self.size_of(node.initial), self.entries_of(node.initial))
        self._push(node.accumulator, local)
        if node.is_bind:
            total = total.plus(self.cost(node.result))
            self._pop(node.accumulator)
            self._copy(node, node.result)
            return total
        names = self._push_variables(node)
        each = self.cost(node.condition).plus(self.cost(node.step))
        for name in names:
            self._pop(name)
        total = total.plus(self.cost(node.result))
        self._pop(node.accumulator)
        count = self.size_or_unknown(node.range)
        self._result_size(node, count)
        return total.plus(count.times(each))

    def _result_size(self, node: Comprehension, count: Range) -> None:
        if isinstance(node.initial, Literal):
            self._known[node] = self.size_or_unknown(node.initial)
        elif isinstance(node.initial, ListLiteral | MapLiteral):
            self._known[node] = count
            entries = self.entries_of(node.step)
            if entries is not None:
                self._entries[node] = entries

    def _push_variables(self, node: Comprehension) -> list[str]:
        path, entries = self._path(node.range), self.entries_of(node.range)
        kind = entries.kind if entries is not None else self.type_of(node.range).kind
        keys = _Local((*path, "@indices" if kind == "list" else "@keys"), entries and entries.key, None)
        values = _Local((*path, "@items" if kind == "list" else "@values"), entries and entries.value, None)
        if node.variable2:
            self._push(node.variable, keys)
            self._push(node.variable2, values)
            return [node.variable, node.variable2]
        self._push(node.variable, values if kind == "list" else keys)
        return [node.variable]

    def _push(self, name: str, local: _Local) -> None:
        self._locals.setdefault(name, []).append(local)

    def _pop(self, name: str) -> None:
        self._locals[name].pop()

    def _local(self, name: str) -> _Local | None:
        found = self._locals.get(name)
        return found[-1] if found else None

    def type_of(self, node: Node) -> Type:
        return self._checked.types[node]

    def _path(self, node: Node) -> Path:
        if isinstance(node, Identifier) and (local := self._local(node.name)) is not None:
            return local.path
        return self._paths.get(node, ())

    def _copy(self, node: Node, source: Node) -> None:
        size, entries = self.size_of(source), self.entries_of(source)
        if size is not None:
            self._known[node] = size
        if entries is not None:
            self._entries[node] = entries

    def known_size(self, node: Node) -> Range | None:
        """The size that a call is known to have, or what stands in the expression itself."""
        found = self._known.get(node)
        return found if found is not None else _own_size(node)

    def size_or_unknown(self, node: Node) -> Range:
        found = self.size_of(node)
        return found if found is not None else UNKNOWN

    def size_of(self, node: Node) -> Range | None:
        """How large the value of a node is, if anything is known of that."""
        if node in self._known:
            return self._known[node]
        own = _own_size(node)
        if own is not None:
            return own
        path = self._path(node)
        if path and path[0] != ACCUMULATOR and (declared := self._sizes(path)) is not None:
            self._known[node] = declared
            return declared
        if _is_scalar(self.type_of(node)):
            return ONE
        if isinstance(node, Identifier) and (local := self._local(node.name)) is not None:
            return local.size
        return None

    def entries_of(self, node: Node) -> Entries | None:
        if node in self._entries:
            return self._entries[node]
        local = self._local(node.name) if isinstance(node, Identifier) else None
        return local.entries if local is not None else None

    def item_size(self, node: Node) -> tuple[Type, Range] | None:
        """Type and size of the items of a list; None for what is none."""
        held, path = self.type_of(node), self._path(node)
        if held.kind != "list":
            return None
        declared = self._sizes((*path, "@items")) if path else None
        return held.parameters[0], declared if declared is not None else UNKNOWN

    def merge_entries(self, node: Node, first: Node, second: Node) -> None:
        left, right = self.entries_of(first), self.entries_of(second)
        if left is not None and right is not None:
            self._entries[node] = Entries(left.kind, left.key.or_(right.key), left.value.or_(right.value))


def _own_size(node: Node) -> Range | None:
    """The size of what stands in the expression itself."""
    if isinstance(node, Literal):
        count = len(node.value) if isinstance(node.value, str | bytes) else 1
    elif isinstance(node, ListLiteral):
        count = len(node.elements)
    elif isinstance(node, MapLiteral):
        count = len(node.entries)
    else:
        return None
    return Range(count, count)


def _is_scalar(held: Type) -> bool:
    if held.kind == "opaque" and held.name == "optional_type":
        return _is_scalar(held.parameters[0])
    return held.kind in _SCALARS


_COSTS: Mapping[type[Node], Callable[[_Estimator, Node], Range]] = {
    Literal: _Estimator.literal,  # type: ignore[dict-item]
    Identifier: _Estimator.identifier,  # type: ignore[dict-item]
    Select: _Estimator.select,  # type: ignore[dict-item]
    Call: _Estimator.call,  # type: ignore[dict-item]
    ListLiteral: _Estimator.list_literal,  # type: ignore[dict-item]
    MapLiteral: _Estimator.map_literal,  # type: ignore[dict-item]
    MessageLiteral: _Estimator.message,  # type: ignore[dict-item]
    Comprehension: _Estimator.comprehension,  # type: ignore[dict-item]
}
