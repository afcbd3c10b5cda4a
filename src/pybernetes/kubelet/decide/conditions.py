"""The conditions of a pod that the kubelet owns; pure. Conditions of others (gates and so on) are kept as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pybernetes.api.types.core_v1 import Container, ContainerStatus, Pod, PodCondition
from pybernetes.kubelet.decide.observed import Observed, is_sidecar
from pybernetes.kubelet.decide.times import api_time

OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass(frozen=True, slots=True)
class Statuses:
    """What the conditions look at."""

    init: Sequence[ContainerStatus]
    main: Sequence[ContainerStatus]
    phase: str


@dataclass(frozen=True, slots=True)
class _Finding:
    type: str
    holds: bool
    reason: str = ""
    message: str = ""


def pod_conditions(observed: Observed, statuses: Statuses) -> list[PodCondition]:
    """All conditions of the pod: the kubelet's in upstream's order, then those that others have set."""
    pod = observed.pod
    old = {condition.type: condition for condition in pod.status.conditions}
    containers = _containers_ready(pod, statuses)
    networked = observed.sandbox is not None and observed.sandbox.ready
    networked = networked and (bool(observed.sandbox and observed.sandbox.ips) or bool(pod.spec.host_network))
    findings = (
        _Finding("PodReadyToStartContainers", networked),
        _initialized(pod, statuses),
        _ready(pod, containers),
        containers,
        _Finding("PodScheduled", True),
    )
    own = [_condition(finding, old.get(finding.type), observed) for finding in findings]
    return own + [condition for condition in pod.status.conditions if condition.type not in OWNED]


def _condition(finding: _Finding, old: PodCondition | None, observed: Observed) -> PodCondition:
    status = "True" if finding.holds else "False"
    unchanged = old is not None and old.status == status and old.last_transition_time
    return PodCondition(
        type=finding.type,
        status=status,
        reason=finding.reason or None,
        message=finding.message or None,
        observed_generation=observed.pod.metadata.generation,
        last_transition_time=old.last_transition_time if old and unchanged else api_time(observed.now),
    )


def _names(texts: Sequence[str]) -> str:
    return f"[{' '.join(texts)}]"


def _is_init_complete(container: Container, status: ContainerStatus | None) -> bool:
    if status is None:
        return False
    if is_sidecar(container):
        return status.started is True
    return status.state.terminated is not None and status.state.terminated.exit_code == 0


def _initialized(pod: Pod, statuses: Statuses) -> _Finding:
    by_name = {status.name: status for status in statuses.init}
    begun = any(status.state.running or status.state.terminated or status.restart_count for status in statuses.main)
    open_ = [
        container.name
        for container in pod.spec.init_containers
        if not _is_init_complete(container, by_name.get(container.name)) and not (begun and is_sidecar(container))
    ]
    if statuses.phase == "Succeeded":
        return _Finding("Initialized", True, "PodCompleted")
    if not open_:
        return _Finding("Initialized", True)
    message = f"containers with incomplete status: {_names(open_)}"
    return _Finding("Initialized", False, "ContainersNotInitialized", message)


def _containers_ready(pod: Pod, statuses: Statuses) -> _Finding:
    if statuses.phase == "Succeeded":
        return _Finding("ContainersReady", False, "PodCompleted")
    if statuses.phase == "Failed":
        return _Finding("ContainersReady", False, "PodFailed")
    sidecars = {container.name for container in pod.spec.init_containers if is_sidecar(container)}
    watched = [*(status for status in statuses.init if status.name in sidecars), *statuses.main]
    unready = [status.name for status in watched if not status.ready]
    if not unready:
        return _Finding("ContainersReady", True)
    return _Finding(
        "ContainersReady", False, "ContainersNotReady", f"containers with unready status: {_names(unready)}"
    )


def _ready(pod: Pod, containers: _Finding) -> _Finding:
    if not containers.holds:
        return _Finding("Ready", False, containers.reason, containers.message)
    found = {condition.type: condition for condition in pod.status.conditions}
    missing: list[str] = []
    for gate in pod.spec.readiness_gates:
        condition = found.get(gate.condition_type)
        if condition is None:
            missing.append(f'corresponding condition of pod readiness gate "{gate.condition_type}" does not exist.')
        elif condition.status != "True":
            missing.append(
                f'the status of pod readiness gate "{gate.condition_type}" is not "True", but {condition.status}'
            )
    if missing:
        return _Finding("Ready", False, "ReadinessGatesNotReady", ", ".join(missing))
    return _Finding("Ready", True)
