"""Events of the server itself about Services, addresses and ranges: what somebody should look at.

`tell` writes a Warning; the same about the same object is written once in the life of a server.
"""

from __future__ import annotations

import logging

from pybernetes.api import time
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Event, EventSource, ObjectReference
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.intents import Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer

_log = logging.getLogger(__name__)
_KIND = kind_of(Event)
# Of more than this many the oldest may be told again.
_TOLD_MAX = 1000


class ServerEvents:
    """Writes the events of one component of the server, such as `ipallocator-repair-controller`."""

    def __init__(self, writer: Writer, component: str) -> None:
        self._writer = writer
        self._component = component
        self._told: dict[tuple[str, str], None] = {}
        self._moments = 0

    async def tell(self, obj: ApiObject, reason: str, message: str, action: str = "") -> None:
        """Events with an `action` are of the newer form (events.k8s.io); a failure is logged."""
        known = (obj.metadata.uid or "", message)
        if known in self._told:
            return
        self._told[known] = None
        if len(self._told) > _TOLD_MAX:
            del self._told[next(iter(self._told))]
        _log.warning("%s: %s", reason, message)
        event = self._event(obj, action)
        event.reason, event.message, event.type = reason, message, "Warning"
        intent = Intent(_KIND, ITSELF, event.metadata.namespace or "", tracker=Updates(_KIND, "kube-apiserver"))
        try:
            await self._writer.create(intent, event)
        except StatusError as error:
            _log.info("event %s is refused: %s", reason, error)

    def _event(self, obj: ApiObject, action: str) -> Event:
        meta, now = obj.metadata, self._writer.clock.now()
        # Names end in the time in nanoseconds; two of one moment differ all the same.
        self._moments = max(int(now.timestamp() * 1_000_000) * 1000, self._moments + 1)
        about = ObjectReference(kind=obj.kind, api_version=obj.api_version, name=meta.name, namespace=meta.namespace)
        about.uid, about.resource_version = meta.uid, meta.resource_version
        event = Event(
            metadata=ObjectMeta(name=f"{meta.name}.{self._moments:x}", namespace=meta.namespace or "default"),
            involved_object=about,
            reporting_component=self._component,
        )
        if action:
            event.event_time, event.action = time.format_micro(now), action
            event.reporting_instance = "kube-apiserver"
        else:
            event.source, event.count = EventSource(component=self._component), 1
            event.first_timestamp = event.last_timestamp = time.format(now)
        return event
