"""The Endpoints controller: one Endpoints object per service with a selector. `subsets_of` is the pure part."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import EndpointAddress, EndpointPort, Endpoints, EndpointSubset, Pod, Service
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.pod_control import namespace_is_going
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
from pybernetes.reconcile import split_key

MANAGED_BY = "endpoints.kubernetes.io/managed-by"


def subsets_of(service: Service, pods: Sequence[Pod]) -> list[EndpointSubset]:
    """Pods with the same ports share a subset; those that are not ready are listed apart."""
    anyway = bool(service.spec.publish_not_ready_addresses)
    family = families(service)[0]
    grouped: dict[tuple[PortNumber, ...], EndpointSubset] = {}
    for pod in pods:
        address = next((item for item in addresses(pod) if family_of(item) == family), None)
        ports = ports_of(service, pod)
        if address is None or not belongs(pod, include_terminating=anyway) or not (ports or _portless(service)):
            continue
        subset = grouped.setdefault(ports, EndpointSubset(ports=[_port(port) for port in ports]))
        ready = anyway or pod_facts.is_ready(pod)
        (subset.addresses if ready else subset.not_ready_addresses).append(_address(pod, service, address))
    for subset in grouped.values():
        subset.addresses.sort(key=lambda item: item.ip)
        subset.not_ready_addresses.sort(key=lambda item: item.ip)
    return sorted(grouped.values(), key=lambda subset: [(port.name or "", port.port) for port in subset.ports])


def _portless(service: Service) -> bool:
    return is_headless(service) and not service.spec.ports


def _port(port: PortNumber) -> EndpointPort:
    return EndpointPort(
        name=port.name or None, port=port.number, protocol=port.protocol, app_protocol=port.app_protocol
    )


def _address(pod: Pod, service: Service, address: str) -> EndpointAddress:
    return EndpointAddress(
        ip=address, hostname=hostname_for(pod, service), node_name=pod.spec.node_name, target_ref=target(pod)
    )


def labels_of(service: Service) -> dict[str, str]:
    """The service's own labels and the controller's mark."""
    labels = {key: value for key, value in service.metadata.labels.items() if key != HEADLESS}
    labels[MANAGED_BY] = "endpoint-controller"
    if is_headless(service):
        labels[HEADLESS] = ""
    return labels


class EndpointsController(ServiceKeyed):
    """`endpoints-controller`."""

    name = "endpoints-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._endpoints = self.informer(Endpoints)
        self._endpoints.on_change(self._endpoints_changed)

    def _endpoints_changed(self, old: Endpoints | None, new: Endpoints | None) -> None:
        """Somebody may have deleted or changed ours."""
        obj = new or old
        if obj is not None and MANAGED_BY in obj.metadata.labels:
            self.enqueue(obj)

    async def reconcile(self, key: str) -> float | None:
        namespace, name = split_key(key)
        service = self.services.cache.get(namespace, name)
        current = self._endpoints.cache.get(namespace, name)
        if service is None:
            await self._delete(current)
        elif service.spec.selector and service.spec.type != "ExternalName":
            await self._apply(service, current)
        return None

    async def _delete(self, current: Endpoints | None) -> None:
        """Only what this controller has made; endpoints written by hand belong to their writer."""
        if current is None or MANAGED_BY not in current.metadata.labels:
            return
        try:
            await self.client.delete(Endpoints, current.metadata.name or "", current.metadata.namespace or "")
        except StatusError as error:
            if error.code != 404:
                raise

    async def _apply(self, service: Service, current: Endpoints | None) -> None:
        subsets = subsets_of(service, self.pods_of(service))
        labels = labels_of(service)
        if current is not None:
            if current.subsets != subsets or current.metadata.labels != labels:
                changed = copy(current)
                changed.subsets = subsets
                changed.metadata.labels = labels
                await self.client.update(changed)
            return
        metadata = ObjectMeta(name=service.metadata.name, namespace=service.metadata.namespace, labels=labels)
        try:
            await self.client.create(Endpoints(metadata=metadata, subsets=subsets))
        except StatusError as error:
            # Exists: the cache is behind, and the informer's event will queue the service again.
            if error.code != 409 and not namespace_is_going(error):
                raise
