"""From how much to how much: sizes and costs as they are known before an expression runs. Pure values."""

from __future__ import annotations

import math
from typing import NamedTuple

# Every number beyond is as good as endless.
ENDLESS = 2**64 - 1
Path = tuple[str, ...]


class Range(NamedTuple):
    """From `least` to `most`."""

    least: int
    most: int

    def plus(self, other: Range) -> Range:
        return Range(capped(self.least + other.least), capped(self.most + other.most))

    def times(self, other: Range) -> Range:
        return Range(capped(self.least * other.least), capped(self.most * other.most))

    def by(self, factor: float) -> Range:
        return Range(_scaled(self.least, factor), _scaled(self.most, factor))

    def or_(self, other: Range) -> Range:
        return Range(min(self.least, other.least), max(self.most, other.most))


class Entries(NamedTuple):
    """How large the keys and the values of a list or a map are, where an expression itself says so."""

    kind: str
    key: Range
    value: Range


NOTHING, ONE, UNKNOWN = Range(0, 0), Range(1, 1), Range(0, ENDLESS)


def capped(value: int) -> int:
    """The number, or endless."""
    return min(value, ENDLESS)


def _scaled(value: int, factor: float) -> int:
    return capped(math.ceil(value * factor))
