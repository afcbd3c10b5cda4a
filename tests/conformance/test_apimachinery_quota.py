"""[sig-api-machinery] ResourceQuota."""

from __future__ import annotations

import pytest

from tests.conformance.bodies import pod, replication_controller, workload
from tests.conformance.driving import Api, Json, Refused, Simulated, alone, simulated

DONGLE = "example.com/dongle"
HARD: Json = {
    "pods": "5",
    "services": "10",
    "services.nodeports": "1",
    "services.loadbalancers": "1",
    "replicationcontrollers": "10",
    "resourcequotas": "1",
    "cpu": "1",
    "memory": "500Mi",
    "configmaps": "2",
    "secrets": "10",
    "persistentvolumeclaims": "10",
    "requests.storage": "10Gi",
    "requests.ephemeral-storage": "50Gi",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
    "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
    f"requests.{DONGLE}": "3",
    "count/replicasets.apps": "5",
}


def quota(name: str, hard: Json, *scopes: str, labels: Json | None = None) -> Json:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {"hard": hard, "scopes": list(scopes)}}


async def uses(api: Api, name: str, **used: str) -> None:
    """Waits until a quota tells of its limits and of this use; `_` stands for what names have no letters for."""
    wanted = {key.replace("__", "/").replace("_", "."): value for key, value in used.items()}
    path = api.at("v1", "resourcequotas", name)

    async def told() -> bool:
        obj = await api.get(path)
        status = obj.get("status", {})
        return status.get("hard") == obj["spec"]["hard"] and wanted.items() <= status["used"].items()

    await api.until(told, 60)


async def limited(api: Api, **used: str) -> None:
    """Creates the quota of most tests and waits for its first status."""
    await api.post(api.at("v1", "resourcequotas"), quota("test-quota", HARD))
    await uses(api, "test-quota", resourcequotas="1", **used)


SINGLE = {
    "configMap": ("v1", "configmaps", {"metadata": {"name": "x"}}, "configmaps", 1),
    "secret": ("v1", "secrets", {"metadata": {"name": "x"}, "stringData": {"data-1": "value"}}, "secrets", 0),
    "replication controller": (
        "v1",
        "replicationcontrollers",
        replication_controller("x", {"name": "x"}, 0),
        "replicationcontrollers",
        0,
    ),
    "replica set": ("apps/v1", "replicasets", workload("x", {"name": "x"}, 0), "count__replicasets_apps", 0),
}


@pytest.mark.parametrize("title", SINGLE)
def test_captures_the_life_of_an_object(title: str) -> None:
    """ResourceQuota should create a ResourceQuota and capture the life of a configMap, secret, replication
    controller,
    replica set."""
    group_version, resource, body, name, others = SINGLE[title]

    async def story(api: Simulated) -> None:
        await limited(api, **{name: str(others)})
        await api.post(api.at(group_version, resource), body)
        await uses(api, "test-quota", **{name: str(others + 1)})
        await api.delete(api.at(group_version, resource, "x"), propagationPolicy="Background")
        await uses(api, "test-quota", **{name: str(others)})

    simulated(story)()


@simulated
async def test_status_is_promptly_calculated(api: Simulated) -> None:
    """ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated."""
    await limited(api)


@simulated
async def test_captures_the_life_of_services(api: Simulated) -> None:
    """ResourceQuota should create a ResourceQuota and capture the life of a service."""
    await limited(api)
    place = api.at("v1", "services")

    def service(name: str, kind: str) -> Json:
        spec = {"type": kind, "ports": [{"port": 80, "targetPort": 80}]}
        return {"metadata": {"name": name}, "spec": spec}

    await api.post(place, service("test-service", "ClusterIP"))
    await api.post(place, service("test-service-np", "NodePort"))
    await api.refused(403, api.post(place, service("test-service-lbnp", "LoadBalancer")))
    await uses(api, "test-quota", services="2", services_nodeports="1", services_loadbalancers="0")
    for name in ("test-service", "test-service-np"):
        await api.delete(f"{place}/{name}")
    await uses(api, "test-quota", services="0", services_nodeports="0", services_loadbalancers="0")


def asking(name: str, requests: Json, limits: Json | None = None, **spec: object) -> Json:
    body = pod(name, **spec)
    body["spec"]["containers"][0]["resources"] = {"requests": requests, "limits": limits or {}}
    return body


