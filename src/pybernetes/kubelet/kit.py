"""What a pod worker works with: the seams to runtime, API server, files, probes and hooks, gathered in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.core_v1 import LifecycleHandler, ObjectReference, Pod, Probe
from pybernetes.client.client import Client
from pybernetes.environment.clock import Clock
from pybernetes.kubelet.decide.observed import AnyContainer, Waiting
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.runtime import (
    ContainerRecord,
    ContainerRuntime,
    ContainerSpec,
    Image,
    LinuxResources,
    SandboxSpec,
)


class StartFailure(Exception):
    """Something that a container or its pod needs is not there; `waiting` is what the status says of it.

    `retry` is in how many seconds it is worth while to try again.
    """

    def __init__(self, waiting: Waiting, retry: float = 10.0) -> None:
        super().__init__(waiting.message)
        self.waiting = waiting
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Target:
    """The running container that a probe or a hook is about."""

    pod: Pod
    container: AnyContainer
    container_id: str
    pod_ip: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe or hook has found. A steady outcome will not change while the container runs; a success that
    warns is told."""

    success: bool
    message: str = ""
    steady: bool = False
    warns: bool = False


class Preparation(Protocol):
    """Everything a container needs of its node besides an image: files, environment, addresses."""

    async def run(self) -> None:
        """Keeps what it has made up to date, until cancelled; may return at once."""

    async def prepare(self, pod: Pod) -> None:
        """Brings the pod's volumes and directories about; `StartFailure` when that is not possible now."""

    def changed(self, pod: Pod) -> None:
        """The pod is another one now; what it says of itself may stand in files."""

    def sandbox(self, pod: Pod, attempt: int) -> SandboxSpec: ...

    async def runtime_handler(self, pod: Pod) -> str:
        """What the runtime calls the pod's RuntimeClass; empty for its default, `RuntimeFailure` if it is unknown."""

    async def container(self, target: Target, attempt: int, image: Image) -> ContainerSpec:
        """The container to create (the target's id is empty); `StartFailure` for a bad or missing reference."""

    def resources(self, pod: Pod, container: AnyContainer) -> LinuxResources:
        """The control-group values that the container's resources stand for."""

    def termination_message(self, pod: Pod, container: AnyContainer, record: ContainerRecord) -> str: ...

    async def clean(self, uid: str) -> None:
        """Removes all that `prepare` has made."""

    async def clean_others(self, uids: set[str]) -> None:
        """Removes what is left of pods other than these, from before the kubelet started."""


class Prober(Protocol):
    """Carries out one probe, at most `timeoutSeconds` long."""

    async def probe(self, target: Target, probe: Probe) -> Outcome: ...


class Hooks(Protocol):
    """Carries out a lifecycle hook to its end."""

    async def run(self, target: Target, handler: LifecycleHandler) -> Outcome: ...


class Images(Protocol):
    """Makes sure that the node has an image."""

    async def ensure(self, pod: Pod, container: AnyContainer, sandbox: SandboxSpec) -> Image:
        """The image to run; `StartFailure` with ErrImagePull, ImagePullBackOff, ErrImageNeverPull ..."""


class Recorder(Protocol):
    """Tells users what happened; never fails the caller."""

    def event(
        self, obj: ApiObject | ObjectReference, type: str, reason: str, message: str, field_path: str = ""
    ) -> None: ...


def field_path(pod: Pod, name: str) -> str:
    """How an event names the container it is about: `spec.containers{web}`."""
    sorts: dict[str, Sequence[AnyContainer]] = {
        "initContainers": pod.spec.init_containers,
        "containers": pod.spec.containers,
        "ephemeralContainers": pod.spec.ephemeral_containers,
    }
    found = (sort for sort, containers in sorts.items() if any(each.name == name for each in containers))
    sort = next(found, "")
    return f"spec.{sort}{{{name}}}" if sort else ""


@dataclass(frozen=True)
class Kit:
    """One node's tools, shared by all its pod workers."""

    options: KubeletOptions
    client: Client
    runtime: ContainerRuntime
    clock: Clock
    preparation: Preparation
    images: Images
    prober: Prober
    hooks: Hooks
    recorder: Recorder

    def tell(self, pod: Pod, container: str, what: tuple[str, str, str]) -> None:
        """An event (type, reason, message) about one container."""
        self.recorder.event(pod, *what, field_path=field_path(pod, container))
