"""What one call of a function may cost, by upstream's reckoning, and how large its result may be. Pure.

A call, the kinds of one of its overloads and what is known of its parts go in; ranges come out. Called by `estimates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pybernetes.cel import costs
from pybernetes.cel.ranges import NOTHING, ONE, Range, capped
from pybernetes.cel.syntax import Call, Literal, Node
from pybernetes.cel.types import Type


class Known(Protocol):
    """What is known of the sizes of nodes."""

    def size_or_unknown(self, node: Node) -> Range: ...

    def item_size(self, node: Node) -> tuple[Type, Range] | None: ...

    def known_size(self, node: Node) -> Range | None: ...

    def type_of(self, node: Node) -> Type: ...

    def merge_entries(self, node: Node, first: Node, second: Node) -> None: ...


_LISTS = frozenset(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"))
_AUTHORIZATION = frozenset(
    ("serviceAccount", "path", "group", "resource", "subresource", "namespace", "name", "allowed", "reason", "error")
) | {"errored"}
_ACCESSORS = frozenset(
    ("masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast")
) | {"isGlobalUnicast", "major", "minor", "patch"}
_ARITHMETIC = frozenset(
    ("sign", "asInteger", "isInteger", "asApproximateFloat", "isGreaterThan", "isLessThan", "compareTo", "add", "sub")
)
_NOMINAL = _AUTHORIZATION | _ACCESSORS | _ARITHMETIC
_READERS = frozenset(["cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver"])
# What reads a text and makes something as large of it.
_TEXT_CHANGES = frozenset(("lowerAscii", "upperAscii", "substring", "trim", "url", "jsonpatch.escapeKey"))
_COMPARED = frozenset(
    ("net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver", "kubernetes.NamedFormat", "kubernetes.URL")
) | frozenset(
    f"kubernetes.authorization.{name}"
    for name in ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision")
)
_COMPARISONS = frozenset(("_<_", "_<=_", "_>_", "_>=_"))
# The longest name of a format, and the longest pattern that one is taken to have.
_NAME, _PATTERN = Range(1, 64), 128
# The bytes of the addresses that a range is compared with.
_ADDRESS = Range(4, 16)


class CallEstimate:
    """The cost of one call by one overload, and the size of its result if the call says it."""

    def __init__(self, of: Known, node: Call, kinds: Sequence[str], arguments: Sequence[Range]) -> None:
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
        if name == "ip.isCanonical":
            return self._size(0).by(2 * read), None
        if name in ("fieldSelector", "labelSelector"):
            return Range(*map(costs.of_selector, self._size(1))), None
        if name == "validate":
            return self._size(1).by(read).by(_PATTERN * costs.PATTERN_FACTOR), None
        if name == "_==_" and (own := self._of_opaque()) is not None:
            return own, None
        if name in _TEXT_CHANGES:
            return self._size(0).by(read), self._size(0)
        if name in ("containsIP", "containsCIDR"):
            return self._within(name), None
        if name.startswith("sets."):
            count = self._size(0).times(self._size(1))
            return (count.plus(count) if name == "sets.equivalent" else count).plus(ONE), None
        return self._with_pieces(name)

    def _with_pieces(self, name: str) -> tuple[Range, Range | None] | None:
        """Texts taken apart and put together; the size is that of what comes out."""
        read = costs.STRING_FACTOR
        if name == "replace":
            return self._size(0).by(2 * read), self._replaced()
        if name == "split":
            return self._size(0).by(2 * read), Range(0, self._pieces())
        if name == "join":
            size = self._joined()
            return size.by(read), size
        if name in ("find", "findAll"):
            return self._by_pattern(), Range(0, self._size(0).most)
        return None

    def _pieces(self) -> int:
        """How many pieces a text can be split into."""
        most = self._parts[2] if len(self._parts) > 2 else None
        if isinstance(most, Literal) and isinstance(most.value, int):
            return most.value % 2**64
        return self._size(0).most

    def _of_opaque(self) -> Range | None:
        """What it takes to find two values of an extension equal."""
        left, right = (self._of.type_of(part) for part in self._parts)
        if left != right or left.kind != "opaque" or left.name not in _COMPARED:
            return None
        if left.name == "kubernetes.NamedFormat":
            return _NAME.by(costs.STRING_FACTOR)
        known = self._of.known_size(self._parts[1]) if left.name == "kubernetes.URL" else None
        return Range(1, known.most).by(costs.STRING_FACTOR) if known is not None else ONE

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
            most = capped(text.most + 1) * new.most + text.most
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
        return Range(capped(least), capped(most))

    def _standard(self, name: str) -> tuple[Range, Range | None]:
        read, text = costs.STRING_FACTOR, self._kinds[0] in ("string", "bytes") if self._kinds else False
        if name == "format":
            return self._size(0).by(read), None
        if name == "bytes" and self._kinds[0] == "string":
            return self._size(0).by(read), Range(self._size(0).least, capped(self._size(0).most * 4))
        if name == "string" and self._kinds[0] == "bytes":
            return self._size(0).by(read), Range(self._size(0).least // 4, self._size(0).most)
        if name == "strings.quote":
            size = self._size(0)
            return size.by(read), Range(size.least + 2, capped(size.most * 2 + 2))
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
