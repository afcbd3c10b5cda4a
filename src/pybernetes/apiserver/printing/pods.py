"""The row of a pod, with the one word that sums up what its containers are doing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pybernetes.api.types.core_v1 import (
    ContainerStateTerminated,
    ContainerStatus,
    Pod,
    PodStatus,
    PodTemplate,
)
from pybernetes.apiserver.printing.cells import NONE, age, columns, containers, name, shown_labels, since

POD_COLUMNS = columns(
    "Name", "Ready", "Status", "Restarts", "Age", "*IP", "*Node", "*Nominated Node", "*Readiness Gates"
)
POD_TEMPLATE_COLUMNS = columns("Name", "Containers", "Images", "Pod Labels")
_CONDITIONS = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


@dataclass
class _Summary:
    """What the loops over the containers' statuses find out."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""
    initializing: bool = False
    # Sidecars, as far as the initialization has come.
    sidecars: list[ContainerStatus] = field(default_factory=list)

    def count(self, status: ContainerStatus) -> None:
        """Counts the restarts of a container and remembers the latest."""
        self.restarts += status.restart_count
        ended = status.last_state.terminated
        # RFC 3339 in UTC with whole seconds: text order is time order.
        if ended is not None and (ended.finished_at or "") > self.last_restart:
            self.last_restart = ended.finished_at or ""


def pod_row(pod: Pod, now: datetime) -> list[Any]:
    """The cells of a pod."""
    summary = _summary(pod)
    restarts = str(summary.restarts)
    if summary.restarts and summary.last_restart:
        restarts = f"{restarts} ({since(summary.last_restart, now)} ago)"
    total = len(pod.spec.containers) + len(_sidecars(pod))
    status = pod.status
    return [
        name(pod),
        f"{summary.ready}/{total}",
        summary.reason,
        restarts,
        age(pod, now),
        (status.pod_ips[0].ip if status.pod_ips else "") or NONE,
        pod.spec.node_name or NONE,
        status.nominated_node_name or NONE,
        _gates(pod),
    ]


def pod_conditions(pod: Pod) -> list[dict[str, str]]:
    """What a row says beside its cells: that the pod will run no more."""
    found = _CONDITIONS.get(pod.status.phase or "")
    if found is None:
        return []
    return [{"type": "Completed", "status": "True", "reason": found[0], "message": found[1]}]


def pod_template_row(template: PodTemplate, _now: datetime) -> list[Any]:
    """The cells of a PodTemplate."""
    inner = template.template
    return [name(template), *containers(inner.spec.containers), shown_labels(inner.metadata.labels)]


def _summary(pod: Pod) -> _Summary:
    status = pod.status
    summary = _Summary(status.reason or status.phase or "")
    if any(item.type == "PodScheduled" and item.reason == "SchedulingGated" for item in status.conditions):
        summary.reason = "SchedulingGated"
    sidecars = _sidecars(pod)
    _initialization(pod, summary, sidecars)
    if not summary.initializing or _has_condition(status, "Initialized"):
        _running(status, summary)
    if pod.metadata.deletion_timestamp and status.reason == "NodeLost":
        summary.reason = "Unknown"
    elif pod.metadata.deletion_timestamp and status.phase not in ("Succeeded", "Failed"):
        summary.reason = "Terminating"
    return summary


def _sidecars(pod: Pod) -> set[str]:
    """Init containers that go on running beside the others."""
    return {item.name for item in pod.spec.init_containers if item.restart_policy == "Always"}


def _initialization(pod: Pod, summary: _Summary, sidecars: set[str]) -> None:
    """Looks for the first init container that is not done."""
    total = len(pod.spec.init_containers)
    for index, status in enumerate(pod.status.init_container_statuses):
        summary.count(status)
        if status.name in sidecars:
            summary.sidecars.append(status)
        terminated, waiting = status.state.terminated, status.state.waiting
        if terminated is not None and terminated.exit_code == 0:
            continue
        if status.name in sidecars and status.started:
            summary.ready += status.ready
            continue
        summary.initializing = True
        if terminated is not None:
            summary.reason = f"Init:{terminated.reason or _exit(terminated)}"
        elif waiting is not None and waiting.reason and waiting.reason != "PodInitializing":
            summary.reason = f"Init:{waiting.reason}"
        else:
            summary.reason = f"Init:{index}/{total}"
        return


def _running(status: PodStatus, summary: _Summary) -> None:
    """Counts the containers proper; restarts of init containers that are done count no more."""
    summary.restarts, summary.last_restart = 0, ""
    for item in summary.sidecars:
        summary.count(item)
    running = False
    for item in reversed(status.container_statuses):
        summary.count(item)
        terminated, waiting = item.state.terminated, item.state.waiting
        if waiting is not None and waiting.reason:
            summary.reason = waiting.reason
        elif terminated is not None:
            summary.reason = terminated.reason or _exit(terminated)
        elif item.ready and item.state.running is not None:
            running = True
            summary.ready += 1
    if summary.reason == "Completed" and running:
        summary.reason = "Running" if _has_condition(status, "Ready") else "NotReady"


def _exit(terminated: ContainerStateTerminated) -> str:
    return f"Signal:{terminated.signal}" if terminated.signal else f"ExitCode:{terminated.exit_code}"


def _has_condition(status: PodStatus, type_: str) -> bool:
    return any(item.type == type_ and item.status == "True" for item in status.conditions)


def _gates(pod: Pod) -> str:
    gates = pod.spec.readiness_gates
    passed = sum(_has_condition(pod.status, gate.condition_type) for gate in gates)
    return f"{passed}/{len(gates)}" if gates else NONE
