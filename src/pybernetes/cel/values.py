"""The values of expressions, where Python has none of its own, and how values compare. Pure.

int, float, str, bytes, bool, None, lists and dicts stand for themselves; unsigned numbers, times, durations, optionals
and the values of extensions are here. Called by the compiled expression and the libraries.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pybernetes.cel.effort import CostExceeded as CostExceeded
from pybernetes.cel.effort import EvaluationError as EvaluationError
from pybernetes.cel.effort import strain

# What comparing a list or a map takes besides its members.
_EACH = 8
INT_MAX, INT_MIN, UINT_MAX = 2**63 - 1, -(2**63), 2**64 - 1
SECOND = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z in nanoseconds.
_TIME_MIN, _TIME_MAX = -62135596800 * SECOND, 253402300800 * SECOND - 1


class Uint(int):
    """A number without a sign, of 64 bits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time, as nanoseconds since 1970."""

    nanoseconds: int

    def __post_init__(self) -> None:
        if not _TIME_MIN <= self.nanoseconds <= _TIME_MAX:
            raise EvaluationError("timestamp overflow")

    def moment(self) -> datetime:
        """In UTC; what is finer than a microsecond is dropped."""
        return _EPOCH + timedelta(microseconds=self.nanoseconds // 1000)


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in nanoseconds."""

    nanoseconds: int

    def __post_init__(self) -> None:
        if not INT_MIN <= self.nanoseconds <= INT_MAX:
            raise EvaluationError("duration overflow")


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be missing."""

    value: Any = None
    is_present: bool = False

    def held(self) -> Any:
        if not self.is_present:
            raise EvaluationError("optional.none() dereference")
        return self.value


NONE = Optional()


class Opaque:
    """A value of an extension; `type_name` is what CEL calls its type."""

    __slots__ = ()
    type_name: ClassVar[str]
    # How much of it there is to go through.
    size: ClassVar[int] = 1


class Message(dict[str, Any]):
    """An object made by an expression, such as `Object.spec{replicas: 1}`; `type_name` is what it was made as."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, fields: Iterable[tuple[str, Any]]) -> None:
        super().__init__(fields)
        self.type_name = type_name


class SetList(list[Any]):
    """A list whose order says nothing (`x-kubernetes-list-type: set`)."""

    __slots__ = ()

    def same(self, other: list[Any]) -> bool:
        return len(self) == len(other) and all(contains(other, item) for item in self)

    def plus(self, other: list[Any]) -> list[Any]:
        return SetList([*self, *(item for item in other if not contains(self, item))])


class MapList(list[Any]):
    """A list whose items are told apart by keys (`x-kubernetes-list-type: map`)."""

    __slots__ = ("keys",)

    def __init__(self, items: Iterable[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def key(self, item: Any) -> tuple[Any, ...]:
        return tuple(_hashable(item.get(name)) for name in self.keys) if isinstance(item, dict) else ()

    def same(self, other: list[Any]) -> bool:
        strain(_EACH + (len(self) + len(other)) // 2)
        held = {self.key(item): item for item in other}
        return len(self) == len(other) and all(
            (key := self.key(item)) in held and equal(item, held[key]) for item in self
        )

    def plus(self, other: list[Any]) -> list[Any]:
        """The items of both; those of `other` take the places of the ones with the same keys."""
        strain(_EACH + (len(self) + len(other)) // 2)
        added = {self.key(item): item for item in other}
        return MapList([*(added.pop(self.key(item), item) for item in self), *added.values()], self.keys)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else repr(value)


def contains(items: list[Any], wanted: Any) -> bool:
    strain(_EACH + len(items) // 2)
    return any(equal(item, wanted) for item in items)


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same to CEL, to which 1, 1u and 1.0 are one and true is no number."""
    kind = type(left)
    if kind is str or kind is type(right) is int:
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float):
        return isinstance(right, int | float) and _comparable(left, right) == _comparable(right, left)
    if isinstance(left, list):
        return isinstance(right, list) and _equal_lists(left, right)
    if isinstance(left, dict):
        if not isinstance(right, dict) or len(left) != len(right):
            return False
        strain(_EACH + len(left) // 2)
        return all(key in right and equal(value, right[key]) for key, value in left.items())
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.is_present == right.is_present and equal(left.value, right.value)
    return bool(type(left) is type(right) and left == right)


def _equal_lists(left: list[Any], right: list[Any]) -> bool:
    if isinstance(left, SetList | MapList):
        return left.same(right)
    if isinstance(right, SetList | MapList):
        return right.same(left)
    strain(_EACH + len(left) // 2)
    return len(left) == len(right) and all(equal(*pair) for pair in zip(left, right, strict=True))


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1; EvaluationError for values that have no order."""
    numeric = is_number(left) and is_number(right)
    if not numeric and type(left) is not type(right):
        raise no_overload()
    if isinstance(left, float) and math.isnan(left) or isinstance(right, float) and math.isnan(right):
        raise EvaluationError("NaN values cannot be ordered")
    if numeric:
        left, right = _comparable(left, right), _comparable(right, left)
    try:
        return int(left > right) - int(left < right)
    except TypeError:
        raise no_overload() from None


def _comparable(value: Any, other: Any) -> Any:
    """A number as it is compared with another: whole ones lose what a fraction beside them could not hold."""
    return float(value) if isinstance(other, float) else value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def no_overload() -> EvaluationError:
    return EvaluationError("no such overload")


def found(value: Any, name: Any) -> Optional:
    """What stands at a key or an index, if anything does; EvaluationError for an index that is none."""
    if isinstance(value, dict):
        return Optional(value[name], True) if has_key(value, name) else NONE
    if isinstance(value, list):
        place = index(name)
        return Optional(value[place], True) if 0 <= place < len(value) else NONE
    return NONE


def index(place: Any) -> int:
    """A place in a list, of whatever kind of number; EvaluationError for what is no whole number."""
    if not is_number(place):
        raise EvaluationError(f"unsupported index type '{_INDEX_NAMES.get(type(place), 'dyn')}' in list")
    if place != int(place) if math.isfinite(place) else True:
        raise EvaluationError(f"unsupported index value {place} in list")
    return int(place)


_INDEX_NAMES: dict[type, str] = {str: "string", bool: "bool", bytes: "bytes", type(None): "null_type"}


def has_key(held: dict[Any, Any], key: Any) -> bool:
    """Whether a map has a key: numbers of all kinds are one, truth values are none."""
    if not isinstance(key, str | int | float) or key not in held:
        return False
    # To Python true is 1.
    return (
        isinstance(key, str)
        or key not in (0, 1)
        or any(found == key and isinstance(found, bool) is isinstance(key, bool) for found in held)
    )


def size(value: Any) -> int:
    """How much of a value there is to go through: its length, or 1 for what has none."""
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    return value.size if isinstance(value, Opaque) else 1


def checked(value: int) -> int:
    """A result that must be an int of 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationError("integer overflow")


def checked_unsigned(value: int) -> Uint:
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise EvaluationError("unsigned integer overflow")
