"""The client lightkube: typed resources, apply, patches, watches, waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
from lightkube import ALL_NS, Client, KubeConfig
from lightkube.codecs import load_all_yaml
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import Container, PodSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Node, Pod
from lightkube.types import CascadeType, PatchType

from tests.clients.server import Place

_WEB = Path(__file__).parent / "manifests" / "web.yaml"


@pytest.fixture
def client(place: Place, namespace: str) -> Client:
    return Client(KubeConfig.from_file(place.kubeconfig), namespace=namespace, field_manager="tests")


def test_a_pod_is_waited_for_and_deleted(client: Client) -> None:
    spec = PodSpec(containers=[Container(name="main", image="nginx:1.27")])
    client.create(Pod(metadata=ObjectMeta(name="one"), spec=spec))
    ready = client.wait(Pod, "one", for_conditions=["Ready"])
    assert ready.status is not None
    assert ready.status.phase == "Running"
    client.delete(Pod, "one", grace_period=0)
    with pytest.raises(ApiError) as failure:
        client.get(Pod, "one")
    assert (failure.value.status.code, failure.value.status.reason) == (404, "NotFound")


def test_manifests_are_applied_again_and_again(client: Client) -> None:
    for replicas in (1, 2):
        for resource in load_all_yaml(_WEB.read_text()):
            if isinstance(resource, Deployment):
                assert resource.spec is not None
                resource.spec.replicas = replicas
            client.apply(resource, force=True)
    found = client.wait(Deployment, "web", for_conditions=["Available"])
    assert found.spec is not None
    assert found.spec.replicas == 2
    scaled = client.patch(Deployment.Scale, "web", {"spec": {"replicas": 3}})
    assert scaled.spec.replicas == 3
    client.delete(Deployment, "web", cascade=CascadeType.FOREGROUND)


def test_patches_of_every_type(client: Client) -> None:
    client.create(ConfigMap(metadata=ObjectMeta(name="s"), data={"a": "1", "b": "2"}))
    client.patch(ConfigMap, "s", {"data": {"a": None}}, patch_type=PatchType.MERGE)
    client.patch(ConfigMap, "s", {"data": {"c": "3"}}, patch_type=PatchType.STRATEGIC)
    client.patch(ConfigMap, "s", [{"op": "remove", "path": "/data/b"}], patch_type=PatchType.JSON)
    assert client.get(ConfigMap, "s").data == {"c": "3"}
    applied = client.apply(ConfigMap(metadata=ObjectMeta(name="s"), data={"d": "4"}), field_manager="other")
    assert applied.data == {"c": "3", "d": "4"}
    unapplied = client.apply(ConfigMap(metadata=ObjectMeta(name="s"), data={}), field_manager="other")
    assert unapplied.data == {"c": "3"}
    client.set(ConfigMap, "s", labels={"tier": "front"})


def test_lists_and_watches_by_selector(client: Client) -> None:
    for name, tier in (("a", "front"), ("b", "back"), ("c", "front")):
        client.create(ConfigMap(metadata=ObjectMeta(name=name, labels={"tier": tier})))
    listed = client.list(ConfigMap, labels={"tier": "front"}, chunk_size=1)
    assert [each.metadata.name for each in listed if each.metadata] == ["a", "c"]
    listed = client.list(ConfigMap, namespace=ALL_NS, fields={"metadata.name": "b"})
    assert [each.metadata.name for each in listed if each.metadata] == ["b"]
    seen = []
    for event, found in client.watch(ConfigMap, labels={"tier": ["front", "back"]}, server_timeout=30):
        assert found.metadata is not None
        seen.append((event, found.metadata.name))
        if len(seen) == 3:
            break
    assert sorted(seen) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]
    client.deletecollection(ConfigMap)
    assert list(client.list(ConfigMap, labels={"tier": ["front", "back"]})) == []
    assert len(list(client.list(Node))) == 2


def test_an_outdated_replacement_is_a_conflict(client: Client) -> None:
    first = client.create(ConfigMap(metadata=ObjectMeta(name="s"), data={"a": "1"}))
    client.replace(first)
    first.data = {"a": "2"}
    changed = client.replace(first)
    assert changed.data == {"a": "2"}
    with pytest.raises(ApiError, match="the object has been modified"):
        client.replace(first)
