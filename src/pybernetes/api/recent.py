"""What was worked out lately, kept while there is room: a memory that is bounded in bytes.

Values go in with their size; when there are too many, those that came first go. The caller knows what a key stands for.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Recent(Generic[Key]):
    """Bytes by key, `bytes_max` of them together with what their keys hold."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._known: dict[Key, tuple[bytes, int]] = {}
        self._bytes = 0

    def get(self, key: Key) -> bytes | None:
        found = self._known.get(key)
        return None if found is None else found[0]

    def keep(self, key: Key, value: bytes, key_size: int) -> bytes:
        """Keeps a value that is not known yet, and gives it back."""
        size = len(value) + key_size
        self._known[key] = value, size
        self._bytes += size
        while self._bytes > self._bytes_max:
            self._bytes -= self._known.pop(next(iter(self._known)))[1]
        return value
