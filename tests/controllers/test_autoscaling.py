"""Autoscalers without metrics: bounds are kept, and the conditions say what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.autoscaling_v2 import HorizontalPodAutoscaler
from pybernetes.controllers.autoscaling_decision import decide
from tests.controllers.world import World, made, play

NAMES = (
    "horizontal-pod-autoscaler-controller",
    "deployment-controller",
    "replicaset-controller",
    "serviceaccount-controller",
)
_MISSING = (
    "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource"
    " metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
)


def autoscaler(name: str, target: str = "web", **spec: Any) -> HorizontalPodAutoscaler:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    metrics = [{"type": "Resource", "resource": metric}]
    whole = {"scaleTargetRef": reference, "maxReplicas": 5, "minReplicas": 1, "metrics": metrics} | spec
    return made(HorizontalPodAutoscaler, name, spec=whole)


async def deploy(world: World, replicas: int) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await world.client.create(made(Deployment, "web", spec=spec))


async def conditions(world: World, name: str, count: int) -> list[tuple[str, str, str, str]]:
    async def look() -> Any:
        status = (await world.client.get(HorizontalPodAutoscaler, name, "default")).status
        found = [(item.type, item.status, item.reason, item.message) for item in status.conditions]
        return found if len(found) >= count else None

    found: list[tuple[str, str, str, str]] = await world.until(look)
    return found


def test_an_autoscaler_says_that_there_are_no_metrics() -> None:
    async def scenario(world: World) -> None:
        await deploy(world, 3)
        await world.client.create(autoscaler("cpu"))
        assert await conditions(world, "cpu", 2) == [
            (
                "AbleToScale",
                "True",
                "SucceededGetScale",
                "the HPA controller was able to get the target's current scale",
            ),
            (
                "ScalingActive",
                "False",
                "FailedGetResourceMetric",
                f"the HPA was unable to compute the replica count: {_MISSING}",
            ),
        ]
        status = (await world.client.get(HorizontalPodAutoscaler, "cpu", "default")).status
        assert (status.current_replicas, status.desired_replicas, len(status.current_metrics)) == (3, 0, 1)

        async def told() -> Any:
            events = [item[1:] for item in await world.events() if item[0] == "HorizontalPodAutoscaler"]
            return events if len(events) == 2 else None

        whole = (
            f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {_MISSING}"
        )
        assert set(await world.until(told)) == {
            ("FailedGetResourceMetric", _MISSING),
            ("FailedComputeMetricsReplicas", whole),
        }

    play(scenario, names=NAMES)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"name": "nosuch"}, 'deployments.apps "nosuch" not found'),
        ({"kind": "Nothing", "apiVersion": "a.b/v1"}, 'no matches for kind "Nothing" in group "a.b"'),
    ],
)
def test_a_target_that_cannot_be_found_is_told(target: dict[str, str], message: str) -> None:
    async def scenario(world: World) -> None:
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"} | target
        await world.client.create(autoscaler("gone", scaleTargetRef=reference))
        text = f"the HPA controller was unable to get the target's current scale: {message}"
        assert await conditions(world, "gone", 1) == [("AbleToScale", "False", "FailedGetScale", text)]

    play(scenario, names=NAMES)


@pytest.mark.parametrize(("replicas", "expected"), [(1, 2), (7, 4)])
def test_targets_are_kept_within_their_bounds(replicas: int, expected: int) -> None:
    async def scenario(world: World) -> None:
        await deploy(world, replicas)
        await world.client.create(autoscaler("cpu", minReplicas=2, maxReplicas=4))

        async def scaled() -> bool:
            return (await world.client.get(Deployment, "web", "default")).spec.replicas == expected

        await world.until(scaled)

    play(scenario, names=NAMES)


def test_a_target_of_zero_replicas_is_switched_off() -> None:
    plan = decide(autoscaler("cpu").spec, 0, "a=b")
    assert (plan.rescale, [item.reason for item in plan.conditions]) == ("", ["ScalingDisabled"])


def test_a_target_without_selector_is_not_scaled() -> None:
    plan = decide(autoscaler("cpu").spec, 2, "")
    assert [item.reason for item in plan.conditions] == ["InvalidSelector"]
    assert ("SelectorRequired", "selector is required") in plan.warnings
