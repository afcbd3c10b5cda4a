"""Lists taken as sets. Pure."""

from __future__ import annotations

from typing import Any

from pybernetes.cel.declarations import Library
from pybernetes.cel.values import contains as holds

LIBRARY = Library()


@LIBRARY.function("sets.contains(list(T), list(T)) -> bool")
def contains(items: list[Any], wanted: list[Any]) -> bool:
    return all(holds(items, item) for item in wanted)


@LIBRARY.function("sets.equivalent(list(T), list(T)) -> bool")
def equivalent(left: list[Any], right: list[Any]) -> bool:
    return contains(left, right) and contains(right, left)


@LIBRARY.function("sets.intersects(list(T), list(T)) -> bool")
def intersects(left: list[Any], right: list[Any]) -> bool:
    return any(holds(left, item) for item in right)
