"""Discovery as clients see it: aggregated with its tag, and level by level."""

from __future__ import annotations

import msgspec
import pytest

from tests.apiserver.conftest import Caller

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
KUBECTL = f"{AGGREGATED},{AGGREGATED.replace('v=v2', 'v=v2beta1')},application/json"


@pytest.mark.parametrize("accept", [AGGREGATED, KUBECTL, f"{AGGREGATED};profile=nopeer"])
async def test_aggregated_discovery(call: Caller, accept: str) -> None:
    response = await call.send("GET", "/apis", accept=accept)
    assert response.headers["content-type"] == AGGREGATED
    items = msgspec.json.decode(response.body)["items"]
    assert items[0]["metadata"]["name"] == "apiregistration.k8s.io"
    scaling = next(item for item in items if item["metadata"]["name"] == "autoscaling")
    assert [version["version"] for version in scaling["versions"]] == ["v2", "v1"]
    again = await call.send("GET", "/apis", accept=accept, if_none_match=str(response.headers["etag"]))
    assert (again.status, again.body) == (304, b"")


async def test_the_core_group_has_sub_resources(call: Caller) -> None:
    response = await call.send("GET", "/api", accept=AGGREGATED)
    resources = msgspec.json.decode(response.body)["items"][0]["versions"][0]["resources"]
    pods = next(item for item in resources if item["resource"] == "pods")
    assert pods["shortNames"] == ["po"]
    eviction = next(item for item in pods["subresources"] if item["subresource"] == "eviction")
    assert eviction["responseKind"] == {"group": "policy", "version": "v1", "kind": "Eviction"}


async def test_every_level_has_a_document(call: Caller) -> None:
    code, versions = await call("GET", "/api")
    assert (code, versions["versions"]) == (200, ["v1"])
    assert versions["serverAddressByClientCIDRs"][0]["serverAddress"] == "127.0.0.1:6443"
    _, groups = await call("GET", "/apis/")
    assert groups["kind"] == "APIGroupList"
    _, group = await call("GET", "/apis/apps")
    assert group["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    _, listed = await call("GET", "/apis/apps/v1")
    scale = next(item for item in listed["resources"] if item["name"] == "deployments/scale")
    assert (scale["group"], scale["kind"]) == ("autoscaling", "Scale")


@pytest.mark.parametrize(
    ("method", "path", "accept", "code"),
    [
        ("GET", "/api/v2", "application/json", 404),
        ("GET", "/apis/apps/v9", "application/json", 404),
        ("POST", "/api", "application/json", 405),
        ("PUT", "/apis", "application/json", 200),
        ("GET", "/api", AGGREGATED.replace("v=v2", "v=v9"), 406),
        ("GET", "/api/v1", "application/json;as=Table;v=v1;g=meta.k8s.io", 406),
    ],
)
async def test_what_is_refused_is_refused_with_a_status(
    call: Caller, method: str, path: str, accept: str, code: int
) -> None:
    found, body = await call(method, path, accept=accept)
    assert found == code
    assert code == 200 or (body["kind"], body["code"]) == ("Status", code)


async def test_an_unknown_group_is_no_page(call: Caller) -> None:
    response = await call.send("GET", "/apis/nosuch.io/v1")
    assert (response.status, response.body) == (404, b"404 page not found\n")


async def test_yaml(call: Caller) -> None:
    response = await call.send("GET", "/api/v1", accept="application/yaml")
    assert response.headers["content-type"] == "application/yaml"
    assert b"kind: APIResourceList" in response.body
