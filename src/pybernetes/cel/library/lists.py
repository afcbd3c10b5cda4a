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


@LIBRARY.function(*(f"list({kind}).sum() -> {kind}" for kind in ("int", "uint", "double", "duration")))
def total(items: list[Any]) -> Any:
    if not items:
        # Static types tell apart what the sum of nothing is; one zero equals them all but a duration.
        return 0
    if isinstance(items[0], Duration):
        return Duration(sum(item.nanoseconds for item in items))
    if isinstance(items[0], float):
        return float(sum(items))
    found = sum(map(int, items))
    return checked_unsigned(found) if isinstance(items[0], Uint) else checked(found)


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
