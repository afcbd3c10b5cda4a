"""CEL's operators, and the few functions that belong to the language itself. Pure."""

from __future__ import annotations

import math
from typing import Any

from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.values import (
    Duration,
    EvaluationError,
    MapList,
    SetList,
    Timestamp,
    Uint,
    checked,
    checked_unsigned,
    compare,
    contains,
    equal,
    has_key,
)
from pybernetes.cel.values import index as whole_index

LIBRARY = Library()
_ORDERED = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
_MIXED = (
    ("int", "uint"),
    ("int", "double"),
    ("uint", "int"),
    ("uint", "double"),
    ("double", "int"),
    ("double", "uint"),
)
_PAIRS = (*((name, name) for name in _ORDERED), *_MIXED)


@LIBRARY.function("_==_(T, T) -> bool")
def equals(left: Any, right: Any) -> bool:
    return equal(left, right)


@LIBRARY.function("_!=_(T, T) -> bool")
def differs(left: Any, right: Any) -> bool:
    return not equal(left, right)


@LIBRARY.function(*(f"_<_({left}, {right}) -> bool" for left, right in _PAIRS))
def less(left: Any, right: Any) -> bool:
    return compare(left, right) < 0


@LIBRARY.function(*(f"_<=_({left}, {right}) -> bool" for left, right in _PAIRS))
def less_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right) <= 0


@LIBRARY.function(*(f"_>_({left}, {right}) -> bool" for left, right in _PAIRS))
def greater(left: Any, right: Any) -> bool:
    return compare(left, right) > 0


@LIBRARY.function(*(f"_>=_({left}, {right}) -> bool" for left, right in _PAIRS))
def greater_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right) >= 0


@LIBRARY.function("_&&_(bool, bool) -> bool", "_||_(bool, bool) -> bool")
def logical(_left: bool, _right: bool) -> bool:
    raise AssertionError("compiled as short-circuiting")


@LIBRARY.function("_?_:_(bool, T, T) -> T")
def conditional(_condition: bool, _yes: Any, _no: Any) -> Any:
    raise AssertionError("compiled as a choice")


@LIBRARY.function("@not_strictly_false(bool) -> bool")
def not_strictly_false(value: Any) -> bool:
    return value is not False


@LIBRARY.function("!_(bool) -> bool")
def negated(value: bool) -> bool:
    return not value


@LIBRARY.function("-_(int) -> int", "-_(double) -> double")
def minus(value: Any) -> Any:
    return -value if isinstance(value, float) else checked(-value)


@LIBRARY.function("_+_(int, int) -> int")
def add_ints(left: int, right: int) -> int:
    return checked(left + right)


@LIBRARY.function("_+_(uint, uint) -> uint")
def add_uints(left: int, right: int) -> Uint:
    return checked_unsigned(int(left) + int(right))


@LIBRARY.function("_+_(double, double) -> double", "_+_(string, string) -> string", "_+_(bytes, bytes) -> bytes")
def add(left: Any, right: Any) -> Any:
    return left + right


