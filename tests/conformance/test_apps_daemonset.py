"""[sig-apps] Daemon set and ControllerRevision."""

from __future__ import annotations

from tests.conformance.bodies import workload
from tests.conformance.driving import Json, Simulated, ready, simulated

NAME = "daemon-set"
LABELS = {"daemonset-name": NAME}
SELECTOR = f"daemonset-name={NAME}"
HASH = "controller-revision-hash"


def path_of(api: Simulated) -> str:
    return api.at("apps/v1", "daemonsets", NAME)


async def create(api: Simulated, simulate: str = "", **spec: object) -> Json:
    """A DaemonSet that all workers run."""
    made: Json = await api.post(api.at("apps/v1", "daemonsets"), workload(NAME, LABELS, None, simulate, **spec))
    await api.running(SELECTOR, 2)
    status = await settled(api, 2)
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (2, 2)
    return made


async def settled(api: Simulated, scheduled: int) -> Json:
    """Waits until the status tells of so many nodes; the status."""

    async def look() -> Json | None:
        status: Json = (await api.get(path_of(api)))["status"]
        same = {status.get(key, 0) for key in ("desiredNumberScheduled", "currentNumberScheduled", "numberReady")}
        return status if same == {scheduled} else None

    status: Json = await api.until(look)
    return status


async def revisions(api: Simulated) -> list[Json]:
    found = await api.items(api.at("apps/v1", f"controllerrevisions?labelSelector=daemonset-name%3D{NAME}"))
    return sorted(found, key=lambda obj: obj["revision"])


@simulated
async def test_a_simple_daemon(api: Simulated) -> None:
    """Daemon set should run and stop simple daemon."""
    await create(api)
    first = (await api.pods(SELECTOR))[0]["metadata"]["name"]
    await api.delete(api.at("v1", "pods", first))
    await api.until(lambda: api.gone(api.at("v1", "pods", first)))
    pods = await api.running(SELECTOR, 2)
    assert {each["spec"]["nodeName"] for each in pods} == {"worker-1", "worker-2"}
    await api.delete(path_of(api))

    async def none() -> bool:
        return not await api.pods(SELECTOR)

    await api.until(none)


@simulated
async def test_a_complex_daemon_follows_the_labels_of_nodes(api: Simulated) -> None:
    """Daemon set should run and stop complex daemon."""
    body = workload(NAME, LABELS, None)
    body["spec"]["template"]["spec"]["nodeSelector"] = {"daemonset-color": "blue"}
    await api.post(api.at("apps/v1", "daemonsets"), body)
    await settled(api, 0)
    await api.patch("/api/v1/nodes/worker-1", {"metadata": {"labels": {"daemonset-color": "blue"}}}, "strategic")
    pods = await api.running(SELECTOR, 1)
    assert pods[0]["spec"]["nodeName"] == "worker-1"
    await settled(api, 1)
    await api.patch("/api/v1/nodes/worker-1", {"metadata": {"labels": {"daemonset-color": "green"}}}, "strategic")
    await api.running(SELECTOR, 0)
    change = {"template": {"spec": {"nodeSelector": {"daemonset-color": "green"}}}}
    await api.patch(path_of(api), {"spec": {**change, "updateStrategy": {"type": "RollingUpdate"}}}, "strategic")
    await api.running(SELECTOR, 1)
    await settled(api, 1)


@simulated
async def test_failed_daemon_pods_are_replaced(api: Simulated) -> None:
    """Daemon set should retry creating failed daemon pods."""
    await create(api)
    pod = (await api.pods(SELECTOR))[0]
    path = api.at("v1", "pods", pod["metadata"]["name"])

    def fail(obj: Json) -> None:
        obj["metadata"].pop("resourceVersion")
        obj["status"]["phase"] = "Failed"

    await api.edit(path, fail, write=f"{path}/status")

    async def replaced() -> bool:
        return await api.gone(path)

    await api.until(replaced, 300)
    pods = await api.running(SELECTOR, 2)
    assert {each["spec"]["nodeName"] for each in pods} == {"worker-1", "worker-2"}


