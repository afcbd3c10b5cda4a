"""Rules for the files that volumes show of other objects: secrets, config maps, fields of the pod, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import (
    ConfigMapVolumeSource,
    DownwardAPIVolumeFile,
    DownwardAPIVolumeSource,
    KeyToPath,
    ProjectedVolumeSource,
    SecretVolumeSource,
    ServiceAccountTokenProjection,
    VolumeProjection,
)
from pybernetes.apiserver.resources.validation.environment import validate_field_ref, validate_resource_ref
from pybernetes.apiserver.resources.validation.lists import each
from pybernetes.apiserver.resources.validation.paths import unreserved_path

_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"
_DOUBLE = "conflicting duplicate paths"
_LONGEST_TOKEN = 1 << 32


def _mode(mode: int | None, path: str) -> list[FieldError]:
    return [invalid(path, mode, _MODE_TEXT)] if mode is not None and not 0 <= mode <= 0o777 else []


def _target(target: str, path: str) -> list[FieldError]:
    """Where a file appears within its volume."""
    return unreserved_path(target, path) if target else [required(path)]


def validate_secret(source: SecretVolumeSource, path: str) -> list[FieldError]:
    errors = [] if source.secret_name else [required(f"{path}.secretName")]
    return errors + _mode(source.default_mode, f"{path}.defaultMode") + _items(source.items, path)


def validate_config_map(source: ConfigMapVolumeSource, path: str) -> list[FieldError]:
    errors = [] if source.name else [required(f"{path}.name")]
    return errors + _mode(source.default_mode, f"{path}.defaultMode") + _items(source.items, path)


def _items(items: Sequence[KeyToPath], path: str) -> list[FieldError]:
    return each(items, _item, f"{path}.items")


def _item(item: KeyToPath, path: str) -> list[FieldError]:
    errors = [] if item.key else [required(f"{path}.key")]
    return errors + _target(item.path, f"{path}.path") + _mode(item.mode, f"{path}.mode")


def validate_downward_api(source: DownwardAPIVolumeSource, path: str) -> list[FieldError]:
    errors = _mode(source.default_mode, f"{path}.defaultMode")
    for file in source.items:
        errors += _downward_file(file, path)
    return errors


def _downward_file(file: DownwardAPIVolumeFile, path: str) -> list[FieldError]:
    errors = _target(file.path, f"{path}.path")
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


def validate_projected(projected: ProjectedVolumeSource, path: str) -> list[FieldError]:
    """Each source is of one sort, and no two files have the same path."""
    errors = _mode(projected.default_mode, f"{path}.defaultMode")
    taken: set[str] = set()
    for index, source in enumerate(projected.sources):
        where = f"{path}.sources[{index}]"
        errors += _projection(source, path, where, taken)
        given = (source.secret, source.config_map, source.downward_api, source.service_account_token)
        if sum(each is not None for each in given) > 1:
            errors.append(forbidden_field(where, "may not specify more than 1 volume type per source"))
    return errors


def _projection(source: VolumeProjection, path: str, where: str, taken: set[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, files in (("secret", source.secret), ("configMap", source.config_map)):
        if files is not None:
            errors += _projected_items(files, f"{where}.{name}", path, taken)
    if source.downward_api is not None:
        for file in source.downward_api.items:
            errors += _downward_file(file, f"{where}.downwardAPI")
            errors += _take(file.path, file.path, path, taken)
    if source.service_account_token is not None:
        errors += _token(source.service_account_token, path, f"{where}.serviceAccountToken")
    return errors


def _projected_items(files: Any, path: str, volume: str, taken: set[str]) -> list[FieldError]:
    errors = [] if files.name else [required(f"{path}.name")]
    for index, item in enumerate(files.items):
        errors += _item(item, f"{path}.items[{index}]")
        errors += _take(item.path, files.name or "", volume, taken)
    return errors


def _take(target: str, shown: str, path: str, taken: set[str]) -> list[FieldError]:
    """Complains when a path within the volume has been taken before; `shown` is the value of the complaint."""
    if not target:
        return []
    errors = [invalid(path, shown, _DOUBLE)] if target in taken else []
    taken.add(target)
    return errors


def _token(token: ServiceAccountTokenProjection, volume: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seconds = token.expiration_seconds or 0
    where = f"{path}.expirationSeconds"
    if seconds < 600:
        errors.append(invalid(where, seconds, "may not specify a duration less than 10 minutes"))
    if seconds > _LONGEST_TOKEN:
        errors.append(invalid(where, seconds, "may not specify a duration larger than 2^32 seconds"))
    # Upstream speaks of the volume's path here, not of the source's.
    return errors + _target(token.path, f"{volume}.path")
