"""The pod status that follows from what was observed. Pure: `pod_status(Observed, node_ip) -> PodStatus`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybernetes.api.types.core_v1 import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    HostIP,
    Pod,
    PodIP,
    PodStatus,
    ResourceRequirements,
    VolumeMountStatus,
)
from pybernetes.kubelet.decide.conditions import Statuses, pod_conditions
from pybernetes.kubelet.decide.observed import (
    AnyContainer,
    Health,
    Observed,
    Waiting,
    has_ended,
    is_done,
    is_running,
    is_sidecar,
    is_started,
    wants_restart,
)
from pybernetes.kubelet.decide.qos import qos_class
from pybernetes.kubelet.decide.resizing import outdated
from pybernetes.kubelet.decide.times import api_time
from pybernetes.kubelet.runtime import ContainerRecord, State

_LOST = ContainerState(
    terminated=ContainerStateTerminated(
        exit_code=137,
        reason="ContainerStatusUnknown",
        message="The container could not be located when the pod was terminated",
    )
)


def pod_status(observed: Observed, node_ip: str, waiting: Mapping[str, Waiting]) -> PodStatus:
    """`waiting` are the back-offs that the plan of the same round has found."""
    pod, old = observed.pod, observed.pod.status
    started = _initialized(observed)
    init = [_container_status(observed, each, waiting, False) for each in pod.spec.init_containers]
    main = [_container_status(observed, each, waiting, not started) for each in pod.spec.containers]
    extra = [_container_status(observed, each, waiting, False) for each in pod.spec.ephemeral_containers]
    phase = pod_phase(observed, init, main)
    ips = _pod_ips(observed, node_ip)
    verdict = observed.verdict
    statuses = Statuses(init, main, phase)
    return PodStatus(
        phase=phase,
        conditions=pod_conditions(observed, statuses),
        container_statuses=main,
        init_container_statuses=init,
        ephemeral_container_statuses=extra,
        host_ip=node_ip,
        host_ips=[HostIP(ip=node_ip)],
        pod_ip=ips[0] if ips else None,
        pod_ips=[PodIP(ip=ip) for ip in ips],
        qos_class=old.qos_class or qos_class(pod.spec),
        start_time=old.start_time or api_time(observed.now),
        reason=verdict.reason if verdict else old.reason,
        message=verdict.message if verdict else old.message,
        observed_generation=pod.metadata.generation,
        nominated_node_name=old.nominated_node_name,
        resource_claim_statuses=old.resource_claim_statuses,
        resize=old.resize,
    )


def _pod_ips(observed: Observed, node_ip: str) -> list[str]:
    if observed.pod.spec.host_network:
        return [node_ip]
    if observed.sandbox is not None and observed.sandbox.ips:
        return list(observed.sandbox.ips)
    return [each.ip for each in observed.pod.status.pod_ips]


def _initialized(observed: Observed) -> bool:
    """Whether the main containers may have been made: every init container has done its part."""
    for container in observed.pod.spec.init_containers:
        record = observed.runtime.newest(container.name)
        if is_sidecar(container):
            if not is_started(container, record, observed.health):
                return any(observed.current(main.name) for main in observed.pod.spec.containers)
        elif record is None or not has_ended(record) or record.exit_code != 0:
            return False
    return True


def _container_status(
    observed: Observed, container: AnyContainer, waiting: Mapping[str, Waiting], initializing: bool
) -> ContainerStatus:
    record = observed.runtime.newest(container.name)
    old = _old_status(observed.pod, container.name)
    state, last = _states(observed, container, waiting, initializing)
    running = state.running is not None
    health = observed.health.get(record.id, Health()) if record else Health()
    started = running and is_started(container, record, observed.health)
    sidecar_or_main = container.restart_policy == "Always" or container in observed.pod.spec.containers
    ready = started and (container.readiness_probe is None or health.ready is True)
    if not sidecar_or_main:
        ready = state.terminated is not None and state.terminated.exit_code == 0
    requests = container.resources.requests
    resources = container.resources if requests or container.resources.limits else ResourceRequirements()
    if old is not None and old.resources is not None and running and record and outdated(observed, container, record):
        resources = old.resources  # it has them until the runtime has changed them
    return ContainerStatus(
        name=container.name,
        image=(record.image if record else old.image if old else "") or container.image or "",
        image_id=record.image_id if record else old.image_id if old else "",
        container_id=_shown_id(record.id) if record else old.container_id if old else None,
        state=state,
        last_state=last,
        ready=ready,
        started=started,
        restart_count=record.attempt if record else old.restart_count if old else 0,
        allocated_resources=dict(requests),
        resources=resources,
        volume_mounts=[
            VolumeMountStatus(
                name=mount.name,
                mount_path=mount.mount_path,
                read_only=mount.read_only or None,
                recursive_read_only="Disabled" if mount.read_only else None,
            )
            for mount in container.volume_mounts
        ],
    )


def _shown_id(identifier: str) -> str:
    return identifier if "://" in identifier else f"containerd://{identifier}"


def _old_status(pod: Pod, name: str) -> ContainerStatus | None:
    status = pod.status
    everything = (*status.container_statuses, *status.init_container_statuses, *status.ephemeral_container_statuses)
    return next((each for each in everything if each.name == name), None)


def _states(
    observed: Observed, container: AnyContainer, waiting: Mapping[str, Waiting], initializing: bool
) -> tuple[ContainerState, ContainerState]:
    """The state and the last state of a container."""
    record = observed.runtime.newest(container.name)
    previous = observed.runtime.previous(container.name)
    before = _terminated_state(observed, previous)
    if record is None:
        return _unmade(observed, container, initializing)
    if record.state is State.RUNNING:
        return ContainerState(running=ContainerStateRunning(started_at=api_time(record.started_at))), before
    why = _why_waiting(observed, container, record, waiting)
    if has_ended(record):
        if why is not None:
            return _waiting(why), _terminated_state(observed, record)
        return _terminated_state(observed, record), before
    return _waiting(why or Waiting("ContainerCreating")), before


def _unmade(observed: Observed, container: AnyContainer, initializing: bool) -> tuple[ContainerState, ContainerState]:
    trouble = observed.troubles.get(container.name)
    old = _old_status(observed.pod, container.name)
    if old is not None and old.state.terminated is not None and observed.ending:
        return old.state, old.last_state  # it had ended before, and has been removed since
    if old is not None and old.state.running is not None:
        return (_LOST, ContainerState()) if observed.ending else (_waiting(Waiting("ContainerCreating")), _LOST)
    if observed.ending and not initializing and not _alive(observed) and container in observed.pod.spec.containers:
        # A pod that has come to rest has no container that waits, unless its initialization was never completed.
        return _LOST, old.last_state if old else ContainerState()
    if trouble is not None:
        return _waiting(trouble.waiting), ContainerState()
    creating = "PodInitializing" if initializing or observed.pod.spec.init_containers else "ContainerCreating"
    return _waiting(Waiting(creating)), old.last_state if old else ContainerState()


def _why_waiting(
    observed: Observed, container: AnyContainer, record: ContainerRecord, waiting: Mapping[str, Waiting]
) -> Waiting | None:
    if observed.ending or not wants_restart(observed.pod, container, record):
        return None
    trouble = observed.troubles.get(container.name)
    return waiting.get(container.name) or (trouble.waiting if trouble else None)


def _waiting(why: Waiting) -> ContainerState:
    return ContainerState(waiting=ContainerStateWaiting(reason=why.reason, message=why.message or None))


def _terminated_state(observed: Observed, record: ContainerRecord | None) -> ContainerState:
    if record is None or not has_ended(record):
        return ContainerState()
    message = observed.messages.get(record.id) or record.message
    return ContainerState(
        terminated=ContainerStateTerminated(
            exit_code=record.exit_code if record.state is State.EXITED else 137,
            reason=record.reason or ("Completed" if record.exit_code == 0 else "Error"),
            message=message or None,
            started_at=api_time(record.started_at),
            finished_at=api_time(record.finished_at),
            container_id=_shown_id(record.id),
        )
    )


def pod_phase(observed: Observed, init: Sequence[ContainerStatus], main: Sequence[ContainerStatus]) -> str:
    """Pending, Running, Succeeded or Failed; a phase that is final stays."""
    pod = observed.pod
    if pod.status.phase in ("Succeeded", "Failed"):
        return pod.status.phase
    if observed.verdict is not None:
        return "Failed"
    if _initialization_failed(observed):
        return "Failed"
    ended = [status for status in main if status.state.terminated or _stopped(status)]
    waiting = [status for status in main if status.state.waiting and not _stopped(status)]
    running = [status for status in main if status.state.running]
    if waiting or not _initialized(observed):
        if observed.ending and not running and not _alive(observed):
            return "Failed"
        return "Running" if ended and not _pending_init(observed, init) else "Pending"
    if running:
        return "Running"
    return _ended_phase(observed, main)


def _alive(observed: Observed) -> bool:
    return any(is_running(record) for record in observed.runtime.containers)


def _stopped(status: ContainerStatus) -> bool:
    return status.state.waiting is not None and status.last_state.terminated is not None


def _pending_init(observed: Observed, init: Sequence[ContainerStatus]) -> bool:
    return bool(init) and not _initialized(observed)


def _ended_phase(observed: Observed, main: Sequence[ContainerStatus]) -> str:
    codes = [status.state.terminated.exit_code for status in main if status.state.terminated]
    all_good = len(codes) == len(main) and not any(codes)
    if observed.ending or is_done(observed):
        if _alive(observed):
            return "Running"
        return "Succeeded" if all_good else "Failed"
    return "Running"


def _initialization_failed(observed: Observed) -> bool:
    pod = observed.pod
    for container in pod.spec.init_containers:
        record = observed.runtime.newest(container.name)
        if is_sidecar(container) or record is None or not has_ended(record) or record.exit_code == 0:
            continue
        if not wants_restart(pod, container, record):
            return not _alive(observed)
    return False
