"""What a controller has asked for and has not yet seen in its cache: keeps it from creating the same pods twice.

A controller that creates or deletes expects it first; its informer callbacks observe; it acts again only when that is
satisfied. Pure values: the caller hands in the time, in seconds of any clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

# After so long an event is taken for lost, and the cache is believed again.
PATIENCE = 300.0


@dataclass
class _Expected:
    since: float
    creations: int = 0
    deletions: set[str] = field(default_factory=set)


class Expectations:
    """Expected creations (a count) and deletions (by uid, since one deletion is told several times) per key."""

    def __init__(self) -> None:
        self._expected: dict[str, _Expected] = {}

    def expect_creations(self, key: str, count: int, now: float) -> None:
        """Say this before creating `count` objects; adds to what is expected already."""
        self._of(key, now).creations += count

    def expect_deletions(self, key: str, uids: Iterable[str], now: float) -> None:
        """Say this before deleting."""
        self._of(key, now).deletions.update(uids)

    def creation_observed(self, key: str) -> None:
        """An object has appeared, or creating it has failed."""
        expected = self._expected.get(key)
        if expected is not None and expected.creations > 0:
            expected.creations -= 1

    def deletion_observed(self, key: str, uid: str) -> None:
        """An object is gone or going, or deleting it has failed."""
        expected = self._expected.get(key)
        if expected is not None:
            expected.deletions.discard(uid)

    def satisfied(self, key: str, now: float) -> bool:
        """Whether the cache shows all that was asked for, or it is too long ago."""
        expected = self._expected.get(key)
        if expected is None:
            return True
        return not expected.creations and not expected.deletions or now - expected.since > PATIENCE

    def forget(self, key: str) -> None:
        """The key's owner is gone."""
        self._expected.pop(key, None)

    def _of(self, key: str, now: float) -> _Expected:
        """The entry to add to; what is satisfied or too old starts anew."""
        expected = self._expected.get(key)
        if expected is None or self.satisfied(key, now):
            expected = self._expected[key] = _Expected(now)
        return expected