@simulated
async def test_a_rolling_update_replaces_pods(api: Simulated) -> None:
    """Daemon set should update pod when spec was updated and update strategy is RollingUpdate."""
    await create(api, updateStrategy={"type": "RollingUpdate"})
    [first] = await revisions(api)
    assert first["revision"] == 1
    hashes = {each["metadata"]["labels"][HASH] for each in await api.pods(SELECTOR)}
    assert hashes == {first["metadata"]["labels"][HASH]}
    containers = [{"name": "c", "image": "registry.example/agnhost:3"}]
    await api.patch(path_of(api), {"spec": {"template": {"spec": {"containers": containers}}}}, "strategic")

    async def updated() -> bool:
        pods = await api.pods(SELECTOR)
        images = [each["spec"]["containers"][0]["image"] for each in pods if ready(each)]
        # At any time at most one node is without a pod.
        assert len([each for each in pods if ready(each)]) >= 1
        return images == ["registry.example/agnhost:3"] * 2

    await api.until(updated)
    _, second = await revisions(api)
    assert second["revision"] == 2
    assert {each["metadata"]["labels"][HASH] for each in await api.pods(SELECTOR)} == {
        second["metadata"]["labels"][HASH]
    }


@simulated
async def test_a_rollback_restarts_no_pod_without_need(api: Simulated) -> None:
    """Daemon set should rollback without unnecessary restarts."""
    made = await create(api, updateStrategy={"type": "RollingUpdate"})
    before = {each["metadata"]["name"] for each in await api.pods(SELECTOR)}
    template = made["spec"]["template"]

    def bad(obj: Json) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "foo:non-existent"
        obj["spec"]["template"]["metadata"]["annotations"] = {"pybernetes.io/simulate": "pull=fail"}

    def good(obj: Json) -> None:
        obj["spec"]["template"] = template

    await api.edit(path_of(api), bad)

    async def under_way() -> bool:
        return "foo:non-existent" in [each["spec"]["containers"][0]["image"] for each in await api.pods(SELECTOR)]

    await api.until(under_way)
    kept = {each["metadata"]["name"] for each in await api.pods(SELECTOR)} & before
    assert kept
    await api.edit(path_of(api), good)
    pods = await api.running(SELECTOR, 2)
    assert kept < {each["metadata"]["name"] for each in pods}
    assert {each["spec"]["containers"][0]["image"] for each in pods} == {"registry.example/agnhost:2.53"}
    # The old revision is the newest once more.
    assert [each["revision"] for each in await revisions(api)] == [2, 3]


@simulated
async def test_daemon_sets_are_listed_and_deleted_by_collection(api: Simulated) -> None:
    """Daemon set should list and delete a collection of DaemonSets."""
    await create(api)
    everywhere = f"/apis/apps/v1/daemonsets?labelSelector=daemonset-name%3D{NAME}"
    assert len(await api.items(everywhere)) == 1
    await api.delete(api.at("apps/v1", f"daemonsets?labelSelector=daemonset-name%3D{NAME}"))

    async def none() -> bool:
        return not await api.items(everywhere)

    await api.until(none)


@simulated
async def test_lifecycle_of_a_controller_revision(api: Simulated) -> None:
    """ControllerRevision should manage the lifecycle of a ControllerRevision."""
    await create(api)
    place = api.at("apps/v1", "controllerrevisions")
    everywhere = await api.items(f"/apis/apps/v1/controllerrevisions?labelSelector=daemonset-name%3D{NAME}")
    [first] = everywhere
    daemon_set = await api.get(path_of(api))
    assert first["metadata"]["ownerReferences"][0]["uid"] == daemon_set["metadata"]["uid"]
    name = first["metadata"]["name"]
    patched = await api.patch(f"{place}/{name}", {"metadata": {"labels": {name: "patched"}}}, "strategic")
    assert patched["metadata"]["labels"][name] == "patched"
    metadata = {
        "name": f"{NAME}-new",
        "labels": {**LABELS, HASH: "new"},
        "ownerReferences": first["metadata"]["ownerReferences"],
    }
    await api.post(place, {"metadata": metadata, "data": first["data"], "revision": first["revision"] + 1})
    await has(api, 2)
    await api.delete(f"{place}/{name}")
    await has(api, 1)
    current = (await revisions(api))[0]["metadata"]["name"]

    def label(obj: Json) -> None:
        obj["metadata"]["labels"][current] = "updated"

    updated = await api.edit(f"{place}/{current}", label)
    assert updated["metadata"]["labels"][current] == "updated"
    change = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}}
    await api.patch(path_of(api), {**change, "updateStrategy": {"type": "RollingUpdate"}}, "strategic")
    await has(api, 2)
    await api.delete(f"{place}?labelSelector={current}%3Dupdated")
    await has(api, 1)
    assert [each["revision"] for each in await revisions(api)] == [3]


async def has(api: Simulated, count: int) -> None:
    async def look() -> bool:
        return len(await revisions(api)) == count

    await api.until(look, 60)
