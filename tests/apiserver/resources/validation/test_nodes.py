"""The rules for what nodes report."""

from __future__ import annotations

from typing import Any

import pytest
from causes import made, on_create, on_status, on_update

NODE: dict[str, Any] = {"apiVersion": "v1", "kind": "Node"}

STATUSES: list[tuple[dict[str, Any], list[str]]] = [
    ({"capacity": {"example.com/gpu": "1500m"}}, [
        'status.capacity.example.com/gpu: Invalid value: "1500m": must be an integer',
        'status.allocatable.example.com/gpu: Invalid value: "1500m": must be an integer',
    ]),
    ({"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}] * 2}, [
        'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}'
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), STATUSES)
def test_status(status: dict[str, Any], expected: list[str]) -> None:
    assert on_status(NODE, {}, status) == expected


def test_no_kubelet_is_given_its_configuration_any_more() -> None:
    source = {"configMap": {"namespace": "ns"}}
    node = made({**NODE, "spec": {"configSource": source}, "status": {"config": {"assigned": source}}})
    assert (node.spec.config_source, node.status.config) == (None, None)
    assert on_update(NODE, {**NODE, "spec": {"configSource": source}}) == []
    assert on_status(NODE, {}, {"config": {"assigned": source}}) == []


RANGES: list[tuple[list[str], list[str]]] = [
    (["10.0.0.0/24", "2001:db8::/64"], []),
    (["10.0.0.1/24"], [
        'spec.podCIDRs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length'
    ]),
    (["2001:db8::/64", "2001:db8::/64"], [
        'spec.podCIDRs: Invalid value: ["2001:db8::/64","2001:db8::/64"]: '
        "may specify no more than one CIDR for each IP family",
        'spec.podCIDRs[1]: Duplicate value: "2001:db8::/64"',
    ]),
    (["10.0.0.0/24", "x"], [
        'spec.podCIDRs[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        "spec.podCIDRs: Internal error: invalid PodCIDRs. failed to check with dual stack with error:"
        'failed to parse cidr value:"x" with error:invalid CIDR address: x',
        'spec.podCIDRs: Invalid value: ["10.0.0.0/24","x"]: may specify no more than one CIDR for each IP family',
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("ranges", "expected"), RANGES)
def test_ranges(ranges: list[str], expected: list[str]) -> None:
    assert on_create({**NODE, "spec": {"podCIDRs": ranges}}) == expected


TAINTS, AVOID = "scheduler.alpha.kubernetes.io/taints", "scheduler.alpha.kubernetes.io/preferAvoidPods"
ANNOTATIONS: list[tuple[str, str, list[str]]] = [
    (TAINTS, '[{"key": "a", "effect": "NoSchedule"}]', []),
    (TAINTS, '[{"key": "a"}]', [f"metadata.annotations.{TAINTS}[0].effect: Required value"]),
    (TAINTS, "{", [f'metadata.annotations: Invalid value: "{TAINTS}": unexpected end of JSON input']),
    (AVOID, '{"preferAvoidPods": [{"podSignature": {"podController": {"controller": true}}}]}', []),
    (AVOID, '{"preferAvoidPods": [{"podSignature": {}}]}', [
        f"metadata.annotations.{AVOID}[0].PodSignature: Required value"
    ]),
    (AVOID, '{"preferAvoidPods": [{"podSignature": {"podController": {"controller": false}}}]}', [
        f"metadata.annotations.{AVOID}[0].PodSignature.PodController.Controller: Invalid value: false: "
        "must point to a controller"
    ]),
    (AVOID, "x", [
        f'metadata.annotations.AvoidPods: Invalid value: "{AVOID}": '
        "invalid character 'x' looking for beginning of value"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "text", "expected"), ANNOTATIONS)
def test_annotations(key: str, text: str, expected: list[str]) -> None:
    annotated = {**NODE, "metadata": {"annotations": {key: text}}}
    assert on_create(annotated) == expected
    assert on_update(NODE, annotated) == expected


def test_create() -> None:
    assert on_create({**NODE, "status": {"nodeInfo": {"swap": {"capacity": 0}}}}) == [
        "metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero"
    ]
    assert on_create({**NODE, "spec": {"taints": [{"key": "", "value": "a b", "effect": ""}]}})[-1] == (
        "metadata.taints[0].effect: Required value"
    )
