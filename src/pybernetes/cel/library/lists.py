"""The list functions of Kubernetes. Pure."""

from __future__ import annotations

from typing import Any

from pybernetes.cel.declarations import Library
from pybernetes.cel.values import Duration, EvaluationError, Uint, checked, checked_unsigned, compare, equal

LIBRARY = Library()
_ORDERED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")


@LIBRARY.function(*(f"list({kind}).isSorted() -> bool" for kind in _ORDERED))
def is_sorted(items: list[Any]) -> bool:
    return all(compare(before, after) <= 0 for before, after in zip(items, items[1:], strict=False))


@LIBRARY.function("list(int).sum() -> int")
def total(items: list[int]) -> int:
    return checked(sum(items))


@LIBRARY.function("list(uint).sum() -> uint")
def total_of_uints(items: list[Uint]) -> Uint:
    return checked_unsigned(sum(map(int, items)))


@LIBRARY.function("list(double).sum() -> double")
def total_of_doubles(items: list[float]) -> float:
    return float(sum(items))


@LIBRARY.function("list(duration).sum() -> duration")
def total_of_durations(items: list[Duration]) -> Duration:
    return Duration(sum(item.nanoseconds for item in items))


@LIBRARY.function(*(f"list({kind}).min() -> {kind}" for kind in _ORDERED))
def least(items: list[Any]) -> Any:
    return _extreme(items, -1, "min")


@LIBRARY.function(*(f"list({kind}).max() -> {kind}" for kind in _ORDERED))
def greatest(items: list[Any]) -> Any:
    return _extreme(items, 1, "max")


def _extreme(items: list[Any], direction: int, name: str) -> Any:
    if not items:
        raise EvaluationError(f"{name} called on empty list")
    found = items[0]
    for item in items[1:]:
        if compare(item, found) == direction:
            found = item
    return found


@LIBRARY.function("list(T).indexOf(T) -> int")
def index_of(items: list[Any], wanted: Any) -> int:
    return next((index for index, item in enumerate(items) if equal(item, wanted)), -1)


@LIBRARY.function("list(T).lastIndexOf(T) -> int")
def last_index_of(items: list[Any], wanted: Any) -> int:
    return next((index for index in reversed(range(len(items))) if equal(items[index], wanted)), -1)
