"""Rules for the volumes of a pod and for the sources of persistent volumes."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.names import dns1123_label
from pybernetes.api.quantity import amount
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import (
    DownwardAPIVolumeFile,
    HostPathVolumeSource,
    KeyToPath,
    PersistentVolumeSpec,
    ProjectedVolumeSource,
    Volume,
)
from pybernetes.apiserver.resources.validation.containers import (
    local_path,
    no_backsteps,
    validate_field_ref,
    validate_resource_ref,
)

MORE_THAN_ONE = "may not specify more than 1 volume type"
_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"
_HOST_PATHS = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
# In the order in which a second source is complained about; wire names where they differ from the attribute's.
_SOURCES = tuple(name for name in Volume.__struct_fields__ if name != "name" and name != "empty_dir")
_WIRE_NAMES = dict(zip(Volume.__struct_fields__, Volume.__struct_encode_fields__, strict=True))


def validate_volumes(volumes: Sequence[Volume], path: str) -> list[FieldError]:
    """Each volume has a name of its own and one source."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        where = f"{path}[{index}]"
        errors += _validate_source(volume, where)
        if not volume.name:
            errors.append(required(f"{where}.name"))
        else:
            problems = dns1123_label(volume.name)
            errors += [invalid(f"{where}.name", volume.name, text) for text in problems]
            if volume.name in names:
                errors.append(duplicate(f"{where}.name", volume.name))
            names.add(volume.name)
    return errors


