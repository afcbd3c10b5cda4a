"""The ServiceCIDR `kubernetes`: made of the server's flags, said to be ready, and made again when it is gone.

`step` decides; `DefaultServiceCIDR` carries it out, at the start and every ten seconds. A range that differs from the
flags is left alone and told by an event; only a second family is added.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal, cast

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.types.networking_v1 import ServiceCIDR, ServiceCIDRSpec
from pybernetes.apiserver.allocation.events import ServerEvents
from pybernetes.apiserver.aspects import aspect_of
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.application import Application
from pybernetes.apiserver.field_management.tracking import Given, Updates
from pybernetes.apiserver.intents import Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer

_log = logging.getLogger(__name__)
_KIND = kind_of(ServiceCIDR)
_NAME = "kubernetes"
_MANAGER = "kubernetes-service-cidr-controller"
_READY = "Kubernetes default Service CIDR is ready"
_INTERVAL_SECONDS = 10.0

Step = Literal["create", "extend", "ready", "differs", ""]


def step(stored: ServiceCIDR | None, cidrs: Sequence[str]) -> Step:
    """What is to be done so that the default range is that of the flags. Pure."""
    if stored is None:
        return "create"
    if len(cidrs) == 2 and stored.spec.cidrs == [cidrs[0]]:
        return "extend"
    if stored.metadata.deletion_timestamp is not None:
        return ""
    if stored.spec.cidrs != list(cidrs):
        return "differs"
    said = [condition.status for condition in stored.status.conditions if condition.type == "Ready"]
    return "" if said and said[0] != "Unknown" else "ready"


def default_service_cidr(cidrs: Sequence[str]) -> ServiceCIDR:
    """The object as it is made."""
    return ServiceCIDR(metadata=ObjectMeta(name=_NAME), spec=ServiceCIDRSpec(cidrs=list(cidrs)))


class DefaultServiceCIDR:
    """Looks after the default range of one server."""

    def __init__(self, writer: Writer, cidrs: Sequence[str]) -> None:
        self._writer = writer
        self._cidrs = cidrs
        self._events = ServerEvents(writer, _MANAGER)

    async def run(self) -> None:
        """Settles it again and again, until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL_SECONDS)
            try:
                await self.settle()
            except StatusError as error:
                _log.warning("the default ServiceCIDR is not settled: %s", error)

    async def settle(self) -> None:
        """Makes it, or brings it to rest."""
        stored = self._writer.registry.get(ServiceCIDR, _NAME)
        todo = step(stored, self._cidrs)
        if todo == "create":
            await self._writer.create(self._intent(), default_service_cidr(self._cidrs))
            await self.settle()
        elif todo == "extend":
            await self._change(self._intent(), self._extended)
        elif todo == "ready":
            await self._change(self._intent("status"), self._ready)
        elif todo == "differs" and stored is not None:
            shown = f"[{' '.join(stored.spec.cidrs)}] does not match the controller flag configurations"
            message = f"The default ServiceCIDR {shown} [{' '.join(self._cidrs)}]"
            await self._events.tell(stored, "KubernetesDefaultServiceCIDRInconsistent", message)

    def _intent(self, subresource: str = "") -> Intent:
        tracker = Given() if subresource else Updates(_KIND, "kube-apiserver")
        return Intent(_KIND, ITSELF, name=_NAME, subresource=subresource, tracker=tracker)

    async def _change(self, intent: Intent, make: Callable[[Entry], ApiObject]) -> None:
        strategy = self._writer.registry.collection(_KIND).form.strategy
        await self._writer.modify(intent, make, aspect_of(_KIND, strategy, intent.subresource))

    def _extended(self, entry: Entry) -> ApiObject:
        changed = cast(ServiceCIDR, copy(entry.object))
        changed.spec.cidrs = list(self._cidrs)
        return changed

    def _ready(self, entry: Entry) -> ApiObject:
        now = self._writer.now()
        condition = {"type": "Ready", "status": "True", "message": _READY, "lastTransitionTime": now}
        document = {
            "apiVersion": _KIND.api_version,
            "kind": _KIND.name,
            "metadata": {"name": _NAME},
            "status": {"conditions": [condition]},
        }
        return Application(_KIND, "status", _MANAGER, True, document).object(entry.object, now)
