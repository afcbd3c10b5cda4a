"""Keeps CustomResourceDefinitions what they promise: names accepted, established, and cleaned up before they go.

`settle` brings every definition to rest. It runs before a write of a definition is answered, so that the resource is
there when the client has its answer, and again (`run`) when the last object of a definition that is being deleted goes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import cast

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import StatusError
from pybernetes.api.time import format as format_time
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.apiserver.custom.names import cleaned_up, set_condition, status_of, terminating
from pybernetes.apiserver.custom.resources import DEFINITIONS, CustomResources, is_built_in
from pybernetes.apiserver.deletion import CLEANUP_FINALIZER, Deletion
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.intents import Aspect, Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer

_log = logging.getLogger(__name__)
_ROUNDS_MAX = 5


class Definitions:
    """Settles the definitions of one server."""

    def __init__(
        self,
        writer: Writer,
        deletion: Deletion,
        resources: CustomResources,
        follow: Callable[[], Awaitable[None]],
    ) -> None:
        """`follow` is called when all is at rest: for what depends on which kinds are served."""
        self._follow = follow
        self._writer = writer
        self._deletion = deletion
        self._resources = resources
        self._collection = writer.registry.collection(DEFINITIONS)
        self._settling = asyncio.Lock()
        self._woken = asyncio.Event()
        self._waiting: dict[str, Callable[[], None]] = {}

    async def run(self) -> None:
        """Settles what outlived its deletion request, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self.settle()

    async def settle(self) -> None:
        """Brings all definitions to rest; one that cannot be is left for the next time."""
        async with self._settling:
            # A definition that goes or changes may leave names to others.
            for _ in range(_ROUNDS_MAX):
                if not await self._round():
                    break
            await self._follow()

    async def _round(self) -> bool:
        """Looks at every definition once; whether any has changed."""
        before = self._collection.count(), [entry.revision for entry in self._collection.entries()]
        for entry in list(self._collection.entries()):
            try:
                await self._settle(entry)
            except StatusError as error:
                _log.warning("CustomResourceDefinition %s is not settled: %s", entry.name, error)
        return before != (self._collection.count(), [entry.revision for entry in self._collection.entries()])

    async def _settle(self, entry: Entry) -> None:
        definition = cast(CustomResourceDefinition, entry.object)
        if definition.metadata.deletion_timestamp is not None:
            if CLEANUP_FINALIZER in definition.metadata.finalizers:
                await self._clean_up(entry)
            return
        others = [cast(CustomResourceDefinition, other.object) for other in self._collection.entries()]
        if status_of(definition, others, self._now()) == definition.status:
            return
        await self._change(entry.name, lambda crd: self._put_status(crd, others))

    def _put_status(self, definition: CustomResourceDefinition, others: list[CustomResourceDefinition]) -> None:
        definition.status = status_of(definition, others, self._now())

    async def _clean_up(self, entry: Entry) -> None:
        """Deletes all objects of a definition, and then lets it go."""
        stored = self._resources.stored(entry.name)
        if stored is not None and self._writer.registry.collection(stored).count():
            await self._change(entry.name, self._in_progress)
            stored = self._resources.stored(entry.name) or stored
            objects = self._writer.registry.collection(stored)
            await self._deletion.delete_all(Intent(stored, ITSELF), list(objects.entries()), DeleteOptions())
            if objects.count():
                self._wait_for(entry.name, stored)
                return
        await self._change(entry.name, self._completed)

    def _wait_for(self, name: str, stored: Kind) -> None:
        """Wakes `run` when the last object has gone; finalizers keep it for now."""
        if name in self._waiting:
            return
        objects = self._writer.registry.collection(stored)

        def look(_changes: object) -> None:
            if not objects.count():
                self._waiting.pop(name)()
                self._woken.set()

        self._waiting[name] = objects.listen(look)

    def _in_progress(self, definition: CustomResourceDefinition) -> None:
        wanted = terminating(True, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        set_condition(definition.status, wanted, self._now())

    def _completed(self, definition: CustomResourceDefinition) -> None:
        wanted = cleaned_up(definition, overlaps=is_built_in(definition))
        set_condition(definition.status, wanted, self._now())
        kept = [name for name in definition.metadata.finalizers if name != CLEANUP_FINALIZER]
        definition.metadata.finalizers = kept

    async def _change(self, name: str, change: Callable[[CustomResourceDefinition], None]) -> None:
        def make(entry: Entry) -> ApiObject:
            definition = cast(CustomResourceDefinition, copy(entry.object))
            change(definition)
            return definition

        tracker = Updates(DEFINITIONS, "kube-apiserver", "status")
        intent = Intent(DEFINITIONS, ITSELF, name=name, subresource="status", tracker=tracker)
        await self._writer.modify(intent, make, Aspect(lambda _new, _old: None, lambda _new, _old: []))

    def _now(self) -> str:
        return format_time(self._writer.clock.now())
