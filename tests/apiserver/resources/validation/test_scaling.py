"""What is said of autoscalers, disruption budgets, runtime classes and slices of endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import on_create, on_status

_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
_HALF = {"type": "Utilization", "averageUtilization": 50}
_TEN = {"type": "AverageValue", "averageValue": "10"}


def _autoscaler(*metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "spec": {"scaleTargetRef": _TARGET, "maxReplicas": 3, "metrics": list(metrics)},
    }


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ({"type": "Resource", "resource": {"name": "cpu", "target": _HALF}}, []),
        ({"type": "Resource", "resource": {"name": "", "target": {**_HALF, "averageValue": "1"}}},
         ["resource.name: Required value: must specify a resource name",
          "resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization"]),
        ({"type": "Pods", "pods": {"metric": {"name": "a/b"}, "target": _HALF}},
         ["pods.metric.name: Invalid value: \"a/b\": may not contain '/'",
          "pods.target.averageValue: Required value: must specify a positive target averageValue"]),
        ({"type": "External", "external": {"metric": {"name": "m"}, "target": {**_TEN, "value": "1"}}},
         ["external.target.value: Forbidden: may not set both a target value for metric and a per-pod target"]),
        ({"type": "Object", "object": {"describedObject": {"kind": "", "name": "x"}, "metric": {}, "target": _TEN}},
         ["object.describedObject.kind: Required value",
          "object.metric.name: Required value: must specify a metric name"]),
        ({"type": "ContainerResource", "containerResource": {"name": "cpu", "target": _HALF}},
         ["containerResource.container: Required value: must specify a container"]),
        ({"type": "Resource", "resource": {"name": "cpu", "target": _HALF},
          "pods": {"metric": {"name": "m"}, "target": _TEN}},
         ["pods: Forbidden: must populate the given metric source only"]),
    ],
)  # fmt: skip
def test_metrics(metric: dict[str, Any], said: list[str]) -> None:
    assert on_create(_autoscaler(metric)) == [f"spec.metrics[0].{line}" for line in said]


def test_the_status_of_budgets_and_autoscalers_counts_from_zero() -> None:
    assert on_status(_autoscaler(), {}, {"currentReplicas": -1, "desiredReplicas": 0}) == [
        "status.currentReplicas: Invalid value: -1: must be greater than or equal to 0"
    ]
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {}}
    condition = {"type": "A", "status": "Maybe", "reason": "1"}
    status = {"expectedPods": -1, "conditions": [condition]}
    assert [line.partition(": ")[0] for line in on_status(budget, {}, status)] == [
        "status.conditions[0].status",
        "status.conditions[0].lastTransitionTime",
        "status.conditions[0].reason",
        "status.expectedPods",
    ]


def test_tolerations_of_a_runtime_class_stand_once() -> None:
    toleration = {"key": "a", "operator": "Exists"}
    document = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "handler": "h",
        "scheduling": {"nodeSelector": {"a": "-"}, "tolerations": [toleration, toleration]},
    }
    assert [line.partition(": ")[0] for line in on_create(document)] == [
        "scheduling.nodeSelector",
        "scheduling.tolerations[1]",
    ]


def test_hints_and_the_size_of_a_slice() -> None:
    endpoint = {"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "a"}, {"name": "a"}]}}
    document = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
    assert on_create({**document, "endpoints": [endpoint]}) == [
        'endpoints[0].hints.forZones[1].name: Duplicate value: "a"'
    ]
    assert on_create({**document, "endpoints": [endpoint] * 1001}) == [
        "endpoints: Too many: 1001: must have at most 1000 items"
    ]
