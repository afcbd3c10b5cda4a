"""The running watches of a store, and who among them is told of a committed batch.

The embedded store hands every committed batch to `tell`; watches of one bucket of keys see only that bucket's events.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from pybernetes.store.contract import Event, Receive
from pybernetes.store.keyspace import bucket_of, is_in_one_bucket

logger = logging.getLogger(__name__)


class RunningWatch:
    """A watch that has been told of everything up to `seen`."""

    def __init__(self, prefix: str, seen: int, receive: Receive, group: dict[RunningWatch, None]) -> None:
        self.prefix = prefix
        self.seen = seen
        self._receive = receive
        self._group = group
        self._open = True
        group[self] = None

    def close(self) -> None:
        self._open = False
        self._group.pop(self, None)

    def tell(self, events: Sequence[Event]) -> None:
        """Passes on what is new under the prefix, in one call; none when there is nothing."""
        if not self._open:
            return
        prefix, seen = self.prefix, self.seen
        new = [event for event in events if event.item.key.startswith(prefix) and event.item.revision > seen]
        if not new:
            return
        self.seen = new[-1].item.revision
        try:
            self._receive(new)
        except Exception:
            # The edge of the store: one receiver's fault must not keep the others from what is already on disk.
            logger.exception("The receiver of a watch on %s failed; the watch goes on", prefix)


class Watchers:
    """All running watches; they are told in the order of their beginning within a bucket."""

    def __init__(self) -> None:
        self._by_bucket: dict[str, dict[RunningWatch, None]] = {}
        self._wide: dict[RunningWatch, None] = {}

    def add(self, prefix: str, seen: int, receive: Receive) -> RunningWatch:
        group = self._by_bucket.setdefault(bucket_of(prefix), {}) if is_in_one_bucket(prefix) else self._wide
        return RunningWatch(prefix, seen, receive, group)

    def tell(self, events: Sequence[Event]) -> None:
        """Tells of one committed batch, in revision order, which must already be in the committed view."""
        if self._by_bucket:
            by_bucket: dict[str, list[Event]] = {}
            for event in events:
                by_bucket.setdefault(bucket_of(event.item.key), []).append(event)
            for bucket, part in by_bucket.items():
                _tell_all(self._by_bucket.get(bucket, ()), part)
        _tell_all(self._wide, events)

    def close(self) -> None:
        for group in (*self._by_bucket.values(), self._wide):
            for watch in list(group):
                watch.close()


def _tell_all(watches: Iterable[RunningWatch], events: Sequence[Event]) -> None:
    for watch in list(watches):
        watch.tell(events)
