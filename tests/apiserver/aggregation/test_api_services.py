"""APIServices as clients see them: one for each group-version that is served, and the state of those of others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import DEFINITIONS, definition

from pybernetes.apiserver.apiserver import ApiServer

SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


async def _names(call: Caller) -> set[str]:
    _code, found = await call("GET", SERVICES)
    return {item["metadata"]["name"] for item in found["items"]}


async def test_every_group_version_that_is_served_has_one(call: Caller) -> None:
    _code, groups = await call("GET", "/apis")
    served = {f"{version['version']}.{group['name']}" for group in groups["groups"] for version in group["versions"]}
    assert await _names(call) == served - {"v1.apiregistration.k8s.io"} | {"v1."}
    _code, apps = await call("GET", f"{SERVICES}/v1.apps")
    assert apps["spec"] == {"group": "apps", "version": "v1", "groupPriorityMinimum": 17800, "versionPriority": 15}
    assert apps["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    (condition,) = apps["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Available", "True", "Local")


async def test_they_come_and_go_with_the_definitions_of_custom_resources(call: Caller) -> None:
    name = "v1.stable.example.com"
    await call("POST", DEFINITIONS, definition())
    _code, found = await call("GET", f"{SERVICES}/{name}")
    assert found["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "true"}
    assert (found["spec"]["groupPriorityMinimum"], found["spec"]["versionPriority"]) == (1000, 100)
    await call("DELETE", f"{DEFINITIONS}/crontabs.stable.example.com")
    assert name not in await _names(call)


@pytest.mark.parametrize(
    ("service", "reason", "message"),
    [
        (None, "ServiceNotFound", 'service/s in "default" is not present'),
        ({"ports": [{"port": 80}]}, "ServicePortError", 'service/s in "default" is not listening on port 443'),
        ({"ports": [{"port": 443}]}, "EndpointsNotFound", 'cannot find endpoints for service/s in "default"'),
    ],
)
async def test_what_keeps_another_server_from_being_asked_is_told(
    api: ApiServer, call: Caller, service: dict[str, Any] | None, reason: str, message: str
) -> None:
    if service is not None:
        body = {"metadata": {"name": "s"}, "spec": service}
        assert (await call("POST", "/api/v1/namespaces/default/services", body))[0] == 201
    spec = {
        "group": "x.example.com",
        "version": "v1",
        "groupPriorityMinimum": 1,
        "versionPriority": 1,
        "service": {"name": "s", "namespace": "default"},
    }
    watch = await call.send("GET", f"{SERVICES}?watch=true&fieldSelector=metadata.name=v1.x.example.com")
    running = asyncio.create_task(api.run())
    code, _made = await call("POST", SERVICES, {"metadata": {"name": "v1.x.example.com"}, "spec": spec})
    assert code == 201
    assert watch.stream is not None
    async for chunk in watch.stream:
        if b'"MODIFIED"' in chunk:
            break
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    _code, found = await call("GET", f"{SERVICES}/v1.x.example.com")
    (condition,) = found["status"]["conditions"]
    assert (condition["status"], condition["reason"], condition["message"]) == ("False", reason, message)
