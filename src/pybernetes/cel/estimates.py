"""What an expression may cost at least and at most, found before it runs, from how large its variables can be. Pure.

A checked tree and the sizes of what variables hold go in; a range of cost units comes out. Upstream refuses expensive
rules by these numbers, so they follow its reckoning step by step. Called by who accepts expressions from users.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pybernetes.cel import costs
from pybernetes.cel.checker import Checked
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

# Every number beyond is as good as endless.
ENDLESS = 2**64 - 1
Path = tuple[str, ...]


class Range(NamedTuple):
    """From `least` to `most`."""

    least: int
    most: int

    def plus(self, other: Range) -> Range:
        return Range(_capped(self.least + other.least), _capped(self.most + other.most))

    def times(self, other: Range) -> Range:
        return Range(_capped(self.least * other.least), _capped(self.most * other.most))

    def by(self, factor: float) -> Range:
        return Range(_scaled(self.least, factor), _scaled(self.most, factor))

    def or_(self, other: Range) -> Range:
        return Range(min(self.least, other.least), max(self.most, other.most))


class Entries(NamedTuple):
    """How large the keys and the values of a list or a map are, where an expression itself says so."""

    kind: str
    key: Range
    value: Range


Sizes = Callable[[Path], Range | None]
NOTHING, ONE, UNKNOWN = Range(0, 0), Range(1, 1), Range(0, ENDLESS)
_SCALARS = frozenset(("bool", "double", "duration", "int", "timestamp", "uint"))


def _capped(value: int) -> int:
    return min(value, ENDLESS)


def _scaled(value: int, factor: float) -> int:
    return _capped(math.ceil(value * factor))


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
        if self._type(node.operand).kind in ("map", "object", "parameter"):
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
        fitting = self._checked.overloads.get(node) or []
        own: Range | None = None
        size: Range | None = None
        for overload in fitting:
            cost, result = _CallEstimate(self, node, overload.kinds, arguments).found()
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
        kind = entries.kind if entries is not None else self._type(node.range).kind
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

    def _type(self, node: Node) -> Type:
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
        if _is_scalar(self._type(node)):
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
        """Type and size of the items of a list whose path is known."""
        held, path = self._type(node), self._path(node)
        if held.kind != "list" or not path:
            return None
        return held.parameters[0], self._sizes((*path, "@items")) or UNKNOWN

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
_LISTS = frozenset(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"))
_AUTHORIZATION = frozenset(
    ("serviceAccount", "path", "group", "resource", "subresource", "namespace", "name", "allowed", "reason", "error")
) | {"errored", "fieldSelector", "labelSelector"}
_ACCESSORS = frozenset(
    ("masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast")
) | {"isGlobalUnicast", "major", "minor", "patch"}
_ARITHMETIC = frozenset(
    ("sign", "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan", "isLessThan", "compareTo", "add", "sub")
)
_NOMINAL = _AUTHORIZATION | _ACCESSORS | _ARITHMETIC
_READERS = frozenset(["url", "cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver", "isURL"])
_TEXT_CHANGES = frozenset(("lowerAscii", "upperAscii", "substring", "trim"))
_COMPARISONS = frozenset(("_<_", "_<=_", "_>_", "_>=_"))
# The bytes of the addresses that a range is compared with.
_ADDRESS = Range(4, 16)


class _CallEstimate:
    """The cost of one call by one overload, and the size of its result if the call says it."""

    def __init__(self, of: _Estimator, node: Call, kinds: Sequence[str], arguments: Sequence[Range]) -> None:
        self._of, self._node, self._kinds = of, node, kinds
        self._arguments = arguments
        self._parts = node.arguments if node.target is None else [node.target, *node.arguments]

    def found(self) -> tuple[Range, Range | None]:
        name = self._node.function
        if name in ("_&&_", "_||_"):
            left, right = self._arguments
            return Range(left.least, left.plus(right).most), None
        if name == "_?_:_":
            return self._choice()
        own, size = self._extension(name) or self._standard(name)
        for argument in self._arguments:
            own = own.plus(argument)
        return own, size

    def _size(self, index: int) -> Range:
        return self._of.size_or_unknown(self._parts[index])

    def _choice(self) -> tuple[Range, Range | None]:
        condition, yes, no = self._arguments
        size = self._size(1).or_(self._size(2))
        self._of.merge_entries(self._node, self._parts[1], self._parts[2])
        return condition.plus(yes.or_(no)), size

    def _extension(self, name: str) -> tuple[Range, Range | None] | None:
        read = costs.STRING_FACTOR
        if name == "check":
            return Range(costs.AUTHORIZATION_COST, costs.AUTHORIZATION_COST), None
        if name in _NOMINAL:
            return ONE, None
        if name in _LISTS:
            return self._over_list(), None
        if name in _READERS and self._kinds[0] == "string":
            return self._size(0).by(read), None
        if name in _TEXT_CHANGES:
            return self._size(0).by(read), self._size(0)
        if name == "replace":
            return self._size(0).by(2 * read), self._replaced()
        if name == "split":
            return self._size(0).by(2 * read), Range(0, self._size(0).most)
        if name == "join":
            size = self._joined()
            return size.by(read), size
        if name in ("find", "findAll"):
            return self._by_pattern(), Range(0, self._size(0).most)
        if name in ("containsIP", "containsCIDR"):
            return self._within(name), None
        if name.startswith("sets."):
            count = self._size(0).times(self._size(1)).plus(ONE)
            return (count.plus(count) if name == "sets.equivalent" else count), None
        return None

    def _over_list(self) -> Range:
        item = self._of.item_size(self._parts[0])
        if item is None:
            return self._size(0).by(costs.STRING_FACTOR)
        held, size = item
        each = ONE.plus(size.by(costs.STRING_FACTOR)) if held.kind in ("string", "bytes") else ONE
        return self._size(0).times(each)

    def _by_pattern(self) -> Range:
        return self._size(0).plus(ONE).by(costs.STRING_FACTOR).times(self._size(1).by(costs.PATTERN_FACTOR))

    def _within(self, name: str) -> Range:
        cost = _ADDRESS.plus(_ADDRESS).by(costs.STRING_FACTOR)
        if name == "containsCIDR":
            cost = cost.plus(_ADDRESS.by(costs.STRING_FACTOR)).plus(ONE)
        return cost.plus(self._size(1).by(costs.STRING_FACTOR)) if self._kinds[1] == "string" else cost

    def _joined(self) -> Range:
        count, item = self._size(0), self._of.item_size(self._parts[0])
        size = count.times(item[1]) if item is not None else NOTHING
        if len(self._parts) > 1:
            size = size.plus(self._size(1).times(Range(max(count.least - 1, 0), max(count.most - 1, 0))))
        return size

    def _replaced(self) -> Range:
        """From the least to the most that replacing can leave."""
        text, old, new = self._size(0), self._size(1), self._size(2)
        if old.least == 0:
            most = _capped(text.most + 1) * new.most + text.most
        elif new.most <= old.least:
            most = text.most
        else:
            most = -(-text.most // old.least) * new.most
        if old.most == 0:
            least = (text.least + 1) * new.least + text.least
        elif old.most <= new.least:
            least = text.least
        else:
            least = -(-text.least // old.most) * new.least
        return Range(_capped(least), _capped(most))

    def _standard(self, name: str) -> tuple[Range, Range | None]:
        read, text = costs.STRING_FACTOR, self._kinds[0] in ("string", "bytes") if self._kinds else False
        if name == "format":
            return self._size(0).by(read), None
        if name == "bytes" and self._kinds[0] == "string":
            return self._size(0).by(read), Range(self._size(0).least, _capped(self._size(0).most * 4))
        if name == "string" and self._kinds[0] == "bytes":
            return self._size(0).by(read), Range(self._size(0).least // 4, self._size(0).most)
        if name == "strings.quote":
            size = self._size(0)
            return size.by(read), Range(size.least + 2, _capped(size.most * 2 + 2))
        if name in ("startsWith", "endsWith"):
            return self._size(1).by(read), None
        if name == "@in" and self._kinds[1] == "list":
            return self._size(1), None
        if name == "matches":
            return self._by_pattern(), None
        if name == "contains":
            return self._size(0).by(read).times(self._size(1).by(read)), None
        if name == "_+_" and (text or self._kinds[0] == "list"):
            size = self._size(0).plus(self._size(1))
            self._of.merge_entries(self._node, self._parts[0], self._parts[1])
            return (size.by(read) if text else ONE), size
        if name in ("_==_", "_!=_") or (name in _COMPARISONS and text):
            most = min(self._size(0).most, self._size(1).most)
            return Range(1 if most else 0, most).by(read), None
        return ONE, None
