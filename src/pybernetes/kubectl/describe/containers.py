"""Containers in a description: image, ports, state, resources, probes, environment and mounts.

`write_containers` serves pods (with statuses) and pod templates (without); `space` indents the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pybernetes.api.quantity import canonical
from pybernetes.api.types.core_v1 import (
    Container,
    ContainerPort,
    ContainerState,
    ContainerStatus,
    EnvVar,
    EphemeralContainer,
    Probe,
)
from pybernetes.kubectl.describe.writing import Writing, moment

Resolve = Callable[[EnvVar, Container | EphemeralContainer], str]


def _nothing(_variable: EnvVar, _container: Container | EphemeralContainer) -> str:
    return ""


def write_containers(
    writing: Writing,
    title: str,
    containers: Sequence[Container | EphemeralContainer],
    statuses: Sequence[ContainerStatus] = (),
    space: str = "",
    resolve: Resolve = _nothing,
) -> None:
    """All containers of one sort; `resolve` tells what a variable from a field is."""
    if not containers:
        writing.line(f"{space}{title}: <none>")
        return
    writing.line(f"{space}{title}:")
    by_name = {status.name: status for status in statuses}
    for container in containers:
        status = by_name.get(container.name)
        writing.line(f"{' ' if space else ''}{container.name}:", 1)
        _write_basics(writing, container, status)
        _write_words(writing, "Command", container.command)
        _write_words(writing, "Args", container.args)
        if status is not None:
            _write_status(writing, status)
        _write_amounts(writing, "Limits", container.resources.limits)
        _write_amounts(writing, "Requests", container.resources.requests)
        for name, probe in _probes(container):
            writing.pair(name, probe_text(probe), 2)
        _write_environment(writing, container, resolve)
        _write_mounts(writing, container)


def _write_basics(writing: Writing, container: Container | EphemeralContainer, status: ContainerStatus | None) -> None:
    if status is not None:
        writing.pair("Container ID", status.container_id or "", 2)
    writing.pair("Image", container.image or "", 2)
    if status is not None:
        writing.pair("Image ID", status.image_id, 2)
    plural = "s" if len(container.ports) > 1 else ""
    writing.pair(f"Port{plural}", ports_text(container.ports), 2)
    writing.pair(f"Host Port{plural}", ports_text(container.ports, host=True), 2)


def ports_text(ports: Sequence[ContainerPort], host: bool = False) -> str:
    """`80/TCP, 53/UDP`; the host's ports are 0 where none is taken."""
    return ", ".join(f"{(port.host_port or 0) if host else port.container_port}/{port.protocol}" for port in ports) or (
        "<none>"
    )


def _write_words(writing: Writing, title: str, words: Sequence[str]) -> None:
    if not words:
        return
    writing.line(f"{title}:", 2)
    for word in words:
        for line in word.split("\n"):
            writing.line(line, 3)


def _write_status(writing: Writing, status: ContainerStatus) -> None:
    write_state(writing, "State", status.state)
    if status.last_state.terminated is not None:
        write_state(writing, "Last State", status.last_state)
    writing.pair("Ready", "True" if status.ready else "False", 2)
    writing.pair("Restart Count", status.restart_count, 2)


def write_state(writing: Writing, title: str, state: ContainerState) -> None:
    """Running, Waiting or Terminated, and since when or why."""
    if state.running is not None:
        writing.pair(title, "Running", 2)
        writing.pair("Started", moment(state.running.started_at), 3)
        return
    ended = state.terminated
    if ended is None:
        writing.pair(title, "Waiting", 2)
        if state.waiting is not None and state.waiting.reason:
            writing.pair("Reason", state.waiting.reason, 3)
        return
    writing.pair(title, "Terminated", 2)
    for name, value in (("Reason", ended.reason), ("Message", ended.message)):
        if value:
            writing.pair(name, value, 3)
    writing.pair("Exit Code", ended.exit_code, 3)
    if ended.signal:
        writing.pair("Signal", ended.signal, 3)
    writing.pair("Started", moment(ended.started_at), 3)
    writing.pair("Finished", moment(ended.finished_at), 3)


def _write_amounts(writing: Writing, title: str, amounts: Mapping[str, str | int | float]) -> None:
    if not amounts:
        return
    writing.line(f"{title}:", 2)
    for name in sorted(amounts):
        writing.pair(name, canonical(amounts[name]), 3)


def _probes(container: Container | EphemeralContainer) -> list[tuple[str, Probe]]:
    every = (
        ("Liveness", container.liveness_probe),
        ("Readiness", container.readiness_probe),
        ("Startup", container.startup_probe),
    )
    return [(name, probe) for name, probe in every if probe is not None]


def probe_text(probe: Probe) -> str:
    """What a probe does, and how often."""
    numbers = (
        f"delay={probe.initial_delay_seconds or 0}s timeout={probe.timeout_seconds or 0}s "
        f"period={probe.period_seconds or 0}s #success={probe.success_threshold or 0} "
        f"#failure={probe.failure_threshold or 0}"
    )
    if probe.exec is not None:
        return f"exec [{' '.join(probe.exec.command)}] {numbers}"
    if (get := probe.http_get) is not None:
        path = get.path or ""
        slash = "" if path.startswith("/") or not path else "/"
        port = "" if get.port is None else f":{get.port}"
        return f"http-get {(get.scheme or '').lower()}://{get.host or ''}{port}{slash}{path} {numbers}"
    if probe.tcp_socket is not None:
        return f"tcp-socket {probe.tcp_socket.host or ''}:{probe.tcp_socket.port} {numbers}"
    if probe.grpc is not None:
        return f"grpc <pod>:{probe.grpc.port} {probe.grpc.service or ''} {numbers}"
    return f"unknown {numbers}"


def _write_environment(writing: Writing, container: Container | EphemeralContainer, resolve: Resolve) -> None:
    if container.env_from:
        writing.line("Environment Variables from:", 2)
        for source in container.env_from:
            what = source.config_map_ref or source.secret_ref
            kind = "ConfigMap" if source.config_map_ref else "Secret"
            prefix = f" with prefix '{source.prefix}'" if source.prefix else ""
            optional = str(bool(what and what.optional)).lower()
            writing.line(f"{what.name if what else ''}\t{kind}{prefix}\tOptional: {optional}", 3)
    if not container.env:
        writing.line("Environment:\t<none>", 2)
        return
    writing.line("Environment:", 2)
    for variable in container.env:
        if variable.value_from is not None:
            writing.line(_sourced(variable, resolve(variable, container)), 3)
            continue
        first, *others = (variable.value or "").split("\n")
        writing.pair(variable.name, first, 3)
        for line in others:
            writing.line(f"\t{line}", 3)


def _sourced(variable: EnvVar, value: str) -> str:
    source = variable.value_from
    assert source is not None
    if (field := source.field_ref) is not None:
        return f"{variable.name}:\t{value} ({field.api_version or 'v1'}:{field.field_path})"
    if (amount := source.resource_field_ref) is not None:
        return f"{variable.name}:\t{value} ({amount.resource})"
    if (secret := source.secret_key_ref) is not None:
        optional = str(bool(secret.optional)).lower()
        return f"{variable.name}:\t<set to the key '{secret.key}' in secret '{secret.name}'>\tOptional: {optional}"
    if (config := source.config_map_key_ref) is not None:
        optional = str(bool(config.optional)).lower()
        return f"{variable.name}:\t<set to the key '{config.key}' of config map '{config.name}'>\tOptional: {optional}"
    return f"{variable.name}:\t"


def _write_mounts(writing: Writing, container: Container | EphemeralContainer) -> None:
    if not container.volume_mounts:
        writing.line("Mounts:\t<none>", 2)
    else:
        writing.line("Mounts:", 2)
    for mount in sorted(container.volume_mounts, key=lambda item: item.mount_path):
        flags = ["ro" if mount.read_only else "rw"]
        flags += [f'path="{mount.sub_path}"'] if mount.sub_path else []
        writing.line(f"{mount.mount_path} from {mount.name} ({','.join(flags)})", 3)
    if container.volume_devices:
        writing.line("Devices:", 2)
        for device in sorted(container.volume_devices, key=lambda item: item.device_path):
            writing.line(f"{device.device_path} from {device.name}", 3)
