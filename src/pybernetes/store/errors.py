"""What a store raises. The API server turns these into `Status`; nobody else sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybernetes.environment.refusal import Refused

if TYPE_CHECKING:
    from pybernetes.store.contract import KeyValue


class StoreError(Refused):
    """Whatever a store raises on purpose."""


class Conflict(StoreError):
    """The key is not as the writer expected it; `current` is its committed state, None when it does not exist."""

    def __init__(self, key: str, current: KeyValue | None) -> None:
        state = "does not exist" if current is None else f"is at revision {current.revision}"
        super().__init__(f"{key} {state}")
        self.key = key
        self.current = current


class Compacted(StoreError):
    """The revision asked for lies before what compaction left; `compacted` is the newest revision that is gone."""

    def __init__(self, revision: int, compacted: int) -> None:
        super().__init__(f"revision {revision} has been compacted (compacted up to {compacted})")
        self.revision = revision
        self.compacted = compacted


class FutureRevision(StoreError):
    """The revision asked for has not been committed yet; `current` is the newest one that has."""

    def __init__(self, revision: int, current: int) -> None:
        super().__init__(f"revision {revision} is newer than the current {current}")
        self.revision = revision
        self.current = current


class StoreFailed(StoreError):
    """The write could not be made durable. Unless it is `StoreUncertain` it has not happened and will not."""


class StoreFull(StoreFailed):
    """The write did not happen because there is no room for it."""


class StoreUncertain(StoreFailed):
    """The disk failed and would not say how far it got: nobody sees the write, but after a crash it might be there."""


class StoreClosed(StoreFailed):
    """The store has been closed; the write has not happened."""


class StoreLocked(StoreError):
    """Another process has the file open."""
