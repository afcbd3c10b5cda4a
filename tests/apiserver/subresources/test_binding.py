"""Bindings: which pod gets a node, and what becomes of what was said of it before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

PODS = "/api/v1/namespaces/default/pods"


async def waiting(call: Caller) -> dict[str, Any]:
    """A pod that no node had room for, and that one might get room on."""
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    _, pod = await call("POST", PODS, {"metadata": {"name": "web"}, "spec": spec})
    conditions = [{"type": "PodScheduled", "status": "False"}, {"type": "x", "status": "True"}]
    status = {"conditions": conditions, "nominatedNodeName": "other"}
    _, pod = await call("PUT", f"{PODS}/web/status", {**pod, "status": status})
    assert isinstance(pod, dict)
    return pod


async def bind(call: Caller, **metadata: Any) -> tuple[int, Any]:
    body = {"metadata": {"name": "web", **metadata}, "target": {"kind": "Node", "name": "n"}}
    return await call("POST", f"{PODS}/web/binding", body)


async def test_a_bound_pod_is_scheduled_and_no_longer_nominated(call: Caller) -> None:
    await waiting(call)
    assert (await bind(call))[0] == 201
    _, pod = await call("GET", f"{PODS}/web")
    assert pod["spec"]["nodeName"] == "n"
    assert "nominatedNodeName" not in pod["status"]
    assert [(one["type"], one["status"]) for one in pod["status"]["conditions"]] == [
        ("PodScheduled", "True"),
        ("x", "True"),
    ]


async def test_a_binding_names_its_pod_and_a_node(call: Caller) -> None:
    await waiting(call)
    code, status = await call("POST", f"{PODS}/web/binding", {"metadata": {}, "target": {"name": "n"}})
    assert (code, status["message"]) == (400, "name in URL does not match name in Binding object")
    nameless = {"metadata": {"name": "web"}, "target": {"kind": "Pod"}}
    code, status = await call("POST", f"{PODS}/web/binding", nameless)
    assert (code, status["message"]) == (
        500,
        '[target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]',
    )


@pytest.mark.parametrize("what", ["uid", "resourceVersion"])
async def test_only_the_pod_that_is_meant_is_bound(call: Caller, what: str) -> None:
    pod = await waiting(call)
    code, status = await bind(call, **{what: "1"})
    assert (code, status["reason"]) == (409, "Conflict")
    assert "Precondition failed" in status["message"]
    assert (await bind(call, **{what: pod["metadata"][what]}))[0] == 201
