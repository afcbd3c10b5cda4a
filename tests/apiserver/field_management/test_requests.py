"""managedFields and server-side apply as clients meet them."""

from __future__ import annotations

from typing import Any

from tests.apiserver.conftest import Caller

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def owners(obj: dict[str, Any]) -> dict[str, list[str]]:
    """The data keys that each manager owns."""
    entries = obj["metadata"].get("managedFields", [])
    return {entry["manager"]: sorted(entry["fieldsV1"].get("f:data", {})) for entry in entries}


async def apply(
    call: Caller, body: Any, manager: str, path: str = f"{CONFIG_MAPS}/a", more: str = ""
) -> tuple[int, Any]:
    return await call("PATCH", f"{path}?fieldManager={manager}{more}", body, content_type=APPLY)


async def test_created_objects_name_their_creator(call: Caller) -> None:
    _, made = await call("POST", CONFIG_MAPS, config_map(x="1"), user_agent="tool/1.0 (linux)")
    entry = made["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("tool", "Update", "v1")
    assert entry["fieldsV1"] == {"f:data": {".": {}, "f:x": {}}}
    _, empty = await call("POST", CONFIG_MAPS, {"metadata": {"name": "b"}})
    assert "managedFields" not in empty["metadata"]


async def test_what_admission_adds_is_nobodys(call: Caller) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    _, made = await call("POST", "/api/v1/namespaces/default/pods", pod)
    assert made["spec"]["tolerations"]
    assert "f:tolerations" not in made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]


async def test_apply_creates_updates_and_takes_back(call: Caller) -> None:
    assert (await apply(call, config_map(x="1", y="2"), "a"))[0] == 201
    code, obj = await apply(call, config_map(x="1", z="3"), "a")
    assert (code, obj["data"]) == (200, {"x": "1", "z": "3"})
    before = obj["metadata"]["resourceVersion"]
    _, again = await apply(call, config_map(x="1", z="3"), "a")
    assert again["metadata"]["resourceVersion"] == before


async def test_applying_to_an_object_that_must_exist(call: Caller) -> None:
    body = config_map(x="1")
    body["metadata"]["uid"] = "123"
    code, error = await apply(call, body, "a")
    why = "uid mismatch: the provided object specified uid 123, and no existing object was found"
    assert (code, error["message"]) == (409, f'Operation cannot be fulfilled on configmaps "a": {why}')


async def test_a_status_that_keeps_the_metadata(call: Caller) -> None:
    path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
    body = {"metadata": {"name": "f"}, "spec": {"priorityLevelConfiguration": {"name": "global-default"}}}
    await call("POST", f"{path}?fieldManager=a", body)
    metadata = {"name": "f", "labels": {"a": "b"}}
    status = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": metadata}
    status["status"] = {"conditions": [{"type": "Dangling", "status": "False"}]}
    code, obj = await apply(call, status, "s", f"{path}/f/status")
    assert (code, obj["metadata"].get("labels")) == (200, None)
    owned = {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}
    assert list(owned["s"]) == ["f:status"]


async def test_conflicts_name_the_owner_and_force_overrides(call: Caller) -> None:
    await apply(call, config_map(x="1"), "a")
    code, error = await apply(call, config_map(x="2"), "b")
    assert code == 409
    assert error["message"] == 'Apply failed with 1 conflict: conflict with "a": .data.x'
    assert error["details"]["causes"][0]["reason"] == "FieldManagerConflict"
    code, obj = await apply(call, config_map(x="2"), "b", more="&force=true")
    assert (code, obj["data"], owners(obj)) == (200, {"x": "2"}, {"b": ["f:x"]})


async def test_agreement_is_shared_and_what_others_own_stays(call: Caller) -> None:
    await apply(call, config_map(x="1", y="2"), "a")
    await apply(call, config_map(x="1"), "b")
    _, obj = await apply(call, config_map(y="2"), "a")
    assert (obj["data"], owners(obj)) == ({"x": "1", "y": "2"}, {"a": ["f:y"], "b": ["f:x"]})


async def test_updates_take_fields_over(call: Caller) -> None:
    await apply(call, config_map(x="1"), "a")
    _, obj = await call("PATCH", f"{CONFIG_MAPS}/a?fieldManager=u", {"data": {"x": "2"}}, content_type=MERGE)
    assert owners(obj) == {"u": ["f:x"]}
    code, error = await apply(call, config_map(x="1"), "a")
    assert (code, error["details"]["causes"][0]["message"]) == (409, 'conflict with "u" using v1')


