"""The client `kubernetes_asyncio`: calls, watches and errors, all in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.client.api_client import ApiClient
from kubernetes_asyncio.client.exceptions import ApiException

from tests.clients.server import Place

_PATIENCE = 30  # seconds


@pytest.fixture
async def api(place: Place) -> AsyncIterator[ApiClient]:
    made = await config.new_client_from_config(str(place.kubeconfig))
    async with made:
        yield made


def settings(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"of": "test"}), data=data)


async def test_many_at_once_listed_watched_and_deleted(api: ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    names = [f"s{number}" for number in range(20)]
    await asyncio.gather(*(core.create_namespaced_config_map(namespace, settings(name)) for name in names))
    found = await core.list_namespaced_config_map(namespace, label_selector="of=test")
    assert sorted(each.metadata.name for each in found.items) == sorted(names)

    async def gone() -> set[str]:
        seen: set[str] = set()
        async with watch.Watch() as watcher:
            stream = watcher.stream(
                core.list_namespaced_config_map,
                namespace,
                label_selector="of=test",
                resource_version=found.metadata.resource_version,
                timeout_seconds=_PATIENCE,
            )
            async for event in stream:
                assert event["type"] == "DELETED"
                seen.add(event["object"].metadata.name)
                if len(seen) == len(names):
                    break
        return seen

    watching = asyncio.ensure_future(gone())
    await core.delete_collection_namespaced_config_map(namespace, label_selector="of=test")
    assert await watching == set(names)


async def test_patches_and_apply(api: ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    await core.create_namespaced_config_map(namespace, settings("s", a="1"))
    merged = await core.patch_namespaced_config_map(
        "s", namespace, {"data": {"b": "2"}}, _content_type="application/merge-patch+json"
    )
    assert merged.data == {"a": "1", "b": "2"}
    by_json = [{"op": "remove", "path": "/data/a"}]
    changed = await core.patch_namespaced_config_map(
        "s", namespace, by_json, _content_type="application/json-patch+json"
    )
    assert changed.data == {"b": "2"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fresh"}, "data": {"c": "3"}}
    applied = await core.patch_namespaced_config_map(
        "fresh", namespace, body, field_manager="tests", _content_type="application/apply-patch+yaml"
    )
    assert applied.data == {"c": "3"}


async def test_a_deployment_becomes_ready(api: ApiClient, namespace: str) -> None:
    apps = client.AppsV1Api(api)
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    await apps.create_namespaced_deployment(namespace, {"metadata": {"name": "web"}, "spec": spec})
    ready = 0
    async with watch.Watch() as watcher:
        async for event in watcher.stream(apps.list_namespaced_deployment, namespace, timeout_seconds=_PATIENCE):
            ready = event["object"].status.ready_replicas or 0
            if ready == 3:
                break
    assert ready == 3


async def test_errors_are_told_apart(api: ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    with pytest.raises(ApiException) as missing:
        await core.read_namespaced_config_map("none", namespace)
    assert missing.value.status == 404
    await core.create_namespaced_config_map(namespace, settings("s"))
    with pytest.raises(ApiException) as twice:
        await core.create_namespaced_config_map(namespace, settings("s"))
    assert (twice.value.status, '"reason":"AlreadyExists"' in str(twice.value.body)) == (409, True)
    dry = await core.delete_namespaced_config_map("s", namespace, dry_run="All")
    assert dry.status == "Success"
    await core.read_namespaced_config_map("s", namespace)
