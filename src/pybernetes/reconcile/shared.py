"""Informers that components share: one list and one watch per kind and selection in a process.

Controllers ask `Informers.of` for what they need, in their constructors or later; `run` keeps all of them going.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from pybernetes.api.objects import ApiObject, Object
from pybernetes.client import Client
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.reconcile.informer import Informer, Selection


class Informers:
    """The informers of one process."""

    def __init__(self, client: Client, clock: Clock, chance: Chance) -> None:
        self._client = client
        self._clock = clock
        self._chance = chance
        self._informers: dict[tuple[type[ApiObject], Selection], Informer[Any]] = {}
        self._to_start: asyncio.Queue[Informer[Any]] = asyncio.Queue()

    def of(
        self, type_: type[Object], namespace: str | None = None, *, label_selector: str = "", field_selector: str = ""
    ) -> Informer[Object]:
        """The informer of a kind and selection; the same one each time."""
        selection = Selection(namespace, label_selector, field_selector)
        informer = self._informers.get((type_, selection))
        if informer is None:
            informer = Informer(self._client, type_, self._clock, self._chance, selection)
            self._informers[type_, selection] = informer
            self._to_start.put_nowait(informer)
        return cast("Informer[Object]", informer)

    async def wait_synced(self) -> None:
        """Returns when every informer that has been asked for so far knows the first state."""
        for informer in tuple(self._informers.values()):
            await informer.wait_synced()

    async def run(self) -> None:
        """Runs all informers, those asked for later too, until cancelled. Call it once."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                informer = await self._to_start.get()
                tasks.create_task(informer.run(), name=f"informer {informer.type.__name__}")
