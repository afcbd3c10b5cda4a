"""Defaults of containers and their probes, ports, environment and resources, for every container of every pod spec."""

from __future__ import annotations

import re

from pybernetes.api.types.core_v1 import (
    Container,
    DownwardAPIVolumeFile,
    EnvVar,
    EnvVarSource,
    EphemeralContainer,
    HTTPGetAction,
    Lifecycle,
    LifecycleHandler,
    Probe,
)
from pybernetes.apiserver.resources.amounts import canonical_or_none, canonicalize_requirements


def default_container(container: Container | EphemeralContainer) -> None:
    """Fills one container in place."""
    if not container.image_pull_policy:
        container.image_pull_policy = pull_policy_of(container.image or "")
    if not container.termination_message_path:
        container.termination_message_path = "/dev/termination-log"
    if not container.termination_message_policy:
        container.termination_message_policy = "File"
    for port in container.ports:
        if not port.protocol:
            port.protocol = "TCP"
        port.host_port = port.host_port or None
    for variable in container.env:
        _default_variable(variable)
    canonicalize_requirements(container.resources)
    for probe in (container.liveness_probe, container.readiness_probe, container.startup_probe):
        if probe is not None:
            _default_probe(probe)
    if container.lifecycle is not None:
        container.lifecycle = _default_lifecycle(container.lifecycle)
    for mount in container.volume_mounts:
        mount.read_only = mount.read_only or None
    container.stdin = container.stdin or None
    container.stdin_once = container.stdin_once or None
    container.tty = container.tty or None


_DOMAIN = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = rf"(?:(?:{_DOMAIN}(?:\.{_DOMAIN})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?{_PART}(?:/{_PART})*"
_NAME_MAX = 255


def pull_policy_of(image: str) -> str:
    """`Always` for the tag `latest`, written or implied; a digest pins the image, and what is no image has no tag."""
    name, _, digest = image.partition("@")
    path, slash, last = name.rpartition("/")
    repository, colon, tag = last.partition(":")
    if (tag != "latest") if colon else digest or not name:
        return "IfNotPresent"
    repository = path + slash + repository
    known = len(repository) <= _NAME_MAX and re.fullmatch(_REPOSITORY, repository)
    return "Always" if known else "IfNotPresent"


def _default_variable(variable: EnvVar) -> None:
    variable.value = variable.value or None
    source = variable.value_from
    if source is None:
        return
    default_references(source)
    if source.file_key_ref is not None:
        source.file_key_ref.optional = bool(source.file_key_ref.optional)


def default_references(holder: EnvVarSource | DownwardAPIVolumeFile) -> None:
    """Fills what a container may see of its pod, in a variable or in a file."""
    if holder.field_ref is not None and not holder.field_ref.api_version:
        holder.field_ref.api_version = "v1"
    if holder.resource_field_ref is not None:
        holder.resource_field_ref.divisor = canonical_or_none(holder.resource_field_ref.divisor) or "0"


def _default_probe(probe: Probe) -> None:
    probe.timeout_seconds = probe.timeout_seconds or 1
    probe.period_seconds = probe.period_seconds or 10
    probe.success_threshold = probe.success_threshold or 1
    probe.failure_threshold = probe.failure_threshold or 3
    if probe.http_get is not None:
        _default_http_get(probe.http_get)
    if probe.grpc is not None and probe.grpc.service is None:
        probe.grpc.service = ""


def _default_lifecycle(lifecycle: Lifecycle) -> Lifecycle | None:
    for handler in (lifecycle.post_start, lifecycle.pre_stop):
        if handler is not None:
            _default_handler(handler)
    if lifecycle.stop_signal is None:
        return lifecycle
    # Belongs to a feature that is off by default, whose fields the API server drops.
    lifecycle.stop_signal = None
    return None if lifecycle.post_start is None and lifecycle.pre_stop is None else lifecycle


def _default_handler(handler: LifecycleHandler) -> None:
    if handler.http_get is not None:
        _default_http_get(handler.http_get)


def _default_http_get(action: HTTPGetAction) -> None:
    action.path = action.path or "/"
    action.scheme = action.scheme or "HTTP"
