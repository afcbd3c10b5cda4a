"""The mirroring controller: Endpoints that somebody wrote by hand, for a service without selector, as
EndpointSlices.
"""

from __future__ import annotations

from pybernetes.api.types.core_v1 import EndpointAddress, Endpoints, EndpointSubset, Service
from pybernetes.api.types.discovery_v1 import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.service_pods import family_of
from pybernetes.controllers.slice_writer import SliceWriter
from pybernetes.controllers.slices import MANAGED_BY, SERVICE_NAME, Group, SlicePlan, plan
from pybernetes.reconcile import split_key

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_PER_SUBSET = 1000


def should_mirror(endpoints: Endpoints, service: Service | None) -> bool:
    """Written by hand, and for a service that selects no pods itself."""
    metadata = endpoints.metadata
    if metadata.labels.get(SKIP) == "true" or _LEADER in metadata.annotations or metadata.deletion_timestamp:
        return False
    return service is not None and not service.spec.selector


def labels_of(endpoints: Endpoints) -> dict[str, str]:
    labels = {key: value for key, value in endpoints.metadata.labels.items() if key not in (SERVICE_NAME, MANAGED_BY)}
    return labels | {SERVICE_NAME: endpoints.metadata.name or "", MANAGED_BY: CONTROLLER}


def groups_of(endpoints: Endpoints) -> list[Group]:
    """One group per address family and set of ports."""
    found: dict[tuple[str, tuple[tuple[object, ...], ...]], tuple[list[EndpointPort], list[Endpoint]]] = {}
    for subset in endpoints.subsets:
        ports = [
            EndpointPort(name=port.name or "", port=port.port, protocol=port.protocol, app_protocol=port.app_protocol)
            for port in subset.ports
        ]
        identity = tuple((port.name, port.port, port.protocol, port.app_protocol) for port in ports)
        for address, ready in _addresses(subset):
            group = found.setdefault((family_of(address.ip), identity), (ports, []))
            group[1].append(_endpoint(address, ready))
    return [Group(family, tuple(ports), tuple(items)) for (family, _), (ports, items) in found.items()]


def _addresses(subset: EndpointSubset) -> list[tuple[EndpointAddress, bool]]:
    ready = [(address, True) for address in subset.addresses]
    unready = [(address, False) for address in subset.not_ready_addresses]
    return [*ready, *unready][:_PER_SUBSET]


def _endpoint(address: EndpointAddress, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=[address.ip],
        conditions=EndpointConditions(ready=ready),
        hostname=address.hostname,
        node_name=address.node_name,
        target_ref=address.target_ref,
    )


class EndpointSliceMirroringController(KeyedController):
    """`endpointslice-mirroring-controller`."""

    name = "endpointslice-mirroring-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._writer = SliceWriter(context.client, context.clock)
        self._endpoints = self.watch_own(Endpoints)
        self._services = self.watch_own(Service)
        self._slices = self.informer(EndpointSlice)
        self._writer.follow(self._slices, CONTROLLER, self.queue.add)

    async def reconcile(self, key: str) -> float | None:
        endpoints = self._endpoints.cache.get(*split_key(key))
        service = self._services.cache.get(*split_key(key))
        if not self._writer.settled(key):
            return None
        existing = [
            item
            for item in self._slices.cache.by_index(SERVICE_NAME, key)
            if item.metadata.labels.get(MANAGED_BY) == CONTROLLER
        ]
        if endpoints is None or not should_mirror(endpoints, service):
            await self._writer.write(key, SlicePlan(delete=existing))
            return None
        await self._writer.write(key, plan(endpoints, labels_of(endpoints), groups_of(endpoints), existing))
        return None
