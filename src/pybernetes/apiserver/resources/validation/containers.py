"""Rules for the containers of a pod: names, images, ports, environment, mounts, resources, life cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pybernetes.api.names import config_map_key, dns1123_label, env_var_name, port_name, port_number
from pybernetes.api.status import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid,
    not_found_field,
    not_supported,
    required,
)
from pybernetes.api.types.core_v1 import (
    Container,
    ContainerPort,
    EnvVar,
    EphemeralContainer,
    ObjectFieldSelector,
    PodSpec,
    ResourceFieldSelector,
    Volume,
)
from pybernetes.apiserver.resources.validation.numbers import requirements
from pybernetes.apiserver.resources.validation.probes import validate_lifecycle, validate_probe
from pybernetes.apiserver.resources.validation.security import validate_container_security

AnyContainer = Container | EphemeralContainer

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_RESTARTS = ("Always", "Never", "OnFailure")
_ENVIRONMENT_FIELDS = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"}
    | {"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}
)
_KNOWN_FIELDS = _ENVIRONMENT_FIELDS | {"metadata.annotations", "metadata.labels", "status.phase", "spec.restartPolicy"}
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)


@dataclass(frozen=True)
class Surroundings:
    """What the rules for a container need to know of its pod."""

    volumes: Mapping[str, Volume]
    claims: frozenset[str]
    host_network: bool
    host_users: bool
    grace_seconds: int

    @staticmethod
    def of(spec: PodSpec) -> Surroundings:
        return Surroundings(
            volumes={volume.name: volume for volume in spec.volumes},
            claims=frozenset(claim.name for claim in spec.resource_claims),
            host_network=bool(spec.host_network),
            host_users=spec.host_users is not False,
            grace_seconds=spec.termination_grace_period_seconds or 0,
        )


def validate_containers(spec: PodSpec, path: str) -> list[FieldError]:
    """All regular and init containers of a pod."""
    around = Surroundings.of(spec)
    errors: list[FieldError] = []
    if not spec.containers:
        errors.append(required(f"{path}.containers"))
    names: set[str] = set()
    for index, container in enumerate(spec.containers):
        where = f"{path}.containers[{index}]"
        errors += validate_container(container, around, where)
        if container.name in names:
            errors.append(duplicate(f"{where}.name", container.name))
        elif container.name:
            names.add(container.name)
        errors += _validate_running(container, around, where)
    errors += _duplicate_host_ports(spec.containers, f"{path}.containers")
    for index, container in enumerate(spec.init_containers):
        where = f"{path}.initContainers[{index}]"
        errors += validate_container(container, around, where)
        if container.name in names:
            errors.append(duplicate(f"{where}.name", container.name))
        elif container.name:
            names.add(container.name)
        errors += _validate_init(container, around, where)
    return errors


def _validate_running(container: Container, around: Surroundings, path: str) -> list[FieldError]:
    """Probes and hooks, which need a container that keeps running."""
    errors: list[FieldError] = []
    if container.lifecycle is not None:
        errors += validate_lifecycle(container.lifecycle, f"{path}.lifecycle", around.grace_seconds)
    for name, probe in (
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
        ("startupProbe", container.startup_probe),
    ):
        if probe is not None:
            errors += validate_probe(probe, f"{path}.{name}", kind=name)
    return errors


def _validate_init(container: Container, around: Surroundings, path: str) -> list[FieldError]:
    if container.restart_policy == "Always":
        return _validate_running(container, around, path)
    detail = "may not be set for init containers without restartPolicy=Always"
    given = (
        ("lifecycle", container.lifecycle),
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
        ("startupProbe", container.startup_probe),
    )
    return [forbidden_field(f"{path}.{name}", detail) for name, value in given if value is not None]


def validate_container(container: AnyContainer, around: Surroundings, path: str) -> list[FieldError]:
    """The rules for one container of any sort."""
    errors: list[FieldError] = []
    if not container.name:
        errors.append(required(f"{path}.name"))
    else:
        errors += [invalid(f"{path}.name", container.name, text) for text in dns1123_label(container.name)]
    errors += _validate_image(container, path)
    if container.termination_message_policy not in ("File", "FallbackToLogsOnError"):
        given = container.termination_message_policy
        supported = ("File", "FallbackToLogsOnError")
        errors.append(not_supported(f"{path}.terminationMessagePolicy", given, supported))
    if container.ports:
        errors += _validate_ports(container.ports, around, f"{path}.ports")
    for index, variable in enumerate(container.env):
        errors += _validate_variable(variable, f"{path}.env[{index}]")
    if container.env_from:
        errors += _validate_env_from(container, f"{path}.envFrom")
    if container.volume_mounts:
        errors += _validate_mounts(container, around, path)
    if container.volume_devices:
        errors += _validate_devices(container, around, path)
    if container.image_pull_policy not in _PULL_POLICIES:
        errors.append(not_supported(f"{path}.imagePullPolicy", container.image_pull_policy, _PULL_POLICIES))
    errors += _validate_resources(container, around, f"{path}.resources")
    if container.restart_policy is not None and container.restart_policy not in _RESTARTS:
        errors.append(not_supported(f"{path}.restartPolicy", container.restart_policy, _RESTARTS))
    if container.security_context is not None:
        where = f"{path}.securityContext"
        errors += validate_container_security(container.security_context, where, host_users=around.host_users)
    return errors


def _validate_image(container: AnyContainer, path: str) -> list[FieldError]:
    image = container.image or ""
    if not image:
        return [required(f"{path}.image")]
    if image != image.strip():
        return [invalid(f"{path}.image", image, "must not have leading or trailing whitespace")]
    return []


def _validate_ports(ports: Sequence[ContainerPort], around: Surroundings, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        if port.name:
            problems = port_name(port.name)
            errors += [invalid(f"{where}.name", port.name, text) for text in problems]
            if not problems and port.name in names:
                errors.append(duplicate(f"{where}.name", port.name))
            names.add(port.name)
        if port.container_port == 0:
            errors.append(required(f"{where}.containerPort"))
        else:
            texts = port_number(port.container_port)
            errors += [invalid(f"{where}.containerPort", port.container_port, text) for text in texts]
        if port.host_port:
            errors += [invalid(f"{where}.hostPort", port.host_port, text) for text in port_number(port.host_port)]
            if around.host_network and port.host_port != port.container_port:
                detail = "must match `containerPort` when `hostNetwork` is true"
                errors.append(invalid(f"{where}.hostPort", port.host_port, detail))
        if not port.protocol:
            errors.append(required(f"{where}.protocol"))
        elif port.protocol not in PROTOCOLS:
            errors.append(not_supported(f"{where}.protocol", port.protocol, PROTOCOLS))
    return errors


def _duplicate_host_ports(containers: Sequence[Container], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    taken: set[str] = set()
    for number, container in enumerate(containers):
        for index, port in enumerate(container.ports):
            if not port.host_port:
                continue
            text = f"{port.protocol}/{port.host_ip or ''}/{port.host_port}"
            if text in taken:
                errors.append(duplicate(f"{path}[{number}].ports[{index}].hostPort", text))
            taken.add(text)
    return errors


def _validate_variable(variable: EnvVar, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not variable.name:
        errors.append(required(f"{path}.name"))
    else:
        errors += [invalid(f"{path}.name", variable.name, text) for text in env_var_name(variable.name)]
    if variable.value_from is not None:
        errors += _validate_value_source(variable, f"{path}.valueFrom")
    return errors


def _validate_value_source(variable: EnvVar, path: str) -> list[FieldError]:
    source = variable.value_from
    assert source is not None
    errors: list[FieldError] = []
    count = 0
    if source.field_ref is not None:
        count += 1
        errors += validate_field_ref(source.field_ref, f"{path}.fieldRef", in_volume=False)
    if source.resource_field_ref is not None:
        count += 1
        errors += validate_resource_ref(source.resource_field_ref, f"{path}.resourceFieldRef", in_volume=False)
    for name, reference in (("configMapKeyRef", source.config_map_key_ref), ("secretKeyRef", source.secret_key_ref)):
        if reference is None:
            continue
        count += 1
        if not reference.key:
            errors.append(required(f"{path}.{name}.key"))
        else:
            errors += [invalid(f"{path}.{name}.key", reference.key, text) for text in config_map_key(reference.key)]
    if source.file_key_ref is not None:
        count += 1
    if count == 0:
        choices = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        errors.append(invalid(path, "", f"must specify one of: {choices}"))
    if variable.value and count:
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors


def validate_field_ref(reference: ObjectFieldSelector, path: str, *, in_volume: bool) -> list[FieldError]:
    """A field of the pod that a container may see."""
    where = f"{path}.fieldPath"
    name = reference.field_path
    if not reference.api_version:
        return [required(f"{path}.apiVersion")]
    if not name:
        return [required(where)]
    base, bracket, _ = name.partition("['")
    if bracket and base in ("metadata.annotations", "metadata.labels"):
        return []
    supported: tuple[str, ...]
    if in_volume:
        supported = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
        if name in supported:
            return []
    else:
        supported = tuple(sorted(_ENVIRONMENT_FIELDS))
        if name in _ENVIRONMENT_FIELDS:
            return []
    if name not in _KNOWN_FIELDS:
        detail = f"error converting fieldPath: field label not supported: {name}"
        return [invalid(where, name, detail)]
    return [not_supported(where, name, supported)]


def validate_resource_ref(reference: ResourceFieldSelector, path: str, *, in_volume: bool) -> list[FieldError]:
    """A limit or request that a container may see."""
    if in_volume and not reference.container_name:
        return [required(f"{path}.containerName")]
    if not reference.resource:
        return [required(f"{path}.resource")]
    if reference.resource in _RESOURCES or reference.resource.partition(".")[2].startswith("hugepages-"):
        return []
    return [not_supported(f"{path}.resource", reference.resource, _RESOURCES)]


def _validate_env_from(container: AnyContainer, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, source in enumerate(container.env_from):
        where = f"{path}[{index}]"
        if source.prefix:
            errors += [invalid(f"{where}.prefix", source.prefix, text) for text in env_var_name(source.prefix)]
        for name, reference in (("configMapRef", source.config_map_ref), ("secretRef", source.secret_ref)):
            if reference is not None and not reference.name:
                errors.append(required(f"{where}.{name}.name"))
        if source.config_map_ref is None and source.secret_ref is None:
            errors.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif source.config_map_ref is not None and source.secret_ref is not None:
            errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors


def _validate_mounts(container: AnyContainer, around: Surroundings, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    paths: set[str] = set()
    devices = {device.name for device in container.volume_devices}
    for index, mount in enumerate(container.volume_mounts):
        where = f"{path}.volumeMounts[{index}]"
        if not mount.name:
            errors.append(required(f"{where}.name"))
        elif mount.name not in around.volumes:
            errors.append(not_found_field(f"{where}.name", mount.name))
        if not mount.mount_path:
            errors.append(required(f"{where}.mountPath"))
        if mount.mount_path in paths:
            errors.append(invalid(f"{where}.mountPath", mount.mount_path, "must be unique"))
        paths.add(mount.mount_path)
        if mount.name in devices:
            errors.append(invalid(f"{where}.name", mount.name, "must not already exist in volumeDevices"))
        for name, value in (("subPath", mount.sub_path), ("subPathExpr", mount.sub_path_expr)):
            if value:
                errors += local_path(value, f"{path}.volumeMounts.{name}")
        if mount.sub_path and mount.sub_path_expr:
            where = f"{path}.volumeMounts.subPathExpr"
            errors.append(invalid(where, mount.sub_path_expr, "subPathExpr and subPath are mutually exclusive"))
        propagation = mount.mount_propagation
        if propagation is not None and propagation not in ("None", "HostToContainer", "Bidirectional"):
            choices = ("Bidirectional", "HostToContainer", "None")
            errors.append(not_supported(f"{where}.mountPropagation", propagation, choices))
    return errors


def _validate_devices(container: AnyContainer, around: Surroundings, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    paths: set[str] = set()
    names: set[str] = set()
    for index, device in enumerate(container.volume_devices):
        where = f"{path}.volumeDevices[{index}]"
        volume = around.volumes.get(device.name)
        if not device.name:
            errors.append(required(f"{where}.name"))
        if device.name in names:
            errors.append(invalid(f"{where}.name", device.name, "must be unique"))
        if volume is None:
            errors.append(not_found_field(f"{where}.name", device.name))
        elif volume.persistent_volume_claim is None and volume.ephemeral is None:
            detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            errors.append(invalid(f"{where}.name", device.name, detail))
        if not device.device_path:
            errors.append(required(f"{where}.devicePath"))
        elif device.device_path in paths:
            errors.append(invalid(f"{where}.devicePath", device.device_path, "must be unique"))
        elif ".." in device.device_path.split("/"):
            detail = "can not contain backsteps ('..')"
            errors.append(invalid(f"{where}.devicePath", device.device_path, detail))
        paths.add(device.device_path)
        names.add(device.name)
    return errors


def local_path(value: str, path: str) -> list[FieldError]:
    """A path that stays below where it starts."""
    if value.startswith("/"):
        return [invalid(path, value, "must be a relative path")]
    return no_backsteps(value, path)


def no_backsteps(value: str, path: str) -> list[FieldError]:
    return [invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []


def _validate_resources(container: AnyContainer, around: Surroundings, path: str) -> list[FieldError]:
    resources = container.resources
    errors = requirements(resources.limits, resources.requests, path)
    for index, claim in enumerate(resources.claims):
        if claim.name not in around.claims:
            known = ", ".join(sorted(around.claims))
            detail = "must be one of the names in pod.spec.resourceClaims" + ("" if known else " which is empty")
            errors.append(FieldError("FieldValueNotFound", f"{path}.claims[{index}]", detail, claim.name))
    return errors
