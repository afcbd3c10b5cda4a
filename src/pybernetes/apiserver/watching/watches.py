"""watch: what commits bring, handed to each watcher as one chunk per batch.

A watcher is told by `fan_out`, synchronously, while the commit is applied, and passes it on to its connection at once;
it keeps what that does not take. One that does not read is cut off when that has grown too large: it comes back and
resumes or lists again. What was before it came is written out only as fast as it reads, from the objects that all
share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from pybernetes.api.kind import Kind
from pybernetes.api.status import expired, failure
from pybernetes.api.wire import Outlet, Request, Response
from pybernetes.apiserver.collection import Collection
from pybernetes.apiserver.diagnostics.metrics import Metrics
from pybernetes.apiserver.diagnostics.series import EventCounts
from pybernetes.apiserver.negotiation import negotiate
from pybernetes.apiserver.query_numbers import parse_uint
from pybernetes.apiserver.query_options import flag, number
from pybernetes.apiserver.reads import too_large
from pybernetes.apiserver.registry import Registry
from pybernetes.apiserver.rendering import Rendering, rendering_of
from pybernetes.apiserver.request import RequestInfo
from pybernetes.apiserver.selection import Selection, selection_of
from pybernetes.apiserver.watching.backlog import Backlog
from pybernetes.apiserver.watching.fan_out import Audience, FanOut
from pybernetes.apiserver.watching.watch_messages import upgraded, wants_messages
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.store.errors import Compacted

_BOOKMARK_SECONDS = 60.0
_LAST_BOOKMARK_SECONDS = 2.0
# When all watches are to end: how many a second at least, and how often some.
_ENDED_PER_SECOND_MIN = 200.0
_ENDING_SECONDS = 0.05
# Nobody watches longer.
_LONGEST_SECONDS = 365 * 86400
# A watch that owes more is behind, and has to do with its part of the backlog.
_BEHIND_BYTES = 64 * 1024
# More is written as it came, so that its bytes, and the frame around them, are shared by all who hear the same.
_JOINED_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class _Options:
    selection: Selection
    since: int | None  # None: begin with the present state
    initial_events_end: bool
    bookmarks: bool
    seconds: float
    # The revision that the present state must have reached, if it has not.
    ahead: int = 0


class _Watcher:
    """Keeps a watch's chunks until its stream takes them. A chunk is shared with all who hear the same."""

    def __init__(self, audience: Audience, backlog: Backlog, counts: EventCounts) -> None:
        self._audience = audience
        self._counts = counts
        # The connection, once there is one.
        self.outlet: Outlet | None = None
        self._backlog = backlog
        self._chunks: deque[bytes] = deque()
        self._bytes = 0
        self._is_behind = False
        # What it begins with comes before all chunks.
        self._past: Iterator[bytes] | None = None
        self._wake: asyncio.Future[None] | None = None
        self.over = False
        self.finished = False

    def receive(self, chunk: bytes) -> None:
        # Nothing may overtake what waits.
        if self.outlet is not None and self._past is None and not self._chunks and self.outlet.take(chunk):
            return
        self._bytes += len(chunk)
        self._chunks.append(chunk)
        if self._bytes > _BEHIND_BYTES:
            self._fall_behind()
        self.wake()

    def _fall_behind(self) -> None:
        if not self._is_behind:
            self._is_behind = True
            self._backlog.fall_behind(self._audience)
        if self.over or self._bytes > self._backlog.part:
            if not self.over:
                self._give_up()
            self.drop()

    def _give_up(self) -> None:
        self.over = True
        self._counts.terminated += 1
        if self.outlet is not None:
            # Not now: others are still to be told.
            asyncio.get_running_loop().call_soon(self.outlet.cut)

    def begin(self, past: Iterator[bytes]) -> None:
        """Takes the events that the watch begins with, however many these are."""
        # The first one of all may say more than the others, so it must be made before any other.
        first = next(past, None)
        if first is not None:
            self._past = chain((first,), past)

    def drop(self) -> None:
        """Forgets what waits."""
        self._past, self._bytes = None, 0
        self._chunks.clear()
        self._catch_up()

    def _catch_up(self) -> None:
        if self._is_behind:
            self._is_behind = False
            self._backlog.catch_up(self._audience)

    def take(self) -> bytes:
        """The next of what was collected: a long chunk as it is, short ones as one; empty when there is nothing."""
        taken = self._take_past(self._past) if self._past is not None else []
        past = size = sum(map(len, taken))
        chunks = self._chunks
        while self._past is None and chunks and size < _JOINED_BYTES:
            taken.append(chunks.popleft())
            size += len(taken[-1])
        self._bytes -= size - past
        if self._is_behind and self._bytes <= _BEHIND_BYTES:
            self._catch_up()
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _take_past(self, past: Iterator[bytes]) -> list[bytes]:
        taken, size = [], 0
        for event in past:
            taken.append(event)
            size += len(event)
            if size >= _JOINED_BYTES:
                break
        else:
            self._past = None
        self._counts.began(len(taken), size)
        return taken

    async def wait(self) -> None:
        """Returns after the next `wake`."""
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def wake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def finish(self) -> None:
        """Ends the stream when it has brought what there is."""
        self.finished = True
        self.wake()

    def end(self) -> None:
        """Wakes the stream so that it notices that it is over."""
        self.over = True
        self.wake()


