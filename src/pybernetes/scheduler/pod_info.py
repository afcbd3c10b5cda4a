"""A pod as the scheduler sees it: everything that is compared with nodes or other pods, worked out once per version.

Made by the scheduler from the informers' pods; read by the snapshot and by all decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pybernetes.api.labels import NOTHING, Selector, SelectorError, from_label_selector
from pybernetes.api.types.core_v1 import Container, Pod, PodAffinityTerm, WeightedPodAffinityTerm
from pybernetes.scheduler.resources import request_of

_NO_LABELS: Mapping[str, str] = {}


class HostPort(NamedTuple):
    """A port of the node that a pod wants for itself."""

    protocol: str
    port: int
    ip: str  # 0.0.0.0 is every address


class AffinityTerm(NamedTuple):
    """One term of pod (anti-)affinity: which pods, in which namespaces, and what "the same place" means."""

    selector: Selector
    namespaces: frozenset[str]
    namespace_selector: Selector
    topology_key: str
    weight: int = 0

    def matches(self, namespace: str, namespace_labels: Mapping[str, str], labels: Mapping[str, str]) -> bool:
        """Whether a pod of that namespace with those labels is meant."""
        if namespace not in self.namespaces and not self.namespace_selector.matches(namespace_labels):
            return False
        return self.selector.matches(labels)


class PodInfo:
    """Never changed after it was made, but that `pod` may be replaced by a version that differs in its status only."""

    __slots__ = (
        "affinity",
        "anti_affinity",
        "has_affinity",
        "key",
        "labels",
        "namespace",
        "pod",
        "ports",
        "preferred_affinity",
        "preferred_anti_affinity",
        "priority",
        "request",
        "terminating",
        "uid",
    )

    def __init__(self, pod: Pod) -> None:
        metadata, spec = pod.metadata, pod.spec
        self.pod = pod
        self.namespace = metadata.namespace or ""
        self.key = f"{self.namespace}/{metadata.name}"
        self.uid = self.uid_of(pod)
        self.labels = metadata.labels
        self.priority = spec.priority or 0
        self.request = request_of(pod)
        self.ports = host_ports(pod)
        self.terminating = metadata.deletion_timestamp is not None
        self.affinity: tuple[AffinityTerm, ...] = ()
        self.anti_affinity: tuple[AffinityTerm, ...] = ()
        self.preferred_affinity: tuple[AffinityTerm, ...] = ()
        self.preferred_anti_affinity: tuple[AffinityTerm, ...] = ()
        self.has_affinity = False
        if spec.affinity is not None:
            self._read_affinity()

    @staticmethod
    def uid_of(pod: Pod) -> str:
        """What tells pods apart; tests may leave the uid out."""
        return pod.metadata.uid or f"{pod.metadata.namespace or ''}/{pod.metadata.name}"

    def _read_affinity(self) -> None:
        affinity = self.pod.spec.affinity
        if affinity is None:
            return
        if (near := affinity.pod_affinity) is not None:
            self.affinity = self._terms(near.required_during_scheduling_ignored_during_execution)
            self.preferred_affinity = self._weighted(near.preferred_during_scheduling_ignored_during_execution)
        if (far := affinity.pod_anti_affinity) is not None:
            self.anti_affinity = self._terms(far.required_during_scheduling_ignored_during_execution)
            self.preferred_anti_affinity = self._weighted(far.preferred_during_scheduling_ignored_during_execution)
        self.has_affinity = bool(
            self.affinity or self.anti_affinity or self.preferred_affinity or self.preferred_anti_affinity
        )

    def _terms(self, terms: list[PodAffinityTerm]) -> tuple[AffinityTerm, ...]:
        return tuple(self._term(term) for term in terms)

    def _weighted(self, terms: list[WeightedPodAffinityTerm]) -> tuple[AffinityTerm, ...]:
        return tuple(self._term(term.pod_affinity_term, term.weight) for term in terms)

    def _term(self, term: PodAffinityTerm, weight: int = 0) -> AffinityTerm:
        namespaces = term.namespaces
        if not namespaces and term.namespace_selector is None:
            namespaces = [self.namespace]
        try:
            selector = from_label_selector(term.label_selector)
            namespace_selector = from_label_selector(term.namespace_selector)
        except SelectorError:
            # The API server let it in before it validated so; upstream takes it as selecting nothing.
            selector = namespace_selector = NOTHING
        return AffinityTerm(selector, frozenset(namespaces), namespace_selector, term.topology_key, weight)


def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """The ports of the node that the pod takes."""
    sidecars = [container for container in pod.spec.init_containers if container.restart_policy == "Always"]
    containers: list[Container] = [*pod.spec.containers, *sidecars]
    return tuple(
        HostPort(port.protocol or "TCP", port.host_port, port.host_ip or "0.0.0.0")
        for container in containers
        for port in container.ports
        if port.host_port
    )
