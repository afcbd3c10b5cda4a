"""HorizontalPodAutoscalers read and written in two versions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pybernetes.apiserver.autoscalers import from_v2, to_v2

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
_MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
}
_SERVICE = {"kind": "Service", "name": "s"}
_RATE = {"name": "rate", "selector": {"matchLabels": {"a": "b"}}}
_OTHERS = [
    {"type": "Object",
     "object": {"describedObject": _SERVICE, "metric": _RATE, "target": {"type": "Value", "value": "5"}}},
    {"type": "Object",
     "object": {"describedObject": _SERVICE, "metric": _RATE, "target": {"type": "AverageValue", "averageValue": "5"}}},
    {"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": {"type": "AverageValue", "averageValue": "5"}}},
    {"type": "External", "external": {"metric": _RATE, "target": {"type": "Value", "value": "5"}}},
    {"type": "External", "external": {"metric": _RATE, "target": {"type": "AverageValue", "averageValue": "5"}}},
    {"type": "ContainerResource",
     "containerResource": {
         "name": "cpu", "container": "c", "target": {"type": "Utilization", "averageUtilization": 5}}},
]  # fmt: skip
_POLICIES = [{"type": "Pods", "value": 4, "periodSeconds": 15}]
_BEHAVIOR = {
    "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": _POLICIES, "tolerance": "100m"},
    "scaleDown": {"selectPolicy": "Disabled"},
}
_STATUS = {
    "currentMetrics": [
        {"type": "Resource",
         "resource": {"name": "cpu", "current": {"averageUtilization": 9, "averageValue": "2m"}}},
        {"type": "Object", "object": {"describedObject": _SERVICE, "metric": _RATE, "current": {"value": "7"}}},
    ],
    "conditions": [{"type": "AbleToScale", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
}  # fmt: skip


def test_metrics_come_back_from_v1_as_they_were() -> None:
    metrics = [_MEMORY, *_OTHERS, _CPU]
    document = {
        "metadata": {"annotations": {"a": "b"}},
        "spec": {"metrics": metrics, "behavior": _BEHAVIOR},
        "status": _STATUS,
    }
    shown = from_v2(document)
    assert shown["spec"] == {"targetCPUUtilizationPercentage": 50}
    assert shown["status"] == {"currentCPUUtilizationPercentage": 9}
    assert to_v2(shown) == document


def test_annotations_are_written_as_upstream_writes_them() -> None:
    shown = from_v2({"spec": {"metrics": [_CPU, _MEMORY, _OTHERS[1]], "behavior": _BEHAVIOR}, "status": _STATUS})
    texts = {name.removeprefix(_PREFIX): text for name, text in shown["metadata"]["annotations"].items()}
    assert texts["metrics"] == (
        '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}},'
        '{"type":"Object","object":{"target":{"kind":"Service","name":"s"},"metricName":"rate","targetValue":"0",'
        '"selector":{"matchLabels":{"a":"b"}},"averageValue":"5"}}]'
    )
    assert texts["current-metrics"].startswith(
        '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":9,"currentAverageValue":"2m"}},'
    )
    assert texts["behavior"] == (
        '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max",'
        '"Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":"100m"},'
        '"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Disabled","Policies":null,"Tolerance":null}}'
    )
    assert json.loads(texts["conditions"]) == _STATUS["conditions"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", '[{"type":1}]', '["cpu"]', "[" * 5000, '{"ScaleUp":3}'])
def test_what_carries_nonsense_is_dropped(text: str) -> None:
    names = ("metrics", "current-metrics", "behavior", "conditions")
    document = {"metadata": {"annotations": {_PREFIX + name: text for name in names}}, "spec": {}, "status": {}}
    assert to_v2(document) == {"metadata": {}, "spec": {}, "status": {}}


async def test_an_update_in_v1_keeps_what_only_v2_has(call: Any) -> None:
    v1, v2 = (f"/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers" for version in ("v1", "v2"))
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 3}
    metadata = {"name": "h", "annotations": {f"{_PREFIX}metrics": "[]"}}
    body = {"metadata": metadata, "spec": {**spec, "metrics": [_MEMORY, _CPU], "behavior": _BEHAVIOR}}
    code, made = await call("POST", v2, body)
    assert (code, made["metadata"].get("annotations")) == (201, None)
    _, old = await call("GET", f"{v1}/h")
    code, _ = await call("PUT", f"{v1}/h", {**old, "spec": {**old["spec"], "maxReplicas": 5}})
    assert code == 200
    merge = {"content_type": "application/merge-patch+json"}
    code, _ = await call("PATCH", f"{v1}/h", {"spec": {"targetCPUUtilizationPercentage": 60}}, **merge)
    assert code == 200
    _, new = await call("GET", f"{v2}/h")
    wanted = [
        _MEMORY,
        {**_CPU, "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}},
    ]
    assert (new["spec"]["maxReplicas"], new["spec"]["metrics"]) == (5, wanted)
    assert new["spec"]["behavior"]["scaleDown"]["selectPolicy"] == "Disabled"
    assert "annotations" not in new["metadata"]
