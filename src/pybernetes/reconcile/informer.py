"""List, then watch from there, for ever: the newest known state of one kind, and a callback for every change.

The API server's list and watch flow in; `Cache` and callbacks flow out. `Informers` shares and runs them; a component
may also run one of its own. A lost watch is taken up where it ended; a compacted revision means listing again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic

import msgspec

from pybernetes.api.objects import Object
from pybernetes.api.status import StatusError
from pybernetes.client import Client, Expired, Unreachable, WatchEvent
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.reconcile.backoff import Backoff
from pybernetes.reconcile.cache import Cache, IndexFunction

log = logging.getLogger(__name__)

Callback = Callable[[Object | None, Object | None], None]
Change = tuple[Object | None, Object | None]

# The server ends a watch after a time of this range, so that connections spread over servers again.
SHORTEST_WATCH, LONGEST_WATCH = 300.0, 600.0
# A watch that ends sooner and brought nothing is a failure in disguise: without a pause it would spin.
SUSPICIOUSLY_SHORT = 1.0
# After so many seconds of good watching, a failure counts as the first one again.
LONG_ENOUGH = 120.0


@dataclass(frozen=True)
class Selection:
    """Which objects of a kind; all of them when nothing is said."""

    namespace: str | None = None
    label_selector: str = ""
    field_selector: str = ""


class Informer(Generic[Object]):
    """One kind's state as the API server tells it. `run` fills `cache`; callbacks come in the order of changes."""

    def __init__(
        self, client: Client, type_: type[Object], clock: Clock, chance: Chance, selection: Selection | None = None
    ) -> None:
        self.cache: Cache[Object] = Cache()
        self.type = type_
        self.selection = selection or Selection()
        self._client = client
        self._clock = clock
        self._chance = chance
        self._callbacks: list[Callback[Object]] = []
        self._revision = ""
        self._synced = asyncio.Event()

    @property
    def synced(self) -> bool:
        """Whether the first list is in the cache and has been told to all callbacks."""
        return self._synced.is_set()

    @property
    def revision(self) -> str:
        """The revision up to which the cache is known to be complete; empty before the first list."""
        return self._revision

    def on_change(self, callback: Callback[Object]) -> None:
        """Calls back with (old, new): (None, new) added, (old, None) deleted. First told all that is there."""
        self._callbacks.append(callback)
        for obj in self.cache.list():
            self._call(callback, None, obj)

    def add_index(self, name: str, function: IndexFunction[Object]) -> None:
        """Lets `cache.by_index(name, value)` find the objects for which the function gives the value."""
        self.cache.add_index(name, function)

    async def wait_synced(self) -> None:
        """Returns when the first list has been told; `run` must be running."""
        await self._synced.wait()

    async def run(self) -> None:
        """Follows the API server until cancelled; failures are logged and tried again."""
        backoff = Backoff(self._chance)
        while True:
            started, listing = self._clock.monotonic(), not self._revision
            try:
                worthwhile = await self._follow()
            except Expired as error:
                log.info("%s: listing again: %s", self.type.__name__, error)
                # At once, unless the revision was fresh: a server that says so would be asked without end.
                worthwhile, self._revision = not listing, ""
            except (Unreachable, StatusError, msgspec.DecodeError) as error:
                log.warning("%s: list or watch failed: %s", self.type.__name__, error)
                worthwhile = False
            if worthwhile or self._clock.monotonic() - started > LONG_ENOUGH:
                backoff.reset()
            if not worthwhile:
                await asyncio.sleep(backoff.next())

    async def _follow(self) -> bool:
        """Lists if it must, then watches until the server ends it; False when it should not be repeated at once."""
        if not self._revision:
            await self._list()
        started = self._clock.monotonic()
        events = await self._watch()
        return events > 0 or self._clock.monotonic() - started >= SUSPICIOUSLY_SHORT

    async def _list(self) -> None:
        objects: list[Object] = []
        revision, chosen = "", self.selection
        pages = self._client.pages(
            self.type,
            chosen.namespace,
            label_selector=chosen.label_selector,
            field_selector=chosen.field_selector,
        )
        async with aclosing(pages):
            async for page in pages:
                objects += page.items
                revision = page.resource_version
        self._revision = revision
        self._tell(self._replace(objects))
        self._synced.set()

    async def _watch(self) -> int:
        """Follows changes until the server ends the watch; how many there were."""
        chosen, events = self.selection, 0
        watch = self._client.watch(
            self.type,
            chosen.namespace,
            label_selector=chosen.label_selector,
            field_selector=chosen.field_selector,
            resource_version=self._revision,
            allow_watch_bookmarks=True,
            timeout_seconds=int(self._chance.uniform(SHORTEST_WATCH, LONGEST_WATCH)),
        )
        async with aclosing(watch):
            async for event in watch:
                events += 1
                self._tell(self._take(event))
                self._revision = event.object.metadata.resource_version or self._revision
        return events

    def _take(self, event: WatchEvent[Object]) -> Iterable[Change[Object]]:
        """Brings one event into the cache; the changes that it means."""
        obj = event.object
        if event.type == "BOOKMARK":
            return ()
        if event.type == "DELETED":
            return ((obj, None),) if self.cache.remove(obj) is not None else ()
        return _changes(self.cache.put(obj), obj)

    def _replace(self, objects: list[Object]) -> list[Change[Object]]:
        """Makes the cache equal to a list; the differences, deletions first."""
        present = {(obj.metadata.namespace or "", obj.metadata.name or "") for obj in objects}
        gone = [
            obj for obj in self.cache.list() if (obj.metadata.namespace or "", obj.metadata.name or "") not in present
        ]
        for obj in gone:
            self.cache.remove(obj)
        changes: list[Change[Object]] = [(obj, None) for obj in gone]
        for obj in objects:
            changes += _changes(self.cache.put(obj), obj)
        return changes

    def _tell(self, changes: Iterable[Change[Object]]) -> None:
        for old, new in changes:
            for callback in self._callbacks:
                self._call(callback, old, new)

    def _call(self, callback: Callback[Object], old: Object | None, new: Object | None) -> None:
        try:
            callback(old, new)
        except Exception:
            # One listener's mistake must not take the news from the others.
            log.exception("%s: a callback failed", self.type.__name__)


def _changes(old: Object | None, new: Object) -> Iterable[Change[Object]]:
    """What replacing means: nothing for the same revision, two changes when it is another object of that name."""
    if old is None:
        return ((None, new),)
    if old.metadata.uid != new.metadata.uid:
        return ((old, None), (None, new))
    return () if old.metadata.resource_version == new.metadata.resource_version else ((old, new),)
