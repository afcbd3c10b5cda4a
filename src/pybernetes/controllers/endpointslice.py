"""The EndpointSlice controller: slices of the ready, serving and terminating pods behind each service with a selector.

`groups_of` is the pure part; kube-proxy and DNS read what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybernetes.api.types.core_v1 import Node, Pod, Service
from pybernetes.api.types.discovery_v1 import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.service_pods import (
    HEADLESS,
    PortNumber,
    ServiceKeyed,
    addresses,
    belongs,
    families,
    family_of,
    hostname_for,
    is_headless,
    ports_of,
    target,
)
from pybernetes.controllers.slice_writer import SliceWriter
from pybernetes.controllers.slices import MANAGED_BY, SERVICE_NAME, Group, plan
from pybernetes.reconcile import split_key

CONTROLLER = "endpointslice-controller.k8s.io"
_ZONE = "topology.kubernetes.io/zone"
_OURS = frozenset({SERVICE_NAME, MANAGED_BY, HEADLESS})


def labels_of(service: Service) -> dict[str, str]:
    """The labels of every slice of the service."""
    labels = {key: value for key, value in service.metadata.labels.items() if key not in _OURS}
    labels[SERVICE_NAME] = service.metadata.name or ""
    labels[MANAGED_BY] = CONTROLLER
    if is_headless(service):
        labels[HEADLESS] = ""
    return labels


def groups_of(service: Service, pods: Sequence[Pod], zones: Mapping[str, str]) -> list[Group]:
    """Endpoints by address family and ports; `zones` is node name -> zone. A family without pods has one empty
    group.
    """
    groups: list[Group] = []
    for family in families(service):
        found: dict[tuple[PortNumber, ...], list[Endpoint]] = {}
        for pod in pods:
            mine = [address for address in addresses(pod) if family_of(address) == family]
            if mine and belongs(pod, include_terminating=True):
                found.setdefault(ports_of(service, pod), []).append(_endpoint(service, pod, mine, zones))
        if not found:
            found[()] = []
        groups += [
            Group(family, tuple(_port(port) for port in ports), tuple(endpoints)) for ports, endpoints in found.items()
        ]
    return groups


def _endpoint(service: Service, pod: Pod, mine: list[str], zones: Mapping[str, str]) -> Endpoint:
    serving = pod_facts.is_ready(pod)
    terminating = pod.metadata.deletion_timestamp is not None
    ready = bool(service.spec.publish_not_ready_addresses) or (serving and not terminating)
    return Endpoint(
        addresses=mine[:1],
        conditions=EndpointConditions(ready=ready, serving=serving, terminating=terminating),
        hostname=hostname_for(pod, service),
        target_ref=target(pod),
        node_name=pod.spec.node_name,
        zone=zones.get(pod.spec.node_name or ""),
    )


def _port(port: PortNumber) -> EndpointPort:
    return EndpointPort(name=port.name, port=port.number, protocol=port.protocol, app_protocol=port.app_protocol)


class EndpointSliceController(ServiceKeyed):
    """`endpointslice-controller`."""

    name = "endpointslice-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._writer = SliceWriter(context.client, context.clock)
        self._nodes = self.informer(Node)
        self._slices = self.informer(EndpointSlice)
        self._writer.follow(self._slices, CONTROLLER, self.queue.add)

    async def reconcile(self, key: str) -> float | None:
        service = self.services.cache.get(*split_key(key))
        if service is None:
            # Its slices have it as their owner: the garbage collector takes them.
            self._writer.forget(key)
            return None
        if not service.spec.selector or service.spec.type == "ExternalName" or not self._writer.settled(key):
            return None
        if service.metadata.deletion_timestamp is not None:
            return None
        existing = [
            item
            for item in self._slices.cache.by_index(SERVICE_NAME, key)
            if item.metadata.labels.get(MANAGED_BY) == CONTROLLER and item.metadata.deletion_timestamp is None
        ]
        groups = groups_of(service, self.pods_of(service), self._zones())
        await self._writer.write(key, plan(service, labels_of(service), groups, existing))
        return None

    def _zones(self) -> dict[str, str]:
        zones = ((node.metadata.name or "", node.metadata.labels.get(_ZONE)) for node in self._nodes.cache.list())
        return {name: zone for name, zone in zones if zone}
