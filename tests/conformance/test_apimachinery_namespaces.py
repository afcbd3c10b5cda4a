"""[sig-api-machinery] Namespaces."""

from __future__ import annotations

from tests.conformance.bodies import pod
from tests.conformance.driving import Api, Json, Simulated, alone, condition, simulated

NAMESPACES = "/api/v1/namespaces"
PATH = f"{NAMESPACES}/other"


async def create(api: Api) -> None:
    await api.post(NAMESPACES, {"metadata": {"name": "other"}})


async def create_with_account(api: Api) -> None:
    await create(api)

    async def account() -> list[Json]:
        return await api.items(api.at("v1", "serviceaccounts", ns="other"))

    await api.until(account)


async def empty_once_more(api: Api, what: str) -> None:
    """The namespace goes; made again, it has no such object."""
    await api.delete(PATH)
    await api.until(lambda: api.gone(PATH), 90)
    await create(api)
    assert await api.gone(what)


@simulated
async def test_pods_are_removed_with_their_namespace(api: Simulated) -> None:
    """Namespaces should ensure that all pods are removed when a namespace is deleted."""
    await create_with_account(api)
    await api.post(api.at("v1", "pods", ns="other"), pod("test-pod"))
    path = api.at("v1", "pods", "test-pod", ns="other")

    async def running() -> bool:
        return bool((await api.get(path))["status"]["phase"] == "Running")

    await api.until(running)
    await empty_once_more(api, path)


@simulated
async def test_services_are_removed_with_their_namespace(api: Simulated) -> None:
    """Namespaces should ensure that all services are removed when a namespace is deleted."""
    await create_with_account(api)
    spec = {"selector": {"foo": "bar", "baz": "blah"}, "ports": [{"port": 80, "targetPort": 80}]}
    await api.post(api.at("v1", "services", ns="other"), {"metadata": {"name": "test-service"}, "spec": spec})
    await empty_once_more(api, api.at("v1", "services", "test-service", ns="other"))


@simulated
async def test_pods_go_before_everything_else(api: Simulated) -> None:
    """OrderedNamespaceDeletion namespace deletion should delete pod first."""
    await create_with_account(api)
    held = pod("test-pod")
    held["metadata"]["finalizers"] = ["e2e.example.com/finalizer"]
    await api.post(api.at("v1", "pods", ns="other"), held)
    path = api.at("v1", "pods", "test-pod", ns="other")

    async def running() -> bool:
        return bool((await api.get(path))["status"]["phase"] == "Running")

    await api.until(running)
    await api.post(api.at("v1", "configmaps", ns="other"), {"metadata": {"name": "test-configmap"}})
    await api.delete(PATH)

    async def processed() -> bool:
        obj = await api.get(PATH)
        terminating = obj["status"]["phase"] == "Terminating"
        return terminating and condition(obj, "NamespaceDeletionContentFailure") is not None

    async def going() -> bool:
        return "deletionTimestamp" in (await api.get(path))["metadata"]

    await api.until(processed)
    await api.until(going)
    config_map = await api.get(api.at("v1", "configmaps", "test-configmap", ns="other"))
    assert "deletionTimestamp" not in config_map["metadata"]

    def release(obj: Json) -> None:
        obj["metadata"]["finalizers"] = []

    await api.edit(path, release)
    await api.until(lambda: api.gone(path))
    await api.until(lambda: api.gone(PATH), 90)


@alone
async def test_a_namespace_is_patched_and_updated(api: Api) -> None:
    """Namespaces should patch a Namespace; should apply an update to a Namespace."""
    await create(api)
    await api.patch(PATH, {"metadata": {"labels": {"testLabel": "testValue"}}}, "strategic")
    assert (await api.get(PATH))["metadata"]["labels"]["testLabel"] == "testValue"

    def label(obj: Json) -> None:
        obj["metadata"]["labels"]["other"] = "updated"

    assert (await api.edit(PATH, label))["metadata"]["labels"] == {
        "kubernetes.io/metadata.name": "other",
        "testLabel": "testValue",
        "other": "updated",
    }


@alone
async def test_changes_to_a_namespace_status(api: Api) -> None:
    """Namespaces should apply changes to a namespace status."""
    await create(api)
    assert (await api.get(f"{PATH}/status"))["status"]["phase"] == "Active"
    one = {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "Patched by an e2e test"}
    change = {"metadata": {"annotations": {"e2e-patched-ns-status": "other"}}, "status": {"conditions": [one]}}
    patched = await api.patch(f"{PATH}/status", change)
    assert patched["metadata"]["annotations"]["e2e-patched-ns-status"] == "other"
    assert condition(patched, "StatusPatch") == "True"

    def add(obj: Json) -> None:
        obj["status"]["conditions"].append({**one, "type": "StatusUpdate"})

    updated = await api.edit(PATH, add, write=f"{PATH}/status")
    assert [each["type"] for each in updated["status"]["conditions"]] == ["StatusPatch", "StatusUpdate"]
    assert updated["status"]["phase"] == "Active"


@alone
async def test_a_finalizer_of_a_namespace(api: Api) -> None:
    """Namespaces should apply a finalizer to a Namespace."""
    await create(api)

    def add(obj: Json) -> None:
        obj["spec"]["finalizers"].append("e2e.example.com/fakeFinalizer")

    def remove(obj: Json) -> None:
        obj["spec"]["finalizers"].remove("e2e.example.com/fakeFinalizer")

    added = await api.edit(PATH, add, write=f"{PATH}/finalize")
    assert added["spec"]["finalizers"] == ["kubernetes", "e2e.example.com/fakeFinalizer"]
    removed = await api.edit(PATH, remove, write=f"{PATH}/finalize")
    assert removed["spec"]["finalizers"] == ["kubernetes"]
