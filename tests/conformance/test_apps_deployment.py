"""[sig-apps] Deployment."""

from __future__ import annotations

from tests.conformance.bodies import workload
from tests.conformance.driving import Json, Simulated, condition, simulated

LABELS = {"name": "sample-pod"}
IMAGES = "/spec/template/spec/containers/0/image"


async def create(api: Simulated, name: str, replicas: int = 1, simulate: str = "", **spec: object) -> Json:
    body = workload(name, LABELS, replicas, simulate, **spec)
    made: Json = await api.post(api.at("apps/v1", "deployments"), body)
    return made


async def complete(api: Simulated, name: str, replicas: int) -> Json:
    """Waits until the newest template has all replicas, available, and no other pod is left."""
    path = api.at("apps/v1", "deployments", name)

    async def look() -> Json | None:
        obj: Json = await api.get(path)
        status = obj["status"]
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        newest = status.get("observedGeneration") == obj["metadata"]["generation"]
        return obj if newest and counts == [replicas] * 3 else None

    done: Json = await api.until(look)
    return done


async def sets(api: Simulated) -> list[Json]:
    """The ReplicaSets, by their revisions."""
    found = await api.items(api.at("apps/v1", "replicasets"))
    return sorted(found, key=lambda obj: int(obj["metadata"].get("annotations", {}).get(REVISION, 0)))


REVISION = "deployment.kubernetes.io/revision"


async def image(api: Simulated, name: str, to: str) -> None:
    path = api.at("apps/v1", "deployments", name)
    await api.patch(path, [{"op": "replace", "path": IMAGES, "value": to}], "json")


@simulated
async def test_a_rolling_update_replaces_pods_of_an_adopted_set(api: Simulated) -> None:
    """Deployment RollingUpdateDeployment should delete old pods and create new ones."""
    body = workload("test-rolling-update-controller", LABELS)
    body["metadata"]["annotations"] = {REVISION: "3546343826724305832"}
    body["spec"]["selector"]["matchLabels"] = {**LABELS, "pod": "httpd"}
    body["spec"]["template"]["metadata"]["labels"] = {**LABELS, "pod": "httpd"}
    await api.post(api.at("apps/v1", "replicasets"), body)
    old = await api.running("name=sample-pod", 1)
    await create(api, "test-rolling-update-deployment")
    await complete(api, "test-rolling-update-deployment", 1)
    first, second = await sets(api)
    assert second["metadata"]["annotations"][REVISION] == "3546343826724305833"
    assert (first["spec"]["replicas"], second["spec"]["replicas"]) == (0, 1)
    owners = [each["metadata"]["ownerReferences"][0]["name"] for each in (first, second)]
    assert owners == ["test-rolling-update-deployment"] * 2
    new = await api.running("name=sample-pod", 1)
    assert new[0]["metadata"]["name"] != old[0]["metadata"]["name"]


@simulated
async def test_recreate_never_runs_old_and_new_pods_together(api: Simulated) -> None:
    """Deployment RecreateDeployment should delete old pods and create new ones."""
    await create(api, "test-recreate-deployment", 1, "term=5s", strategy={"type": "Recreate"})
    await complete(api, "test-recreate-deployment", 1)
    hashes = {each["metadata"]["labels"]["pod-template-hash"] for each in await api.pods("name=sample-pod")}
    async with api.watch(api.at("v1", "pods?labelSelector=name%3Dsample-pod")) as watching:
        await image(api, "test-recreate-deployment", "registry.example/httpd:2")
        running: dict[str, str] = {}
        while True:
            kind, obj = await watching.next()
            name, template = obj["metadata"]["name"], obj["metadata"]["labels"]["pod-template-hash"]
            ended = kind == "DELETED" or obj["status"]["phase"] in ("Succeeded", "Failed")
            running[name] = "" if ended else template
            alive = {each for each in running.values() if each}
            assert not (alive & hashes and alive - hashes), running
            if template not in hashes and obj["status"]["phase"] == "Running":
                break


