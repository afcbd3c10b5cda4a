"""Who hears what: many watches of the same, watches of one node's pods, watches that end."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from tests.apiserver.conftest import Caller

from pybernetes.api.wire import Response

PODS = "/api/v1/namespaces/default/pods"


def pod(name: str, node: str = "") -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    return {"metadata": {"name": name}, "spec": {**spec, "nodeName": node} if node else spec}


async def chunk(response: Response) -> bytes:
    assert response.stream is not None
    async with asyncio.timeout(10):
        return await anext(response.stream)


def heard(lines: bytes) -> list[tuple[str, str]]:
    events = [msgspec.json.decode(line) for line in lines.splitlines()]
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


async def watch(call: Caller, query: str = "") -> Response:
    revision = (await call("GET", PODS))[1]["metadata"]["resourceVersion"]
    return await call.send("GET", f"{PODS}?watch=1&resourceVersion={revision}{query}")


async def test_watches_of_the_same_share_what_is_written(call: Caller) -> None:
    watches = [await watch(call) for _ in range(3)]
    await call("POST", PODS, pod("a"))
    chunks = [await chunk(each) for each in watches]
    assert heard(chunks[0]) == [("ADDED", "a")]
    assert chunks[0] is chunks[1] is chunks[2]


async def test_a_nodes_watch_hears_of_its_pods_alone(call: Caller) -> None:
    first = await watch(call, "&fieldSelector=spec.nodeName%3Dn1")
    second = await watch(call, "&fieldSelector=spec.nodeName%3Dn2")
    await call("POST", PODS, pod("elsewhere", "n3"))
    await call("POST", PODS, pod("one", "n1"))
    await call("POST", PODS, pod("later"))
    binding = {"metadata": {"name": "later"}, "target": {"kind": "Node", "name": "n2"}}
    assert (await call("POST", f"{PODS}/later/binding", binding))[0] == 201
    assert heard(await chunk(first)) == [("ADDED", "one")]
    assert heard(await chunk(second)) == [("ADDED", "later")]


async def test_a_watch_that_has_ended_keeps_nobody_else_from_hearing(call: Caller) -> None:
    gone, stays = await watch(call), await watch(call)
    assert gone.stream is not None
    await gone.stream.aclose()  # type: ignore[attr-defined]
    await call("POST", PODS, pod("a"))
    assert heard(await chunk(stays)) == [("ADDED", "a")]
    again = await watch(call)
    await call("DELETE", f"{PODS}/a?gracePeriodSeconds=0")
    assert heard(await chunk(again)) == [("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_latecomer_hears_what_it_missed_and_nothing_twice(call: Caller) -> None:
    early = await watch(call)
    revision = (await call("GET", PODS))[1]["metadata"]["resourceVersion"]
    await call("POST", PODS, pod("a"))
    late = await call.send("GET", f"{PODS}?watch=1&resourceVersion={revision}")
    await call("POST", PODS, pod("b"))
    found = heard(await chunk(late))
    assert found == [("ADDED", "a"), ("ADDED", "b")]
    assert heard(await chunk(early)) == found
