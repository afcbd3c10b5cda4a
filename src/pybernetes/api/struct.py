"""The base of every generated API type, and the wire's scalar types.

Attributes are snake_case and become camelCase on the wire. Absent and zero are told apart only where Go has a pointer:
there the default is None. Lists and maps are never None; value structs are always written, as Go writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# A quantity is text once the API server has normalised it; clients may send plain numbers.
Quantity = str | int | float
IntOrString = Int32 | str

Item = TypeVar("Item")

if TYPE_CHECKING:
    NullableList = list[Item]
else:

    class NullableList:
        """A list that Go writes as null when it is not set: empty here, whichever of the two was read."""

        def __class_getitem__(cls, item):
            return list[item] | None


class NoItems(list[Any]):
    """A list that nobody has set, where Go tells it from an empty one; it may be filled like any other."""

    __slots__ = ()


def no_items() -> list[Any]:
    """The default of a list that is written even when it is empty; the API server writes null for it."""
    return NoItems()


def null() -> None:
    """The default of a time or pointer that is written even when it is not set."""


class ApiStruct(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """A part of an API object; plain data, compared by value. Objects that came from a cache must not be changed."""