@simulated
async def test_old_replica_sets_are_deleted(api: Simulated) -> None:
    """Deployment deployment should delete old replica sets."""
    body = workload("test-cleanup-controller", LABELS)
    body["spec"]["selector"]["matchLabels"] = {**LABELS, "pod": "httpd"}
    body["spec"]["template"]["metadata"]["labels"] = {**LABELS, "pod": "httpd"}
    await api.post(api.at("apps/v1", "replicasets"), body)
    await api.running("name=sample-pod", 1)
    await create(api, "test-cleanup-deployment", revisionHistoryLimit=0)

    async def one_left() -> bool:
        return len(await sets(api)) == 1

    await api.until(one_left)


@simulated
async def test_rollover(api: Simulated) -> None:
    """Deployment deployment should support rollover."""
    body = workload("test-rollover-controller", LABELS)
    body["spec"]["selector"]["matchLabels"] = {**LABELS, "pod": "httpd"}
    body["spec"]["template"]["metadata"]["labels"] = {**LABELS, "pod": "httpd"}
    await api.post(api.at("apps/v1", "replicasets"), body)
    await api.running("name=sample-pod", 1)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    # An image that cannot be had: the first rollout cannot end.
    await create(api, "test-rollover-deployment", 1, "pull=fail", strategy=rolling, minReadySeconds=10)

    async def begun() -> bool:
        return len(await api.pods("name=sample-pod")) == 2

    await api.until(begun)
    path = api.at("apps/v1", "deployments", "test-rollover-deployment")
    good = {"containers": [{"name": "c", "image": "registry.example/agnhost:2"}]}
    change = {"metadata": {"annotations": {"pybernetes.io/simulate": None}}, "spec": good}
    await api.patch(path, {"spec": {"template": change}}, "strategic")
    await complete(api, "test-rollover-deployment", 1)
    assert [each["spec"]["replicas"] for each in await sets(api)] == [0, 0, 1]


