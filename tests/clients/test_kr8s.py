"""The client kr8s: objects that refresh, wait, scale and delete themselves."""

from __future__ import annotations

import kr8s
import kr8s.asyncio
import kr8s.asyncio.objects as kinds
import pytest

from tests.clients.server import Place

_PATIENCE = 30  # seconds

# It knows no Kubernetes newer than itself, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported:UserWarning")


@pytest.fixture
async def api(place: Place, namespace: str) -> kr8s.asyncio.Api:
    made = await kr8s.asyncio.api(kubeconfig=str(place.kubeconfig), namespace=namespace)
    assert isinstance(made, kr8s.asyncio.Api)
    return made


async def test_a_pod_from_create_to_delete(api: kr8s.asyncio.Api) -> None:
    pod = await kinds.Pod(
        {
            "metadata": {"name": "one", "namespace": api.namespace},
            "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]},
        },
        api=api,
    )
    await pod.create()
    await pod.wait("condition=Ready", timeout=_PATIENCE)
    assert await pod.ready()
    assert pod.status.phase == "Running"
    await pod.label({"tier": "front"})
    assert [each.name async for each in api.get("pods", label_selector={"tier": "front"})] == ["one"]
    await pod.annotate({"note": "well"})
    await pod.refresh()
    assert pod.annotations["note"] == "well"
    await pod.delete(grace_period=0)
    await pod.wait("delete", timeout=_PATIENCE)
    assert not await pod.exists()


async def test_a_deployment_scales_and_finds_its_pods(api: kr8s.asyncio.Api) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    resource = {"metadata": {"name": "web", "namespace": api.namespace}, "spec": spec}
    deployment = await kinds.Deployment(resource, api=api)
    await deployment.create()
    await deployment.wait("condition=Available", timeout=_PATIENCE)
    await deployment.scale(2)
    await deployment.wait("jsonpath='{.status.readyReplicas}'=2", timeout=_PATIENCE)
    assert len(await deployment.pods()) == 2
    await deployment.patch({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "nginx:1.28"}]}}}})
    assert deployment.spec.template.spec.containers[0].image == "nginx:1.28"
    await deployment.patch([{"op": "replace", "path": "/spec/replicas", "value": 1}], type="json")
    assert deployment.replicas == 1


async def test_watch_get_and_raw_discovery(api: kr8s.asyncio.Api) -> None:
    for name in ("a", "b"):
        resource = {
            "metadata": {"name": name, "namespace": api.namespace, "labels": {"of": "test"}},
            "data": {"k": name},
        }
        await (await kinds.ConfigMap(resource, api=api)).create()
    seen = []
    async for event, found in api.watch("configmaps", label_selector="of=test"):
        seen.append((event, found.name, found.data["k"]))
        if len(seen) == 2:
            break
    assert seen == [("ADDED", "a", "a"), ("ADDED", "b", "b")]
    assert (await api.version())["minor"].startswith("36")
    assert (await api.whoami()) == "clients"
    assert {"pods", "deployments"} <= {each["name"] for each in await api.api_resources()}
    nodes = [node async for node in api.get("nodes")]
    assert {node.name for node in nodes} == {"worker-1", "worker-2"}


async def test_what_is_missing_and_what_is_there_twice(api: kr8s.asyncio.Api) -> None:
    with pytest.raises(kr8s.NotFoundError):
        await kinds.ConfigMap.get("none", api=api, namespace=api.namespace)
    resource = {"metadata": {"name": "s", "namespace": api.namespace}}
    await (await kinds.ConfigMap(resource, api=api)).create()
    with pytest.raises(kr8s.ServerError, match="already exists"):
        await (await kinds.ConfigMap(resource, api=api)).create()
