"""Values that may be missing. Pure. (`.?` and `[?]` are part of the language, and so in the compiler.)"""

from __future__ import annotations

from typing import Any

from pybernetes.cel.declarations import Library
from pybernetes.cel.values import NONE, Optional, found

LIBRARY = Library()


@LIBRARY.function("optional.of(T) -> optional_type(T)")
def of(value: Any) -> Optional:
    return Optional(value, True)


@LIBRARY.function("optional.ofNonZeroValue(T) -> optional_type(T)")
def of_non_zero_value(value: Any) -> Optional:
    return Optional(value, True) if value else NONE


@LIBRARY.function("optional.none() -> optional_type(T)")
def none() -> Optional:
    return NONE


@LIBRARY.function("optional_type(T).hasValue() -> bool")
def has_value(held: Optional) -> bool:
    return held.is_present


@LIBRARY.function("optional_type(T).value() -> T")
def value(held: Optional) -> Any:
    return held.held()


@LIBRARY.function("optional_type(T).orValue(T) -> T")
def or_value(held: Optional, otherwise: Any) -> Any:
    return held.value if held.is_present else otherwise


@LIBRARY.function("optional_type(T).or(optional_type(T)) -> optional_type(T)")
def or_(held: Optional, otherwise: Optional) -> Optional:
    return held if held.is_present else otherwise


@LIBRARY.function(
    "_[_](optional_type(list(T)), int) -> optional_type(T)", "_[_](optional_type(map(K, V)), K) -> optional_type(V)"
)
def at(held: Optional, index: Any) -> Optional:
    """The item or value at an index or key of what may be missing itself."""
    return found(held.value, index) if held.is_present else NONE
