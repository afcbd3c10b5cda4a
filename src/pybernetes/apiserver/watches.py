"""watch: what commits bring, handed to each watcher as one chunk per batch.

A watcher is told by the collection, synchronously, while the commit is applied; it keeps what it could not send yet.
One that does not read is cut off when that has grown too large: it comes back and resumes or lists again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import msgspec

from pybernetes.api.status import bad_request, expired, failure
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.collection import Change, Collection
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.negotiation import Accepted, negotiate
from pybernetes.apiserver.registry import Registry
from pybernetes.apiserver.rendering import Rendering, rendering_of
from pybernetes.apiserver.request import RequestInfo
from pybernetes.apiserver.selection import Selection, selection_of
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.store.errors import Compacted

_BOOKMARK_SECONDS = 60.0
# Seconds; upstream draws a watch's length between its --min-request-timeout and twice that.
_LENGTH_MIN = 1800.0
_BACKLOG_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Options:
    selection: Selection
    since: int | None  # None: begin with the present state
    initial_events_end: bool
    bookmarks: bool
    seconds: float


class _Watcher:
    """Collects a watch's chunks until its stream takes them."""

    def __init__(self, selection: Selection, rendering: Rendering) -> None:
        self._selection = selection
        self._rendering = rendering
        self._chunks: list[bytes] = []
        self._bytes = 0
        self._first = True
        self._wake: asyncio.Future[None] | None = None
        self.overrun = False

    def receive(self, changes: Sequence[Change]) -> None:
        """Takes the changes of one commit that the selection is about."""
        for change in changes:
            found = transition(change, self._selection)
            if found is not None:
                self.push(*found)
        self._notify()

    def push(self, type_: str, entry: Entry) -> None:
        obj = self._rendering.event(entry, self._first)
        self._first = False
        self.write(_event(type_, obj))

    def write(self, chunk: bytes) -> None:
        self._bytes += len(chunk)
        if self._bytes > _BACKLOG_BYTES_MAX:
            self.overrun = True
            return
        self._chunks.append(chunk)

    def take(self) -> bytes:
        """Everything collected, as one chunk."""
        chunk = b"".join(self._chunks)
        self._chunks.clear()
        self._bytes = 0
        return chunk

    async def wait_filled(self, seconds: float) -> bool:
        """Waits until there is something to take; False when `seconds` have passed without."""
        if self._chunks:
            return True
        self._wake = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._wake
        except TimeoutError:
            return False
        finally:
            self._wake = None
        return True

    def end(self) -> None:
        """Wakes the stream so that it notices that it is over."""
        self.overrun = True
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done() and (self._chunks or self.overrun):
            self._wake.set_result(None)


def transition(change: Change, selection: Selection) -> tuple[str, Entry] | None:
    """The event that a selection sees of a change; None when it is none of its business. Pure."""
    now = change.new is not None and selection.matches(change.new)
    if not selection.by_content:
        if change.new is None:
            return ("DELETED", change.old) if change.old is not None and selection.matches(change.old) else None
        return ("ADDED" if change.old is None else "MODIFIED", change.new) if now else None
    before = change.old is not None and selection.matches(change.old)
    if now and change.new is not None:
        return ("MODIFIED" if before else "ADDED", change.new)
    if before and change.old is not None:
        return ("DELETED", change.old if change.new is None else _as_of(change.old, change.new))
    return None


def _as_of(old: Entry, new: Entry) -> Entry:
    """The last state that a selection saw, at the revision of the change that took it out."""
    left = Entry.__new__(Entry)
    left.form, left.value, left.revision = old.form, old.value, new.revision
    left.namespace, left.name, left._fields, left._object = old.namespace, old.name, None, None
    return left


