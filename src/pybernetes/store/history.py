"""The committed events that have not been compacted, in revision order, and the past states they tell of.

The embedded store appends what has been committed; watches begin here and reads of old revisions are worked out here.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter

from pybernetes.store.contract import Event, KeyValue, Range
from pybernetes.store.keyspace import Keyspace

_revision_of = attrgetter("item.revision")


class History:
    """Events with a revision > `compacted`. Revisions rise strictly but may leave gaps (writes that failed)."""

    def __init__(self, compacted: int = 0) -> None:
        self.compacted = compacted
        self._events: list[Event] = []
        self.append = self._events.append

    def since(self, revision: int, prefix: str = "") -> list[Event]:
        """The events under `prefix` with a greater revision."""
        if not self._events or self._events[-1].item.revision <= revision:
            return []
        first = bisect_right(self._events, revision, key=_revision_of)
        return [event for event in self._events[first:] if event.item.key.startswith(prefix)]

    def compact(self, revision: int) -> list[Event]:
        """Forgets and returns the events up to `revision`."""
        end = bisect_right(self._events, revision, key=_revision_of)
        gone = self._events[:end]
        del self._events[:end]
        self.compacted = revision
        return gone

    def states_at(self, revision: int, prefix: str) -> dict[str, KeyValue | None]:
        """What the keys under `prefix` that changed after `revision` were then; None for those that were not there."""
        past: dict[str, KeyValue | None] = {}
        for event in self.since(revision, prefix):
            past.setdefault(event.item.key, event.previous)
        return past


def superseded(events: list[Event]) -> list[int]:
    """The revisions whose states nobody can ask for once `events` are compacted: replaced states and deletions."""
    replaced = [event.previous.revision for event in events if event.previous is not None]
    return replaced + [event.item.revision for event in events if event.type == "DELETE"]


def range_at(keyspace: Keyspace, history: History, revision: int, prefix: str, start: str, limit: int) -> Range:
    """A page of the keys under `prefix` as they were at `revision`, which must not have been compacted."""
    past = {key: state for key, state in history.states_at(revision, prefix).items() if key >= start}
    # Every key of `past` may hide one of the present: that many more are enough to fill the page.
    present, remaining = keyspace.select(prefix, start, limit + len(past) if limit else 0)
    beyond = present[-1].key if remaining else None
    then = [state for state in present if state.key not in past]
    then += [state for state in past.values() if state is not None]
    then.sort(key=attrgetter("key"))
    if beyond is not None:
        # Present keys after the page were only counted; those of them that differ in the past were counted wrongly.
        remaining -= sum(1 for key in past if key > beyond and keyspace.get(key) is not None)
    page = then[:limit] if limit else then
    remaining += len(then) - len(page)
    return Range(revision=revision, items=page, more=remaining > 0, remaining=remaining)
