"""[sig-apps] StatefulSet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.conformance.bodies import pod, workload
from tests.conformance.driving import Json, Simulated, ready, simulated

NAME, LABELS, SELECTOR = "ss", {"baz": "blah", "foo": "bar"}, "foo=bar"
GATE = "e2e.example.com/healthy"
REVISION = "controller-revision-hash"
IMAGE, NEW_IMAGE = "registry.example/agnhost:2.53", "registry.example/httpd:2"


def path_of(api: Simulated) -> str:
    return api.at("apps/v1", "statefulsets", NAME)


async def create(api: Simulated, replicas: int, *, gated: bool = False, **spec: object) -> None:
    """The set and its Service; where gated, pods are healthy once a test says so with `mark`."""
    service = {"clusterIP": "None", "selector": LABELS, "ports": [{"port": 80, "name": "http"}]}
    await api.post(api.at("v1", "services"), {"metadata": {"name": "test", "labels": LABELS}, "spec": service})
    body = workload(NAME, LABELS, replicas, serviceName="test", **spec)
    if gated:
        body["spec"]["template"]["spec"]["readinessGates"] = [{"conditionType": GATE}]
    await api.post(api.at("apps/v1", "statefulsets"), body)


async def change(api: Simulated, what: Callable[[Json], None]) -> None:
    await api.edit(path_of(api), lambda obj: what(obj["spec"]))


async def scale(api: Simulated, replicas: int) -> None:
    await change(api, lambda spec: spec.update(replicas=replicas))


async def image(api: Simulated, to: str) -> None:
    await change(api, lambda spec: spec["template"]["spec"]["containers"][0].update(image=to))


async def mark(api: Simulated, name: str, healthy: bool) -> None:
    """What breaking and restoring a probe does: the pod's Ready condition turns."""
    change = {"status": {"conditions": [{"type": GATE, "status": str(healthy)}]}}
    await api.patch(api.at("v1", "pods", name, "status"), change, "strategic")


async def names(api: Simulated) -> list[str]:
    return sorted(each["metadata"]["name"] for each in await api.pods(SELECTOR))


async def status(api: Simulated, **wanted: object) -> Json:
    """Waits until the status says so, of the newest generation."""

    async def look() -> Json | None:
        obj = await api.get(path_of(api))
        found: Json = obj["status"]
        same = all(found.get(key, 0) == value for key, value in wanted.items())
        return found if same and found.get("observedGeneration") == obj["metadata"]["generation"] else None

    found: Json = await api.until(look)
    return found


@simulated
async def test_scaling_in_order_that_halts(api: Simulated) -> None:
    """StatefulSet Scaling should happen in predictable order and halt if any stateful pod is unhealthy."""
    added: list[str] = []
    deleted: list[str] = []
    async with api.watch(api.at("v1", "pods?labelSelector=foo%3Dbar")) as watching:
        await create(api, 1, gated=True)
        await one_more_ready(api, 0)
        await status(api, readyReplicas=1)
        await mark(api, "ss-0", healthy=False)
        await status(api, readyReplicas=0)
        await scale(api, 3)

        async def more() -> bool:
            return len(await names(api)) != 1

        await api.never(more, 10)
        for number in range(3):
            await one_more_ready(api, number)
        await status(api, readyReplicas=3)
        for name in ("ss-0", "ss-1", "ss-2"):
            await mark(api, name, healthy=False)
        await status(api, readyReplicas=0)
        await scale(api, 0)

        async def fewer() -> bool:
            return len(await names(api)) != 3

        await api.never(fewer, 10)
        for name in ("ss-0", "ss-1", "ss-2"):
            await mark(api, name, healthy=True)
        await api.running(SELECTOR, 0)
        while len(deleted) < 3:
            kind, obj = await watching.next()
            {"ADDED": added, "DELETED": deleted}.get(kind, []).append(obj["metadata"]["name"])
    assert added == ["ss-0", "ss-1", "ss-2"]
    assert deleted == ["ss-2", "ss-1", "ss-0"]


async def one_more_ready(api: Simulated, number: int) -> None:
    path = api.at("v1", "pods", f"ss-{number}")

    async def running() -> bool:
        return not await api.gone(path) and (await api.get(path))["status"]["phase"] == "Running"

    await api.until(running)
    await mark(api, f"ss-{number}", healthy=True)


@simulated
async def test_burst_scaling(api: Simulated) -> None:
    """StatefulSet Burst scaling should run to completion even with unhealthy pods."""
    await create(api, 1, gated=True, podManagementPolicy="Parallel")
    await one_more_ready(api, 0)
    await status(api, readyReplicas=1)
    await mark(api, "ss-0", healthy=False)
    await scale(api, 3)

    async def three() -> bool:
        return await names(api) == ["ss-0", "ss-1", "ss-2"]

    await api.until(three)
    await scale(api, 0)
    await api.running(SELECTOR, 0)
    await status(api, replicas=0)


