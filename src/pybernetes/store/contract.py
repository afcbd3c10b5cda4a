"""What every store driver does: the seam between the API server and whoever keeps the bytes.

Reads and watches are synchronous and come from memory; writes are awaited until they are on disk. The drivers are held
to these sentences by `tests/contracts/test_store.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct


class KeyValue(Struct, frozen=True, gc=False):
    """A key's state: `create_revision` began its present life, `revision` last changed it (both are > 0)."""

    key: str
    value: bytes
    create_revision: int
    revision: int


class Event(Struct, frozen=True, gc=False):
    """One change. For DELETE `item` carries the revision of the deletion and the last value.

    `previous` is the state before the change: None for the PUT that creates the key, otherwise given as long as that
    state was live when the oldest kept revision was (always, for events that a watch may still ask for).
    """

    type: Literal["PUT", "DELETE"]
    item: KeyValue
    previous: KeyValue | None


class Range(Struct, frozen=True):
    """A consistent snapshot of keys in bytewise order, as of `revision`; `remaining` keys follow when `more`."""

    revision: int
    items: Sequence[KeyValue]
    more: bool
    remaining: int


Receive = Callable[[Sequence[Event]], None]


class Watch(Protocol):
    """A running watch."""

    def close(self) -> None:
        """Ends it at once: `receive` is never called again. May be called twice, and from within `receive`."""


class Store(Protocol):
    """Revisions of keys. Used from one event loop; every write takes the next revision, none is ever used twice."""

    @property
    def revision(self) -> int:
        """The newest committed revision; that of an empty store is 1, as etcd's is."""

    @property
    def compacted(self) -> int:
        """The newest revision that has been compacted away, 0 when none has."""

    @property
    def size_bytes(self) -> int:
        """What the store takes on disk, 0 when it keeps nothing there."""

    def get(self, key: str) -> KeyValue | None:
        """The committed state of a key."""

    def range(self, prefix: str, start: str = "", limit: int = 0, revision: int | None = None) -> Range:
        """The keys that begin with `prefix`, from the key `start` (inclusive) on, at most `limit` (0: all).

        `revision` None means the newest committed one. Raises `Compacted` when `revision` < `compacted` and
        `FutureRevision` when it is > `self.revision`. A state as of exactly `compacted` can still be read.
        """

    async def put(
        self, key: str, value: bytes, expected: int | None = None, lease_seconds: float | None = None
    ) -> KeyValue:
        """Writes and returns once the write is durable and every watch has been told.

        `expected`: None, whatever is there; 0, the key must not exist; n, its `revision` must be n. Otherwise raises
        `Conflict`. With `lease_seconds` the key is deleted unless put again in time; a put without makes it stay.
        Raises `StoreFull` or another `StoreFailed` when it could not be made durable, `StoreUncertain` among them.
        Cancelling the waiting does not take the write back.
        """

    async def delete(self, key: str, expected: int | None = None) -> KeyValue:
        """Deletes and returns the last value with the revision of the deletion; raises as `put` does.

        A key that does not exist raises `Conflict` with `current` None, whatever `expected` is.
        """

    def watch(self, prefix: str, since: int, receive: Receive) -> Watch:
        """Delivers every event with revision > `since` under `prefix`, in order, none twice and none left out.

        What has been committed is delivered in one call before this returns (no call if there is nothing); then there
        is one call for each committed batch that has something for this watch. `receive` must not raise or block. It
        may close watches, start others and read: it sees the state after the batch.
        A `since` in the future is allowed: events up to it are left out. Raises `Compacted` when `since` < `compacted`.
        """

    async def compact(self, revision: int) -> None:
        """Forgets the history up to `revision`, except the newest state of every key alive then.

        Raises `Compacted` when that has been done already, `FutureRevision` when it has not been committed.
        """

    async def reach(self) -> None:
        """Returns when whoever makes writes durable has answered; changes nothing. Raises as `put` does.

        It stands in the same line as the writes, so a store that stalls does not answer.
        """

    async def close(self) -> None:
        """Waits for the writes under way, then lets go of the file. Later writes raise `StoreClosed`."""
