"""The scheduler against the real API server: what users see of it."""

from __future__ import annotations

from tests.scheduler.builders import make_node, make_pod
from tests.scheduler.conftest import Cluster


async def test_pod_is_bound_and_told_so(cluster: Cluster) -> None:
    await cluster.add_node(make_node("node-1"))
    await cluster.client.create(make_pod("web", {"cpu": "100m"}))
    assert await cluster.placed("web") == "node-1"
    event = await cluster.event("web", "Scheduled")
    assert (event.type, event.message) == ("Normal", "Successfully assigned default/web to node-1")