class _Stream(AsyncIterator[bytes]):
    """A watch's chunks until its time is over; a class, since `aclose` must stop listening even if nobody ever read."""

    def __init__(self, watcher: _Watcher, seconds: float, clock: Clock, leave: Callable[[], None]) -> None:
        self._watcher = watcher
        self._clock = clock
        self._leave = leave
        self._end = clock.monotonic() + seconds
        # The last one comes just before the end, so that the client's next watch begins where this one ends.
        self._next_bookmark = min(clock.monotonic() + _BOOKMARK_SECONDS, self._end - _LAST_BOOKMARK_SECONDS)
        # One timer for the whole stream, set again only when it has rung: chunks come far more often.
        self._timer: asyncio.TimerHandle | None = None
        self.bookmark: Callable[[], bytes] | None = None
        # Is told once that the watch is over.
        self.on_end: Callable[[], None] | None = None

    async def __anext__(self) -> bytes:
        while not self._watcher.over:
            if chunk := self._watcher.take():
                return chunk
            now = self._clock.monotonic()
            if now >= self._end or self._watcher.finished:
                break
            if self.bookmark and now >= self._next_bookmark:
                last = self._end - _LAST_BOOKMARK_SECONDS
                self._next_bookmark = min(now + _BOOKMARK_SECONDS, last) if now < last else self._end
                return self.bookmark()
            if self._timer is None:
                until = min(self._end, self._next_bookmark) if self.bookmark else self._end
                self._timer = asyncio.get_running_loop().call_later(until - now, self._ring)
            await self._watcher.wait()
        await self.aclose()
        raise StopAsyncIteration

    def flow_into(self, outlet: Outlet) -> None:
        """See `wire.Direct`. Nothing is awaited between `__anext__` taking a chunk and its being written."""
        self._watcher.outlet = outlet

    def _ring(self) -> None:
        self._timer = None
        self._watcher.wake()

    async def aclose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._leave()
        if self.on_end is not None:
            self.on_end()
            self.on_end = None


