"""The store inside the API server's process: everything in memory, every write first in a SQLite file (or in none).

A write gets its revision at once and waits in an overlay (`_pending`); whatever queued up while the last commit ran
goes into the next one; what has been committed is applied, told to the watches, and only then acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from pathlib import Path

from pybernetes.environment.clock import Clock
from pybernetes.store.committer import Committer, MemoryCommitter, ThreadCommitter
from pybernetes.store.contract import Event, KeyValue, Range, Receive, Watch
from pybernetes.store.errors import (
    Compacted,
    Conflict,
    FutureRevision,
    StoreClosed,
    StoreError,
    StoreFull,
    StoreUncertain,
)
from pybernetes.store.history import History, range_at, superseded
from pybernetes.store.journal import Commit, Journal, Loaded
from pybernetes.store.keyspace import Keyspace
from pybernetes.store.leases import Leases
from pybernetes.store.watchers import Watchers
from pybernetes.store.writes import Lease, Trim, Write

_FIRST_REVISION = 1
_REMOVED_PER_COMMIT = 1000
_LARGEST_BATCH = 4096
# A shorter timer would only fire again and again while the clock's last digits catch up.
_SHORTEST_TIMER_SECONDS = 0.001
_RETRY_SECONDS = 1.0


class EmbeddedStore:
    """The `Store` of one process; see the contract. Make it with `open`."""

    def __init__(self, loaded: Loaded, committer: Committer, clock: Clock, path: Path | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._clock = clock
        self._committer = committer
        self._keyspace = Keyspace()
        self._history = History(loaded.compacted)
        self._leases = Leases()
        self._watchers = Watchers()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for: float | None = None
        self._revision = max(_FIRST_REVISION, loaded.compacted)
        self._pending: dict[str, Write] = {}
        self._queue: list[Write] = []
        self._batch_limit = _LARGEST_BATCH
        self._trims: deque[Trim] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False
        self._closed = asyncio.Event()
        self._compaction = asyncio.Lock()
        self._restore(loaded)
        self._assigned = max(self._revision, loaded.assigned)

    @classmethod
    async def open(cls, path: Path | None, clock: Clock, quota_bytes: int | None = None) -> EmbeddedStore:
        """Opens or creates the file; with `path` None everything is in memory and there is no thread.

        Writes beyond `quota_bytes` raise `StoreFull`. Raises `StoreLocked` when another process has the file open,
        `StoreFailed` when it cannot be used.
        """
        if path is None:
            return cls(Loaded([], 0, 0), MemoryCommitter(), clock)
        journal = await asyncio.to_thread(Journal.open, path, quota_bytes)
        try:
            loaded = await asyncio.to_thread(journal.load)
        except StoreError:
            journal.close()
            raise
        return cls(loaded, ThreadCommitter(journal), clock, path)

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def compacted(self) -> int:
        return self._history.compacted

    @property
    def size_bytes(self) -> int:
        # The log, which holds what came last, is there only while the file is open.
        files = [self._path, self._path.with_name(f"{self._path.name}-wal")] if self._path is not None else []
        return sum(file.stat().st_size for file in files if file.exists())

    def get(self, key: str) -> KeyValue | None:
        return self._keyspace.get(key)

    def range(self, prefix: str, start: str = "", limit: int = 0, revision: int | None = None) -> Range:
        if revision is None or revision == self._revision:
            items, remaining = self._keyspace.select(prefix, start, limit)
            return Range(revision=self._revision, items=items, more=remaining > 0, remaining=remaining)
        if revision < self.compacted:
            raise Compacted(revision, self.compacted)
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        return range_at(self._keyspace, self._history, revision, prefix, start, limit)

    async def put(
        self, key: str, value: bytes, expected: int | None = None, lease_seconds: float | None = None
    ) -> KeyValue:
        if not key.isascii():
            key.encode()  # Half a surrogate pair fails here, alone, and not in the file with its whole batch.
        previous = await self._expected_state(key, expected, must_exist=False)
        lease = None if lease_seconds is None else Lease.starting(self._clock, lease_seconds)
        self._assigned = revision = self._assigned + 1
        item = KeyValue(key, value, revision if previous is None else previous.create_revision, revision)
        done: asyncio.Future[KeyValue] = self._loop.create_future()
        self._enqueue(Write(Event("PUT", item, previous), lease, done))
        return await done

    async def delete(self, key: str, expected: int | None = None) -> KeyValue:
        previous = await self._expected_state(key, expected, must_exist=True)
        assert previous is not None
        done: asyncio.Future[KeyValue] = self._loop.create_future()
        self._enqueue(Write(self._next_deletion(previous), None, done))
        return await done

    def watch(self, prefix: str, since: int, receive: Receive) -> Watch:
        if since < self.compacted:
            raise Compacted(since, self.compacted)
        watch = self._watchers.add(prefix, since, receive)
        watch.tell(self._history.since(since, prefix))
        watch.seen = max(since, self._revision)
        return watch

    async def compact(self, revision: int) -> None:
        async with self._compaction:
            if revision <= self.compacted:
                raise Compacted(revision, self.compacted)
            if revision > self._revision:
                raise FutureRevision(revision, self._revision)
            await self._trim([], revision)
            garbage = superseded(self._history.compact(revision))
            for first in range(0, len(garbage), _REMOVED_PER_COMMIT):
                await self._trim(garbage[first : first + _REMOVED_PER_COMMIT], None)

    async def reach(self) -> None:
        # A commit of nothing goes all the way and writes nothing.
        await self._trim([], None)

    async def close(self) -> None:
        if self._closing:
            await self._closed.wait()
            return
        self._closing = True
        await self._idle.wait()
        if self._timer is not None:
            self._timer.cancel()
        self._watchers.close()
        await self._committer.close()
        self._closed.set()

    def _restore(self, loaded: Loaded) -> None:
        """Replays what the file holds."""
        for revision, key, value, created, deadline in loaded.rows:
            previous = self._keyspace.get(key)
            if value is not None:
                event = Event("PUT", KeyValue(key, value, created, revision), previous)
            elif previous is not None:
                event = Event("DELETE", KeyValue(key, previous.value, created, revision), previous)
            else:
                continue
            self._apply(event, None if deadline is None else Lease.resumed(self._clock, deadline))
        self._set_timer(_SHORTEST_TIMER_SECONDS)

    # Before the commit

    async def _expected_state(self, key: str, expected: int | None, must_exist: bool) -> KeyValue | None:
        """The state that a write replaces, pending writes included; waits for those that stand against it."""
        while True:
            if self._closing:
                raise StoreClosed("the store is closed")
            pending = self._pending.get(key)
            state = self._keyspace.get(key) if pending is None else pending.state()
            found = 0 if state is None else state.revision
            if (expected is None or expected == found) and (state is not None or not must_exist):
                return state
            if pending is None:
                raise Conflict(key, state)
            waiter: asyncio.Future[None] = self._loop.create_future()
            pending.settled.append(waiter)
            await waiter

    def _next_deletion(self, previous: KeyValue) -> Event:
        self._assigned += 1
        return Event(
            "DELETE", KeyValue(previous.key, previous.value, previous.create_revision, self._assigned), previous
        )

    def _enqueue(self, write: Write) -> None:
        self._pending[write.event.item.key] = write
        self._queue.append(write)
        self._wake()

    async def _trim(self, remove: list[int], compacted: int | None) -> None:
        if self._closing:
            raise StoreClosed("the store is closed")
        trim = Trim(remove, compacted, self._loop.create_future())
        self._trims.append(trim)
        self._wake()
        await trim.done

    # The commit

    def _wake(self) -> None:
        """Lets a commit start in the loop's next turn, so that it takes along all writes of this one."""
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._start_commit)

    def _start_commit(self) -> None:
        writes: list[Write] = []
        trim = self._trims.popleft() if self._trims else None
        if trim is not None:
            # Alone, so that in a full store no write can keep room from being made.
            commit = Commit([], trim.remove, trim.compacted)
        else:
            writes, self._queue = self._queue[: self._batch_limit], self._queue[self._batch_limit :]
            commit = Commit([write.row() for write in writes])
        self._committer.start(commit, partial(self._settle, writes, trim))

    def _settle(self, writes: list[Write], trim: Trim | None, error: StoreError | None) -> None:
        """Runs on the loop once a commit is on disk or has failed."""
        if error is None:
            self._batch_limit *= 2 if self._batch_limit < _LARGEST_BATCH else 1
            self._accept(writes)
        elif isinstance(error, StoreFull) and len(writes) > 1:
            # There may be room for some of them, deletions above all: again, in smaller parts.
            self._batch_limit = len(writes) // 2
            self._queue, writes = writes + self._queue, []
        else:
            writes = self._reject(writes)
        for write in writes:
            write.finish(error)
        if trim is not None:
            trim.finish(error)
        self._set_timer(_SHORTEST_TIMER_SECONDS if error is None else _RETRY_SECONDS)
        if self._queue or self._trims:
            self._loop.call_soon(self._start_commit)
        else:
            self._idle.set()
            if isinstance(error, StoreUncertain):
                # A commit of nothing begins with making certain what became of the last one.
                self._loop.call_later(_RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        if not self._closing:
            self._wake()

    def _reject(self, writes: list[Write]) -> list[Write]:
        """Takes out failed writes and those queued that build on them; returns all of these."""
        keys = {write.event.item.key for write in writes}
        rejected = writes + [write for write in self._queue if write.event.item.key in keys]
        self._queue = [write for write in self._queue if write.event.item.key not in keys]
        for key in keys:
            self._pending.pop(key, None)
        self._leases.rebuild()
        return rejected

    def _accept(self, writes: list[Write]) -> None:
        """Makes committed writes visible: first all of them, then to the watches."""
        pending = self._pending
        for write in writes:
            key = write.event.item.key
            self._apply(write.event, write.lease)
            if pending.get(key) is write:
                del pending[key]
        if writes:
            self._watchers.tell([write.event for write in writes])

    def _apply(self, event: Event, lease: Lease | None) -> None:
        item = event.item
        if event.type == "PUT":
            self._keyspace.put(item)
        else:
            self._keyspace.remove(item.key)
        if lease is not None:
            self._leases.set(item.key, lease.expires)
        else:
            self._leases.drop(item.key)
        if item.revision > self._history.compacted:
            self._history.append(event)
            self._revision = item.revision

    # Leases

    def _set_timer(self, shortest: float) -> None:
        """Keeps one timer, for the earliest deadline, at least `shortest` seconds away."""
        earliest = self._leases.earliest()
        if earliest == self._timer_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_for = None, earliest
        if earliest is not None:
            self._timer = self._loop.call_later(max(earliest - self._clock.monotonic(), shortest), self._expire)

    def _expire(self) -> None:
        """Deletes what is due. A pending write of the key comes first: it sets the deadline anew, or fails."""
        self._timer = self._timer_for = None
        for key in [] if self._closing else self._leases.take_due(self._clock.monotonic()):
            state = self._keyspace.get(key)
            if state is not None and key not in self._pending:
                self._enqueue(Write(self._next_deletion(state), None, None))
        self._set_timer(_SHORTEST_TIMER_SECONDS)
