"""What kube-proxy sees of the cluster: informers' changes flow in, the newest `States` and `NodeFacts` flow out.

Only Services that have changed are looked at again; the other values stay the same objects, so that a back end can
tell by identity what it has decided already. `Proxy` owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pybernetes.api.types.core_v1 import Node, Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.proxy.endpoints import endpoints_of, service_of
from pybernetes.proxy.options import ProxyOptions
from pybernetes.proxy.rules import NodeFacts
from pybernetes.proxy.services import HEADLESS_LABEL, PROXY_NAME_LABEL, PortName, proxied_ports
from pybernetes.proxy.state import PortState, States
from pybernetes.reconcile import Informer, Informers

_ZONE = "topology.kubernetes.io/zone"
_SELECTOR = f"!{PROXY_NAME_LABEL},!{HEADLESS_LABEL}"
_TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"


class Tracker:
    """Follows Services, EndpointSlices and the node; calls `changed` whenever there may be something to do."""

    def __init__(self, options: ProxyOptions, informers: Informers, changed: Callable[[], None]) -> None:
        self._options = options
        self._changed = changed
        self._dirty: set[tuple[str, str]] = set()
        self._ports: dict[tuple[str, str], States] = {}
        self._services = informers.of(Service, label_selector=_SELECTOR)
        self._slices = informers.of(EndpointSlice, label_selector=_SELECTOR)
        self._nodes = informers.of(Node, field_selector=f"metadata.name={options.node_name}")
        self._slices.add_index("service", lambda item: ("/".join(service_of(item)),))
        self._services.on_change(self._service_changed)
        self._slices.on_change(self._slice_changed)
        self._nodes.on_change(self._node_changed)

    async def wait_synced(self) -> None:
        informers: Iterable[Informer[Any]] = (self._services, self._slices, self._nodes)
        for informer in informers:
            await informer.wait_synced()

    def states(self) -> States:
        """The state of all ports, by name in order."""
        while self._dirty:
            key = self._dirty.pop()
            ports = self._look(*key)
            if ports:
                self._ports[key] = ports
            else:
                self._ports.pop(key, None)
        merged = {name: state for ports in self._ports.values() for name, state in ports.items()}
        return dict(sorted(merged.items()))

    def facts(self) -> NodeFacts:
        """What the node adds."""
        node = self._nodes.cache.get("", self._options.node_name)
        addresses = node.status.addresses if node is not None else ()
        internal = next((item.address for item in addresses if item.type == "InternalIP"), "")
        return NodeFacts(
            node_name=self._options.node_name,
            node_ip=self._options.node_ip or internal,
            zone=node.metadata.labels.get(_ZONE, "") if node is not None else "",
            cluster_cidr=self._options.cluster_cidr,
            masquerade_all=self._options.masquerade_all,
        )

    def node_eligible(self) -> bool:
        """Whether load balancers may send to this node: not when it is about to go."""
        node = self._nodes.cache.get("", self._options.node_name)
        if node is None:
            return True
        leaving = any(taint.key == _TO_BE_DELETED for taint in node.spec.taints)
        return node.metadata.deletion_timestamp is None and not leaving

    def _look(self, namespace: str, name: str) -> dict[PortName, PortState]:
        service = self._services.cache.get(namespace, name)
        if service is None:
            return {}
        slices = self._slices.cache.by_index("service", f"{namespace}/{name}")
        endpoints = endpoints_of(slices, self._options.node_name)
        old = self._ports.get((namespace, name), {})
        found = {}
        for port in proxied_ports(service):
            state = PortState(port, endpoints.get(port.name, ()))
            known = old.get(port.name)
            found[port.name] = known if known == state and known is not None else state
        return found

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        item = new or old
        assert item is not None
        self._mark((item.metadata.namespace or "", item.metadata.name or ""))

    def _slice_changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for item in (old, new):
            if item is not None:
                self._mark(service_of(item))

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        # A kubelet's heartbeat is no news.
        if old is None or new is None or _relevant(old) != _relevant(new):
            self._changed()

    def _mark(self, key: tuple[str, str]) -> None:
        self._dirty.add(key)
        self._changed()


def _relevant(node: Node) -> tuple[object, ...]:
    return node.metadata.labels.get(_ZONE), node.status.addresses
