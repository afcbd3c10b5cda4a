"""What is said of the kinds that keep pods running, and of their status."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import lines, made, merged, on_create, on_status, on_update

from pybernetes.api.types.apps_v1 import RollingUpdateStatefulSetStrategy
from pybernetes.apiserver.resources.validation.stateful_sets import validate_stateful_set

_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
_SPEC = {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}


def _workload(kind: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": kind, "spec": merged(_SPEC, spec or {})}


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
    # Nothing that comes new; what is stored may have it.
    stored = made(_workload("StatefulSet"))
    stored.spec.update_strategy.rolling_update = RollingUpdateStatefulSetStrategy(partition=0, max_unavailable=most)
    assert lines(validate_stateful_set(stored)) == said


_CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def _mounting(*names: str, volumes: list[Any] | None = None, image: str = "i") -> dict[str, Any]:
    mounts = [{"name": name, "mountPath": f"/{index}"} for index, name in enumerate(names)]
    containers = [{"name": "c", "image": image, "volumeMounts": mounts}]
    return {"template": {"spec": {"containers": containers, "volumes": volumes or []}}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"volumeClaimTemplates": [_CLAIM], **_mounting("data")}, []),
        ({"volumeClaimTemplates": [_CLAIM, _CLAIM], **_mounting("data")}, []),
        ({"volumeClaimTemplates": [_CLAIM],
          **_mounting("data", "b", volumes=[{"name": "data"}, {"name": "b", "emptyDir": {}}])}, []),
        (_mounting("data"), ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"']),
        (_mounting(image=""), ["spec.template.spec.containers[0].image: Required value"]),
        ({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]},
         ["spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required",
          "spec.volumeClaimTemplates[0].spec.resources[storage]: Required value"]),
        ({"serviceName": "a.b"},
         ['spec.serviceName: Invalid value: "a.b": must not contain dots']),
    ],
)  # fmt: skip
def test_what_stateful_sets_make_can_be_made(spec: dict[str, Any], said: list[str]) -> None:
    assert on_create(_workload("StatefulSet", spec)) == said


def test_stateful_sets_that_broke_rules_before_can_be_changed() -> None:
    broken = {"serviceName": "a.b", **_mounting("data")}
    assert on_update(_workload("StatefulSet", broken), _workload("StatefulSet", {**broken, "replicas": 2})) == []
    sound = _workload("StatefulSet", _mounting())
    assert on_update(sound, _workload("StatefulSet", _mounting("data"))) == [
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'
    ]


_SURGE = "spec.updateStrategy.rollingUpdate.maxSurge"


@pytest.mark.parametrize(
    ("most", "surge", "said"),
    [
        (1, 0, []),
        ("0%", "25%", []),
        (1, "101%",
         [f'{_SURGE}: Invalid value: "101%": must not be greater than 100%',
          f'{_SURGE}: Invalid value: "101%": may not be set when maxUnavailable is non-zero']),
        ("0%", 0, [f"{_MOST.partition(':')[0]}: Required value: cannot be 0 when maxSurge is 0"]),
        (0, "9" * 5000 + "%", [f'{_SURGE}: Invalid value: "{"9" * 5000}%": must not be greater than 100%']),
    ],
)  # fmt: skip
def test_pods_of_a_daemon_set_are_missing_or_too_many(most: Any, surge: Any, said: list[str]) -> None:
    rolling = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": most, "maxSurge": surge}}}
    assert on_create(_workload("DaemonSet", rolling)) == said


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("Deployment", ["spec.selector: Invalid value: {0}: invalid label selector"]),
        ("ReplicaSet", ["spec.selector: Invalid value: {0}: invalid label selector"]),
        ("StatefulSet", ["spec.selector: Invalid value: {0}"]),
        ("DaemonSet", []),
    ],
)
def test_a_selector_that_cannot_be_read(kind: str, more: list[str]) -> None:
    spec = {"selector": {"matchLabels": {"a": "-"}}, "template": {"spec": {"restartPolicy": "Always"}}}
    said = on_create(_workload(kind, spec))
    shown = '{"matchLabels":{"a":"-"}}'
    assert said[0].startswith('spec.selector.matchLabels: Invalid value: "-": ')
    assert said[1:] == [line.format(shown) for line in more]


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