class Watches:
    """Answers watch requests; `close` ends all that run."""

    def __init__(self, registry: Registry, clock: Clock, chance: Chance, metrics: Metrics) -> None:
        self._registry = registry
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        # Seconds; a watch that asks for no length gets between these and twice as many.
        self.length_min = 1800.0
        self._running: set[_Watcher] = set()
        # Somebody waits for the last one to end.
        self._ended: asyncio.Future[None] | None = None
        self._backlog = Backlog()
        self._fan_outs: dict[Collection, FanOut] = {}

    @property
    def running(self) -> int:
        """How many watches are open."""
        return len(self._running)

    def watch(self, request: Request, info: RequestInfo) -> Response:
        """A stream of events, framed as their media type wants it."""
        assert info.kind is not None
        accepted = negotiate(request, info.kind, watch=True)
        options = self._options(request, info)
        rendering = rendering_of(info.kind, accepted, self._clock, request.parameter("includeObject"))
        if wants_messages(request):
            begin = partial(self._events, info.kind, rendering, options)
            return upgraded(request, begin, is_text=accepted.media == "json")
        return self._response(self._events(info.kind, rendering, options), rendering)

    def _events(self, kind: Kind, rendering: Rendering, options: _Options) -> AsyncIterator[bytes]:
        if options.ahead:
            ahead = too_large(options.ahead, self._registry.revision)
            return _once(rendering.error(ahead.status))
        collection = self._registry.collection(kind)
        fan_out = self._fan_out(collection)
        audience = fan_out.audience(options.selection, rendering)
        watcher = _Watcher(audience, self._backlog, fan_out.counts)
        try:
            self._begin(collection, audience, watcher, options)
        except Compacted:
            gone = expired(f"too old resource version: {options.since} ({self._registry.store.compacted})")
            return _once(rendering.error(gone.status))
        stop = fan_out.join(audience, watcher)
        self._running.add(watcher)

        def leave() -> None:
            stop()
            watcher.drop()
            self._running.discard(watcher)
            if not self._running and self._ended is not None and not self._ended.done():
                self._ended.set_result(None)

        stream = _Stream(watcher, options.seconds, self._clock, leave)
        if options.bookmarks:
            stream.bookmark = lambda: rendering.bookmark({"resourceVersion": str(self._registry.revision)})
        return stream

    def _fan_out(self, collection: Collection) -> FanOut:
        if collection not in self._fan_outs:
            fan_out = self._fan_outs[collection] = FanOut(collection, self._metrics.events_of(collection.kind))
            collection.on_close(lambda: self._dismiss(collection, fan_out))
        return self._fan_outs[collection]

    def _dismiss(self, collection: Collection, fan_out: FanOut) -> None:
        self._fan_outs.pop(collection, None)
        fan_out.end()

    def close(self) -> None:
        for watcher in list(self._running):
            watcher.end()

    async def end(self, seconds: float) -> None:
        """Ends all watches when they have brought what there is; returns then, or after `seconds`.

        They end spread over the time, so that the clients do not come back all at once, but 200 a second at least.
        """
        watchers = list(self._running)
        at_once = max(1.0, len(watchers) / seconds * _ENDING_SECONDS, _ENDED_PER_SECOND_MIN * _ENDING_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                for position, watcher in enumerate(watchers):
                    if position and position % int(at_once) == 0:
                        await asyncio.sleep(_ENDING_SECONDS)
                    watcher.finish()
                while self._running:
                    self._ended = asyncio.get_running_loop().create_future()
                    await self._ended
        except TimeoutError:
            return

    def _begin(self, collection: Collection, audience: Audience, watcher: _Watcher, options: _Options) -> None:
        """What the watcher sees before anything new happens; no await between this and `join`."""
        if options.since is None:
            selection = options.selection
            entries = [entry for entry in collection.entries(selection.namespace) if selection.matches(entry)]
            end: list[bytes] = []
            if options.initial_events_end:
                metadata = {
                    "resourceVersion": str(self._registry.revision),
                    "annotations": {"k8s.io/initial-events-end": "true"},
                }
                end = [audience.rendering.bookmark(metadata)]
            watcher.begin(chain((audience.event("ADDED", entry) for entry in entries), end))
        elif options.since < self._registry.revision:
            watcher.begin(audience.events(collection.history(options.since)))

    def _options(self, request: Request, info: RequestInfo) -> _Options:
        revision = request.parameter("resourceVersion")
        try:
            at = parse_uint(revision) if revision else 0
        except ValueError as error:
            # Upstream has no client error for these (reference, 5.17).
            text = f'resourceVersion: Invalid value: "{revision}": {error}'
            raise failure(500, "", text) from error
        initial, bookmarks = flag(request, "sendInitialEvents"), bool(flag(request, "allowWatchBookmarks"))
        wants_state = initial or (initial is None and not at)
        since = None if wants_state else at or self._registry.revision
        asked = min(max(number(request, "timeoutSeconds") or 0, 0), _LONGEST_SECONDS)
        length = float(asked) or self.length_min * self._chance.uniform(1, 2)
        ahead = at if initial and at > self._registry.revision else 0
        return _Options(selection_of(request, info), since, bool(initial) and bookmarks, bookmarks, length, ahead)

    @staticmethod
    def _response(stream: AsyncIterator[bytes], rendering: Rendering) -> Response:
        headers = {"content-type": rendering.stream_type, "cache-control": "no-cache, private"}
        return Response(200, headers, stream=stream)


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
