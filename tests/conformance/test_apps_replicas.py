"""[sig-apps] ReplicaSet and ReplicationController."""

from __future__ import annotations

import pytest

from tests.conformance.bodies import pod, replication_controller, workload
from tests.conformance.driving import Json, Simulated, condition, simulated

SETS, CONTROLLERS = ("apps/v1", "replicasets"), ("v1", "replicationcontrollers")
KINDS = {SETS: workload, CONTROLLERS: replication_controller}


def owner_of(obj: Json) -> str | None:
    owners = obj["metadata"].get("ownerReferences")
    return str(owners[0]["name"]) if owners else None


@pytest.mark.parametrize("kind", KINDS)
def test_pods_are_adopted_and_released(kind: tuple[str, str]) -> None:
    """ReplicaSet should adopt matching pods on creation and release no longer matching pods; ReplicationController
    should adopt matching pods on creation, should release no longer matching pods."""

    async def story(api: Simulated) -> None:
        await api.post(api.at("v1", "pods"), pod("pod-adoption", {"name": "pod-adoption"}))
        await api.running("name=pod-adoption", 1)
        await api.post(api.at(*kind), KINDS[kind]("pod-adoption", {"name": "pod-adoption"}, 1))
        path = api.at("v1", "pods", "pod-adoption")

        async def adopted() -> bool:
            return owner_of(await api.get(path)) == "pod-adoption"

        async def released() -> bool:
            return owner_of(await api.get(path)) is None

        await api.until(adopted, 60)

        def relabel(obj: Json) -> None:
            obj["metadata"]["labels"]["name"] = "not-matching-name"

        await api.edit(path, relabel)
        await api.until(released, 60)
        await api.running("name=pod-adoption", 1)

    simulated(story)()


@pytest.mark.parametrize("kind", KINDS)
def test_a_condition_tells_of_an_exceeded_quota(kind: tuple[str, str]) -> None:
    """ReplicationController should surface a failure condition on a common issue like exceeded quota."""

    async def story(api: Simulated) -> None:
        quota = {"metadata": {"name": "condition-test"}, "spec": {"hard": {"pods": "2"}}}
        await api.post(api.at("v1", "resourcequotas"), quota)

        async def known() -> bool:
            return bool((await api.get(api.at("v1", "resourcequotas", "condition-test"))).get("status", {}).get("hard"))

        await api.until(known)
        await api.post(api.at(*kind), KINDS[kind]("condition-test", {"name": "condition-test"}, 3))
        path = api.at(*kind, "condition-test")

        async def failing() -> bool:
            return condition(await api.get(path), "ReplicaFailure") == "True"

        async def well() -> bool:
            return condition(await api.get(path), "ReplicaFailure") is None

        await api.until(failing, 60)

        def shrink(obj: Json) -> None:
            obj["spec"]["replicas"] = 2

        await api.edit(path, shrink)
        await api.until(well, 60)

    simulated(story)()


@simulated
async def test_scale_of_a_replication_controller(api: Simulated) -> None:
    """ReplicationController should get and update a ReplicationController scale."""
    await api.post(api.at(*CONTROLLERS), replication_controller("e2e-rc", {"name": "e2e-rc"}, 1))
    await api.running("name=e2e-rc", 1)
    path = api.at(*CONTROLLERS, "e2e-rc", "scale")
    scale = await api.get(path)
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 1, "selector": "name=e2e-rc"})
    scale["metadata"].pop("resourceVersion")
    scale["spec"]["replicas"] = 2
    assert (await api.put(path, scale))["spec"]["replicas"] == 2
    await api.running("name=e2e-rc", 2)


