"""What calls cost while an expression runs: the units of upstream, which make endless work impossible. Pure.

An overload goes in; None (one unit) or a function of the arguments and the result comes out. Called by the compiler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pybernetes.cel.declarations import Overload
from pybernetes.cel.effort import strain
from pybernetes.cel.values import Opaque, size

CallCost = Callable[[Sequence[Any], Any], int]
# Units per character of a string that is read, and of a pattern.
STRING_FACTOR, PATTERN_FACTOR = 0.1, 0.25
LIST_COST, MAP_COST, MESSAGE_COST = 10, 30, 40
AUTHORIZATION_COST = 350_000
_ORDERED = frozenset(("_<_", "_<=_", "_>_", "_>=_"))
# A quantity, an address or a range counts as what has no length.
_OF_TEXT = frozenset(("string", "bytes"))


def read(count: float) -> int:
    """What reading so many characters costs."""
    return math.ceil(count * STRING_FACTOR)


def traversed(value: Any) -> int:
    """What going through a whole value costs, with all that it holds."""
    if isinstance(value, str | bytes):
        length = len(value) if isinstance(value, bytes) or value.isascii() else len(value.encode("utf-8", "replace"))
        return int(length * STRING_FACTOR)
    if isinstance(value, list):
        strain(len(value))
        return sum(map(traversed, value))
    if isinstance(value, dict):
        strain(len(value))
        return sum(traversed(key) + traversed(held) for key, held in value.items())
    return 1


def _first(factor: int) -> CallCost:
    return lambda given, _result: read(size(given[0]) * factor)


def _least(given: Sequence[Any], _result: Any) -> int:
    return read(min(size(given[0]), size(given[1])))


def _sum(given: Sequence[Any], _result: Any) -> int:
    return read(size(given[0]) + size(given[1]))


def _pattern(given: Sequence[Any], _result: Any) -> int:
    return read(1 + size(given[0])) * math.ceil(size(given[1]) * PATTERN_FACTOR)


def _contains(given: Sequence[Any], _result: Any) -> int:
    return read(size(given[0])) * read(size(given[1]))


def _members(given: Sequence[Any], _result: Any) -> int:
    return size(given[1])


def _product(given: Sequence[Any], _result: Any) -> int:
    """Sets compare every member with every other."""
    return 1 + size(given[0]) * size(given[1])


def _twice_product(given: Sequence[Any], _result: Any) -> int:
    return 1 + 2 * size(given[0]) * size(given[1])


def _formatted(given: Sequence[Any], _result: Any) -> int:
    return read(size(given[0]))


def _range_contains_address(given: Sequence[Any], _result: Any) -> int:
    """As many bytes of both are compared as the range has; text has to be read before."""
    return read(2 * size(given[0])) + (read(size(given[1])) if isinstance(given[1], str) else 0)


def _range_contains_range(given: Sequence[Any], result: Any) -> int:
    return _range_contains_address(given, result) + read(size(given[0])) + 1


def _equality(given: Sequence[Any], result: Any) -> int:
    return 1 if isinstance(given[0], Opaque) else _least(given, result)


def of_selector(length: int) -> int:
    """What reading a selector costs: a list, its text, and as many requirements as that can hold."""
    return LIST_COST + read(length) + math.ceil(length * 0.5) * (LIST_COST + MESSAGE_COST)


def _validated(given: Sequence[Any], _result: Any) -> int:
    return int(read(1 + size(given[1])) * math.ceil(given[0].pattern_size * PATTERN_FACTOR))


_BY_NAME: Mapping[str, CallCost] = {
    "_==_": _equality,
    "_!=_": _least,
    "startsWith": _first(1),
    "endsWith": _first(1),
    "contains": _contains,
    "matches": _pattern,
    "find": _pattern,
    "findAll": _pattern,
    "format": _formatted,
    "containsIP": _range_contains_address,
    "containsCIDR": _range_contains_range,
    "fieldSelector": lambda given, _result: of_selector(size(given[1])),
    "labelSelector": lambda given, _result: of_selector(size(given[1])),
    "sets.contains": _product,
    "sets.intersects": _product,
    "sets.equivalent": _twice_product,
    "isSorted": lambda given, _result: traversed(given[0]),
    "sum": lambda given, _result: traversed(given[0]),
    "max": lambda given, _result: traversed(given[0]),
    "min": lambda given, _result: traversed(given[0]),
    "indexOf": lambda given, _result: traversed(given[0]),
    "lastIndexOf": lambda given, _result: traversed(given[0]),
    "join": lambda _given, result: read(2 * size(result)),
    "check": lambda _given, _result: AUTHORIZATION_COST,
    "ip.isCanonical": _first(2),
    "validate": _validated,
    **dict.fromkeys(("replace", "split"), _first(2)),
    **dict.fromkeys(
        ("url", "lowerAscii", "upperAscii", "substring", "trim", "isIP", "cidr", "isCIDR", "quantity", "isQuantity"),
        _first(1),
    ),
    **dict.fromkeys(("semver", "isSemver", "strings.quote", "jsonpatch.escapeKey"), _first(1)),
}


def cost_of(overload: Overload) -> CallCost | None:
    """How the cost of a call comes from its arguments and its result; None when it is one unit whatever they are."""
    name, kinds = overload.function, overload.kinds
    if name in _ORDERED:
        return _least if kinds[0] in _OF_TEXT else None
    if name == "_+_":
        return _sum if kinds[0] in _OF_TEXT else None
    if name == "@in":
        return _members if kinds[1] == "list" else None
    if name in ("string", "bytes", "ip"):
        return _first(1) if kinds[0] in _OF_TEXT and overload.result.kind != kinds[0] else None
    return _BY_NAME.get(name)