class _Stream(AsyncIterator[bytes]):
    """A watch's chunks until its time is over; a class, since `aclose` must stop listening even if nobody ever read."""

    def __init__(self, watcher: _Watcher, options: _Options, clock: Clock, leave: Callable[[], None]) -> None:
        self._watcher = watcher
        self._clock = clock
        self._leave = leave
        self._end = clock.monotonic() + options.seconds
        self._next_bookmark = clock.monotonic() + _BOOKMARK_SECONDS
        self.bookmark: Callable[[], bytes] | None = None

    async def __anext__(self) -> bytes:
        while not self._watcher.overrun and (left := self._end - self._clock.monotonic()) > 0:
            wait = min(left, self._next_bookmark - self._clock.monotonic()) if self.bookmark else left
            if await self._watcher.wait_filled(max(wait, 0.0)):
                return self._watcher.take()
            if self.bookmark and self._clock.monotonic() >= self._next_bookmark:
                self._next_bookmark = self._clock.monotonic() + _BOOKMARK_SECONDS
                return _event("BOOKMARK", self.bookmark())
        self._leave()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._leave()


class Watches:
    """Answers watch requests; `close` ends all that run."""

    def __init__(self, registry: Registry, clock: Clock, chance: Chance) -> None:
        self._registry = registry
        self._clock = clock
        self._chance = chance
        self._running: set[_Watcher] = set()

    @property
    def running(self) -> int:
        """How many watches are open."""
        return len(self._running)

    def watch(self, request: Request, info: RequestInfo) -> Response:
        """A stream of events as JSON documents."""
        assert info.kind is not None
        accepted = negotiate(request, watch=True)
        options = self._options(request, info)
        rendering = rendering_of(info.kind, accepted, self._clock, request.parameter("includeObject"))
        collection = self._registry.collection(info.kind)
        watcher = _Watcher(options.selection, rendering)
        try:
            self._begin(collection, watcher, options, rendering)
        except Compacted:
            watcher.take()
            gone = expired(f"too old resource version: {options.since} ({self._registry.store.compacted})")
            return self._response(_once(_event("ERROR", msgspec.json.encode(gone.status))), accepted)
        stop = collection.listen(watcher.receive)
        self._running.add(watcher)

        def leave() -> None:
            stop()
            self._running.discard(watcher)

        stream = _Stream(watcher, options, self._clock, leave)
        if options.bookmarks:
            stream.bookmark = lambda: rendering.bookmark({"resourceVersion": str(self._registry.revision)})
        return self._response(stream, accepted)

    def close(self) -> None:
        for watcher in self._running:
            watcher.end()

    def _begin(self, collection: Collection, watcher: _Watcher, options: _Options, rendering: Rendering) -> None:
        """What the watcher sees before anything new happens; no await between this and `listen`."""
        if options.since is None:
            for entry in collection.entries(options.selection.namespace):
                if options.selection.matches(entry):
                    watcher.push("ADDED", entry)
            if options.initial_events_end:
                metadata = {
                    "resourceVersion": str(self._registry.revision),
                    "annotations": {"k8s.io/initial-events-end": "true"},
                }
                watcher.write(_event("BOOKMARK", rendering.bookmark(metadata)))
        elif options.since < self._registry.revision:
            watcher.receive(collection.history(options.since))

    def _options(self, request: Request, info: RequestInfo) -> _Options:
        revision = request.parameter("resourceVersion")
        if revision and not revision.isdigit():
            raise failure(500, "", f'strconv.ParseUint: parsing "{revision}": invalid syntax')
        initial = request.parameter("sendInitialEvents")
        match = request.parameter("resourceVersionMatch")
        bookmarks = request.parameter("allowWatchBookmarks") in ("true", "1")
        if initial and match != "NotOlderThan":
            raise _forbidden_initial()
        wants_state = initial == "true" or (not initial and revision in ("", "0"))
        since = None if wants_state else (int(revision) if revision not in ("", "0") else self._registry.revision)
        seconds = request.parameter("timeoutSeconds")
        length = float(seconds) if seconds.isdigit() and int(seconds) > 0 else _LENGTH_MIN * self._chance.uniform(1, 2)
        return _Options(selection_of(request, info), since, initial == "true" and bookmarks, bookmarks, length)

    @staticmethod
    def _response(stream: AsyncIterator[bytes], _accepted: Accepted) -> Response:
        return Response(200, {"content-type": "application/json", "cache-control": "no-cache, private"}, stream=stream)


def _event(type_: str, obj: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), obj)


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


def _forbidden_initial() -> Exception:
    return bad_request(
        "sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    )