@simulated
async def test_captures_the_life_of_a_pod(api: Simulated) -> None:
    """ResourceQuota should create a ResourceQuota and capture the life of a pod."""
    await limited(api)
    place = api.at("v1", "pods")
    requests = {"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", DONGLE: "2"}
    made = await api.post(place, asking("test-pod", requests, {DONGLE: "2"}))
    used = {"pods": "1", "cpu": "500m", "memory": "252Mi", "requests_ephemeral-storage": "30Gi"}
    used["requests_example_com__dongle"] = "2"
    await uses(api, "test-quota", **used)
    await api.refused(403, api.post(place, asking("fail-pod", {"cpu": "600m", "memory": "100Mi"})))
    too_many = {**requests, "memory": "100Mi"}
    await api.refused(403, api.post(place, asking("fail-pod-2", too_many, {DONGLE: "2"})))
    made["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "100m", "memory": "100Mi"}
    try:
        await api.put(f"{place}/test-pod", made)
    except Refused as refused:
        assert refused.code in (409, 422)
    else:
        raise AssertionError("a pod changed its requests")
    await uses(api, "test-quota", **used)
    await api.delete(f"{place}/test-pod", gracePeriodSeconds=0)
    await uses(api, "test-quota", **dict.fromkeys(used, "0"))


@simulated
async def test_scopes_of_best_effort(api: Simulated) -> None:
    """ResourceQuota should verify ResourceQuota with best effort scope."""
    await scopes(
        api, "BestEffort", "NotBestEffort", {"pods": "5"}, pod("best-effort"), asking("other", {"cpu": "500m"})
    )


@simulated
async def test_scopes_of_terminating_pods(api: Simulated) -> None:
    """ResourceQuota should verify ResourceQuota with terminating scopes."""
    hard = {"pods": "5", "requests.cpu": "1", "requests.memory": "500Mi", "limits.cpu": "2", "limits.memory": "1Gi"}
    amounts = {"cpu": "500m", "memory": "200Mi"}, {"cpu": "1", "memory": "400Mi"}
    ending = asking("ending", *amounts, activeDeadlineSeconds=3600)
    await scopes(api, "Terminating", "NotTerminating", hard, ending, asking("lasting", *amounts))


async def scopes(api: Api, scope: str, opposite: str, hard: Json, inside: Json, outside: Json) -> None:
    """Each pod counts for the quota of its scope and not for the other."""
    for each in (scope, opposite):
        await api.post(api.at("v1", "resourcequotas"), quota(f"quota-{each.lower()}", hard, each))
        await uses(api, f"quota-{each.lower()}", pods="0")
    for body, one, other in ((outside, opposite, scope), (inside, scope, opposite)):
        await api.post(api.at("v1", "pods"), body)
        await uses(api, f"quota-{one.lower()}", pods="1")
        await uses(api, f"quota-{other.lower()}", pods="0")
        await api.delete(api.at("v1", "pods", body["metadata"]["name"]), gracePeriodSeconds=0)
        await uses(api, f"quota-{one.lower()}", **dict.fromkeys((key.replace(".", "_") for key in hard), "0"))


@alone
async def test_quotas_are_updated_listed_patched_and_deleted(api: Api) -> None:
    """ResourceQuota should be able to update and delete ResourceQuota; should manage the lifecycle of a
    ResourceQuota."""
    place = api.at("v1", "resourcequotas")
    body = quota("test-quota", {"cpu": "1", "memory": "500Mi"}, labels={"e2e-rq-label": "it"})
    assert (await api.post(place, body))["spec"]["hard"] == {"cpu": "1", "memory": "500Mi"}
    body["spec"]["hard"] = {"cpu": "2", "memory": "1Gi"}
    await api.put(f"{place}/test-quota", body)
    assert (await api.get(f"{place}/test-quota"))["spec"]["hard"] == {"cpu": "2", "memory": "1Gi"}
    assert len(await api.items("/api/v1/resourcequotas?labelSelector=e2e-rq-label%3Dit")) == 1
    change = {"metadata": {"labels": {"it": "patched"}}, "spec": {"hard": {"memory": "750Mi"}}}
    patched = await api.patch(f"{place}/test-quota", change, "strategic")
    assert (patched["metadata"]["labels"]["it"], patched["spec"]["hard"]["memory"]) == ("patched", "750Mi")
    await api.delete(f"{place}?labelSelector=e2e-rq-label%3Dit")
    assert await api.gone(f"{place}/test-quota")
    await api.post(place, body)
    await api.delete(f"{place}/test-quota")
    assert await api.gone(f"{place}/test-quota")


@simulated
async def test_changes_to_the_status_of_a_quota(api: Simulated) -> None:
    """ResourceQuota should apply changes to a resourcequota status."""
    place, path = api.at("v1", "resourcequotas"), api.at("v1", "resourcequotas", "rq")
    hard = {"cpu": "500m", "memory": "500Mi"}
    async with api.watch(f"{place}?labelSelector=e2e-rq-label%3Drq") as watching:
        await api.post(place, quota("rq", hard, labels={"e2e-rq-label": "rq"}))

        def status(obj: Json) -> None:
            obj["status"] = {"hard": hard}

        updated = await api.edit(path, status, write=f"{path}/status")
        assert updated["status"] == {"hard": hard}
        await watching.until("MODIFIED", lambda obj: obj["status"].get("hard") == hard)
        hard = {"cpu": "1", "memory": "1Gi"}
        await api.patch(path, {"spec": {"hard": hard}}, "strategic")
        await api.patch(f"{path}/status", {"status": {"hard": hard}}, "strategic")
        await watching.until("MODIFIED", lambda obj: obj["status"].get("hard") == obj["spec"]["hard"] == hard)
        assert (await api.get(f"{path}/status"))["status"]["hard"] == hard
        double = {"cpu": "2", "memory": "2Gi"}
        again = await api.patch(f"{path}/status", {"status": {"hard": double}}, "strategic")
        assert again["status"]["hard"] == double
        await watching.until("MODIFIED", lambda obj: obj["status"].get("hard") == double)
    # The controller looks at every quota again within five minutes.

    async def put_right() -> bool:
        obj = await api.get(path)
        return bool(obj["spec"]["hard"] == hard and obj["status"]["hard"] == hard)

    await api.until(put_right, 360)
