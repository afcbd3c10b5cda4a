"""The seam between the kubelet and what runs containers: CRI (`cri/`) or the simulated runtime (`simulated.py`).

Everything that crosses it is a value of this module. Times are nanoseconds since the epoch, 0 meaning "not yet".
Pod workers call it; failures are `RuntimeFailure` with the runtime's own words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class RuntimeFailure(Exception):
    """The runtime said no; `reason` is the waiting reason to show where the failure is of a known sort."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class NotFound(RuntimeFailure):
    """The sandbox, container or image is not there (any more)."""


class State(Enum):
    """The life of a container."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A pod's sandbox as the runtime knows it."""

    id: str
    attempt: int
    ready: bool
    created_at: int
    ips: tuple[str, ...] = ()
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """A container, dead or alive, as the runtime knows it."""

    id: str
    sandbox_id: str
    name: str
    attempt: int
    state: State
    created_at: int
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    image: str = ""
    image_id: str = ""
    log_path: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuntimePod:
    """All that a runtime has of one pod; both tuples have the newest first."""

    uid: str
    namespace: str = ""
    name: str = ""
    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[ContainerRecord, ...] = ()

    def newest(self, name: str) -> ContainerRecord | None:
        """The latest container of that name."""
        return next((container for container in self.containers if container.name == name), None)

    def previous(self, name: str) -> ContainerRecord | None:
        """The container of that name before the latest one."""
        records = [container for container in self.containers if container.name == name]
        return records[1] if len(records) > 1 else None


@dataclass(frozen=True, slots=True)
class Mount:
    """A path of the node shown inside a container."""

    container_path: str
    host_path: str
    read_only: bool = False
    propagation: str = "None"


@dataclass(frozen=True, slots=True)
class Device:
    """A device node of the host shown inside a container."""

    container_path: str
    host_path: str
    permissions: str = "rwm"


@dataclass(frozen=True, slots=True)
class LinuxResources:
    """Control-group values; 0 means "no limit", `cpu_quota` is per `cpu_period` microseconds."""

    cpu_shares: int = 2
    cpu_quota: int = 0
    cpu_period: int = 100_000
    memory_limit: int = 0
    oom_score_adj: int = 0


@dataclass(frozen=True, slots=True)
class Security:
    """Who a process is and what it may do."""

    user: int | None = None
    user_name: str = ""
    group: int | None = None
    groups: tuple[int, ...] = ()
    privileged: bool = False
    read_only_root: bool = False
    no_new_privileges: bool = False
    add_capabilities: tuple[str, ...] = ()
    drop_capabilities: tuple[str, ...] = ()
    seccomp: str = "Unconfined"  # RuntimeDefault, Unconfined or Localhost/<path>
    unmasked_proc: bool = False


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A container's port published on the node."""

    container_port: int
    host_port: int
    protocol: str = "TCP"
    host_ip: str = ""


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What a sandbox shall be."""

    uid: str
    namespace: str
    name: str
    attempt: int = 0
    hostname: str = ""
    log_directory: str = ""
    cgroup_parent: str = ""
    dns_servers: tuple[str, ...] = ()
    dns_searches: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    ports: tuple[PortMapping, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    share_processes: bool = False
    runtime_handler: str = ""
    security: Security = Security()


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What a container shall be."""

    name: str
    attempt: int
    image: str  # the reference by which the runtime holds the image
    user_image: str = ""  # as the pod names it
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    devices: tuple[Device, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    log_path: str = ""  # below the sandbox's log directory
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    resources: LinuxResources = LinuxResources()
    security: Security = Security()
    target_id: str = ""  # the container whose processes an ephemeral container sees
    stop_signal: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the node holds."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0
    user: int | None = None
    user_name: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a registry asks for; never logged."""

    username: str = ""
    password: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command inside a container left."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def output(self) -> str:
        return (self.stdout + self.stderr).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Stats:
    """What a container uses now: cumulated CPU nanoseconds, bytes."""

    pod_uid: str
    name: str
    timestamp: int
    cpu_nanoseconds: int = 0
    memory_working_set: int = 0
    writable_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """`containerd` and `1.6.20`."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Why a runtime is not able to run pods; empty when it is."""

    problems: tuple[str, ...] = ()


class ContainerRuntime(Protocol):
    """Runs sandboxes and containers. Every method may raise `RuntimeFailure`; those that name an id, `NotFound`."""

    async def version(self) -> RuntimeVersion: ...

    async def readiness(self) -> Readiness: ...

    async def pods(self) -> list[RuntimePod]:
        """Every pod of which the runtime holds anything."""

    async def pod(self, uid: str) -> RuntimePod:
        """One pod; without sandboxes and containers when the runtime has none."""

    async def run_sandbox(self, spec: SandboxSpec) -> str:
        """Makes and starts a sandbox with its network; returns its id."""

    async def stop_sandbox(self, sandbox_id: str) -> None: ...

    async def remove_sandbox(self, sandbox_id: str) -> None: ...

    async def create_container(self, sandbox_id: str, spec: ContainerSpec, sandbox: SandboxSpec) -> str: ...

    async def start_container(self, container_id: str) -> None: ...

    async def update_resources(self, container_id: str, resources: LinuxResources) -> None:
        """Changes the control groups of a running container."""

    async def stop_container(self, container_id: str, grace: int) -> None:
        """Asks the process to end and kills it after `grace` seconds; returns when it is gone."""

    async def remove_container(self, container_id: str) -> None: ...

    async def image(self, name: str) -> Image | None:
        """The image as the node holds it; None when it does not."""

    async def pull_image(self, name: str, credentials: Credentials | None, sandbox: SandboxSpec) -> str:
        """Fetches an image; returns the reference to run it by."""

    async def images(self) -> list[Image]: ...

    async def remove_image(self, name: str) -> None: ...

    async def exec_sync(self, container_id: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        """Runs a command to its end; TimeoutError after `timeout` seconds (0: never)."""

    async def exec_url(self, container_id: str, command: tuple[str, ...], streams: Streams) -> str:
        """Where to speak with a new command: a URL of the runtime's streaming server."""

    async def attach_url(self, container_id: str, streams: Streams) -> str: ...

    async def port_forward_url(self, sandbox_id: str, ports: tuple[int, ...]) -> str: ...

    async def reopen_log(self, container_id: str) -> None: ...

    async def stats(self) -> list[Stats]: ...

    def events(self) -> AsyncIterator[str]:
        """The uids of pods of which something changed on its own; ends when the runtime hangs up."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Which streams a session of exec or attach has."""

    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False
