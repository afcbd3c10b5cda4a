"""The cloud node lifecycle controller: removes nodes whose machine is gone, and taints those whose machine is
switched off.

Only nodes that are not ready are asked about; a ready kubelet is proof enough of its machine.
"""

from __future__ import annotations

import logging

from pybernetes.api import time as api_time
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node
from pybernetes.cloud.context import CloudContext
from pybernetes.reconcile import Controller, WorkQueue

log = logging.getLogger(__name__)

SHUT_DOWN = "node.cloudprovider.kubernetes.io/shutdown"
# The cloud has no watch: a node that is not ready is asked about again in so many seconds.
PERIOD = 30.0


def is_ready(node: Node) -> bool:
    return any(item.type == "Ready" and item.status == "True" for item in node.status.conditions)


class CloudNodeLifecycleController:
    """`cloud-node-lifecycle-controller`; keys are nodes."""

    name = "cloud-node-lifecycle-controller"

    def __init__(self, context: CloudContext) -> None:
        self._client = context.client
        self._clock = context.clock
        self._instances = context.provider.instances
        self._queue = WorkQueue()
        self._nodes = context.informers.of(Node)
        self._nodes.on_change(self._node_changed)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None and (old is None or is_ready(old) != is_ready(new)):
            self._queue.add(new.metadata.name or "")

    async def run(self) -> None:
        """Works until cancelled."""
        await Controller(self.name, self._reconcile, self._queue, 1, [self._nodes]).run()

    async def _reconcile(self, key: str) -> float | None:
        node = self._nodes.cache.get("", key)
        if node is None:
            return None
        if is_ready(node):
            await self._taint(node, wanted=False)
            return None
        if not await self._instances.exists(node):
            await self._delete(node)
            return None
        await self._taint(node, wanted=await self._instances.is_shut_down(node))
        return PERIOD

    async def _delete(self, node: Node) -> None:
        log.info("deleting node %s, whose machine does not exist any more", node.metadata.name)
        try:
            await self._client.delete(Node, node.metadata.name or "")
        except StatusError as error:
            if error.code != 404:
                raise

    async def _taint(self, node: Node, wanted: bool) -> None:
        if wanted == any(taint.key == SHUT_DOWN for taint in node.spec.taints):
            return
        plain = []
        for taint in node.spec.taints:
            if taint.key != SHUT_DOWN:
                entry = {"key": taint.key, "effect": taint.effect, "value": taint.value, "timeAdded": taint.time_added}
                plain.append({name: value for name, value in entry.items() if value})
        if wanted:
            added = api_time.format(self._clock.now())
            plain.append({"key": SHUT_DOWN, "effect": "NoSchedule", "timeAdded": added})
        metadata = {"resourceVersion": node.metadata.resource_version}
        patch = {"metadata": metadata, "spec": {"taints": plain or None}}
        await self._client.patch(Node, node.metadata.name or "", "", patch)
