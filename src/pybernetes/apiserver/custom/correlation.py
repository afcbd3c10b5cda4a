"""What parts of a value were before an update, as far as the schema tells which of them belong together. Pure.

A new and an old value and their schema go in; the parts' own correlations, and whether they stayed the same, come out.
Called by `validation` and `expressions`, which hold nothing against a value that stayed as it was.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from pybernetes.api.json_schema import EMBEDDED, LIST_KEYS, LIST_TYPE, PRESERVE, Schema, child, items
from pybernetes.apiserver.custom.demands import walk


class Correlation:
    """A value and what it was before. Only lists that are maps have items that were something before."""

    def __init__(self, new: Any, old: Any, schema: Schema, *, is_closed: bool = False) -> None:
        """`is_closed` says that the schema knows everything that may be in the value: see `is_closed`."""
        self._new, self._old, self._schema = new, old, schema
        self._is_closed = is_closed
        self._parts: dict[str | int, Correlation | None] = {}

    def key(self, name: str) -> Correlation | None:
        """The correlation of a field; None where it has none: it is new, or the schema does not know it."""
        if name not in self._parts:
            self._parts[name] = self._key(name)
        return self._parts[name]

    def _key(self, name: str) -> Correlation | None:
        new, old, inner = self._new, self._old, child(self._schema, name)
        if not isinstance(new, dict) or not isinstance(old, dict) or name not in new or name not in old:
            return None
        return Correlation(new[name], old[name], inner, is_closed=self._is_closed) if inner is not None else None

    def index(self, index: int) -> Correlation | None:
        """The correlation of an item."""
        if index not in self._parts:
            self._parts[index] = self._index(index)
        return self._parts[index]

    def _index(self, index: int) -> Correlation | None:
        inner = items(self._schema)
        if inner is None or not isinstance(self._new, list) or not isinstance(self._new[index], dict):
            return None
        old = self._old_items.get(self._keys(self._new[index]))
        if old is None:
            return None
        return Correlation(self._new[index], old, inner, is_closed=self._is_closed)

    @cached_property
    def _old_items(self) -> dict[bytes, Any]:
        """The former items by their keys; empty for lists that are no maps."""
        if self._schema.get(LIST_TYPE) != "map" or not isinstance(self._old, list):
            return {}
        return {self._keys(item): item for item in reversed(self._old) if isinstance(item, dict)}

    def _keys(self, item: dict[str, Any]) -> bytes:
        return _text([item.get(key) for key in self._schema.get(LIST_KEYS) or ()])

    @property
    def is_untouched(self) -> bool:
        """Whether the value is quickly seen to be the same; most of them are, in most updates."""
        return self._is_closed and _text(self._new) == _text(self._old)

    @cached_property
    def is_same(self) -> bool:
        """Whether the value stayed as it was; the order of lists that are maps means nothing."""
        new, old = self._new, self._old
        if type(new) is not type(old):
            return False
        if isinstance(new, dict):
            return len(new) == len(old) and all(_is_same(self.key(name)) for name in new)
        if not isinstance(new, list):
            return bool(new == old)
        if len(new) != len(old):
            return False
        if self._schema.get(LIST_TYPE) == "map":
            return all(_is_same(self.index(index)) for index in range(len(new)))
        return _text(new) == _text(old)


def is_closed(schema: Schema) -> bool:
    """Whether a value of a schema has no fields that the schema does not name: those are never the same as before."""
    return not any(
        part.get(PRESERVE) or part.get(EMBEDDED) or part.get("additionalProperties") is True for part in walk(schema)
    )


def _is_same(part: Correlation | None) -> bool:
    return part is not None and part.is_same


def _text(value: Any) -> bytes:
    # Compared as text, since to Python 1, 1.0 and True are one.
    return msgspec.json.encode(value, order="sorted")
