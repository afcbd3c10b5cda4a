"""The rules for what nodes report."""

from __future__ import annotations

from typing import Any

import pytest
from causes import on_create, on_status

NODE: dict[str, Any] = {"apiVersion": "v1", "kind": "Node"}

STATUSES: list[tuple[dict[str, Any], list[str]]] = [
    ({"capacity": {"example.com/gpu": "1500m"}}, [
        'status.capacity.example.com/gpu: Invalid value: "1500m": must be an integer',
        'status.allocatable.example.com/gpu: Invalid value: "1500m": must be an integer',
    ]),
    ({"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}] * 2}, [
        'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}'
    ]),
    ({"config": {"assigned": {"configMap": {"namespace": "ns", "name": "n", "kubeletConfigKey": "k"}}}}, [
        "status.config.assigned.configMap.uid: Required value",
        "status.config.assigned.configMap.resourceVersion: Required value",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), STATUSES)
def test_status(status: dict[str, Any], expected: list[str]) -> None:
    assert on_status(NODE, {}, status) == expected


def test_create() -> None:
    assert on_create({**NODE, "status": {"nodeInfo": {"swap": {"capacity": 0}}}}) == [
        "metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero"
    ]
    assert on_create({**NODE, "spec": {"taints": [{"key": "", "value": "a b", "effect": ""}]}})[-1] == (
        "metadata.taints[0].effect: Required value"
    )
