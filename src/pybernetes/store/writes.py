"""A write between the moment it has its revision and the moment it is on disk, as the embedded store keeps it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pybernetes.environment.clock import Clock
from pybernetes.store.contract import Event, KeyValue
from pybernetes.store.errors import StoreError
from pybernetes.store.journal import Row


@dataclass(slots=True, frozen=True)
class Lease:
    """When a key must go: `expires` on the monotonic clock, `deadline` on the wall clock; both in seconds."""

    expires: float
    deadline: float

    @classmethod
    def starting(cls, clock: Clock, seconds: float) -> Lease:
        return cls(clock.monotonic() + seconds, clock.now().timestamp() + seconds)

    @classmethod
    def resumed(cls, clock: Clock, deadline: float) -> Lease:
        """One that an earlier process began; it ran on while there was no process."""
        return cls(clock.monotonic() + deadline - clock.now().timestamp(), deadline)


@dataclass(slots=True)
class Write:
    """`done` is the writer's own (None: nobody waits); `settled` are those who look again once the outcome is known."""

    event: Event
    lease: Lease | None
    done: asyncio.Future[KeyValue] | None
    settled: list[asyncio.Future[None]] = field(default_factory=list)

    def state(self) -> KeyValue | None:
        """The key's state if the write succeeds."""
        return self.event.item if self.event.type == "PUT" else None

    def row(self) -> Row:
        item = self.event.item
        value = item.value if self.event.type == "PUT" else None
        return item.revision, item.key, value, item.create_revision, self.lease.deadline if self.lease else None

    def finish(self, error: StoreError | None) -> None:
        """Tells everyone who waits. A writer that was cancelled is not told; its write stands all the same."""
        if self.done is not None and not self.done.done():
            if error is None:
                self.done.set_result(self.event.item)
            else:
                self.done.set_exception(_copy(error))
        for waiter in self.settled:
            if not waiter.done():
                waiter.set_result(None)


@dataclass(slots=True)
class Trim:
    """One step of a compaction: revisions that the file no longer needs, the new compacted revision."""

    remove: list[int]
    compacted: int | None
    done: asyncio.Future[None]

    def finish(self, error: StoreError | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(_copy(error))


def _copy(error: StoreError) -> StoreError:
    """An exception of its own for each writer: a shared one would gather everybody's tracebacks."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy
