"""Between the seam's values and CRI messages; pure. `CriRuntime` calls it for what it sends and what it gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pybernetes.kubelet.cri.messages import CRI
from pybernetes.kubelet.runtime import (
    ContainerRecord,
    ContainerSpec,
    Image,
    LinuxResources,
    Sandbox,
    SandboxSpec,
    Security,
    State,
)

POD_NAME, POD_NAMESPACE, POD_UID = "io.kubernetes.pod.name", "io.kubernetes.pod.namespace", "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"

MASKED_PATHS = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READ_ONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

_STATES = (State.CREATED, State.RUNNING, State.EXITED, State.UNKNOWN)
_PROPAGATION = {"None": 0, "HostToContainer": 1, "Bidirectional": 2}
_POD, _CONTAINER, _NODE, _TARGET = 0, 1, 2, 3


def sandbox_config(spec: SandboxSpec) -> Any:
    """PodSandboxConfig."""
    make = CRI.message
    labels = {**spec.labels, POD_NAME: spec.name, POD_NAMESPACE: spec.namespace, POD_UID: spec.uid}
    return make("PodSandboxConfig")(
        metadata=make("PodSandboxMetadata")(
            name=spec.name, uid=spec.uid, namespace=spec.namespace, attempt=spec.attempt
        ),
        hostname="" if spec.host_network else spec.hostname,
        log_directory=spec.log_directory,
        dns_config=make("DNSConfig")(servers=spec.dns_servers, searches=spec.dns_searches, options=spec.dns_options),
        port_mappings=[
            make("PortMapping")(
                protocol=CRI.number("Protocol", port.protocol),
                container_port=port.container_port,
                host_port=port.host_port,
                host_ip=port.host_ip,
            )
            for port in spec.ports
        ],
        labels=labels,
        annotations=dict(spec.annotations),
        linux=make("LinuxPodSandboxConfig")(
            cgroup_parent=spec.cgroup_parent, sysctls=dict(spec.sysctls), security_context=_sandbox_security(spec)
        ),
    )


def namespaces(spec: SandboxSpec, target_id: str = "") -> Any:
    """NamespaceOption of a sandbox or of a container in it."""
    pid = _NODE if spec.host_pid else _POD if spec.share_processes else _CONTAINER
    return CRI.message("NamespaceOption")(
        network=_NODE if spec.host_network else _POD,
        ipc=_NODE if spec.host_ipc else _POD,
        pid=_TARGET if target_id else pid,
        target_id=target_id,
    )


def _sandbox_security(spec: SandboxSpec) -> Any:
    security = spec.security
    return CRI.message("LinuxSandboxSecurityContext")(
        namespace_options=namespaces(spec),
        run_as_user=_int64(security.user),
        run_as_group=_int64(security.group) if security.user is not None else None,
        supplemental_groups=security.groups,
        privileged=security.privileged,
        seccomp=seccomp("RuntimeDefault"),
    )


def _int64(value: int | None) -> Any:
    return None if value is None else CRI.message("Int64Value")(value=value)


def seccomp(profile: str) -> Any:
    """SecurityProfile."""
    sort, _, path = profile.partition("/")
    number = CRI.number("SecurityProfile.ProfileType", sort)
    return CRI.message("SecurityProfile")(profile_type=number, localhost_ref=path)


def container_config(spec: ContainerSpec, sandbox: SandboxSpec) -> Any:
    """ContainerConfig."""
    make = CRI.message
    names = {POD_NAME: sandbox.name, POD_NAMESPACE: sandbox.namespace, POD_UID: sandbox.uid, CONTAINER_NAME: spec.name}
    config = make("ContainerConfig")(
        metadata=make("ContainerMetadata")(name=spec.name, attempt=spec.attempt),
        image=make("ImageSpec")(image=spec.image, user_specified_image=spec.user_image),
        command=spec.command,
        args=spec.args,
        working_dir=spec.working_dir,
        envs=[make("KeyValue")(key=name, value=value.encode()) for name, value in spec.env],
        mounts=[
            make("Mount")(
                container_path=mount.container_path,
                host_path=mount.host_path,
                readonly=mount.read_only,
                propagation=_PROPAGATION[mount.propagation],
            )
            for mount in spec.mounts
        ],
        devices=[
            make("Device")(
                container_path=device.container_path, host_path=device.host_path, permissions=device.permissions
            )
            for device in spec.devices
        ],
        labels={**spec.labels, **names},
        annotations=dict(spec.annotations),
        log_path=spec.log_path,
        stdin=spec.stdin,
        stdin_once=spec.stdin_once,
        tty=spec.tty,
        linux=make("LinuxContainerConfig")(
            resources=resources(spec.resources),
            security_context=_container_security(spec.security, namespaces(sandbox, spec.target_id)),
        ),
    )
    if spec.stop_signal:
        config.stop_signal = CRI.number("Signal", spec.stop_signal)
    return config


def resources(values: LinuxResources) -> Any:
    """LinuxContainerResources."""
    return CRI.message("LinuxContainerResources")(
        cpu_shares=values.cpu_shares,
        cpu_quota=values.cpu_quota,
        cpu_period=values.cpu_period,
        memory_limit_in_bytes=values.memory_limit,
        oom_score_adj=values.oom_score_adj,
    )


def _container_security(security: Security, options: Any) -> Any:
    make = CRI.message
    hidden = not security.privileged and not security.unmasked_proc
    return make("LinuxContainerSecurityContext")(
        capabilities=make("Capability")(
            add_capabilities=security.add_capabilities, drop_capabilities=security.drop_capabilities
        ),
        privileged=security.privileged,
        namespace_options=options,
        run_as_user=_int64(security.user),
        run_as_username=security.user_name,
        run_as_group=_int64(security.group),
        readonly_rootfs=security.read_only_root,
        supplemental_groups=security.groups,
        no_new_privs=security.no_new_privileges,
        masked_paths=MASKED_PATHS if hidden else (),
        readonly_paths=READ_ONLY_PATHS if hidden else (),
        seccomp=seccomp("Unconfined" if security.privileged else security.seccomp),
    )


def sandbox_of(item: Any, ips: tuple[str, ...], host_network: bool) -> Sandbox:
    """A sandbox from a list's item and what its status told."""
    return Sandbox(item.id, item.metadata.attempt, is_ready(item), item.created_at, ips, host_network)