async def test_clients_may_reset_managed_fields(call: Caller) -> None:
    _, made = await call("POST", CONFIG_MAPS, config_map(x="1"))
    for entries in ([], [{}]):
        made["metadata"]["managedFields"] = entries
        made["metadata"].pop("resourceVersion", None)
        _, obj = await call("PUT", f"{CONFIG_MAPS}/a", made)
        assert "managedFields" not in obj["metadata"]
    _, obj = await apply(call, config_map(z="1"), "a")
    assert owners(obj) == {"a": ["f:z"], "before-first-apply": [".", "f:x"]}


async def test_status_is_not_owned_through_the_main_resource(call: Caller) -> None:
    spec = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": spec,
        "status": {"replicas": 3},
    }
    code, made = await apply(call, body, "a", f"{DEPLOYMENTS}/d")
    assert code == 201
    assert "f:status" not in made["metadata"]["managedFields"][0]["fieldsV1"]


async def test_scaling_moves_the_replicas(call: Caller) -> None:
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }
    await call("POST", f"{DEPLOYMENTS}?fieldManager=a", {"metadata": {"name": "d"}, "spec": spec})
    await call("PATCH", f"{DEPLOYMENTS}/d/scale?fieldManager=s", {"spec": {"replicas": 4}}, content_type=MERGE)
    _, obj = await call("GET", f"{DEPLOYMENTS}/d")
    by_manager = {entry["manager"]: entry for entry in obj["metadata"]["managedFields"]}
    assert "f:replicas" not in by_manager["a"]["fieldsV1"]["f:spec"]
    assert by_manager["s"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert by_manager["s"]["subresource"] == "scale"
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 5}}
    code, error = await apply(call, scale, "t", f"{DEPLOYMENTS}/d/scale")
    assert (code, error["reason"]) == (409, "Conflict")
    code, answer = await apply(call, scale, "t", f"{DEPLOYMENTS}/d/scale", "&force=true")
    assert (code, answer["spec"]["replicas"]) == (200, 5)


async def test_kubectl_takes_over_from_client_side_apply(call: Caller) -> None:
    body = config_map(x="1")
    annotation = "kubectl.kubernetes.io/last-applied-configuration"
    body["metadata"]["annotations"] = {annotation: '{"apiVersion":"v1","kind":"ConfigMap","data":{"x":"1"}}'}
    await call("POST", f"{CONFIG_MAPS}?fieldManager=kubectl-client-side-apply", body)
    assert (await apply(call, config_map(x="2"), "other"))[0] == 409
    code, obj = await apply(call, config_map(x="2"), "kubectl")
    assert (code, obj["data"]) == (200, {"x": "2"})
    assert '"data":{"x":"2"}' in obj["metadata"]["annotations"][annotation]


async def test_what_is_too_long_for_an_annotation_is_left_out(call: Caller) -> None:
    annotation = "kubectl.kubernetes.io/last-applied-configuration"
    body = config_map(x="1")
    body["metadata"]["annotations"] = {annotation: "{}"}
    await call("POST", f"{CONFIG_MAPS}?fieldManager=kubectl-client-side-apply", body)
    code, obj = await apply(call, config_map(x="1", y="y" * 2**18), "kubectl")
    assert (code, obj["metadata"].get("annotations")) == (200, None)


async def test_creating_by_apply_needs_the_create_verb(call: Caller) -> None:
    group = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}]
    await call("POST", f"/apis/{group}/v1/clusterroles", {"metadata": {"name": "p"}, "rules": rules})
    subject = {"kind": "User", "name": "alice", "apiGroup": group}
    reference = {"kind": "ClusterRole", "name": "p", "apiGroup": group}
    binding = {"metadata": {"name": "p"}, "roleRef": reference, "subjects": [subject]}
    await call("POST", f"/apis/{group}/v1/clusterrolebindings", binding)
    code, error = await apply(call.as_user("alice-token"), config_map(x="1"), "a")
    assert code == 403
    assert 'cannot create resource "configmaps"' in error["message"]


async def test_options_of_patches(call: Caller) -> None:
    await call("POST", CONFIG_MAPS, config_map(x="1"))
    code, error = await call("PATCH", f"{CONFIG_MAPS}/a", config_map(), content_type=APPLY, user_agent="")
    assert (code, error["details"]["causes"][0]["message"]) == (422, "Required value: is required for apply patch")
    code, error = await call("PATCH", f"{CONFIG_MAPS}/a?force=true", {}, content_type=MERGE)
    assert (code, error["details"]["causes"][0]["field"]) == (422, "force")
    code, error = await call("PATCH", f"{CONFIG_MAPS}/a?fieldManager={'m' * 129}", {}, content_type=MERGE)
    assert (code, error["details"]["causes"][0]["reason"]) == (422, "FieldValueTooLong")
