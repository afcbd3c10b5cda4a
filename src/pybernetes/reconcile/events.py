"""Events: what components tell people about objects, such as `Scheduled` or `BackOff`.

`EventRecorder.event` only queues and never fails; `run` writes to the API server. Equal events become one with a count.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime

import msgspec

from pybernetes.api import time
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Event, EventSource, ObjectReference
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.client import Client, PatchType, Unreachable
from pybernetes.environment.clock import Clock
from pybernetes.reconcile.event_correlator import EventCorrelator, Occurrence, Verdict, Written

log = logging.getLogger(__name__)

QUEUED_AT_MOST = 1000
TRIES = 12
PAUSE = 10.0  # seconds between tries while the API server cannot be reached


@dataclass(frozen=True)
class _Told:
    what: Occurrence
    at: datetime
    monotonic: float


class EventRecorder:
    """The events of one component (`kubelet`, `default-scheduler`) on one host, if it has one."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self.dropped = 0
        self._client = client
        self._clock = clock
        self._component = component
        self._host = host
        self._correlator = EventCorrelator()
        self._told: deque[_Told] = deque()
        self._wake = asyncio.Event()
        self._last_nanoseconds = 0

    def event(
        self, obj: ApiObject | ObjectReference, type: str, reason: str, message: str, field_path: str = ""
    ) -> None:
        """Tells that something happened to an object; `type` is `Normal` or `Warning`."""
        if len(self._told) >= QUEUED_AT_MOST:
            self.dropped += 1
            return
        what = Occurrence(reference(obj, field_path), type, reason, message)
        self._told.append(_Told(what, self._clock.now(), self._clock.monotonic()))
        self._wake.set()

    async def run(self) -> None:
        """Writes events until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._told:
                await self._write(self._told.popleft())

    async def _write(self, told: _Told) -> None:
        verdict = self._correlator.judge(told.what, told.monotonic)
        if verdict is None:
            self.dropped += 1
            return None
        for _ in range(TRIES):
            try:
                return await self._send(told, verdict)
            except Unreachable as error:
                log.warning("event %s cannot be written yet: %s", told.what.reason, error)
                await asyncio.sleep(PAUSE)
            except StatusError as error:
                # A namespace that is going, for instance: upstream gives up too.
                log.info("event %s is refused: %s", told.what.reason, error)
                break
        self.dropped += 1
        return None

    async def _send(self, told: _Told, verdict: Verdict) -> None:
        if verdict.known is not None:
            try:
                return await self._count_up(told, verdict, verdict.known)
            except StatusError as error:
                if error.code != 404:
                    raise
        # What was forgotten by the server (events live an hour) goes on counting under a new name.
        first, count = (verdict.known.first, verdict.known.count) if verdict.known else (time.format(told.at), 0)
        event = self._event(told, verdict.message, first, count + 1)
        await self._client.create(event)
        where = event.metadata
        self._correlator.wrote(verdict, Written(where.name or "", where.namespace or "", first, count + 1))
        return None

    async def _count_up(self, told: _Told, verdict: Verdict, known: Written) -> None:
        change = {
            "count": known.count + 1,
            "message": verdict.message,
            "lastTimestamp": time.format(told.at),
        }
        await self._client.patch(Event, known.name, known.namespace, change, PatchType.STRATEGIC)
        self._correlator.wrote(verdict, Written(known.name, known.namespace, known.first, known.count + 1))

    def _event(self, told: _Told, message: str, first: str, count: int) -> Event:
        about = told.what.about
        return Event(
            metadata=ObjectMeta(name=self._name(told), namespace=about.namespace or "default"),
            involved_object=about,
            reason=told.what.reason,
            message=message,
            type=told.what.type,
            source=EventSource(component=self._component, host=self._host or None),
            reporting_component=self._component,
            reporting_instance=self._host or None,
            first_timestamp=first,
            last_timestamp=time.format(told.at),
            count=count,
        )

    def _name(self, told: _Told) -> str:
        """`nginx.18a2b3c4d5e6f708`: the object and the time in nanoseconds, moved on where two are of one moment."""
        nanoseconds = int(told.at.timestamp() * 1_000_000) * 1000
        self._last_nanoseconds = max(nanoseconds, self._last_nanoseconds + 1)
        return f"{told.what.about.name}.{self._last_nanoseconds:x}"


def reference(obj: ApiObject | ObjectReference, field_path: str = "") -> ObjectReference:
    """How an event names the object that it is about."""
    if isinstance(obj, ObjectReference):
        return msgspec.structs.replace(obj, field_path=field_path) if field_path else obj
    where = obj.metadata
    return ObjectReference(
        api_version=obj.api_version,
        kind=obj.kind,
        namespace=where.namespace,
        name=where.name,
        uid=where.uid,
        resource_version=where.resource_version,
        field_path=field_path or None,
    )
