"""The Python client `kubernetes`: typed calls, patches, watches, errors, the dynamic client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, utils, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.utils.create_from_yaml import FailToCreateError

from tests.clients.server import Place

_PATIENCE = 30  # seconds


@pytest.fixture
def api(place: Place) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(place.kubeconfig)) as made:
        yield made


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


def pod(name: str, **annotations: str) -> client.V1Pod:
    return client.V1Pod(
        metadata=client.V1ObjectMeta(name=name, labels={"app": name}, annotations=annotations),
        spec=client.V1PodSpec(containers=[client.V1Container(name="main", image="nginx:1.27")]),
    )


def settings(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data)


def test_a_pod_is_made_watched_until_it_runs_and_deleted(core: client.CoreV1Api, namespace: str) -> None:
    made = core.create_namespaced_pod(namespace, pod("one"))
    assert made.status.phase == "Pending"
    stream = watch.Watch().stream(
        core.list_namespaced_pod, namespace, resource_version=made.metadata.resource_version, timeout_seconds=_PATIENCE
    )
    phases = []
    for event in stream:
        phases.append(event["object"].status.phase)
        if phases[-1] == "Running":
            break
    assert phases[-1] == "Running"
    found = core.read_namespaced_pod_status("one", namespace)
    assert found.status.container_statuses[0].ready
    assert found.status.start_time.tzinfo is not None
    going = core.delete_namespaced_pod("one", namespace, grace_period_seconds=0)
    assert going.metadata.name == "one"
    with pytest.raises(ApiException) as failure:
        core.read_namespaced_pod("one", namespace)
    assert (failure.value.status, failure.value.reason) == (404, "Not Found")


def test_a_watch_begins_where_a_list_ended(core: client.CoreV1Api, namespace: str) -> None:
    version = core.list_namespaced_config_map(namespace).metadata.resource_version
    for name in ("a", "b"):
        core.create_namespaced_config_map(namespace, settings(name))
    events = watch.Watch().stream(
        core.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=_PATIENCE
    )
    wanted = ("a", "b")
    seen = [next(each for each in events if each["object"].metadata.name == name) for name in wanted]
    assert [(each["type"], each["object"].metadata.name) for each in seen] == [("ADDED", "a"), ("ADDED", "b")]


def test_patches_of_every_type(core: client.CoreV1Api, namespace: str) -> None:
    core.create_namespaced_config_map(namespace, settings("s", a="1", b="2"))
    merged = core.patch_namespaced_config_map("s", namespace, {"data": {"a": None, "c": "3"}})
    assert merged.data == {"b": "2", "c": "3"}
    by_json = [{"op": "replace", "path": "/data/b", "value": "two"}]
    assert core.patch_namespaced_config_map("s", namespace, by_json).data == {"b": "two", "c": "3"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"d": "4"}}
    applied = core.patch_namespaced_config_map(
        "s", namespace, body, field_manager="tests", _content_type="application/apply-patch+yaml"
    )
    assert applied.data == {"b": "two", "c": "3", "d": "4"}
    assert "tests" in [each.manager for each in applied.metadata.managed_fields]


def test_lists_by_selector_and_page_by_page(core: client.CoreV1Api, namespace: str) -> None:
    for number in range(5):
        body = settings(f"s{number}")
        body.metadata.labels = {"odd": str(number % 2)}
        core.create_namespaced_config_map(namespace, body)
    odd = core.list_namespaced_config_map(namespace, label_selector="odd=1")
    assert [each.metadata.name for each in odd.items] == ["s1", "s3"]
    names, token = [], None
    while True:
        page = core.list_namespaced_config_map(namespace, label_selector="odd", limit=2, _continue=token)
        names.append([each.metadata.name for each in page.items])
        token = page.metadata._continue
        if not token:
            break
    assert names == [["s0", "s1"], ["s2", "s3"], ["s4"]]
    core.delete_collection_namespaced_config_map(namespace, label_selector="odd=0")
    left = core.list_namespaced_config_map(namespace, label_selector="odd")
    assert [each.metadata.name for each in left.items] == ["s1", "s3"]


def test_an_outdated_replacement_is_a_conflict(core: client.CoreV1Api, namespace: str) -> None:
    first = core.create_namespaced_config_map(namespace, settings("s", a="1"))
    first.data = {"a": "2"}
    core.replace_namespaced_config_map("s", namespace, first)
    with pytest.raises(ApiException) as failure:
        core.replace_namespaced_config_map("s", namespace, first)
    assert failure.value.status == 409
    assert "the object has been modified; please apply your changes to the latest version" in failure.value.body


def test_a_deployment_is_scaled_by_its_subresource(api: client.ApiClient, namespace: str) -> None:
    apps = client.AppsV1Api(api)
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    apps.create_namespaced_deployment(namespace, {"metadata": {"name": "web"}, "spec": spec})
    scale = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 2}})
    assert (scale.spec.replicas, scale.status.selector) == (2, "app=web")
    stream = watch.Watch().stream(apps.list_namespaced_deployment, namespace, timeout_seconds=_PATIENCE)
    assert any(event["object"].status.ready_replicas == 2 for event in stream)
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Foreground")


def test_a_pod_is_evicted_and_tokens_and_reviews_are_given(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    core.create_namespaced_pod(namespace, pod("one"))
    core.create_namespaced_pod_eviction("one", namespace, client.V1Eviction(metadata={"name": "one"}))
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=600))
    token = core.create_namespaced_service_account_token("default", namespace, request).status.token
    review = client.V1TokenReview(spec=client.V1TokenReviewSpec(token=token))
    who = client.AuthenticationV1Api(api).create_token_review(review).status
    assert who.authenticated
    assert who.user.username == f"system:serviceaccount:{namespace}:default"
    attributes = client.V1ResourceAttributes(namespace=namespace, verb="get", resource="pods")
    access = client.V1SelfSubjectAccessReview(spec={"resourceAttributes": attributes})
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(access).status.allowed


def test_objects_out_of_files(api: client.ApiClient, namespace: str) -> None:
    documents: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}, "spec": {"ports": [{"port": 80}]}},
    ]
    utils.create_from_yaml(api, yaml_objects=documents, namespace=namespace)
    with pytest.raises(FailToCreateError, match="AlreadyExists"):
        utils.create_from_yaml(api, yaml_objects=documents[:1], namespace=namespace)


def test_the_dynamic_client_finds_its_way_by_discovery(api: client.ApiClient, namespace: str) -> None:
    dynamic = DynamicClient(api)
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"a": "1"}}
    assert maps.create(body=body, namespace=namespace).data.a == "1"
    body["data"] = {"a": "2"}
    applied = dynamic.server_side_apply(
        maps, body=body, name="s", namespace=namespace, field_manager="dynamic", force_conflicts=True
    )
    assert applied.data.a == "2"
    assert {each.metadata.name for each in maps.get(namespace=namespace).items} >= {"s"}
    leases = dynamic.resources.get(api_version="coordination.k8s.io/v1", kind="Lease")
    assert leases.namespaced
    maps.delete(name="s", namespace=namespace)


def test_version_nodes_and_the_log_that_is_not_there(
    api: client.ApiClient, core: client.CoreV1Api, namespace: str
) -> None:
    assert client.VersionApi(api).get_code().git_version.startswith("v1.36")
    assert {node.metadata.name for node in core.list_node().items} == {"worker-1", "worker-2"}
    with pytest.raises(ApiException) as failure:
        core.read_namespaced_pod_log("none", namespace)
    assert failure.value.status == 404
    assert 'pods \\"none\\" not found' in failure.value.body
