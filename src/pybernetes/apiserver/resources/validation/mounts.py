"""Rules for what containers see of the pod's volumes: mounted directories and raw devices."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.status import FieldError, forbidden_field, invalid, not_found_field, not_supported, required
from pybernetes.api.types.core_v1 import Container, EphemeralContainer, Volume, VolumeMount
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.paths import local_path

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIONS = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(
    container: Container | EphemeralContainer, volumes: Mapping[str, Volume], path: str
) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated(mount.mount_path for mount in container.volume_mounts)
    devices = {device.name: device.device_path for device in container.volume_devices}
    for index, mount in enumerate(container.volume_mounts):
        where = f"{path}[{index}]"
        if not mount.name:
            errors.append(required(f"{where}.name"))
        if mount.name not in volumes:
            errors.append(not_found_field(f"{where}.name", mount.name))
        if not mount.mount_path:
            errors.append(required(f"{where}.mountPath"))
        if index in again:
            errors.append(invalid(f"{where}.mountPath", mount.mount_path, "must be unique"))
        if mount.name in devices:
            errors.append(invalid(f"{where}.name", mount.name, "must not already exist in volumeDevices"))
        if devices and mount.mount_path in devices.values():
            detail = "must not already exist as a path in volumeDevices"
            errors.append(invalid(f"{where}.mountPath", mount.mount_path, detail))
        errors += _validate_part(mount, where, path)
        if mount.mount_propagation is not None:
            errors += _validate_propagation(mount.mount_propagation, container, f"{path}.mountPropagation")
        if mount.recursive_read_only is not None:
            errors += _validate_recursion(mount, f"{path}.recursiveReadOnly")
    return errors


def _validate_part(mount: VolumeMount, where: str, path: str) -> list[FieldError]:
    """A part of a volume; upstream does not say of which mount it complains."""
    errors = local_path(mount.sub_path, f"{path}.subPath") if mount.sub_path else []
    if mount.sub_path_expr:
        if mount.sub_path:
            detail = "subPathExpr and subPath are mutually exclusive"
            errors.append(invalid(f"{where}.subPathExpr", mount.sub_path_expr, detail))
        errors += local_path(mount.sub_path_expr, f"{path}.subPathExpr")
    return errors


def _validate_propagation(propagation: str, container: Container | EphemeralContainer, path: str) -> list[FieldError]:
    if propagation not in _PROPAGATIONS:
        return [not_supported(path, propagation, _PROPAGATIONS)]
    context = container.security_context
    if propagation == "Bidirectional" and (context is None or not context.privileged):
        detail = "Bidirectional mount propagation is available only to privileged containers"
        return [forbidden_field(path, detail)]
    return []


def _validate_recursion(mount: VolumeMount, path: str) -> list[FieldError]:
    mode = mount.recursive_read_only
    if mode not in _RECURSIONS:
        return [not_supported(path, mode, _RECURSIONS)]
    errors: list[FieldError] = []
    if mode != "Disabled":
        if not mount.read_only:
            errors.append(forbidden_field(path, "may only be specified when readOnly is true"))
        if mount.mount_propagation not in (None, "None"):
            detail = "may only be specified when mountPropagation is None or not specified"
            errors.append(forbidden_field(path, detail))
    return errors


def validate_devices(
    container: Container | EphemeralContainer, volumes: Mapping[str, Volume], path: str
) -> list[FieldError]:
    errors: list[FieldError] = []
    names = repeated(device.name for device in container.volume_devices)
    paths = repeated(device.device_path for device in container.volume_devices)
    mounts = {mount.name: mount.mount_path for mount in container.volume_mounts}
    for index, device in enumerate(container.volume_devices):
        name, place = device.name, device.device_path
        where, at = f"{path}[{index}].name", f"{path}[{index}].devicePath"
        volume = volumes.get(name)
        if not name:
            errors.append(required(where))
        elif index in names:
            errors.append(invalid(where, name, "must be unique"))
        if volume is None:
            errors.append(not_found_field(where, name))
        elif volume.persistent_volume_claim is None and volume.ephemeral is None:
            detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            errors.append(invalid(where, name, detail))
        if not place:
            errors.append(required(at))
        if ".." in place.split("/"):
            errors.append(invalid(at, place, "can not contain backsteps ('..')"))
        elif index in paths:
            errors.append(invalid(at, place, "must be unique"))
        if name in mounts:
            errors.append(invalid(where, name, "must not already exist in volumeMounts"))
        if place in mounts.values():
            errors.append(invalid(at, place, "must not already exist as a path in volumeMounts"))
    return errors
