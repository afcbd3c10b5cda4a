"""The rules for LimitRanges and ResourceQuotas."""

from __future__ import annotations

from typing import Any

import pytest
from causes import on_create, on_status

RANGE = {"apiVersion": "v1", "kind": "LimitRange"}
QUOTA: dict[str, Any] = {"apiVersion": "v1", "kind": "ResourceQuota"}

RANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "Container", "max": {"bogus": "1"}}, [
        'spec.limits[0].max[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
        'spec.limits[0].max[bogus]: Invalid value: "bogus": must be a standard resource for containers',
        'spec.limits[0].default[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
        'spec.limits[0].default[bogus]: Invalid value: "bogus": must be a standard resource for containers',
        'spec.limits[0].defaultRequest[bogus]: Invalid value: "bogus": '
        "must be a standard resource type or fully qualified",
        'spec.limits[0].defaultRequest[bogus]: Invalid value: "bogus": must be a standard resource for containers',
    ]),
    ({"type": "Pod", "min": {"cpu": "1"}, "max": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": "4"}}, [
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "4": ratio 4 is greater than max/min = 2.000000'
    ]),
    ({"type": "Container", "default": {"example.com/a": "2"}, "defaultRequest": {"example.com/a": "1"}}, [
        'spec.limits[0].defaultRequest[example.com/a]: Invalid value: "1": '
        "default value 2 must equal to defaultRequest value 1 in example.com/a"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("item", "expected"), RANGES)
def test_limit_range(item: dict[str, Any], expected: list[str]) -> None:
    assert on_create({**RANGE, "spec": {"limits": [item]}}) == expected


def selector(scope: str, operator: str, *values: str) -> dict[str, Any]:
    expression = {"scopeName": scope, "operator": operator, "values": list(values)}
    return {"scopeSelector": {"matchExpressions": [expression]}}


AT = "spec.scopeSelector.matchExpressions"
QUOTAS: list[tuple[dict[str, Any], list[str]]] = [
    ({"hard": {"count/pods": "1", "requests.hugepages-2Mi": "2Mi", "requests.example.com/a": "1"}}, []),
    ({"hard": {"storage": "1"}}, [
        'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'
    ]),
    ({"hard": {"services": "1"}, "scopes": ["NotTerminating"]}, [
        'spec.scopes: Invalid value: ["NotTerminating"]: unsupported scope applied to resource'
    ]),
    ({"hard": {"persistentvolumeclaims": "1"}, "scopes": ["VolumeAttributesClass"]}, []),
    ({"hard": {"pods": "1"}, **selector("BestEffort", "In", "x")}, [
        f'{AT}.operator: Invalid value: "In": must be \'Exists\' when scope is any of ResourceQuotaScopeTerminating, '
        "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
        "ResourceQuotaScopeCrossNamespacePodAffinity"
    ]),
    ({"hard": {"services": "1"}, **selector("PriorityClass", "Exists", "x")}, [
        f'{AT}: Invalid value: {{"MatchExpressions":[{{"ScopeName":"PriorityClass","Operator":"Exists",'
        '"Values":["x"]}]}: unsupported scope applied to resource',
        f'{AT}.values: Invalid value: ["x"]: '
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "expected"), QUOTAS)
def test_quota(spec: dict[str, Any], expected: list[str]) -> None:
    assert on_create({**QUOTA, "spec": spec}) == expected


def test_quota_status() -> None:
    assert on_status(QUOTA, {}, {"hard": {"pods": "-1"}, "used": {"bogus": "1"}}) == [
        'status.hard[pods]: Invalid value: "-1": must be greater than or equal to 0',
        'status.used[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
        'status.used[bogus]: Invalid value: "bogus": must be a standard resource for quota',
    ]
