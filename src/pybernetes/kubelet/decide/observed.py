"""What a decision about one pod is made from: the pod, what runs of it, what its probes say, what went wrong, when."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pybernetes.api.types.core_v1 import Container, EphemeralContainer, Pod
from pybernetes.kubelet.decide.backoff import BackOff
from pybernetes.kubelet.runtime import ContainerRecord, RuntimePod, Sandbox, State

HASH_ANNOTATION = "io.kubernetes.container.hash"

AnyContainer = Container | EphemeralContainer


@dataclass(frozen=True, slots=True)
class Health:
    """What the probes of one running container have found; None: no result yet."""

    started: bool | None = None
    ready: bool | None = None
    # Why the container has to be killed; set by liveness and startup probes.
    failure: str = ""
    # Seconds that the container then has to end, where the probe says so.
    grace: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a container does not run, as the status shows it."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A start that failed and when it may be tried again (0: when something else happens)."""

    waiting: Waiting
    retry_at: int = 0


@dataclass(frozen=True)
class Observed:
    """One look at one pod."""

    pod: Pod
    runtime: RuntimePod
    now: int
    health: Mapping[str, Health] = field(default_factory=dict)  # by container id
    back_offs: Mapping[str, BackOff] = field(default_factory=dict)  # by container name
    troubles: Mapping[str, Trouble] = field(default_factory=dict)  # by container name
    pod_trouble: Trouble | None = None  # a sandbox or a volume that cannot be made
    resized: Mapping[str, str] = field(default_factory=dict)  # stamps of resources by container id
    messages: Mapping[str, str] = field(default_factory=dict)  # termination messages by container id
    # The pod is to have no running containers any more.
    ending: bool = False
    # Why the kubelet itself ended the pod: ("Failed" reason, message), such as DeadlineExceeded.
    verdict: Waiting | None = None

    @property
    def sandbox(self) -> Sandbox | None:
        """The newest sandbox, ready or not."""
        return self.runtime.sandboxes[0] if self.runtime.sandboxes else None

    def current(self, name: str) -> ContainerRecord | None:
        """The newest container of that name if it belongs to the newest sandbox."""
        record = self.runtime.newest(name)
        if record is None or self.sandbox is None or record.sandbox_id != self.sandbox.id:
            return None
        return record


def all_containers(pod: Pod) -> list[AnyContainer]:
    """Main, init and ephemeral containers."""
    return [*pod.spec.containers, *pod.spec.init_containers, *pod.spec.ephemeral_containers]


def is_sidecar(container: AnyContainer) -> bool:
    """An init container that goes on running beside the others. Meaningful for init containers only."""
    return container.restart_policy == "Always"


def container_hash(container: AnyContainer) -> str:
    """Changes when the container has to be made anew."""
    text = f"{container.name}\n{container.image or ''}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def is_running(record: ContainerRecord | None) -> bool:
    return record is not None and record.state is State.RUNNING


def has_ended(record: ContainerRecord) -> bool:
    return record.state in (State.EXITED, State.UNKNOWN)


def is_started(container: AnyContainer, record: ContainerRecord | None, health: Mapping[str, Health]) -> bool:
    """Whether it runs and its startup probe, if any, has succeeded."""
    if record is None or record.state is not State.RUNNING:
        return False
    if container.startup_probe is None:
        return True
    return health.get(record.id, Health()).started is True


def wants_restart(pod: Pod, container: AnyContainer, record: ContainerRecord) -> bool:
    """Whether the restart policy brings back a container that is not running."""
    if not has_ended(record):
        return True
    code = record.exit_code if record.state is State.EXITED else 137
    for rule in container.restart_policy_rules:
        if rule.exit_codes is None or rule.action != "Restart":
            continue
        if (code in rule.exit_codes.values) == (rule.exit_codes.operator == "In"):
            return True
    policy = container.restart_policy or pod.spec.restart_policy or "Always"
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def is_done(observed: Observed) -> bool:
    """Whether nothing of the pod will run again: its containers have ended for good, or initialization has failed."""
    pod = observed.pod
    for container in pod.spec.init_containers:
        record = observed.runtime.newest(container.name)
        if is_sidecar(container) or record is None or not has_ended(record):
            continue
        if record.exit_code != 0 and not wants_restart(pod, container, record):
            return True
    for container in pod.spec.containers:
        record = observed.runtime.newest(container.name)
        if record is None or not has_ended(record) or wants_restart(pod, container, record):
            return False
    return True
