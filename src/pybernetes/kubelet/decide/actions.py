"""Decides what a pod needs next. Pure: `pod_plan(Observed) -> Plan`; the worker of the pod calls it each round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pybernetes.api.types.core_v1 import Container, Pod
from pybernetes.kubelet.decide.backoff import BackOff, following
from pybernetes.kubelet.decide.observed import (
    HASH_ANNOTATION,
    AnyContainer,
    Health,
    Observed,
    Waiting,
    container_hash,
    has_ended,
    is_running,
    is_sidecar,
    is_started,
    wants_restart,
)
from pybernetes.kubelet.decide.resizing import needs_restart, outdated
from pybernetes.kubelet.decide.times import SECOND, duration
from pybernetes.kubelet.runtime import ContainerRecord


@dataclass(frozen=True, slots=True)
class Start:
    """A container to create and start."""

    name: str
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Kill:
    """A running container to end, with the words for the event."""

    container_id: str
    name: str
    message: str
    grace: int | None = None  # seconds; None: as the pod says


@dataclass(frozen=True, slots=True)
class Resize:
    """A running container whose control groups are to follow its spec."""

    container_id: str
    name: str


@dataclass(frozen=True)
class Plan:
    """One round of work, to be done in the order of the fields."""

    kill_pod: bool = False  # everything that is left of older sandboxes
    create_sandbox: bool = False
    sandbox_attempt: int = 0
    kill: tuple[Kill, ...] = ()
    resize: tuple[Resize, ...] = ()
    start: tuple[Start, ...] = ()
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    back_offs: Mapping[str, BackOff] = field(default_factory=dict)
    remove_containers: tuple[str, ...] = ()
    remove_sandboxes: tuple[str, ...] = ()
    wake_at: int = 0  # 0: when something happens


class _Draft:
    """Collects a plan; lives for one call of `pod_plan`."""

    def __init__(self, observed: Observed) -> None:
        self.observed = observed
        self.kill: list[Kill] = []
        self.resize: list[Resize] = []
        self.start: list[Start] = []
        self.waiting: dict[str, Waiting] = {}
        self.back_offs: dict[str, BackOff] = {}
        self.wake_at = 0

    def wake(self, moment: int) -> None:
        if moment and (not self.wake_at or moment < self.wake_at):
            self.wake_at = moment

    def begin(self, container: AnyContainer) -> None:
        """Starts a container, unless a back-off or an earlier failure says to wait."""
        observed = self.observed
        trouble = observed.troubles.get(container.name)
        if trouble is not None and trouble.retry_at > observed.now:
            self.wake(trouble.retry_at)
            return
        record = observed.runtime.newest(container.name)
        if record is not None and has_ended(record) and not self._may_restart(container, record):
            return
        self.start.append(Start(container.name, next_attempt(observed.pod, container.name, record)))

    def _may_restart(self, container: AnyContainer, record: ContainerRecord) -> bool:
        last = self.observed.back_offs.get(container.name)
        now = self.observed.now
        until = last.holds_until(record.finished_at) if last else 0
        if last is not None and until > now:
            self.waiting[container.name] = crash_loop(self.observed.pod, container.name, last)
            self.wake(until)
            return False
        self.back_offs[container.name] = following(last, record.finished_at, now)
        return True


def crash_loop(pod: Pod, name: str, back_off: BackOff) -> Waiting:
    meta = pod.metadata
    whose = f"container={name} pod={meta.name}_{meta.namespace}({meta.uid})"
    return Waiting("CrashLoopBackOff", f"back-off {duration(back_off.wait / SECOND)} restarting failed {whose}")


def next_attempt(pod: Pod, name: str, record: ContainerRecord | None) -> int:
    """How many times the container has been made before; the API's word counts when the runtime has forgotten."""
    if record is not None:
        return record.attempt + 1
    for status in (*pod.status.container_statuses, *pod.status.init_container_statuses):
        if status.name == name and status.container_id:
            return status.restart_count + 1
    return 0


