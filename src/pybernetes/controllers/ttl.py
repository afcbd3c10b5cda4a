"""The TTL controller: tells kubelets, in a node annotation, how long they may keep Secrets and ConfigMaps from
memory.
"""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Node
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController

ANNOTATION = "node.alpha.kubernetes.io/ttl"
# (cluster size up to which it holds, seconds)
_STEPS = ((100, 0), (500, 15), (1000, 30), (2000, 60))
_LARGEST = 300


def ttl_for(nodes: int) -> int:
    """Seconds for a cluster of so many nodes."""
    return next((seconds for size, seconds in _STEPS if nodes <= size), _LARGEST)


class TTLController(KeyedController):
    """`ttl-controller`."""

    name = "ttl-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._nodes = self.informer(Node)
        self._ttl = 0
        self._nodes.on_change(self._node_changed)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None and (old is None or ANNOTATION not in new.metadata.annotations):
            self.enqueue(new)
        ttl = ttl_for(len(self._nodes.cache))
        if ttl != self._ttl:
            self._ttl = ttl
            for node in self._nodes.cache.list():
                self.enqueue(node)

    async def reconcile(self, key: str) -> float | None:
        node = self._nodes.cache.get("", key)
        wanted = str(ttl_for(len(self._nodes.cache)))
        if node is not None and node.metadata.annotations.get(ANNOTATION) != wanted:
            await self.client.patch(Node, key, "", {"metadata": {"annotations": {ANNOTATION: wanted}}})
        return None
