"""Marks the control-plane node: its role label, which no kubelet may give itself. Done by an administrator's client."""

from __future__ import annotations

from contextlib import aclosing

from pybernetes.api.types.core_v1 import Node
from pybernetes.client import Client

CONTROL_PLANE_ROLE = "node-role.kubernetes.io/control-plane"


async def mark_control_plane(client: Client, name: str) -> None:
    """Waits until the node is there and gives it the role label, so that `kubectl get nodes` shows the role."""
    # The server ends a watch after a while, whether or not the node has come.
    while (node := await _await_node(client, name)) is None:
        continue
    if CONTROL_PLANE_ROLE not in node.metadata.labels:
        await client.patch(Node, name, None, {"metadata": {"labels": {CONTROL_PLANE_ROLE: ""}}})


async def _await_node(client: Client, name: str) -> Node | None:
    itself = f"metadata.name={name}"
    listed = await client.list(Node, field_selector=itself)
    if listed.items:
        return listed.items[0]
    watch = client.watch(Node, resource_version=listed.resource_version, field_selector=itself)
    async with aclosing(watch):
        async for event in watch:
            return event.object
    return None
