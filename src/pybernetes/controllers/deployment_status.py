"""A Deployment's status and conditions, computed from its ReplicaSets, its old status and the time.

Pure; `deployment_decision` calls it. Reasons and messages are upstream's, since people and `kubectl rollout status`
read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pybernetes.api import time as api_time
from pybernetes.api.types.apps_v1 import Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet
from pybernetes.controllers.surge import max_unavailable, replicas_of

NO_DEADLINE = 2**31 - 1
AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
Conditions = list[DeploymentCondition]


def has_deadline(deployment: Deployment) -> bool:
    return deployment.spec.progress_deadline_seconds not in (None, NO_DEADLINE)


def find(conditions: Sequence[DeploymentCondition], type_: str) -> DeploymentCondition | None:
    return next((item for item in conditions if item.type == type_), None)


def make(type_: str, status: str, reason: str, message: str, now: datetime) -> DeploymentCondition:
    stamp = api_time.format(now)
    return DeploymentCondition(
        type=type_, status=status, reason=reason, message=message, last_update_time=stamp, last_transition_time=stamp
    )


def with_condition(conditions: Conditions, new: DeploymentCondition) -> Conditions:
    """Replaces the condition of that type; one with the same status and reason stays as it is."""
    current = find(conditions, new.type)
    if current is not None and (current.status, current.reason) == (new.status, new.reason):
        return conditions
    if current is not None and current.status == new.status:
        new.last_transition_time = current.last_transition_time
    return [*without(conditions, new.type), new]


def without(conditions: Conditions, type_: str) -> Conditions:
    return [item for item in conditions if item.type != type_]


def counts(
    deployment: Deployment, replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None, now: datetime
) -> DeploymentStatus:
    """The numbers and the Available condition."""
    total = sum(item.status.replicas for item in replica_sets)
    available = sum(item.status.available_replicas or 0 for item in replica_sets)
    enough = available >= replicas_of(deployment) - max_unavailable(deployment)
    if enough:
        condition = make("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    else:
        condition = make(
            "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now
        )
    return DeploymentStatus(
        observed_generation=deployment.metadata.generation,
        replicas=total or None,
        updated_replicas=(new.status.replicas if new is not None else 0) or None,
        ready_replicas=sum(item.status.ready_replicas or 0 for item in replica_sets) or None,
        available_replicas=available or None,
        unavailable_replicas=max(total - available, 0) or None,
        terminating_replicas=sum(item.status.terminating_replicas or 0 for item in replica_sets),
        collision_count=deployment.status.collision_count,
        conditions=with_condition(list(deployment.status.conditions), condition),
    )


def is_complete(deployment: Deployment, status: DeploymentStatus) -> bool:
    """All pods are new ones, all are available, and no old ones are left."""
    desired = replicas_of(deployment)
    return (
        (status.updated_replicas or 0) == desired
        and (status.replicas or 0) == desired
        and (status.available_replicas or 0) == desired
        and (status.observed_generation or 0) >= (deployment.metadata.generation or 0)
    )


def is_progressing(old: DeploymentStatus, new: DeploymentStatus) -> bool:
    """Something moved on since the last status."""
    old_left = (old.replicas or 0) - (old.updated_replicas or 0)
    new_left = (new.replicas or 0) - (new.updated_replicas or 0)
    return (
        (new.updated_replicas or 0) > (old.updated_replicas or 0)
        or new_left < old_left
        or (new.ready_replicas or 0) > (old.ready_replicas or 0)
        or (new.available_replicas or 0) > (old.available_replicas or 0)
    )


def _deadline(deployment: Deployment, progressing: DeploymentCondition) -> datetime:
    since = progressing.last_update_time or progressing.last_transition_time or ""
    return api_time.parse(since) + timedelta(seconds=deployment.spec.progress_deadline_seconds or 0)


def has_timed_out(deployment: Deployment, status: DeploymentStatus, now: datetime) -> bool:
    progressing = find(status.conditions, "Progressing")
    if progressing is None or not has_deadline(deployment) or progressing.reason == AVAILABLE:
        return False
    return progressing.reason == TIMED_OUT or _deadline(deployment, progressing) < now


def rollout_status(
    deployment: Deployment, replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None, now: datetime
) -> DeploymentStatus:
    """The whole status while a roll-out goes on or has ended."""
    status = counts(deployment, replica_sets, new, now)
    current = find(deployment.status.conditions, "Progressing")
    if not has_deadline(deployment):
        status.conditions = without(status.conditions, "Progressing")
    elif not (status.replicas == status.updated_replicas and current is not None and current.reason == AVAILABLE):
        status.conditions = _with_progress(deployment, status, new, now)
    failure = _failure(replica_sets, new, now)
    if failure is None:
        status.conditions = without(status.conditions, "ReplicaFailure")
    else:
        status.conditions = with_condition(status.conditions, failure)
    return status


def _with_progress(
    deployment: Deployment, status: DeploymentStatus, new: ReplicaSet | None, now: datetime
) -> Conditions:
    subject = f'ReplicaSet "{new.metadata.name}"' if new is not None else f'Deployment "{deployment.metadata.name}"'
    current = find(deployment.status.conditions, "Progressing")
    if is_complete(deployment, status):
        message = f"{subject} has successfully progressed."
        return with_condition(status.conditions, make("Progressing", "True", AVAILABLE, message, now))
    if is_progressing(deployment.status, status):
        condition = make("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", now)
        if current is not None and current.status == "True":
            condition.last_transition_time = current.last_transition_time
        return [*without(status.conditions, "Progressing"), condition]
    if has_timed_out(deployment, status, now):
        message = f"{subject} has timed out progressing."
        return with_condition(status.conditions, make("Progressing", "False", TIMED_OUT, message, now))
    return status.conditions


def _failure(replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None, now: datetime) -> DeploymentCondition | None:
    """A ReplicaSet that cannot make its pods; the new one's trouble comes first."""
    ordered = ([new] if new is not None else []) + [item for item in replica_sets if item is not new]
    for item in ordered:
        for condition in item.status.conditions:
            if condition.type == "ReplicaFailure" and condition.status == "True":
                stamp = condition.last_transition_time or api_time.format(now)
                return DeploymentCondition(
                    type="ReplicaFailure",
                    status="True",
                    reason=condition.reason,
                    message=condition.message,
                    last_update_time=stamp,
                    last_transition_time=stamp,
                )
    return None


def seconds_to_deadline(deployment: Deployment, status: DeploymentStatus, now: datetime) -> float | None:
    """When to look again for a roll-out that may get stuck; None when there is nothing to wait for."""
    progressing = find(status.conditions, "Progressing")
    if progressing is None or not has_deadline(deployment):
        return None
    if is_complete(deployment, status) or progressing.reason == TIMED_OUT:
        return None
    left = (_deadline(deployment, progressing) - now).total_seconds()
    return max(left, 0.0) + 1.0
