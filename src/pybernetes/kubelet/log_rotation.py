"""Keeps container logs from growing for ever: at 10 MiB a log becomes `.log.<time>`, and the runtime opens a new one.

The kubelet of a real node runs it; the newest five files of a container are kept, as upstream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from pybernetes.environment.clock import Clock
from pybernetes.kubelet.runtime import ContainerRecord, ContainerRuntime, RuntimeFailure

log = logging.getLogger(__name__)

LARGEST = 10 << 20
KEPT = 5
INTERVAL = 30.0


class LogRotation:
    """Looks at the logs of the containers that run, every half minute."""

    def __init__(
        self, runtime: ContainerRuntime, clock: Clock, running: Callable[[], Iterable[ContainerRecord]]
    ) -> None:
        self._runtime = runtime
        self._clock = clock
        self._running = running

    async def run(self) -> None:
        """Rotates until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            for record in list(self._running()):
                try:
                    await self.look_at(record)
                except (OSError, RuntimeFailure) as error:
                    log.warning("log of container %s not rotated: %s", record.name, error)

    async def look_at(self, record: ContainerRecord, largest: int = LARGEST) -> None:
        """Rotates one container's log if it has grown beyond `largest` bytes."""
        path = Path(record.log_path)
        if not record.log_path or not path.exists() or path.stat().st_size < largest:
            return
        stamp = self._clock.now().strftime("%Y%m%d-%H%M%S")
        moved = path.with_name(f"{path.name}.{stamp}")
        path.rename(moved)
        try:
            await self._runtime.reopen_log(record.id)
        except RuntimeFailure:
            moved.rename(path)  # the runtime goes on writing where it was
            raise
        for old in sorted(path.parent.glob(f"{path.name}.*"))[: -(KEPT - 1)]:
            old.unlink()
