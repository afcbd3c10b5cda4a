"""What Endpoints and EndpointSlices both need to know: which pods stand behind a service, at which addresses and ports.

Pure functions; and `ServiceKeyed`, the frame of the two controllers: it queues the services that a pod's change
concerns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pybernetes.api.types.core_v1 import Container, ObjectReference, Pod, Service, ServicePort
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.selected import index_by_label, selected

HEADLESS = "service.kubernetes.io/headless"


@dataclass(frozen=True)
class PortNumber:
    """A service port as one pod offers it."""

    name: str
    protocol: str
    number: int
    app_protocol: str | None = None


def is_headless(service: Service) -> bool:
    return service.spec.cluster_ip == "None"


def belongs(pod: Pod, include_terminating: bool) -> bool:
    """Has an address and is not finished."""
    if pod_facts.is_finished(pod) or not (pod.status.pod_ip or pod.status.pod_ips):
        return False
    return include_terminating or pod.metadata.deletion_timestamp is None


def addresses(pod: Pod) -> list[str]:
    listed = [item.ip for item in pod.status.pod_ips if item.ip]
    return listed or ([pod.status.pod_ip] if pod.status.pod_ip else [])


def family_of(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def families(service: Service) -> list[str]:
    """The address families of the service's endpoints."""
    return service.spec.ip_families or [family_of(service.spec.cluster_ip or "")]


def hostname_for(pod: Pod, service: Service) -> str | None:
    """The pod's own DNS name under a headless service, when it asks for one."""
    if pod.spec.hostname and pod.spec.subdomain == service.metadata.name:
        return pod.spec.hostname
    return None


def target(pod: Pod) -> ObjectReference:
    where = pod.metadata
    return ObjectReference(kind="Pod", namespace=where.namespace, name=where.name, uid=where.uid)


def ports_of(service: Service, pod: Pod) -> tuple[PortNumber, ...]:
    """The service's ports at this pod; a named target port that the pod does not have is left out."""
    found = []
    for port in service.spec.ports:
        number = _number(port, pod)
        if number is not None:
            found.append(PortNumber(port.name or "", port.protocol or "TCP", number, port.app_protocol))
    return tuple(found)


def _number(port: ServicePort, pod: Pod) -> int | None:
    wanted = port.target_port
    if isinstance(wanted, int):
        return wanted or port.port
    if not wanted:
        return port.port
    for container in _containers(pod):
        for offered in container.ports:
            if offered.name == wanted and (offered.protocol or "TCP") == (port.protocol or "TCP"):
                return offered.container_port
    return None


def _containers(pod: Pod) -> Iterable[Container]:
    """Containers that go on running: init containers only when they are sidecars."""
    yield from pod.spec.containers
    yield from (item for item in pod.spec.init_containers if item.restart_policy == "Always")


Facts = tuple[object, ...]


def facts(pod: Pod) -> Facts:
    """All of a pod that endpoints show: a change of anything else concerns no service."""
    return (
        pod.metadata.labels,
        pod.metadata.deletion_timestamp is None,
        pod.status.phase,
        pod.status.pod_ip,
        pod.status.pod_ips,
        pod_facts.is_ready(pod),
        pod.spec.node_name,
        pod.spec.hostname,
        pod.spec.subdomain,
    )


class ServiceKeyed(KeyedController):
    """Works on service keys; every relevant change of a pod queues the services that select it."""

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.services = self.watch_own(Service)
        self.pods = self.informer(Pod)
        index_by_label(self.pods)
        self.pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and new is not None and facts(old) == facts(new):
            return
        for pod in (old, new):
            if pod is not None:
                self._enqueue_selecting(pod)

    def _enqueue_selecting(self, pod: Pod) -> None:
        labels = pod.metadata.labels.items()
        for service in self.services.cache.list(pod.metadata.namespace or ""):
            if service.spec.selector and service.spec.selector.items() <= labels:
                self.enqueue(service)

    def pods_of(self, service: Service) -> list[Pod]:
        """The pods that the service selects, by name."""
        found = selected(self.pods, service.metadata.namespace or "", service.spec.selector)
        return sorted(found, key=lambda pod: pod.metadata.name or "")
