"""The node lifecycle controller: notices silent nodes, taints what is not well, and says so on the nodes' pods.

Heartbeats (node status and Lease) flow in through informers and only note the time; one timer per node looks when it
is due.
"""

from __future__ import annotations

import logging
from typing import Any

from pybernetes.api import time as api_time
from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.client import PatchType
from pybernetes.controllers import node_health as health
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.pod_index import index_by_node, pods_on

log = logging.getLogger(__name__)

LEASES = "kube-node-lease"
_MIRRORED_LABELS = {"kubernetes.io/os": "beta.kubernetes.io/os", "kubernetes.io/arch": "beta.kubernetes.io/arch"}


class NodeLifecycleController(KeyedController):
    """`node-lifecycle-controller`; keys are nodes."""

    name = "node-lifecycle-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        # Upstream's events call the component by this shorter name.
        self._recorder = context.recorders.of("node-controller")
        self._heard: dict[str, float] = {}
        self._lost: set[str] = set()
        self._some_ready = True
        self._nodes = self.informer(Node)
        self._leases = self.informer(Lease, namespace=LEASES)
        self._pods = self.informer(Pod)
        index_by_node(self._pods)
        self._nodes.on_change(self._node_changed)
        self._leases.on_change(self._lease_changed)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        node = new or old
        assert node is not None
        name = node.metadata.name or ""
        if new is None:
            self._heard.pop(name, None)
            self._lost.discard(name)
            self._tell(node, "RemovingNode", f"Node {name} event: Removing Node {name} from Controller")
        else:
            self._node_seen(name, old, new)
        self._note_disruption()

    def _node_seen(self, name: str, old: Node | None, new: Node) -> None:
        if old is None:
            self._tell(new, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")
        elif health.is_ready(old) and not health.is_ready(new):
            self._lost.add(name)
        if health.fresh_heartbeat(old, new):
            self._heard[name] = self.clock.monotonic()
        if old is None or _state(old) != _state(new):
            self.queue.add(name)

    def _note_disruption(self) -> None:
        """When no node at all is ready, it is more likely that we are cut off: nobody is evicted then."""
        nodes = self._nodes.cache.list()
        some_ready = any(health.is_ready(node) for node in nodes)
        if some_ready != self._some_ready:
            self._some_ready = some_ready
            for node in nodes:
                self.enqueue(node)

    def _lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        if new is None or (old is not None and old.spec.renew_time == new.spec.renew_time):
            return
        name = new.metadata.name or ""
        if old is not None or name not in self._heard:
            self._heard[name] = self.clock.monotonic()
        node = self._nodes.cache.get("", name)
        if node is not None and not health.is_ready(node):
            self.queue.add(name)

    def _tell(self, node: Node, reason: str, message: str) -> None:
        self._recorder.event(node, "Normal", reason, message)

    async def reconcile(self, key: str) -> float | None:
        node = self._nodes.cache.get("", key)
        if node is None:
            return None
        left = self._seconds_left(node)
        if left <= 0:
            node = await self._silence(node)
        await self._taint(node)
        await self._mirror_labels(node)
        ready = health.condition(node, "Ready")
        if key in self._lost or (ready is not None and ready.status == "Unknown"):
            await self._tell_loss(node, first=key in self._lost)
            self._lost.discard(key)
        return left if left > 0 else None

    def _seconds_left(self, node: Node) -> float:
        """Until the node counts as silent, unless it is heard of before."""
        options = self.context.options
        known = health.condition(node, "Ready") is not None
        grace = options.node_monitor_grace_period if known else options.node_startup_grace_period
        now = self.clock.monotonic()
        heard = self._heard.setdefault(node.metadata.name or "", now)
        return heard + grace - now

    async def _silence(self, node: Node) -> Node:
        conditions = health.silenced(node, self.clock.now())
        if conditions == node.status.conditions:
            return node
        log.warning("node %s has not been heard of, its conditions become Unknown", node.metadata.name)
        if health.is_ready(node):
            self._lost.add(node.metadata.name or "")
        changed = copy(node)
        changed.status.conditions = conditions
        return await self.client.update_status(changed)

    async def _taint(self, node: Node) -> None:
        wanted = health.wanted_taints(node, self._some_ready)
        taints = health.new_taints(node, wanted, self.clock.now())
        if taints == node.spec.taints:
            return
        plain: list[dict[str, Any]] = []
        for taint in taints:
            entry = {"key": taint.key, "effect": taint.effect, "value": taint.value, "timeAdded": taint.time_added}
            plain.append({name: value for name, value in entry.items() if value})
        metadata = {"resourceVersion": node.metadata.resource_version}
        patch = {"metadata": metadata, "spec": {"taints": plain or None}}
        await self.client.patch(Node, node.metadata.name or "", "", patch)

    async def _mirror_labels(self, node: Node) -> None:
        labels = node.metadata.labels
        pairs = _MIRRORED_LABELS.items()
        wanted = {new: labels[old] for old, new in pairs if old in labels and labels.get(new) != labels[old]}
        if wanted:
            await self.client.patch(Node, node.metadata.name or "", "", {"metadata": {"labels": wanted}})

    async def _tell_loss(self, node: Node, first: bool) -> None:
        """Takes the node's pods out of their services: nobody can say any more whether they are ready."""
        name = node.metadata.name or ""
        if first:
            self._tell(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        for pod in pods_on(self._pods, name):
            if pod_facts.is_ready(pod):
                await self._mark_not_ready(pod)

    async def _mark_not_ready(self, pod: Pod) -> None:
        condition = {
            "type": "Ready",
            "status": "False",
            "lastTransitionTime": api_time.format(self.clock.now()),
        }
        patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}}
        namespace, name = pod.metadata.namespace or "", pod.metadata.name or ""
        try:
            await self.client.patch(Pod, name, namespace, patch, PatchType.STRATEGIC, "status")
        except StatusError as error:
            if error.code not in (404, 409):
                raise
            return
        self._recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")


def _state(node: Node) -> tuple[object, ...]:
    """All that the decisions look at; heartbeats that only bring a newer time are not worth a look."""
    conditions = [(item.type, item.status) for item in node.status.conditions]
    return conditions, node.spec.unschedulable, node.spec.taints, node.metadata.labels
