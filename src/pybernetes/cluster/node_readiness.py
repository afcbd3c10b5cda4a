"""Waits until the nodes of a cluster are Ready, by watching; a cluster is up when its nodes take pods."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import aclosing

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node
from pybernetes.client import Client, Unreachable
from pybernetes.cluster.state import ClusterError
from pybernetes.environment.chance import Chance
from pybernetes.reconcile.backoff import Backoff


async def wait_nodes_ready(client: Client, names: Collection[str], seconds: float = 60.0) -> None:
    """Returns when all of these nodes are Ready. Raises ClusterError naming those that are not, after `seconds`.

    An API server that is away for a while is only one more reason for not being Ready yet.
    """
    waiting = set(names)
    backoff = Backoff(Chance(), first=0.1)
    trouble = ""
    try:
        async with asyncio.timeout(seconds):
            while waiting:
                try:
                    await _watch(client, waiting)
                except (StatusError, Unreachable) as error:
                    trouble = f" ({error})"
                    await asyncio.sleep(backoff.next())
    except TimeoutError:
        late = ", ".join(sorted(waiting))
        raise ClusterError(f"these nodes are not Ready after {seconds:.0f} s: {late}{trouble}") from None


async def _watch(client: Client, waiting: set[str]) -> None:
    listed = await client.list(Node)
    for node in listed.items:
        _tick_off(node, waiting)
    if not waiting:
        return
    async with aclosing(client.watch(Node, resource_version=listed.resource_version)) as events:
        async for event in events:
            _tick_off(event.object, waiting)
            if not waiting:
                return


def _tick_off(node: Node, waiting: set[str]) -> None:
    if any(item.type == "Ready" and item.status == "True" for item in node.status.conditions):
        waiting.discard(node.metadata.name or "")
