"""[sig-apps] DisruptionController."""

from __future__ import annotations

from tests.conformance.bodies import pod, workload
from tests.conformance.driving import Api, Json, Simulated, alone, simulated

POLICY = "policy/v1"
LABELS = {"foo": "bar"}


def budget(name: str, **spec: object) -> Json:
    return {
        "metadata": {"name": name, "labels": {"testing": name}},
        "spec": {"selector": {"matchLabels": LABELS}, **spec},
    }


async def processed(api: Simulated, name: str) -> Json:
    """Waits until the controller has seen the newest generation."""
    path = api.at(POLICY, "poddisruptionbudgets", name)

    async def look() -> Json | None:
        obj: Json = await api.get(path)
        return obj if obj["status"].get("observedGeneration") == obj["metadata"]["generation"] else None

    obj: Json = await api.until(look)
    return obj


async def pods(api: Simulated, count: int) -> list[Json]:
    for number in range(count):
        await api.post(api.at("v1", "pods"), pod(f"pod-{number}", LABELS))
    return await api.running("foo=bar", count)


@alone
async def test_budgets_are_listed_and_deleted_across_namespaces(api: Api) -> None:
    """DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection."""
    await api.post("/api/v1/namespaces", {"metadata": {"name": "other"}})
    place = api.at(POLICY, "poddisruptionbudgets")
    for name in ("foo", "foo2"):
        body = budget(name, minAvailable=2)
        body["metadata"]["labels"] = {"tested": "x"}
        await api.post(place, body)
    body = budget("foo3", minAvailable="2%")
    body["metadata"]["labels"] = {"tested": "x"}
    await api.post(api.at(POLICY, "poddisruptionbudgets", ns="other"), body)
    everywhere = f"/apis/{POLICY}/poddisruptionbudgets?labelSelector=tested%3Dx"
    assert {each["metadata"]["name"] for each in await api.items(everywhere)} == {"foo", "foo2", "foo3"}
    assert len(await api.items(place)) == 2
    await api.delete(f"{place}?labelSelector=tested%3Dx")
    assert not await api.items(place)
    assert len(await api.items(everywhere)) == 1


@simulated
async def test_a_budget_is_created_updated_patched_and_deleted(api: Simulated) -> None:
    """DisruptionController should create a PodDisruptionBudget."""
    path = api.at(POLICY, "poddisruptionbudgets", "foo")
    await api.post(api.at(POLICY, "poddisruptionbudgets"), budget("foo", minAvailable="1%"))
    await processed(api, "foo")

    def more(obj: Json) -> None:
        obj["spec"]["minAvailable"] = "2%"

    await api.edit(path, more)
    assert (await processed(api, "foo"))["spec"]["minAvailable"] == "2%"
    await api.patch(path, {"spec": {"minAvailable": "3%"}}, "strategic")
    assert (await processed(api, "foo"))["spec"]["minAvailable"] == "3%"
    await api.delete(path)
    assert await api.gone(path)


@simulated
async def test_status_tells_of_allowed_disruptions(api: Simulated) -> None:
    """DisruptionController should observe PodDisruptionBudget status updated."""
    await api.post(api.at(POLICY, "poddisruptionbudgets"), budget("foo", minAvailable=1))
    await pods(api, 3)
    path = api.at(POLICY, "poddisruptionbudgets", "foo")

    async def allowed() -> bool:
        return bool((await api.get(path))["status"]["disruptionsAllowed"] > 0)

    await api.until(allowed)


@simulated
async def test_status_is_updated_and_patched(api: Simulated) -> None:
    """DisruptionController should update/patch PodDisruptionBudget status."""
    await api.post(api.at(POLICY, "poddisruptionbudgets"), budget("foo", minAvailable=1))
    [running] = await pods(api, 1)
    await processed(api, "foo")
    path, name = api.at(POLICY, "poddisruptionbudgets", "foo"), running["metadata"]["name"]

    def disrupt(obj: Json) -> None:
        obj["status"]["disruptedPods"] = {name: api.cluster.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}

    updated = await api.edit(path, disrupt, write=f"{path}/status")
    assert name in updated["status"]["disruptedPods"]

    async def forgotten() -> bool:
        # The controller waits for two minutes whether the pod goes.
        return name not in (await api.get(f"{path}/status"))["status"].get("disruptedPods", {})

    await api.never(forgotten, 60)
    patched = await api.patch(f"{path}/status", {"status": {"disruptedPods": None}})
    assert not patched["status"].get("disruptedPods")


@simulated
async def test_an_eviction_waits_for_its_budget(api: Simulated) -> None:
    """DisruptionController should block an eviction until the PDB is updated to allow it."""
    place, path = api.at(POLICY, "poddisruptionbudgets"), api.at(POLICY, "poddisruptionbudgets", "foo")
    await api.post(place, budget("foo", minAvailable=3))
    await api.post(api.at("apps/v1", "replicasets"), workload("rs", LABELS, 3))
    [first, *_] = await api.running("foo=bar", 3)

    async def evict(obj: Json) -> None:
        name = obj["metadata"]["name"]
        body = {"metadata": {"name": name, "namespace": api.namespace}}
        await api.post(api.at("v1", "pods", name, "eviction"), body)

    async def counted() -> bool:
        return bool((await processed(api, "foo"))["status"]["currentHealthy"] == 3)

    await api.until(counted)
    refused = await api.refused(429, evict(first))
    assert [each["reason"] for each in refused["details"]["causes"]] == ["DisruptionBudget"]
    assert refused["message"] == "Cannot evict pod as it would violate the pod's disruption budget."

    def allow(obj: Json) -> None:
        obj["spec"]["minAvailable"] = 2

    await api.edit(path, allow)
    await processed(api, "foo")
    await evict(first)
    await api.until(lambda: api.gone(api.at("v1", "pods", first["metadata"]["name"])))
    await api.patch(path, {"spec": {"minAvailable": None, "maxUnavailable": 0}})
    await processed(api, "foo")
    [second, *_] = await api.running("foo=bar", 3)
    refused = await api.refused(429, evict(second))
    assert [each["reason"] for each in refused["details"]["causes"]] == ["DisruptionBudget"]
    await api.delete(path)
    await api.until(lambda: api.gone(path))
    await evict(second)
    await api.until(lambda: api.gone(api.at("v1", "pods", second["metadata"]["name"])))
