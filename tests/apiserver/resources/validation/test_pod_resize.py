"""The rules of the resize sub-resource: a change of what a pod asks for, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from causes import lines, made, merged
from pod_documents import pod

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import copy, from_builtins, to_builtins
from pybernetes.api.types.core_v1 import Pod
from pybernetes.apiserver.aspects import aspect_of
from pybernetes.apiserver.resources.strategies import strategy_of

HALF = {"requests": {"cpu": "500m", "memory": "100Mi"}}
ONE = {"requests": {"cpu": "1", "memory": "100Mi"}}
AT = "spec.containers[0].resources"


def resized(old: dict[str, Any], change: dict[str, Any]) -> list[str]:
    """What is said of a PUT of the pod with the change in its spec."""
    before = made(old)
    after = from_builtins(merged(to_builtins(before), {"spec": change}), Pod)
    kind = kind_of(Pod)
    strategy = strategy_of(kind)
    strategy.default(after)
    aspect = aspect_of(kind, strategy, "resize")
    aspect.prepare(after, copy(before))
    return lines(aspect.validate(after, before))


def _container(resources: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "c", "image": "i", "resources": resources, **fields}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (ONE, []),
        ({**HALF, "limits": {"memory": "200Mi"}}, []),
        ({"requests": {"cpu": "1"}}, [f"{AT}.requests: Forbidden: resource requests cannot be removed"]),
        (
            {"requests": {"cpu": "1", "memory": "100Mi", "ephemeral-storage": "1Gi"}},
            ["spec: Forbidden: only cpu and memory resources are mutable"],
        ),
        (
            {**HALF, "limits": HALF["requests"]},
            ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'],
        ),
    ],
)
def test_containers(resources: dict[str, Any], expected: list[str]) -> None:
    assert resized(pod({}, {"resources": HALF}), {"containers": [_container(resources)]}) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"restartPolicy": "Always"}, []),
        (
            {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]},
            [
                "spec.initContainers[0]: Forbidden: "
                "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
            ],
        ),
    ],
)
def test_init_containers(fields: dict[str, Any], expected: list[str]) -> None:
    old = pod({"initContainers": [{**_container(HALF, **fields), "name": "first"}]})
    new = {"initContainers": [{**_container(ONE, **fields), "name": "first"}]}
    assert resized(old, new) == expected


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        ({"requests": {"cpu": "2"}}, []),
        ({"requests": {"cpu": "2", "memory": "1Gi"}}, []),
        (
            {"requests": {"cpu": None, "memory": "1Gi"}},
            ["spec.resources.requests: Forbidden: pod-level resource requests cannot be removed"],
        ),
        (None, ["spec.resources: Forbidden: pod-level resources cannot be removed"]),
        (
            {"requests": {"hugepages-2Mi": "2Mi"}, "limits": {"hugepages-2Mi": "2Mi"}},
            ["spec: Forbidden: only cpu and memory resources are mutable at pod-level"],
        ),
    ],
)
def test_the_pod_as_a_whole(whole: dict[str, Any] | None, expected: list[str]) -> None:
    old = pod({"resources": {"requests": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "500m"}}})
    assert resized(old, {"resources": whole}) == expected


def test_containers_keep_their_names_and_number() -> None:
    two = pod({"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]})
    turned = [{"name": "b", "image": "i"}, {"name": "a", "image": "i"}]
    assert resized(two, {"containers": turned}) == [
        f"spec.containers[{index}].name: Forbidden: containers may not be renamed or reordered on resize"
        for index in (0, 1)
    ]
    assert resized(two, {"containers": turned[:1]}) == [
        "spec.containers: Forbidden: containers may not be added or removed on resize"
    ]