def _validate_source(volume: Volume, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    found = volume.empty_dir is not None
    if volume.empty_dir is not None:
        limit = volume.empty_dir.size_limit
        if limit is not None and amount(limit).nano < 0:
            detail = "SizeLimit field must be a valid resource quantity"
            errors.append(forbidden_field(f"{path}.emptyDir.sizeLimit", detail))
    for name in _SOURCES:
        if getattr(volume, name) is None:
            continue
        if found:
            errors.append(forbidden_field(f"{path}.{_WIRE_NAMES[name]}", MORE_THAN_ONE))
        else:
            found = True
            errors += _validate_kind(volume, name, path)
    if not found:
        errors.append(required(path, "must specify a volume type"))
    return errors


def _validate_kind(volume: Volume, name: str, path: str) -> list[FieldError]:
    where = f"{path}.{_WIRE_NAMES[name]}"
    if name == "host_path" and volume.host_path is not None:
        return validate_host_path(volume.host_path, where)
    if name == "secret" and volume.secret is not None:
        missing = [] if volume.secret.secret_name else [required(f"{where}.secretName")]
        return missing + _validate_files(volume.secret.default_mode, volume.secret.items, where)
    if name == "config_map" and volume.config_map is not None:
        missing = [] if volume.config_map.name else [required(f"{where}.name")]
        return missing + _validate_files(volume.config_map.default_mode, volume.config_map.items, where)
    if name == "persistent_volume_claim" and volume.persistent_volume_claim is not None:
        return [] if volume.persistent_volume_claim.claim_name else [required(f"{where}.claimName")]
    if name == "downward_api" and volume.downward_api is not None:
        errors = _mode(volume.downward_api.default_mode, f"{where}.defaultMode")
        for file in volume.downward_api.items:
            errors += _validate_downward(file, where)
        return errors
    if name == "projected" and volume.projected is not None:
        return _validate_projected(volume.projected, where)
    if name == "nfs" and volume.nfs is not None:
        return _validate_nfs(volume.nfs.server, volume.nfs.path, where)
    if name == "ephemeral" and volume.ephemeral is not None and volume.ephemeral.volume_claim_template is None:
        return [required(f"{where}.volumeClaimTemplate")]
    if name == "csi" and volume.csi is not None and not volume.csi.driver:
        return [required(f"{where}.driver")]
    return []


def _validate_nfs(server: str, exported: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not server:
        errors.append(required(f"{path}.server"))
    if not exported:
        errors.append(required(f"{path}.path"))
    elif not exported.startswith("/"):
        errors.append(invalid(f"{path}.path", exported, "must be an absolute path"))
    return errors


def validate_host_path(source: HostPathVolumeSource, path: str) -> list[FieldError]:
    if not source.path:
        return [required(f"{path}.path")]
    errors = no_backsteps(source.path, f"{path}.path")
    if source.type is not None and source.type not in _HOST_PATHS:
        errors.append(not_supported(f"{path}.type", source.type, _HOST_PATHS))
    return errors


def _mode(mode: int | None, path: str) -> list[FieldError]:
    return [invalid(path, mode, _MODE_TEXT)] if mode is not None and not 0 <= mode <= 0o777 else []


def _validate_files(default_mode: int | None, items: Sequence[KeyToPath], path: str) -> list[FieldError]:
    errors = _mode(default_mode, f"{path}.defaultMode")
    for index, item in enumerate(items):
        where = f"{path}.items[{index}]"
        if not item.key:
            errors.append(required(f"{where}.key"))
        errors += _validate_target(item.path, f"{where}.path")
        errors += _mode(item.mode, f"{where}.mode")
    return errors


def _validate_target(target: str, path: str) -> list[FieldError]:
    if not target:
        return [required(path)]
    errors = local_path(target, path)
    if not errors and target.startswith(".."):
        errors.append(invalid(path, target, "must not start with '..'"))
    return errors


def _validate_downward(file: DownwardAPIVolumeFile, path: str) -> list[FieldError]:
    errors = _validate_target(file.path, f"{path}.path")
    if file.field_ref is not None:
        errors += validate_field_ref(file.field_ref, f"{path}.fieldRef", in_volume=True)
        if file.resource_field_ref is not None:
            detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
            errors.append(invalid(path, "resource", detail))
    elif file.resource_field_ref is not None:
        errors += validate_resource_ref(file.resource_field_ref, f"{path}.resourceFieldRef", in_volume=True)
    else:
        errors.append(required(path, "one of fieldRef and resourceFieldRef is required"))
    return errors + _mode(file.mode, f"{path}.mode")


def _validate_projected(projected: ProjectedVolumeSource, path: str) -> list[FieldError]:
    errors = _mode(projected.default_mode, f"{path}.defaultMode")
    targets: set[str] = set()
    for index, source in enumerate(projected.sources):
        where = f"{path}.sources[{index}]"
        paths: list[str] = []
        given = (source.secret, source.config_map, source.downward_api, source.service_account_token)
        if sum(each is not None for each in given) > 1:
            errors.append(forbidden_field(where, MORE_THAN_ONE))
        for name, files in (("secret", source.secret), ("configMap", source.config_map)):
            if files is not None:
                if not files.name:
                    errors.append(required(f"{where}.{name}.name"))
                errors += _validate_files(None, files.items, f"{where}.{name}")
                paths += [item.path for item in files.items]
        if source.downward_api is not None:
            for file in source.downward_api.items:
                errors += _validate_downward(file, f"{where}.downwardAPI")
                paths.append(file.path)
        token = source.service_account_token
        if token is not None:
            seconds = token.expiration_seconds or 0
            if seconds < 600:
                detail = "may not specify a duration less than 10 minutes"
                errors.append(invalid(f"{where}.serviceAccountToken.expirationSeconds", seconds, detail))
            errors += _validate_target(token.path, f"{where}.serviceAccountToken.path")
            paths.append(token.path)
        for target in paths:
            if target and target in targets:
                errors.append(invalid(path, target, "conflicting duplicate paths"))
            targets.add(target)
    return errors


_PERSISTENT_SOURCES: tuple[str, ...] = (
    "host_path",
    "gce_persistent_disk",
    "aws_elastic_block_store",
    "glusterfs",
    "flocker",
    "nfs",
)
_PERSISTENT_SOURCES += ("rbd", "quobyte", "cephfs", "iscsi", "cinder", "fc", "flex_volume", "azure_file")
_PERSISTENT_SOURCES += ("vsphere_volume", "azure_disk", "photon_persistent_disk", "portworx_volume", "scale_io")
_PERSISTENT_SOURCES += ("local", "storageos", "csi")
_PERSISTENT_NAMES = dict(
    zip(PersistentVolumeSpec.__struct_fields__, PersistentVolumeSpec.__struct_encode_fields__, strict=True)
)


def persistent_sources(spec: PersistentVolumeSpec) -> dict[str, object]:
    """The sources that a persistent volume names, by their name on the wire."""
    found = {_PERSISTENT_NAMES[name]: getattr(spec, name) for name in _PERSISTENT_SOURCES}
    return {name: source for name, source in found.items() if source is not None}


def validate_persistent_source(spec: PersistentVolumeSpec, path: str) -> list[FieldError]:
    """Exactly one source, complete."""
    names = list(persistent_sources(spec))
    if not names:
        return [required(path, "must specify a volume type")]
    errors = [forbidden_field(f"{path}.{name}", MORE_THAN_ONE) for name in names[1:]]
    if spec.host_path is not None:
        errors += validate_host_path(spec.host_path, f"{path}.hostPath")
    elif spec.nfs is not None:
        errors += _validate_nfs(spec.nfs.server, spec.nfs.path, f"{path}.nfs")
    elif spec.local is not None:
        if not spec.local.path:
            errors.append(required(f"{path}.local.path"))
        else:
            errors += no_backsteps(spec.local.path, f"{path}.local.path")
        if spec.node_affinity is None:
            errors.append(required(f"{path}.nodeAffinity", "Local volume requires node affinity"))
    elif spec.csi is not None:
        if not spec.csi.driver:
            errors.append(required(f"{path}.csi.driver"))
        if not spec.csi.volume_handle:
            errors.append(required(f"{path}.csi.volumeHandle"))
    return errors
