"""Which keys must go when: deadlines in seconds of the monotonic clock, kept in a heap.

The embedded store sets them as puts are committed, asks for the earliest one to set its timer, and deletes what is due.
"""

from __future__ import annotations

import heapq

_SLACK = 64


class Leases:
    """Deadlines of keys. The heap may hold stale entries; what counts is the dictionary."""

    def __init__(self) -> None:
        self._deadlines: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def set(self, key: str, deadline: float) -> None:
        self._deadlines[key] = deadline
        heapq.heappush(self._heap, (deadline, key))
        if len(self._heap) > 2 * len(self._deadlines) + _SLACK:
            self.rebuild()

    def drop(self, key: str) -> None:
        self._deadlines.pop(key, None)

    def earliest(self) -> float | None:
        """The next deadline that counts."""
        while self._heap and self._is_stale(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> list[str]:
        """The keys whose deadline is <= now, earliest first; not given again until `rebuild`."""
        due: list[str] = []
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if not self._is_stale(entry):
                due.append(entry[1])
        return due

    def rebuild(self) -> None:
        """Begins anew from the deadlines that count: also those taken but never carried out."""
        self._heap = [(deadline, key) for key, deadline in self._deadlines.items()]
        heapq.heapify(self._heap)

    def _is_stale(self, entry: tuple[float, str]) -> bool:
        return self._deadlines.get(entry[1]) != entry[0]
