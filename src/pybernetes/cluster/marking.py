"""Marks the control-plane node: its role label, which no kubelet may give itself. Done by an administrator's client."""

from __future__ import annotations

from contextlib import aclosing

from pybernetes.api.types.core_v1 import Node
from pybernetes.client import Client

CONTROL_PLANE_ROLE = "node-role.kubernetes.io/control-plane"


async def mark_control_plane(client: Client, name: str) -> None:
    """Waits until the node is there and gives it the role label, so that `kubectl get nodes` shows the role."""
    listed = await client.list(Node, field_selector=f"metadata.name={name}")
    node = listed.items[0] if listed.items else None
    if node is None:
        watch = client.watch(Node, resource_version=listed.resource_version, field_selector=f"metadata.name={name}")
        async with aclosing(watch):
            async for event in watch:
                node = event.object
                break
    if node is not None and CONTROL_PLANE_ROLE not in node.metadata.labels:
        await client.patch(Node, name, None, {"metadata": {"labels": {CONTROL_PLANE_ROLE: ""}}})