def pod_plan(observed: Observed) -> Plan:
    """What to do now for a pod that is to run. Pods that end go through `termination`, not through here."""
    draft = _Draft(observed)
    sandbox = observed.sandbox
    trouble = observed.pod_trouble
    if trouble is not None and trouble.retry_at > observed.now:
        return Plan(wake_at=trouble.retry_at)
    if sandbox is None or not sandbox.ready:
        attempt = sandbox.attempt + 1 if sandbox else 0
        return Plan(kill_pod=sandbox is not None, create_sandbox=True, sandbox_attempt=attempt)
    if _initialize(draft):
        for container in observed.pod.spec.containers:
            _look_after(draft, container)
        for ephemeral in observed.pod.spec.ephemeral_containers:
            if observed.current(ephemeral.name) is None:
                draft.begin(ephemeral)
    containers, sandboxes = leftovers(observed)
    return Plan(
        kill=tuple(draft.kill),
        resize=tuple(draft.resize),
        start=tuple(draft.start),
        waiting=draft.waiting,
        back_offs=draft.back_offs,
        remove_containers=containers,
        remove_sandboxes=sandboxes,
        wake_at=draft.wake_at,
    )


def _initialize(draft: _Draft) -> bool:
    """Brings the init containers forward; True when the main containers may run."""
    observed = draft.observed
    begun = any(observed.current(container.name) for container in observed.pod.spec.containers)
    for container in observed.pod.spec.init_containers:
        record = observed.current(container.name)
        if is_sidecar(container):
            _look_after(draft, container)
            if not begun and not is_started(container, record, observed.health):
                return False
        elif not begun and not _completed(draft, container, record):
            return False
    return True


def _completed(draft: _Draft, container: Container, record: ContainerRecord | None) -> bool:
    if record is None:
        _begin_anew(draft, container)
        return False
    if has_ended(record):
        if record.exit_code == 0:
            return True
        if wants_restart(draft.observed.pod, container, record):
            draft.begin(container)
    elif not is_running(record):
        draft.begin(container)
    return False


def _begin_anew(draft: _Draft, container: Container) -> None:
    """Starts a container that this sandbox has not seen. What ran in an older sandbox is no reason to wait."""
    trouble = draft.observed.troubles.get(container.name)
    if trouble is not None and trouble.retry_at > draft.observed.now:
        draft.wake(trouble.retry_at)
        return
    record = draft.observed.runtime.newest(container.name)
    draft.start.append(Start(container.name, next_attempt(draft.observed.pod, container.name, record)))


def _look_after(draft: _Draft, container: Container) -> None:
    """Starts, restarts or kills one container that is to run."""
    observed = draft.observed
    record = observed.runtime.newest(container.name)
    if record is None:
        draft.begin(container)
    elif not is_running(record):
        if wants_restart(observed.pod, container, record):
            draft.begin(container)
    elif message := _reason_to_kill(container, record, observed.health):
        grace = observed.health.get(record.id, Health()).grace
        draft.kill.append(Kill(record.id, container.name, message, grace))
    elif changed := outdated(observed, container, record):
        if needs_restart(container, changed):
            message = f"Container {container.name} resize requires restart"
            draft.kill.append(Kill(record.id, container.name, message))
        else:
            draft.resize.append(Resize(record.id, container.name))


def _reason_to_kill(container: Container, record: ContainerRecord, health: Mapping[str, Health]) -> str:
    if record.annotations.get(HASH_ANNOTATION, "") not in ("", container_hash(container)):
        return f"Container {container.name} definition changed, will be restarted"
    return health.get(record.id, Health()).failure


def leftovers(observed: Observed) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of dead containers beyond the last two of each name, and of old sandboxes that hold no container."""
    seen: dict[str, int] = {}
    containers: list[str] = []
    holding: set[str] = set()
    for record in observed.runtime.containers:
        seen[record.name] = seen.get(record.name, 0) + 1
        if seen[record.name] > 2 and has_ended(record):
            containers.append(record.id)
        else:
            holding.add(record.sandbox_id)
    sandboxes = (box.id for box in observed.runtime.sandboxes[1:] if not box.ready and box.id not in holding)
    return tuple(containers), tuple(sandboxes)
