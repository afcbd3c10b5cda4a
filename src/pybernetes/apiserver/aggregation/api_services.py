"""Keeps APIServices in line: those of this server exist while it serves their group-versions; others say if they can.

`settle` runs when the server starts and whenever definitions of custom resources have changed; `run` follows what the
Services behind other APIServices do. Nothing is proxied to those yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import cast

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.apiregistration_v1 import APIService, APIServiceCondition
from pybernetes.api.types.core_v1 import Endpoints, Service
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.apiserver.aggregation.registration import ALWAYS, AUTOMANAGED, is_told, registered, trouble
from pybernetes.apiserver.deletion import Deletion
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.intents import Aspect, Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer

_log = logging.getLogger(__name__)
_KIND = kind_of(APIService)
_MANAGER = "kube-apiserver"


class ApiServices:
    """The APIServices of one server. `kinds` says which kinds it serves at the moment."""

    def __init__(self, writer: Writer, deletion: Deletion, kinds: Callable[[], Iterable[Kind]]) -> None:
        self._writer, self._deletion, self._kinds = writer, deletion, kinds
        self._collection = writer.registry.collection(_KIND)
        self._woken = asyncio.Event()
        for type_ in (APIService, Service, Endpoints):
            writer.registry.collection(kind_of(type_)).listen(lambda _changes: self._woken.set())

    async def settle(self) -> None:
        """Registers what is served, and takes back what was registered for definitions that have gone."""
        wanted = registered(self._kinds())
        for name, service in wanted.items():
            if self._collection.get("", name) is None:
                await self._create(name, service)
        gone = [entry for entry in self._collection.entries() if self._is_stale(entry, wanted)]
        if gone:
            await self._deletion.delete_all(Intent(_KIND, ITSELF), gone, DeleteOptions())

    @staticmethod
    def _is_stale(entry: Entry, wanted: dict[str, APIService]) -> bool:
        return entry.name not in wanted and entry.object.metadata.labels.get(AUTOMANAGED) == ALWAYS

    async def _create(self, name: str, service: APIService) -> None:
        intent = Intent(_KIND, ITSELF, name=name, tracker=Updates(_KIND, _MANAGER))
        try:
            await self._writer.create(intent, service)
        except StatusError as error:
            # Whoever wrote the definition that this follows from is not to be troubled: the next change tries again.
            _log.warning("APIService %s is not registered: %s", name, error)

    async def run(self) -> None:
        """Follows the Services behind APIServices, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self.look()

    async def look(self) -> None:
        """Says of every APIService of another server what keeps that from being asked."""
        reader = self._writer.registry
        for entry in list(self._collection.entries()):
            service = cast(APIService, entry.object)
            reference = service.spec.service
            if reference is None:
                continue
            where = reference.name or "", reference.namespace or ""
            condition = trouble(service, reader.get(Service, *where), reader.get(Endpoints, *where))
            if condition is not None and not is_told(service, condition):
                await self._tell(entry.name, condition)

    async def _tell(self, name: str, condition: APIServiceCondition) -> None:
        def make(entry: Entry) -> ApiObject:
            service = cast(APIService, copy(entry.object))
            condition.last_transition_time = self._writer.now()
            others = [item for item in service.status.conditions if item.type != condition.type]
            service.status.conditions = [*others, condition]
            return service

        tracker = Updates(_KIND, _MANAGER, "status")
        intent = Intent(_KIND, ITSELF, name=name, subresource="status", tracker=tracker)
        try:
            await self._writer.modify(intent, make, Aspect(lambda _new, _old: None, lambda _new, _old: []))
        except StatusError as error:
            _log.warning("the condition of APIService %s is not written: %s", name, error)
