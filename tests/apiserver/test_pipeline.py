"""What a client sees of the API server's core: reads, writes, watches, deletion, errors."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.apiserver.conftest import Caller

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"


def pod(name: str = "web", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}


async def create(call: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
    code, created = await call("POST", path, body)
    assert code == 201, created
    assert isinstance(created, dict)
    return created


async def events(call: Caller, path: str, count: int) -> list[dict[str, Any]]:
    """The first events of a watch."""
    response = await call.send("GET", path)
    assert response.stream is not None
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            chunk = await anext(response.stream)
            found += [msgspec.json.decode(line) for line in chunk.splitlines()]
    await response.stream.aclose()  # type: ignore[attr-defined]
    return found


async def test_created_object_has_what_the_server_owns(call: Caller) -> None:
    created = await create(call, PODS, pod(uid="mine", creationTimestamp="2001-01-01T00:00:00Z"))
    assert created["metadata"]["uid"] != "mine"
    assert not created["metadata"]["creationTimestamp"].startswith("2001")
    assert created["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert await call("GET", f"{PODS}/web") == (200, created)


async def test_create_of_an_existing_name_is_a_conflict(call: Caller) -> None:
    await create(call, MAPS, {"metadata": {"name": "m"}})
    code, status = await call("POST", MAPS, {"metadata": {"name": "m"}})
    assert (code, status["reason"], status["message"]) == (409, "AlreadyExists", 'configmaps "m" already exists')


async def test_generate_name_draws_different_names(call: Caller) -> None:
    names = {(await create(call, MAPS, {"metadata": {"generateName": "m-"}}))["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("m-") and len(name) == 7 for name in names)


async def test_a_namespace_with_a_generated_name_can_be_selected_by_it(call: Caller) -> None:
    _, made = await call("POST", "/api/v1/namespaces", {"metadata": {"generateName": "made-"}})
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": made["metadata"]["name"]}


async def test_no_object_keeps_a_link_to_itself(call: Caller) -> None:
    await call("POST", MAPS, {"metadata": {"name": "linked", "selfLink": "/x"}})
    _, changed = await call("PUT", f"{MAPS}/linked", {"metadata": {"name": "linked", "selfLink": "/x"}})
    assert "selfLink" not in changed["metadata"]


async def test_dry_run_stores_nothing(call: Caller) -> None:
    code, created = await call("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "m"}})
    assert code == 201
    assert "resourceVersion" not in created["metadata"]
    assert (await call("GET", f"{MAPS}/m"))[0] == 404


async def test_stale_update_is_refused_and_loses_nothing(call: Caller) -> None:
    first = await create(call, MAPS, {"metadata": {"name": "m"}, "data": {"a": "1"}})
    newer = {**first, "data": {"a": "2"}}
    assert (await call("PUT", f"{MAPS}/m", newer))[0] == 200
    code, status = await call("PUT", f"{MAPS}/m", {**first, "data": {"a": "3"}})
    assert (code, status["reason"]) == (409, "Conflict")
    assert (await call("GET", f"{MAPS}/m"))[1]["data"] == {"a": "2"}


async def test_concurrent_patches_without_revision_all_hold(call: Caller) -> None:
    await create(call, MAPS, {"metadata": {"name": "m"}})
    kind = "application/merge-patch+json"
    answers = await asyncio.gather(
        *(call("PATCH", f"{MAPS}/m", {"data": {str(n): "x"}}, content_type=kind) for n in range(4))
    )
    assert [code for code, _ in answers] == [200] * 4
    assert sorted((await call("GET", f"{MAPS}/m"))[1]["data"]) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("media", "patch"),
    [
        ("strategic-merge-patch", {"spec": {"containers": [{"name": "c", "image": "new"}]}}),
        ("json-patch", [{"op": "replace", "path": "/spec/containers/0/image", "value": "new"}]),
    ],
)
async def test_patches_change_the_image(call: Caller, media: str, patch: Any) -> None:
    await create(call, PODS, pod())
    code, patched = await call("PATCH", f"{PODS}/web", patch, content_type=f"application/{media}+json")
    assert code == 200, patched
    assert [container["image"] for container in patched["spec"]["containers"]] == ["new"]
    assert patched["metadata"]["generation"] == 2


async def test_unchanged_update_keeps_the_revision(call: Caller) -> None:
    created = await create(call, MAPS, {"metadata": {"name": "m"}, "data": {"a": "1"}})
    assert (await call("PUT", f"{MAPS}/m", created))[1] == created


async def test_unknown_fields_are_warned_of_or_refused(call: Caller) -> None:
    body = {"metadata": {"name": "m"}, "dta": {}}
    response = await call.send("POST", MAPS, body)
    assert response.status == 201
    assert response.headers["warning"] == ('299 - "unknown field \\"dta\\""',)
    code, status = await call("POST", f"{MAPS}?fieldValidation=Strict", body)
    assert (code, status["reason"]) == (400, "BadRequest")
    assert 'strict decoding error: unknown field "dta"' in status["message"]


async def test_list_pages_are_of_one_revision(call: Caller) -> None:
    for name in "abcd":
        await create(call, MAPS, {"metadata": {"name": name}})
    _, first = await call("GET", f"{MAPS}?limit=3")
    await create(call, MAPS, {"metadata": {"name": "bb"}})
    await create(call, MAPS, {"metadata": {"name": "e"}})
    _, second = await call("GET", f"{MAPS}?limit=3&continue={first['metadata']['continue']}")
    names = [item["metadata"]["name"] for page in (first, second) for item in page["items"]]
    assert [name for name in names if len(name) == 1] == list("abcd")
    assert "bb" not in names
    assert first["metadata"]["remainingItemCount"] >= 1
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


async def test_watch_sees_every_change_once_and_in_order(call: Caller) -> None:
    _, listed = await call("GET", MAPS)
    since = listed["metadata"]["resourceVersion"]
    made = await create(call, MAPS, {"metadata": {"name": "m"}})
    await call("PUT", f"{MAPS}/m", {**made, "data": {"a": "1"}})
    await call("DELETE", f"{MAPS}/m")
    seen = await events(call, f"{MAPS}?watch=true&resourceVersion={since}", 3)
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    revisions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert revisions == sorted(set(revisions))


async def test_watch_with_a_selector_shows_objects_leaving_it_as_deleted(call: Caller) -> None:
    made = await create(call, MAPS, {"metadata": {"name": "m", "labels": {"a": "1"}}})
    since = made["metadata"]["resourceVersion"]
    made["metadata"]["labels"] = {"a": "2"}
    await call("PUT", f"{MAPS}/m", made)
    (event,) = await events(
        call, f"{MAPS}?watch=true&resourceVersion={since}&labelSelector=a%3D1".replace("%3D", "=="), 1
    )
    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["labels"] == {"a": "1"}


async def test_streaming_list_ends_with_a_marked_bookmark(call: Caller) -> None:
    await create(call, MAPS, {"metadata": {"name": "m"}})
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    seen = await events(call, f"{MAPS}?{query}", 2)
    assert seen[-1]["type"] == "BOOKMARK"
    assert seen[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_bound_pod_is_deleted_gracefully(call: Caller) -> None:
    await create(call, PODS, pod())
    code, _ = await call("POST", f"{PODS}/web/binding", {"metadata": {"name": "web"}, "target": {"name": "n1"}})
    assert code == 201
    _, going = await call("DELETE", f"{PODS}/web")
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    assert (await call("GET", f"{PODS}/web"))[0] == 200
    assert (await call("DELETE", f"{PODS}/web?gracePeriodSeconds=0"))[0] == 200
    assert (await call("GET", f"{PODS}/web"))[0] == 404


async def test_second_binding_is_refused(call: Caller) -> None:
    await create(call, PODS, pod())
    target = {"metadata": {"name": "web"}, "target": {"name": "n1"}}
    await call("POST", f"{PODS}/web/binding", target)
    code, status = await call("POST", f"{PODS}/web/binding", target)
    assert code == 409
    assert 'pod web is already assigned to node "n1"' in status["message"]


async def test_finalizers_keep_an_object_until_they_are_taken_away(call: Caller) -> None:
    await create(call, MAPS, {"metadata": {"name": "m", "finalizers": ["example.com/wait"]}})
    _, going = await call("DELETE", f"{MAPS}/m")
    assert going["metadata"]["deletionTimestamp"]
    going["metadata"]["finalizers"] = []
    assert (await call("PUT", f"{MAPS}/m", going))[0] == 200
    assert (await call("GET", f"{MAPS}/m"))[0] == 404


async def test_delete_with_another_uid_is_refused(call: Caller) -> None:
    await create(call, MAPS, {"metadata": {"name": "m"}})
    code, status = await call("DELETE", f"{MAPS}/m", {"preconditions": {"uid": "other"}})
    assert (code, status["reason"]) == (409, "Conflict")
    assert (await call("GET", f"{MAPS}/m"))[0] == 200


async def test_delete_collection_takes_what_the_selector_names(call: Caller) -> None:
    for name, value in (("a", "1"), ("b", "2")):
        await create(call, MAPS, {"metadata": {"name": name, "labels": {"x": value}}})
    code, deleted = await call("DELETE", f"{MAPS}?labelSelector=x%3D1")
    assert (code, [item["metadata"]["name"] for item in deleted["items"]]) == (200, ["a"])
    assert (await call("GET", f"{MAPS}/b"))[0] == 200


async def test_status_and_spec_are_written_apart(call: Caller) -> None:
    made = await create(call, PODS, pod())
    made["status"]["phase"] = "Running"
    assert (await call("PUT", f"{PODS}/web", made))[1]["status"]["phase"] == "Pending"
    _, written = await call("PUT", f"{PODS}/web/status", {**made, "metadata": {"name": "web"}})
    assert written["status"]["phase"] == "Running"


async def test_node_port_cannot_be_taken_twice_and_is_free_again_after_deletion(call: Caller) -> None:
    services = "/api/v1/namespaces/default/services"
    spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 32600}]}
    await create(call, services, {"metadata": {"name": "a"}, "spec": spec})
    code, status = await call("POST", services, {"metadata": {"name": "b"}, "spec": spec})
    assert (code, status["details"]["causes"][0]["field"]) == (422, "spec.ports[0].nodePort")
    await call("DELETE", f"{services}/a")
    await create(call, services, {"metadata": {"name": "b"}, "spec": spec})


async def test_eviction_waits_for_the_budget(call: Caller) -> None:
    made = await create(call, PODS, pod(labels={"app": "web"}))
    made["status"]["phase"] = "Running"
    await call("PUT", f"{PODS}/web/status", made)
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    await create(call, BUDGETS, {"metadata": {"name": "b"}, "spec": spec})
    code, status = await call("POST", f"{PODS}/web/eviction", {"metadata": {"name": "web"}})
    assert (code, status["reason"]) == (429, "TooManyRequests")
    assert (await call("GET", f"{PODS}/web"))[0] == 200


async def test_events_are_one_thing_in_two_groups(call: Caller) -> None:
    event = {
        "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "default"},
        "reason": "Started",
        "message": "hello",
        "type": "Normal",
    }
    await create(call, "/api/v1/namespaces/default/events", event)
    _, seen = await call("GET", "/apis/events.k8s.io/v1/namespaces/default/events/e")
    assert (seen["apiVersion"], seen["note"], seen["regarding"]["name"]) == ("events.k8s.io/v1", "hello", "web")


async def test_strangers_and_users_without_rights_are_refused(call: Caller) -> None:
    code, status = await call.as_user("no-such-token")("GET", PODS)
    assert (code, status["reason"]) == (401, "Unauthorized")
    code, status = await call.as_user("alice-token")("GET", PODS)
    assert code == 403
    assert status["message"] == (
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"'
    )


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/nosuch", 404),
        ("GET", f"{PODS}/x/nosuch", 404),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
        ("PUT", MAPS, 405),
        ("POST", "/api/v1/pods", 405),
        ("DELETE", "/api/v1/namespaces", 405),
    ],
)
async def test_what_is_not_served(call: Caller, method: str, path: str, code: int) -> None:
    assert (await call(method, path))[0] == code


async def test_future_revision_times_out(call: Caller) -> None:
    code, status = await call("GET", f"{MAPS}?resourceVersion=999999")
    assert (code, status["reason"]) == (504, "Timeout")


async def test_list_of_one_name_is_authorized_as_that_object(call: Caller) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"], "resourceNames": ["m"]}
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    await create(call, f"{roles}/roles", {"metadata": {"name": "r"}, "rules": [rule]})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    subjects = [{"kind": "User", "name": "alice"}]
    await create(call, f"{roles}/rolebindings", {"metadata": {"name": "b"}, "roleRef": reference, "subjects": subjects})
    alice = call.as_user("alice-token")
    assert (await alice("GET", f"{MAPS}?fieldSelector=metadata.name%3Dm"))[0] == 200
    assert (await alice("GET", f"{MAPS}?fieldSelector=metadata.name%3Dn"))[0] == 403
    assert (await alice("GET", MAPS))[0] == 403
