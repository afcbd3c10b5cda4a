"""The resize sub-resource: what becomes of a running pod whose resources are changed."""

from __future__ import annotations

from typing import Any

from tests.apiserver.conftest import Caller

PODS = "/api/v1/namespaces/default/pods"
MERGE = "application/merge-patch+json"


async def resize(call: Caller, **spec: Any) -> tuple[int, Any]:
    return await call("PATCH", f"{PODS}/web/resize?fieldManager=m", {"spec": spec}, content_type=MERGE)


async def test_what_a_pod_may_use_as_a_whole_is_resized_and_owned(call: Caller) -> None:
    spec = {"containers": [{"name": "c", "image": "nginx"}], "resources": {"requests": {"cpu": "1"}}}
    await call("POST", PODS, {"metadata": {"name": "web"}, "spec": spec})
    code, pod = await resize(call, resources={"requests": {"cpu": "2"}}, hostname="ignored")
    assert (code, pod["spec"]["resources"], pod["metadata"]["generation"]) == (200, {"requests": {"cpu": "2"}}, 2)
    assert "hostname" not in pod["spec"]
    (owner,) = (entry for entry in pod["metadata"]["managedFields"] if entry["manager"] == "m")
    assert (owner["subresource"], owner["fieldsV1"]) == (
        "resize",
        {"f:spec": {"f:resources": {"f:requests": {"f:cpu": {}}}}},
    )


async def test_a_refusal_says_of_which_container(call: Caller) -> None:
    spec = {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "1"}}}]}
    await call("POST", PODS, {"metadata": {"name": "web"}, "spec": spec})
    code, status = await resize(call, containers=[{"name": "d", "image": "nginx"}])
    assert (code, status["details"]["causes"][-1]["message"]) == (
        422,
        "Forbidden: containers may not be renamed or reordered on resize",
    )
