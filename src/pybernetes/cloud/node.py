"""The cloud node controller: gives a new node what only its cloud knows, and then lets pods onto it.

A kubelet that was told of an external cloud registers with a taint; this controller sets provider ID, addresses and
labels and
takes the taint away. `changes_for` is the pure part.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from pybernetes.api.types.core_v1 import Node, NodeAddress, Taint
from pybernetes.cloud.context import CloudContext
from pybernetes.cloud.provider import InstanceMetadata
from pybernetes.reconcile import Controller, WorkQueue

log = logging.getLogger(__name__)

UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"
_INSTANCE_TYPE = "node.kubernetes.io/instance-type"
_ZONE = "topology.kubernetes.io/zone"
_REGION = "topology.kubernetes.io/region"


@dataclass(frozen=True)
class Changes:
    """What an uninitialised node lacks."""

    provider_id: str
    taints: list[Taint]
    labels: dict[str, str] = field(default_factory=dict)
    addresses: list[NodeAddress] = field(default_factory=list)


def is_uninitialized(node: Node) -> bool:
    return any(taint.key == UNINITIALIZED for taint in node.spec.taints)


def changes_for(node: Node, machine: InstanceMetadata) -> Changes:
    """Labels and a provider ID that the node has already stay as they are."""
    known = {
        _INSTANCE_TYPE: machine.instance_type,
        "beta.kubernetes.io/instance-type": machine.instance_type,
        _ZONE: machine.zone,
        "failure-domain.beta.kubernetes.io/zone": machine.zone,
        _REGION: machine.region,
        "failure-domain.beta.kubernetes.io/region": machine.region,
    }
    missing = {key: value for key, value in known.items() if value and key not in node.metadata.labels}
    addresses = list(machine.addresses) if list(machine.addresses) != node.status.addresses else []
    return Changes(
        provider_id=node.spec.provider_id or machine.provider_id,
        taints=[taint for taint in node.spec.taints if taint.key != UNINITIALIZED],
        labels=missing,
        addresses=addresses,
    )


class CloudNodeController:
    """`cloud-node-controller`; keys are nodes."""

    name = "cloud-node-controller"

    def __init__(self, context: CloudContext) -> None:
        self._client = context.client
        self._instances = context.provider.instances
        self._queue = WorkQueue()
        self._nodes = context.informers.of(Node)
        self._nodes.on_change(self._node_changed)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None and is_uninitialized(new):
            self._queue.add(new.metadata.name or "")

    async def run(self) -> None:
        """Works until cancelled."""
        await Controller(self.name, self._reconcile, self._queue, 1, [self._nodes]).run()

    async def _reconcile(self, key: str) -> float | None:
        node = self._nodes.cache.get("", key)
        if node is None or not is_uninitialized(node):
            return None
        changes = changes_for(node, await self._instances.metadata(node))
        if changes.addresses:
            plain = [{"type": item.type, "address": item.address} for item in changes.addresses]
            await self._client.patch(Node, key, "", {"status": {"addresses": plain}}, subresource="status")
        # The taint goes last: from then on pods may come.
        await self._client.patch(Node, key, "", _patch(node, changes))
        log.info("node %s is initialised as %s", key, changes.provider_id)
        return None


def _patch(node: Node, changes: Changes) -> dict[str, Any]:
    taints: list[dict[str, Any]] = []
    for taint in changes.taints:
        entry = {"key": taint.key, "effect": taint.effect, "value": taint.value, "timeAdded": taint.time_added}
        taints.append({name: value for name, value in entry.items() if value})
    metadata: dict[str, Any] = {"labels": changes.labels} if changes.labels else {}
    if not changes.addresses:
        # The status write above has raised the version; without it, nobody may have changed the taints meanwhile.
        metadata["resourceVersion"] = node.metadata.resource_version
    return {"metadata": metadata, "spec": {"providerID": changes.provider_id, "taints": taints or None}}
