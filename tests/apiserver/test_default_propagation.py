"""What becomes of dependents when a deletion says nothing of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

_POD = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "nginx"}]}
_JOBS = "/apis/batch/v1/namespaces/default/jobs"
_CONTROLLERS = "/api/v1/namespaces/default/replicationcontrollers"
_DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
_WARNING = "child pods are preserved by default when jobs are deleted"
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
_BODIES: dict[str, dict[str, Any]] = {
    _JOBS: {"template": {"spec": _POD}},
    _CONTROLLERS: {"template": _TEMPLATE},
    _DEPLOYMENTS: {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE},
}


@pytest.mark.parametrize(
    ("path", "options", "left", "warned"),
    [
        (_JOBS, None, True, True),
        (_JOBS, {"propagationPolicy": "Background"}, False, False),
        (_JOBS, {"propagationPolicy": "Orphan"}, True, False),
        (_CONTROLLERS, None, True, False),
        (_CONTROLLERS, {"orphanDependents": False}, False, False),
        (_DEPLOYMENTS, None, False, False),
    ],
)
async def test_old_kinds_leave_their_pods_behind(
    call: Caller, path: str, options: dict[str, Any] | None, left: bool, warned: bool
) -> None:
    code, created = await call("POST", path, {"metadata": {"name": "x"}, "spec": _BODIES[path]})
    assert code == 201, created
    response = await call.send("DELETE", f"{path}/x", options)
    assert response.status == 200
    assert any(_WARNING in text for text in response.headers.get("warning", ())) == warned
    code, found = await call("GET", f"{path}/x")
    # The garbage collector takes the finalizer away once the pods are nobody's.
    assert (found["metadata"]["finalizers"] == ["orphan"]) if left else code == 404
