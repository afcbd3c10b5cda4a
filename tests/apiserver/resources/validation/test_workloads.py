"""What is said of the kinds that keep pods running, and of their status."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status

_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
_SPEC = {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}


def _workload(kind: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": kind, "spec": merged(_SPEC, spec or {})}


def _rolling(most: Any) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": most}}}


_MOST = "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value"


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (1, []),
        (0, [f"{_MOST}: 0: cannot be 0"]),
        ("101%", [f'{_MOST}: "101%": must not be greater than 100%']),
        (-1, [f"{_MOST}: -1: must be greater than or equal to 0"]),
    ],
)
def test_how_many_pods_of_a_stateful_set_may_be_missing(most: Any, said: list[str]) -> None:
    assert on_create(_workload("StatefulSet", _rolling(most))) == said


def test_pods_of_a_stateful_set_are_named_after_it() -> None:
    (said,) = on_create(merged(_workload("StatefulSet"), {"metadata": {"name": "a.b"}}))
    assert said.startswith('metadata.name: Invalid value: "a.b": must not contain dots')


def test_the_rules_for_a_replication_controller_come_in_their_order() -> None:
    document = {"apiVersion": "v1", "kind": "ReplicationController", "spec": {"replicas": -1, "minReadySeconds": -1}}
    assert on_create(document) == [
        "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
        "spec.selector: Required value",
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        "spec.template: Required value",
    ]


_REPLICAS = "cannot be greater than status.replicas"


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("Deployment", {}, {"replicas": 2, "readyReplicas": 2, "availableReplicas": 1}, []),
        ("Deployment", {"collisionCount": 2}, {"replicas": 1, "unavailableReplicas": -1, "updatedReplicas": 2},
         ["status.unavailableReplicas: Invalid value: -1: must be greater than or equal to 0",
          f"status.updatedReplicas: Invalid value: 2: {_REPLICAS}",
          "status.collisionCount: Invalid value: 0: cannot be decremented"]),
        ("ReplicaSet", {}, {"replicas": 1, "availableReplicas": 1, "fullyLabeledReplicas": 2},
         [f"status.fullyLabeledReplicas: Invalid value: 2: {_REPLICAS}",
          "status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas"]),
        ("StatefulSet", {}, {"replicas": 1, "currentReplicas": 2, "availableReplicas": 1},
         [f"status.currentReplicas: Invalid value: 2: {_REPLICAS}",
          "status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"]),
        ("DaemonSet", {"collisionCount": 1}, {"numberReady": -1, "collisionCount": 0},
         ["status.numberReady: Invalid value: -1: must be greater than or equal to 0",
          "status.collisionCount: Invalid value: 0: cannot be decremented"]),
    ],
)  # fmt: skip
def test_counts_in_the_status(kind: str, old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert on_status(_workload(kind), old, new) == said