@simulated
async def test_proportional_scaling(api: Simulated) -> None:
    """Deployment deployment should support proportional scaling."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2, "maxSurge": 3}}
    await create(api, "webserver-deployment", 10, strategy=rolling)
    await complete(api, "webserver-deployment", 10)
    path = api.at("apps/v1", "deployments", "webserver-deployment")
    # Pods of the second template can never be had.
    change = {"metadata": {"annotations": {"pybernetes.io/simulate": "pull=fail"}}}
    await api.patch(path, {"spec": {"template": change}}, "strategic")

    async def sized(*wanted: int) -> bool:
        return [each["spec"]["replicas"] for each in await sets(api)] == list(wanted)

    # 10 + 3 in all, at least 8 of them available.
    await api.until(lambda: sized(8, 5))

    async def available() -> bool:
        return bool((await sets(api))[0]["status"].get("availableReplicas") == 8)

    await api.until(available)
    await api.patch(path, {"spec": {"replicas": 30}})
    await api.until(lambda: sized(20, 13))
    await api.until(lambda: _available(api, path, 20))


async def _available(api: Simulated, path: str, count: int) -> bool:
    return bool((await api.get(path))["status"].get("availableReplicas") == count)


@simulated
async def test_lifecycle_of_a_deployment(api: Simulated) -> None:
    """Deployment should run the lifecycle of a Deployment."""
    place, path = api.at("apps/v1", "deployments"), api.at("apps/v1", "deployments", "test-deployment")
    chosen = "labelSelector=test-deployment-static%3Dtrue"
    body = workload("test-deployment", {"test-deployment-static": "true"}, 2)
    since = (await api.get(place))["metadata"]["resourceVersion"]
    async with api.watch(f"{place}?{chosen}&resourceVersion={since}") as watching:
        await api.post(place, body)
        await watching.until("ADDED")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("readyReplicas") == 2)
        change = {"metadata": {"labels": {"test-deployment": "patched"}}}
        container = {"name": "c", "image": "registry.example/pause:3", "command": ["/bin/sleep", "100000"]}
        # Upstream's patch has this name with a capital, which is no field.
        template = {"spec": {"TerminationGracePeriodSeconds": 0, "containers": [container]}}
        await api.patch(path, {**change, "spec": {"replicas": 1, "template": template}}, "strategic")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("readyReplicas") == 1)
        everywhere = await api.items(f"/apis/apps/v1/deployments?{chosen}")
        assert everywhere[0]["metadata"]["labels"]["test-deployment"] == "patched"
        # The object as the test has made it, without a resourceVersion.
        body["metadata"]["labels"] = {"test-deployment-static": "true", "test-deployment": "updated"}
        body["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/httpd:2"
        await api.put(path, body)
        await watching.until("MODIFIED", lambda obj: obj["metadata"]["labels"]["test-deployment"] == "updated")
        shown = await api.get(f"{path}/status")
        assert shown["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/httpd:2"
        await watching.until("MODIFIED", lambda obj: obj["status"].get("readyReplicas") == 2)
        label = {"metadata": {"labels": {"test-deployment": "patched-status"}}}
        none = {"readyReplicas": 0, "availableReplicas": 0}
        await api.patch(f"{path}/status", {**label, "status": none}, "strategic")
        assert (await api.get(f"{path}/status"))["metadata"]["labels"]["test-deployment"] == "updated"
        await watching.until("MODIFIED", lambda obj: obj["status"].get("readyReplicas") == 2)
        await api.delete(f"{place}?{chosen}", gracePeriodSeconds=0)
        await watching.until("DELETED")


@simulated
async def test_status_endpoints(api: Simulated) -> None:
    """Deployment should validate Deployment Status endpoints."""
    await create(api, "test-deployment")
    await complete(api, "test-deployment", 1)
    path = api.at("apps/v1", "deployments", "test-deployment")
    one = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
    async with api.watch(f"{api.at('apps/v1', 'deployments')}?labelSelector=name%3Dsample-pod") as watching:

        def add(obj: Json) -> None:
            obj["status"]["conditions"].append(one)

        updated = await api.edit(path, add, write=f"{path}/status")
        assert condition(updated, "StatusUpdate") == "True"
        await watching.until("MODIFIED", lambda obj: condition(obj, "StatusUpdate") == "True")
        change = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        patched = await api.patch(f"{path}/status", change)
        assert [each["type"] for each in patched["status"]["conditions"]] == ["StatusPatched"]
        await watching.until("MODIFIED", lambda obj: condition(obj, "StatusPatched") == "True")


SCALED = (("apps/v1", "deployments", 1), ("apps/v1", "replicasets", 1), ("apps/v1", "statefulsets", 1))


@simulated
async def test_scale_subresources(api: Simulated) -> None:
    """Deployment / Replicaset / StatefulSet should have a working scale subresource."""
    for group_version, resource, count in SCALED:
        body = workload(f"test-{resource}", {"name": resource}, count)
        if resource == "statefulsets":
            body["spec"]["serviceName"] = "test"
        await api.post(api.at(group_version, resource), body)
        await api.running(f"name={resource}", 1)
        path = api.at(group_version, resource, f"test-{resource}")
        scale = await api.get(f"{path}/scale")
        assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
        assert (scale["spec"], scale["status"]) == (
            {"replicas": 1},
            {"replicas": 1, "selector": f"name={resource}"},
        )
        # As upstream: no resourceVersion, since others write the object as well.
        scale["metadata"].pop("resourceVersion")
        scale["spec"]["replicas"] = 2
        updated = await api.put(f"{path}/scale", scale)
        assert updated["spec"]["replicas"] == 2
        assert (await api.get(path))["spec"]["replicas"] == 2
        await api.running(f"name={resource}", 2)
        patched = await api.patch(f"{path}/scale", {"spec": {"replicas": 4}}, "strategic")
        assert patched["spec"]["replicas"] == 4
        assert (await api.get(path))["spec"]["replicas"] == 4
        await api.running(f"name={resource}", 4)
