"""Rules for the status of the kinds that keep pods running: no count is negative, and none goes beyond the whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pybernetes.api.status import FieldError, invalid
from pybernetes.api.types.apps_v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from pybernetes.api.types.core_v1 import ReplicationController
from pybernetes.apiserver.resources.validation.numbers import not_negative

_ABOVE_REPLICAS = "cannot be greater than status.replicas"
_Named = tuple[str, int | None]


def _counts(named: Iterable[_Named]) -> list[FieldError]:
    return [error for name, value in named for error in not_negative(value, f"status.{name}")]


def _within(named: Iterable[_Named], whole: int | None, detail: str = _ABOVE_REPLICAS) -> list[FieldError]:
    return [invalid(f"status.{name}", value or 0, detail) for name, value in named if (value or 0) > (whole or 0)]


def _no_fewer_collisions(new: Any, old: Any) -> list[FieldError]:
    """How often a name was taken only ever grows."""
    if old is None or (new is not None and new >= old):
        return []
    return [invalid("status.collisionCount", new or 0, "cannot be decremented")]


def validate_deployment_status(new: Deployment, old: Deployment) -> list[FieldError]:
    status = new.status
    parts: list[_Named] = [
        ("updatedReplicas", status.updated_replicas),
        ("readyReplicas", status.ready_replicas),
        ("availableReplicas", status.available_replicas),
    ]
    first: list[_Named] = [("observedGeneration", status.observed_generation), ("replicas", status.replicas)]
    last: list[_Named] = [
        ("unavailableReplicas", status.unavailable_replicas),
        ("collisionCount", status.collision_count),
        ("terminatingReplicas", status.terminating_replicas),
    ]
    errors = _counts([*first, *parts, *last]) + _within(parts, status.replicas)
    errors += _within(parts[2:], status.ready_replicas, "cannot be greater than readyReplicas")
    return errors + _no_fewer_collisions(status.collision_count, old.status.collision_count)


def validate_replica_status(
    new: ReplicaSet | ReplicationController, _old: ReplicaSet | ReplicationController
) -> list[FieldError]:
    status = new.status
    parts: list[_Named] = [
        ("fullyLabeledReplicas", status.fully_labeled_replicas),
        ("readyReplicas", status.ready_replicas),
        ("availableReplicas", status.available_replicas),
    ]
    last: list[_Named] = [("observedGeneration", status.observed_generation)]
    errors = _counts([("replicas", status.replicas), *parts, *last]) + _within(parts, status.replicas)
    return errors + _within(parts[2:], status.ready_replicas, "cannot be greater than readyReplicas")


def validate_stateful_set_status(new: StatefulSet, old: StatefulSet) -> list[FieldError]:
    status = new.status
    parts: list[_Named] = [
        ("readyReplicas", status.ready_replicas),
        ("currentReplicas", status.current_replicas),
        ("updatedReplicas", status.updated_replicas),
        ("availableReplicas", status.available_replicas),
    ]
    last: list[_Named] = [
        ("observedGeneration", status.observed_generation),
        ("collisionCount", status.collision_count),
    ]
    errors = _counts([("replicas", status.replicas), *parts, *last]) + _within(parts, status.replicas)
    errors += _within(parts[3:], status.ready_replicas, "cannot be greater than status.readyReplicas")
    return errors + _no_fewer_collisions(status.collision_count, old.status.collision_count)


def validate_daemon_set_status(new: DaemonSet, old: DaemonSet) -> list[FieldError]:
    status = new.status
    counts: list[_Named] = [
        ("currentNumberScheduled", status.current_number_scheduled),
        ("numberMisscheduled", status.number_misscheduled),
        ("desiredNumberScheduled", status.desired_number_scheduled),
        ("numberReady", status.number_ready),
        ("observedGeneration", status.observed_generation),
        ("updatedNumberScheduled", status.updated_number_scheduled),
        ("numberAvailable", status.number_available),
        ("numberUnavailable", status.number_unavailable),
        ("collisionCount", status.collision_count),
    ]
    return _counts(counts) + _no_fewer_collisions(status.collision_count, old.status.collision_count)
