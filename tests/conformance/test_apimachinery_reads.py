"""[sig-api-machinery] Discovery in all its forms, chunked lists, Tables and the version."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec

from tests.conformance.custom import definition
from tests.conformance.driving import Api, Json, alone

RESOURCES = {
    "v1": "namespaces",
    "admissionregistration.k8s.io/v1": "validatingwebhookconfigurations",
    "apiextensions.k8s.io/v1": "customresourcedefinitions",
    "apiregistration.k8s.io/v1": "apiservices",
    "apps/v1": "deployments",
    "authentication.k8s.io/v1": "tokenreviews",
    "authorization.k8s.io/v1": "selfsubjectaccessreviews",
    "autoscaling/v1": "horizontalpodautoscalers",
    "autoscaling/v2": "horizontalpodautoscalers",
    "batch/v1": "jobs",
    "certificates.k8s.io/v1": "certificatesigningrequests",
    "coordination.k8s.io/v1": "leases",
    "discovery.k8s.io/v1": "endpointslices",
    "events.k8s.io/v1": "events",
    "networking.k8s.io/v1": "ingresses",
    "node.k8s.io/v1": "runtimeclasses",
    "policy/v1": "poddisruptionbudgets",
    "scheduling.k8s.io/v1": "priorityclasses",
    "storage.k8s.io/v1": "csinodes",
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TOTAL = 400


async def aggregated(api: Api, path: str, accept: str = AGGREGATED) -> set[tuple[str, str]]:
    """(group and version, resource) of an aggregated document."""
    document = await api.get(path, accept=accept)
    assert document["kind"] == "APIGroupDiscoveryList"
    return {
        ("/".join(filter(None, [group["metadata"].get("name"), version["version"]])), resource["resource"])
        for group in document["items"]
        for version in group["versions"]
        for resource in version["resources"]
    }


@alone
async def test_aggregated_discovery_has_the_built_in_resources(api: Api) -> None:
    """AggregatedDiscovery should support [raw] aggregated discovery endpoint Accept headers / interface."""
    fallback = f"{AGGREGATED},{AGGREGATED.replace('v=v2', 'v=v2beta1')},application/json"
    for accept in (AGGREGATED, fallback):
        assert await aggregated(api, "/api", accept) >= {("v1", "namespaces")}
        assert await aggregated(api, "/apis", accept) >= set(RESOURCES.items()) - {("v1", "namespaces")}


@alone
async def test_aggregated_discovery_shows_custom_resources(api: Api) -> None:
    """AggregatedDiscovery should support [raw] aggregated discovery request / interface for CRDs."""
    await api.post(
        api.root("apiextensions.k8s.io/v1", "customresourcedefinitions"), definition("tests", scope="Namespaced")
    )

    async def shown() -> bool:
        return ("group.example.com/v1", "tests") in await aggregated(api, "/apis")

    await api.until(shown, 30)


@alone
async def test_preferred_version_of_each_group(api: Api) -> None:
    """Discovery should validate PreferredVersion for each APIGroup."""
    groups = (await api.get("/apis/"))["groups"]
    assert len(groups) >= 20
    for group in groups:
        alone_ = await api.get(f"/apis/{group['name']}/")
        assert alone_["preferredVersion"]["groupVersion"] in [each["groupVersion"] for each in alone_["versions"]]


@alone
async def test_group_version_and_a_resource_of_each_group(api: Api) -> None:
    """Discovery should locate the groupVersion and a resource within each APIGroup."""
    for group_version, resource in RESOURCES.items():
        found = await api.get(api.root(group_version, ""))
        assert found["groupVersion"] == group_version
        assert resource in [each["name"] for each in found["resources"]]


@alone
async def test_server_version(api: Api) -> None:
    """server version should find the server version."""
    version = await api.get("/version")
    assert re.fullmatch("[1-9]+", version["major"]) and re.fullmatch("[0-9]+", version["minor"])


@alone
async def test_table_of_a_kind_without_metadata_is_not_acceptable(api: Api) -> None:
    """Servers with support for Table transformation should return a 406 for a backend which does not implement
    metadata."""
    review = {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}},
    }
    response = await api.send(
        "POST",
        api.root("authorization.k8s.io/v1", "selfsubjectaccessreviews"),
        review,
        {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"},
    )
    assert response.status == 406
    assert msgspec.json.decode(response.body)["reason"] == "NotAcceptable"


async def create_templates(api: Api) -> None:
    for number in range(TOTAL):
        spec = {"containers": [{"name": "test", "image": "test2"}]}
        body = {"metadata": {"name": f"template-{number:04}"}, "template": {"spec": spec}}
        await api.post(api.at("v1", "podtemplates"), body)


async def page(api: Api, limit: int, token: str, found: int) -> Any:
    """One page, checked to be what follows after `found` items."""
    listed = await api.get(api.at("v1", f"podtemplates?limit={limit}" + (f"&continue={token}" if token else "")))
    names = [item["metadata"]["name"] for item in listed["items"]]
    assert len(names) <= limit
    assert names == [f"template-{number:04}" for number in range(found, found + len(names))]
    remaining = TOTAL - found - len(names)
    assert listed["metadata"].get("remainingItemCount") == (remaining or None)
    assert bool(listed["metadata"].get("continue")) == bool(remaining)
    return listed


async def rest(api: Api, limit: int, listed: Json, found: int) -> None:
    """All further pages; each shows the revision of the first."""
    version = listed["metadata"]["resourceVersion"]
    while token := listed["metadata"].get("continue", ""):
        listed = await page(api, limit, token, found)
        assert listed["metadata"]["resourceVersion"] == version
        found += len(listed["items"])
    assert found == TOTAL


@alone
async def test_chunks_of_results_for_list_calls(api: Api) -> None:
    """Servers with support for API chunking should return chunks of results for list calls."""
    await create_templates(api)
    for limit in (7, 33, 40):
        first = await page(api, limit, "", 0)
        await rest(api, limit, first, limit)
    everything = await page(api, TOTAL + 1, "", 0)
    assert len(everything["items"]) == TOTAL


@alone
async def test_listing_continues_after_the_revision_was_compacted(api: Api) -> None:
    """Servers with support for API chunking should support continue listing from the last key if the original version
    has been compacted away, though the list is inconsistent."""
    await create_templates(api)
    first = await page(api, 40, "", 0)
    token = first["metadata"]["continue"]
    for _ in range(30):
        await asyncio.sleep(20)
        # Others go on writing to a cluster; time alone makes no revision old.
        await api.post(api.at("v1", "configmaps"), {"metadata": {"generateName": "other-"}})
        response = await api.send("GET", api.at("v1", f"podtemplates?limit=40&continue={token}"))
        if response.status != 200:
            break
    status = msgspec.json.decode(response.body)
    assert (status["code"], status["reason"]) == (410, "Expired")
    second = await page(api, 40, status["metadata"]["continue"], 40)
    assert second["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
    await rest(api, 40, second, 80)
