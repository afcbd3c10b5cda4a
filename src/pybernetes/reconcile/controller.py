"""The controller pattern: workers take keys from a queue and reconcile them, one key in one hand at a time.

Informers' callbacks put keys into the queue; `reconcile` makes the world as it should be and may ask to look again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pybernetes.api.status import StatusError
from pybernetes.client import Unreachable
from pybernetes.reconcile.informer import Informer
from pybernetes.reconcile.queue import WorkQueue

log = logging.getLogger(__name__)

Reconcile = Callable[[str], Awaitable[float | None]]


class Controller:
    """Runs `reconcile(key)`: seconds until it wants to look again, or None; an exception means again with back-off."""

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        queue: WorkQueue,
        workers: int = 1,
        informers: Sequence[Informer[Any]] = (),
    ) -> None:
        self.name = name
        self.reconciled = 0
        self.failed = 0
        self._reconcile = reconcile
        self._queue = queue
        self._workers = workers
        self._informers = informers

    async def run(self) -> None:
        """Waits until the informers are synced, then works until cancelled."""
        for informer in self._informers:
            await informer.wait_synced()
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._workers):
                    tasks.create_task(self._work(), name=f"{self.name} {number}")
        finally:
            self._queue.close()

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                await self._handle(key)
            finally:
                self._queue.done(key)

    async def _handle(self, key: str) -> None:
        try:
            again = await self._reconcile(key)
        except Exception as error:
            self.failed += 1
            self._queue.add_rate_limited(key)
            self._report(key, error)
            return
        self.reconciled += 1
        self._queue.forget(key)
        if again is not None:
            self._queue.add_after(key, again)

    def _report(self, key: str, error: Exception) -> None:
        """A conflict is everyday life, an answer of the server is a line, anything else is a mistake of ours."""
        if isinstance(error, StatusError) and error.code == 409:
            log.debug("%s: %s: %s", self.name, key, error)
        elif isinstance(error, StatusError | Unreachable):
            log.warning("%s: %s: %s", self.name, key, error)
        else:
            log.error("%s: %s failed", self.name, key, exc_info=error)