def is_ready(item: Any) -> bool:
    """Whether a sandbox runs."""
    return bool(item.state == CRI.number("PodSandboxState", "SANDBOX_READY"))


def ips_of(status: Any) -> tuple[str, ...]:
    """The addresses in a PodSandboxStatus."""
    network = status.network
    return tuple(ip for ip in (network.ip, *(more.ip for more in network.additional_ips)) if ip)


def is_on_host_network(status: Any) -> bool:
    return bool(status.linux.namespaces.options.network == _NODE)


def state_of(item: Any) -> State:
    return _STATES[item.state]


def alive(boxes: Iterable[Any], containers: Iterable[Any]) -> set[str]:
    """Ids of what has not ended: sandboxes that are ready, containers that run or are about to."""
    begun = (State.CREATED, State.RUNNING)
    return {box.id for box in boxes if is_ready(box)} | {item.id for item in containers if state_of(item) in begun}


def record_of(status: Any, sandbox_id: str) -> ContainerRecord:
    """A container from its ContainerStatus."""
    return ContainerRecord(
        id=status.id,
        sandbox_id=sandbox_id,
        name=status.metadata.name,
        attempt=status.metadata.attempt,
        state=state_of(status),
        created_at=status.created_at,
        started_at=status.started_at,
        finished_at=status.finished_at,
        exit_code=status.exit_code,
        reason=status.reason,
        message=status.message,
        image=status.image.image,
        image_id=status.image_ref,
        log_path=status.log_path,
        annotations=dict(status.annotations),
    )


def image_of(message: Any) -> Image:
    """An image from the message of that name."""
    return Image(
        id=message.id,
        tags=tuple(message.repo_tags),
        digests=tuple(message.repo_digests),
        size=message.size,
        user=message.uid.value if message.HasField("uid") else None,
        user_name=message.username,
    )
