"""Entries by label: a list that selects a few of many looks at those few only. A collection keeps it up to date."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pybernetes.api.labels import Selector
from pybernetes.apiserver.entry import Entry

_EQUALITIES = ("=", "==", "in")


class LabelIndex:
    """The entries of one collection by key and value of each label."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[tuple[str, str], set[Entry]] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        for label in entry.labels.items():
            self._entries.setdefault(label, set()).add(entry)

    def remove(self, entry: Entry) -> None:
        for label in entry.labels.items():
            having = self._entries[label]
            having.discard(entry)
            if not having:
                del self._entries[label]

    def candidates(self, selector: Selector) -> Collection[Entry] | None:
        """A superset of what is selected; None when no term of the selector names values, so that all must be seen."""
        fewest: set[Entry] | None = None
        for requirement in selector.requirements:
            if requirement.operator not in _EQUALITIES:
                continue
            found: set[Entry] = set()
            for value in requirement.values:
                having = self._entries.get((requirement.key, value), found)
                # One value is the rule: then nothing is copied.
                found = having | found if found else having
            if fewest is None or len(found) < len(fewest):
                fewest = found
        return fewest
