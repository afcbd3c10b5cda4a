"""Texts in order, to which most come one by one while nobody looks: they are put in their places when somebody does.

The keyspace holds its keys in them, and the API server's collections their objects' names.
"""

from __future__ import annotations

from bisect import bisect_left, insort

# To put a text in its place costs about as much as to look at so many others when all are sorted anew.
_WORTH = 64


class Order:
    """Different texts, sorted by code point."""

    __slots__ = ("_new", "_sorted")

    def __init__(self, *texts: str) -> None:
        self._sorted: list[str] = []
        self._new = list(texts)

    def __len__(self) -> int:
        return len(self._sorted) + len(self._new)

    def add(self, text: str) -> None:
        """Takes in a text that is not there."""
        self._new.append(text)

    def remove(self, text: str) -> None:
        """Takes out a text that is there."""
        texts = self.texts
        del texts[bisect_left(texts, text)]

    @property
    def texts(self) -> list[str]:
        """All of them, sorted: to be read only, and not kept."""
        if self._new:
            if _WORTH * len(self._new) < len(self._sorted):
                for text in self._new:
                    insort(self._sorted, text)
            else:
                self._sorted += self._new
                self._sorted.sort()
            self._new.clear()
        return self._sorted