@LIBRARY.function("_+_(list(T), list(T)) -> list(T)")
def add_lists(left: list[Any], right: list[Any]) -> list[Any]:
    if isinstance(left, SetList | MapList):
        return left.plus(right)
    strain((len(left) + len(right)) // 8)
    return [*left, *right]


@LIBRARY.function("_+_(timestamp, duration) -> timestamp")
def later(moment: Timestamp, span: Duration) -> Timestamp:
    return Timestamp(moment.nanoseconds + span.nanoseconds)


@LIBRARY.function("_+_(duration, timestamp) -> timestamp")
def later_by(span: Duration, moment: Timestamp) -> Timestamp:
    return later(moment, span)


@LIBRARY.function("_+_(duration, duration) -> duration")
def longer(left: Duration, right: Duration) -> Duration:
    return Duration(left.nanoseconds + right.nanoseconds)


@LIBRARY.function("_-_(int, int) -> int")
def subtract_ints(left: int, right: int) -> int:
    return checked(left - right)


@LIBRARY.function("_-_(uint, uint) -> uint")
def subtract_uints(left: int, right: int) -> Uint:
    return checked_unsigned(int(left) - int(right))


@LIBRARY.function("_-_(double, double) -> double")
def subtract(left: float, right: float) -> float:
    return left - right


@LIBRARY.function("_-_(timestamp, duration) -> timestamp")
def earlier(moment: Timestamp, span: Duration) -> Timestamp:
    return Timestamp(moment.nanoseconds - span.nanoseconds)


@LIBRARY.function("_-_(timestamp, timestamp) -> duration", "_-_(duration, duration) -> duration")
def between(left: Any, right: Any) -> Duration:
    return Duration(left.nanoseconds - right.nanoseconds)


@LIBRARY.function("_*_(int, int) -> int")
def multiply_ints(left: int, right: int) -> int:
    return checked(left * right)


@LIBRARY.function("_*_(uint, uint) -> uint")
def multiply_uints(left: int, right: int) -> Uint:
    return checked_unsigned(int(left) * int(right))


@LIBRARY.function("_*_(double, double) -> double")
def multiply(left: float, right: float) -> float:
    return left * right


@LIBRARY.function("_/_(int, int) -> int")
def divide_ints(left: int, right: int) -> int:
    """Towards zero."""
    if right == 0:
        raise EvaluationError("division by zero")
    quotient = abs(left) // abs(right)
    return checked(quotient if (left < 0) == (right < 0) else -quotient)


@LIBRARY.function("_/_(uint, uint) -> uint")
def divide_uints(left: int, right: int) -> Uint:
    if right == 0:
        raise EvaluationError("division by zero")
    return Uint(int(left) // int(right))


@LIBRARY.function("_/_(double, double) -> double")
def divide(left: float, right: float) -> float:
    if right == 0:
        return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


@LIBRARY.function("_%_(int, int) -> int")
def remainder(left: int, right: int) -> int:
    """Of a division towards zero, so that it has the sign of `left`."""
    if right == 0:
        raise EvaluationError("modulus by zero")
    rest = abs(left) % abs(right)
    return rest if left >= 0 else -rest


@LIBRARY.function("_%_(uint, uint) -> uint")
def remainder_uints(left: int, right: int) -> Uint:
    if right == 0:
        raise EvaluationError("modulus by zero")
    return Uint(int(left) % int(right))


@LIBRARY.function("@in(T, list(T)) -> bool")
def in_list(value: Any, items: list[Any]) -> bool:
    return contains(items, value)


@LIBRARY.function("@in(K, map(K, V)) -> bool")
def in_map(key: Any, held: dict[Any, Any]) -> bool:
    return has_key(held, key)


@LIBRARY.function("_[_](list(T), int) -> T")
def at(items: list[Any], index: Any) -> Any:
    place = whole_index(index)
    if not 0 <= place < len(items):
        raise EvaluationError(f"index out of bounds: {place}")
    return items[place]


@LIBRARY.function("_[_](map(K, V), K) -> V")
def under(held: dict[Any, Any], key: Any) -> Any:
    if has_key(held, key):
        return held[key]
    raise EvaluationError(f"no such key: {str(key).lower() if isinstance(key, bool) else key}")


@LIBRARY.function("cel.@mapInsert(map(K, V), K, V) -> map(K, V)")
def inserted(held: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    """One more entry in a map that a loop gathers and nobody else sees."""
    if key in held:
        raise EvaluationError(f"insert failed: key {key} already exists")
    held[key] = value
    return held


@LIBRARY.function("cel.@mapInsert(map(K, V), map(K, V)) -> map(K, V)")
def merged(held: dict[Any, Any], entries: dict[Any, Any]) -> dict[Any, Any]:
    for key, value in entries.items():
        inserted(held, key, value)
    return held


@LIBRARY.function(*(f"size({kind}) -> int" for kind in ("string", "bytes", "list(T)", "map(K, V)")))
@LIBRARY.function(*(f"{kind}.size() -> int" for kind in ("string", "bytes", "list(T)", "map(K, V)")))
def size(value: Any) -> int:
    return len(value)


@LIBRARY.function("string.startsWith(string) -> bool")
def starts_with(text: str, beginning: str) -> bool:
    return text.startswith(beginning)


@LIBRARY.function("string.endsWith(string) -> bool")
def ends_with(text: str, ending: str) -> bool:
    return text.endswith(ending)


@LIBRARY.function("string.contains(string) -> bool")
def text_contains(text: str, part: str) -> bool:
    return part in text
