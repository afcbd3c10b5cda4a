"""How much all watches together may owe their clients: those that are behind have equal parts of it.

`watches` says who falls behind and who has caught up, and asks how much each may owe. Watches of one audience are owed
the same bytes, which are held once, so they count as one.
"""

from __future__ import annotations

from collections.abc import Hashable

_TOTAL_BYTES = 256 * 1024 * 1024
_WATCH_BYTES = 16 * 1024 * 1024


class Backlog:
    """The audiences with a watch that is behind, and how many of each."""

    def __init__(self, total: int = _TOTAL_BYTES, watch: int = _WATCH_BYTES) -> None:
        """`total` bytes for all, at most `watch` bytes for one."""
        self._total = total
        self._watch = watch
        self._behind: dict[Hashable, int] = {}

    @property
    def part(self) -> int:
        """The bytes that a watch may owe at present; fewer when more are behind."""
        return min(self._watch, self._total // max(len(self._behind), 1))

    def fall_behind(self, audience: Hashable) -> None:
        """One more of the audience's watches is behind."""
        self._behind[audience] = self._behind.get(audience, 0) + 1

    def catch_up(self, audience: Hashable) -> None:
        """One of them is no longer behind, or has ended."""
        self._behind[audience] -= 1
        if not self._behind[audience]:
            del self._behind[audience]
