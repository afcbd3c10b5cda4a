"""Events: what components tell people about objects, such as `Scheduled` or `BackOff`.

`EventRecorder.event` only queues and never fails; `run` writes to the API server. Equal events become one with a count.
"""

from __future__ import annotations

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.core_v1 import ObjectReference
from pybernetes.client import Client
from pybernetes.environment.clock import Clock


class EventRecorder:
    """The events of one component (`kubelet`, `default-scheduler`) on one host, if it has one."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None: ...

    def event(
        self, obj: ApiObject | ObjectReference, type: str, reason: str, message: str, field_path: str = ""
    ) -> None:
        """Tells that something happened to an object; `type` is `Normal` or `Warning`."""

    async def run(self) -> None:
        """Writes events until cancelled."""
