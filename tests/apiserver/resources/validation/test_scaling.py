"""What is said of autoscalers, disruption budgets, runtime classes and slices of endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status, on_update

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


_KINDS = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"'


def test_metrics_of_no_kind() -> None:
    metric = {"type": "", "pods": {"metric": {}, "target": _TEN}, "resource": {"name": "cpu", "target": _HALF}}
    assert on_create(_autoscaler(metric)) == [
        "spec.metrics[0].type: Required value: must specify a metric source type",
        f'spec.metrics[0].type: Unsupported value: "": {_KINDS}',
        "spec.metrics[0].pods.metric.name: Required value: must specify a metric name",
        "spec.metrics[0].pods: Forbidden: must populate the given metric source only",
        "spec.metrics[0].resource: Forbidden: must populate the given metric source only",
    ]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"kind": "ReplicationController", "apiVersion": ""}, ""),
        ({"kind": "ReplicationController", "apiVersion": "v1"}, ""),
        ({"kind": "Pod", "apiVersion": "v1"}, "apiVersion must specify API group"),
        ({"kind": "D", "apiVersion": "a/b/c"}, "unexpected GroupVersion string: a/b/c"),
    ],
)
def test_what_is_scaled_has_a_group(target: dict[str, str], said: str) -> None:
    document = merged(_autoscaler(), {"spec": {"scaleTargetRef": target}})
    path, version = "spec.scaleTargetRef.apiVersion", target["apiVersion"]
    assert on_create(document) == ([f'{path}: Invalid value: "{version}": {said}'] if said else [])
    assert on_update(document, merged(document, {"spec": {"maxReplicas": 4}})) == []
    if said:
        assert len(on_update(_autoscaler(), document)) == 1


def test_what_scales_down_to_nothing_may_go_on_doing_so() -> None:
    metric = {"type": "External", "external": {"metric": {"name": "m"}, "target": _TEN}}
    document = merged(_autoscaler(metric), {"spec": {"minReplicas": 0}})
    assert on_create(document) == ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"]
    assert on_update(document, merged(document, {"spec": {"maxReplicas": 4}})) == []


def test_the_share_of_the_older_version() -> None:
    spec = {"scaleTargetRef": _TARGET, "maxReplicas": 3, "targetCPUUtilizationPercentage": 0}
    assert on_create({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "spec": spec}) == [
        "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0"
    ]


def test_budgets_say_one_of_two() -> None:
    spec = {"minAvailable": 1, "maxUnavailable": "10%"}
    assert on_create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": spec}) == [
        'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"10%",'
        '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set'
    ]


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