@simulated
async def test_rolling_update_and_roll_back(api: Simulated) -> None:
    """StatefulSet should perform rolling updates and roll backs of template modifications."""
    broken: set[str] = set()
    healing = asyncio.ensure_future(heal(api, broken))
    await create(api, 3, gated=True)
    first = await status(api, readyReplicas=3)
    assert first["currentRevision"] == first["updateRevision"]
    for to in (NEW_IMAGE, IMAGE):
        broken.add("ss-1")
        await mark(api, "ss-1", healthy=False)
        before = await status(api, readyReplicas=2)
        order: list[str] = []
        async with api.watch(api.at("v1", "pods?labelSelector=foo%3Dbar")) as watching:
            await image(api, to)
            # Nothing is replaced while a pod is not well.
            await asyncio.sleep(10)
            begun = await status(api)
            assert begun["currentRevision"] == before["currentRevision"] != begun["updateRevision"]
            broken.clear()
            await mark(api, "ss-1", healthy=True)
            done = await status(api, updatedReplicas=3, readyReplicas=3, currentRevision=begun["updateRevision"])
            pods = await api.running(SELECTOR, 3)
            while len(order) < 3:
                order.append((await watching.until("DELETED"))["metadata"]["name"])
        assert order == ["ss-2", "ss-1", "ss-0"]
        assert {each["spec"]["containers"][0]["image"] for each in pods} == {to}
        assert {each["metadata"]["labels"][REVISION] for each in pods} == {done["updateRevision"]}
    assert done["currentRevision"] == first["currentRevision"]
    healing.cancel()


async def heal(api: Simulated, broken: set[str]) -> None:
    """Pods that run become healthy, but for those that are broken."""
    async with api.watch(api.at("v1", "pods?labelSelector=foo%3Dbar")) as watching:
        while True:
            kind, obj = await watching.next()
            name = obj["metadata"]["name"]
            if kind == "MODIFIED" and name not in broken and obj["status"]["phase"] == "Running" and not ready(obj):
                await api.until(lambda name=name: healed(api, name))  # type: ignore[misc]


async def healed(api: Simulated, name: str) -> bool:
    """Whether the pod could be marked; one that has just gone need not be."""
    if not await api.gone(api.at("v1", "pods", name)):
        await mark(api, name, healthy=True)
    return True


@simulated
async def test_canaries_and_phased_updates(api: Simulated) -> None:
    """StatefulSet should perform canary updates and phased rolling updates of template modifications."""

    def partition(number: int) -> Json:
        return {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}

    await create(api, 3, updateStrategy=partition(3))
    await api.running(SELECTOR, 3)
    old = (await status(api, readyReplicas=3))["currentRevision"]
    await image(api, NEW_IMAGE)
    new = (await status(api))["updateRevision"]
    assert new != old

    async def look(number: int) -> bool:
        pods = sorted(await api.pods(SELECTOR), key=lambda each: each["metadata"]["name"])
        if not all(map(ready, pods)):
            return False
        labels = [each["metadata"]["labels"][REVISION] for each in pods]
        images = [each["spec"]["containers"][0]["image"] for each in pods]
        wanted = [old] * number + [new] * (3 - number)
        return labels == wanted and images == [IMAGE] * number + [NEW_IMAGE] * (3 - number)

    await api.never(lambda: look(2), 10)
    await change(api, lambda spec: spec.update(updateStrategy=partition(2)))
    await api.until(lambda: look(2))
    for name in ("ss-0", "ss-2"):
        await api.delete(api.at("v1", "pods", name))
    await api.until(lambda: look(2))
    for number in (1, 0):
        await change(api, lambda spec, number=number: spec.update(updateStrategy=partition(number)))  # type: ignore[misc]
        await api.until(lambda number=number: look(number))  # type: ignore[misc]
    assert (await status(api, updatedReplicas=3))["currentRevision"] == new


@simulated
async def test_failed_pods_are_made_again(api: Simulated) -> None:
    """StatefulSet Should recreate evicted statefulset."""
    port = [{"containerPort": 21017, "hostPort": 21017, "hostIP": "127.0.0.1"}]
    await api.patch(f"/api/v1/namespaces/{api.namespace}", {"metadata": {"labels": {ENFORCE: "privileged"}}})
    blocker = pod("test-pod", nodeName="worker-1")
    blocker["spec"]["containers"][0]["ports"] = port
    await api.post(api.at("v1", "pods"), blocker)
    await api.running("", 1)
    seen: set[str] = set()
    async with api.watch(api.at("v1", "pods?fieldSelector=metadata.name%3Dss-0")) as watching:
        body = workload(NAME, LABELS, 1, serviceName="test")
        body["spec"]["template"]["spec"] |= {"nodeName": "worker-1", "containers": [{**CONTAINER, "ports": port}]}
        await api.post(api.at("apps/v1", "statefulsets"), body)
        await watching.until("MODIFIED", lambda obj: obj["status"]["phase"] == "Failed")
        seen.add((await watching.until("DELETED"))["metadata"]["uid"])
        await api.delete(api.at("v1", "pods", "test-pod"))
        final = await watching.until("MODIFIED", ready)
    assert final["metadata"]["uid"] not in seen


CONTAINER = {"name": "c", "image": IMAGE}
ENFORCE = "pod-security.kubernetes.io/enforce"


@simulated
async def test_stateful_sets_are_listed_patched_and_deleted_by_collection(api: Simulated) -> None:
    """StatefulSet should list, patch and delete a collection of StatefulSets."""
    await create(api, 1)
    await api.running(SELECTOR, 1)
    everywhere = "/apis/apps/v1/statefulsets?labelSelector=test-ss%3Dpatched"
    template = {"spec": {"terminationGracePeriodSeconds": 5, "containers": [{"name": "c", "image": NEW_IMAGE}]}}
    patch = {"metadata": {"labels": {"test-ss": "patched"}}, "spec": {"replicas": 2, "template": template}}
    patched = await api.patch(path_of(api), patch, "strategic")
    assert (patched["metadata"]["labels"]["test-ss"], patched["spec"]["replicas"]) == ("patched", 2)
    assert patched["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 5
    await status(api, readyReplicas=2, updatedReplicas=2)
    assert len(await api.items(everywhere)) == 1
    await api.delete(api.at("apps/v1", "statefulsets?labelSelector=test-ss%3Dpatched"))
    assert not await api.items(everywhere)