@simulated
async def test_lifecycle_of_a_replication_controller(api: Simulated) -> None:
    """ReplicationController should test the lifecycle of a ReplicationController."""
    place, path = api.at(*CONTROLLERS), api.at(*CONTROLLERS, "rc-test")
    labels = {"test-rc-static": "true"}
    chosen = "labelSelector=test-rc-static%3Dtrue"
    since = (await api.get(place))["metadata"]["resourceVersion"]
    async with api.watch(f"{place}?{chosen}&resourceVersion={since}") as watching:
        body = replication_controller("rc-test", labels, 1)
        del body["spec"]["selector"]  # it is that of the template's labels
        await api.post(place, body)
        await watching.until("ADDED")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("availableReplicas") == 1)
        # What Go makes of an object with nothing but a label, and of a Scale with nothing but a number.
        change = {"metadata": {"creationTimestamp": None, "labels": {"test-rc": "patched"}}, "spec": {}}
        await api.patch(path, {**change, "status": {"replicas": 0}}, "strategic")
        await watching.until("MODIFIED", lambda obj: obj["metadata"]["labels"].get("test-rc") == "patched")
        status = {"status": {"readyReplicas": 0, "availableReplicas": 0}}
        patched = await api.patch(f"{path}/status", status, "strategic")
        assert not patched["status"].get("readyReplicas")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("availableReplicas", 0) == 0)
        assert (await api.get(f"{path}/status"))["metadata"]["name"] == "rc-test"
        await watching.until("MODIFIED", lambda obj: obj["status"].get("availableReplicas", 0) == 1)
        scale = {"metadata": {"creationTimestamp": None}, "spec": {"replicas": 2}, "status": {"replicas": 0}}
        await api.patch(f"{path}/scale", scale, "strategic")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("readyReplicas", 0) == 2)

        def fewer(obj: Json) -> None:
            assert obj["metadata"]["labels"]["test-rc"] == "patched"
            obj["status"]["availableReplicas"] = obj["status"]["readyReplicas"] = 1

        await api.edit(path, fewer, write=f"{path}/status")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("readyReplicas", 0) == 1)
        listed = await api.items(f"/api/v1/replicationcontrollers?{chosen}")
        assert [each["spec"]["replicas"] for each in listed] == [2]
        await api.delete(f"{place}?{chosen}")
        await watching.until("DELETED")


@simulated
async def test_replica_sets_are_scaled_and_patched(api: Simulated) -> None:
    """ReplicaSet Replace and Patch tests."""
    await api.post(api.at(*SETS), workload("test-rs", {"name": "sample-pod"}))
    await api.running("name=sample-pod", 1)
    path = api.at(*SETS, "test-rs")
    async with api.watch(f"{api.at(*SETS)}?labelSelector=name%3Dsample-pod") as watching:
        await api.patch(f"{path}/scale", {"spec": {"replicas": 2}})
        await watching.until("MODIFIED", lambda obj: obj["status"].get("availableReplicas") == 2)
        template = {"spec": {"containers": [{"name": "c", "image": "registry.example/pause:3"}]}}
        change = {"metadata": {"labels": {"test-rs": "patched"}}, "spec": {"replicas": 3, "template": template}}
        await api.patch(path, change, "strategic")
        await watching.until("MODIFIED", lambda obj: obj["metadata"]["labels"].get("test-rs") == "patched")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("readyReplicas") == 3)


@simulated
async def test_replica_sets_are_listed_and_deleted_by_collection(api: Simulated) -> None:
    """ReplicaSet should list and delete a collection of ReplicaSets."""
    await api.post(api.at(*SETS), workload("test-rs", {"e2e": "test"}, 3))
    await api.running("e2e=test", 3)
    everywhere = "/apis/apps/v1/replicasets?labelSelector=e2e%3Dtest"
    assert len(await api.items(everywhere)) == 1
    await api.delete(api.at(*SETS) + "?labelSelector=e2e%3Dtest")

    async def none() -> bool:
        return not await api.items(everywhere) and not await api.pods("e2e=test")

    await api.until(none)


STATUS = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
OWNERS = {"replicasets": 1, "statefulsets": 1, "daemonsets": None}


@pytest.mark.parametrize("resource", OWNERS)
def test_status_endpoints(resource: str) -> None:
    """ReplicaSet should validate Replicaset Status endpoints; StatefulSet should validate Statefulset Status endpoints;
    Daemon set should verify changes to a daemon set status."""

    async def story(api: Simulated) -> None:
        extra = {"serviceName": "test"} if resource == "statefulsets" else {}
        await api.post(api.at("apps/v1", resource), workload("test", {"name": "test"}, OWNERS[resource], **extra))
        path = api.at("apps/v1", resource, "test")
        key = "numberReady" if resource == "daemonsets" else "readyReplicas"
        count = 2 if resource == "daemonsets" else 1

        async def full() -> bool:
            return bool((await api.get(path))["status"].get(key) == count)

        await api.until(full)
        assert (await api.get(f"{path}/status"))["status"][key] == count
        async with api.watch(f"{api.at('apps/v1', resource)}?labelSelector=name%3Dtest") as watching:

            def add(obj: Json) -> None:
                obj["status"].setdefault("conditions", []).append(STATUS)

            updated = await api.edit(path, add, write=f"{path}/status")
            assert condition(updated, "StatusUpdate") == "True"
            await watching.until("MODIFIED", lambda obj: condition(obj, "StatusUpdate") == "True")
            change = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
            patched = await api.patch(f"{path}/status", change)
            assert [each["type"] for each in patched["status"]["conditions"]] == ["StatusPatched"]
            await watching.until("MODIFIED", lambda obj: condition(obj, "StatusPatched") == "True")

    simulated(story)()
