"""Who makes commits durable: the one writer thread of a file, or, without a file, nobody.

The embedded store hands over one `Commit` at a time and is told on the loop when it is done; what queues up
meanwhile goes into the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from pybernetes.store.errors import StoreError, StoreFailed
from pybernetes.store.journal import Commit, Journal

logger = logging.getLogger(__name__)

Done = Callable[[StoreError | None], None]


class Committer(Protocol):
    """Carries out commits."""

    def start(self, commit: Commit, done: Done) -> None:
        """Begins; `done` is called on the loop with what went wrong, or None when all of it is durable."""

    async def close(self) -> None:
        """Ends; no commit may be under way."""


class MemoryCommitter:
    """Keeps nothing: a commit is done at once, with no thread, so that simulations stay deterministic."""

    def start(self, commit: Commit, done: Done) -> None:
        done(None)

    async def close(self) -> None:
        return


class ThreadCommitter:
    """A thread that owns the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._closed = self._loop.create_future()
        self._work: SimpleQueue[tuple[Commit, Done] | None] = SimpleQueue()
        # A daemon, since a process that ends without closing the store loses nothing that was acknowledged.
        self._thread = Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def start(self, commit: Commit, done: Done) -> None:
        self._work.put((commit, done))

    async def close(self) -> None:
        self._work.put(None)
        await self._closed
        self._thread.join()

    def _run(self) -> None:
        try:
            while (work := self._work.get()) is not None:
                commit, done = work
                self._loop.call_soon_threadsafe(done, self._carry_out(commit))
            self._journal.close()
            self._loop.call_soon_threadsafe(self._closed.set_result, None)
        except RuntimeError:
            # The loop was closed before the store: there is nobody left to tell.
            self._journal.close()

    def _carry_out(self, commit: Commit) -> StoreError | None:
        try:
            self._journal.commit(commit)
        except StoreError as error:
            return error
        except Exception as error:
            # The thread's outermost edge: were it to die, every writer would wait for ever.
            logger.exception("A commit failed unexpectedly")
            return StoreFailed(f"the write could not be made durable: {error}")
        return None
