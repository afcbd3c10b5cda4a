"""The node IPAM controller: gives every node a range of pod addresses out of the cluster's. `next_free` is the pure
part.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable

from pybernetes.api.types.core_v1 import Node
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController

log = logging.getLogger(__name__)


def next_free(cluster_cidr: str, mask: int, taken: Iterable[str], after: int = 0) -> tuple[str, int] | None:
    """(cidr, its number) of the first free range from number `after` on, going round; None when all are taken."""
    network = ipaddress.ip_network(cluster_cidr)
    count = 1 << (mask - network.prefixlen)
    size = 1 << (network.max_prefixlen - mask)
    used = {ipaddress.ip_network(item).network_address for item in taken}
    for offset in range(count):
        number = (after + offset) % count
        address = network.network_address + number * size
        if address not in used:
            return f"{address}/{mask}", number
    return None


class NodeIpamController(KeyedController):
    """`node-ipam-controller`; acts only when the options name a cluster CIDR. One worker, so that no range goes
    twice.
    """

    name = "node-ipam-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of("cidrAllocator")
        self._nodes = self.watch_own(Node)
        self._given: dict[str, str] = {}
        self._after = 0

    async def reconcile(self, key: str) -> float | None:
        options = self.context.options
        node = self._nodes.cache.get("", key)
        if node is None or not options.cluster_cidr:
            self._given.pop(key, None)
            return None
        if node.spec.pod_cidr:
            self._given[key] = node.spec.pod_cidr
            return None
        cidr = self._given.get(key)
        if cidr is None:
            taken = {*self._given.values(), *(item.spec.pod_cidr for item in self._nodes.cache.list())} - {None}
            free = next_free(
                options.cluster_cidr, options.node_cidr_mask_size, [item for item in taken if item], self._after
            )
            if free is None:
                self._recorder.event(node, "Normal", "CIDRNotAvailable", f"Node {key} status is now: CIDRNotAvailable")
                return 30.0
            cidr, number = free
            self._given[key] = cidr
            self._after = number + 1
        await self.client.patch(Node, key, "", {"spec": {"podCIDR": cidr, "podCIDRs": [cidr]}})
        log.info("node %s has pod CIDR %s", key, cidr)
        return None
