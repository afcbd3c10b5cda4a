"""Rules for PersistentVolumes and PersistentVolumeClaims."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.names import dns1123_subdomain
from pybernetes.api.objects import copy
from pybernetes.api.quantity import amount, compare
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.selectors import validate_node_selector, validate_selector
from pybernetes.apiserver.resources.validation.volumes import persistent_sources, validate_persistent_source

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_POSITIVE = "must be greater than zero"
_CLAIM_FIELDS = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def _validate_modes(modes: Sequence[str], path: str) -> list[FieldError]:
    errors = [not_supported(path, mode, _MODES) for mode in modes if mode not in _MODES]
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        detail = "may not use ReadWriteOncePod with other access modes"
        errors.append(forbidden_field(path, detail))
    return errors


def validate_volume(volume: PersistentVolume) -> list[FieldError]:
    spec = volume.spec
    errors: list[FieldError] = []
    if not spec.access_modes:
        errors.append(required("spec.accessModes"))
    errors += _validate_modes(spec.access_modes, "spec.accessModes")
    errors += _validate_capacity(volume)
    policy = spec.persistent_volume_reclaim_policy
    if policy not in ("Delete", "Recycle", "Retain"):
        choices = ("Delete", "Recycle", "Retain")
        errors.append(not_supported("spec.persistentVolumeReclaimPolicy", policy, choices))
    if spec.node_affinity is not None:
        if spec.node_affinity.required is None:
            errors.append(required("spec.nodeAffinity.required", "must specify required node constraints"))
        else:
            errors += validate_node_selector(spec.node_affinity.required, "spec.nodeAffinity.required")
    errors += validate_persistent_source(spec, "spec")
    if spec.host_path is not None and spec.host_path.path == "/" and policy == "Recycle":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        errors.append(forbidden_field("spec.persistentVolumeReclaimPolicy", detail))
    return errors + _validate_class_and_mode(spec.storage_class_name, spec.volume_mode)


def _validate_capacity(volume: PersistentVolume) -> list[FieldError]:
    capacity = volume.spec.capacity
    errors: list[FieldError] = []
    if not capacity:
        errors.append(required("spec.capacity"))
    if set(capacity) != {"storage"}:
        errors.append(not_supported("spec.capacity", dict(sorted(capacity.items())) or None, ("storage",)))
    for name, quantity in capacity.items():
        if amount(quantity).nano <= 0:
            errors.append(invalid(f"spec.capacity[{name}]", quantity, _POSITIVE))
    return errors


def _validate_class_and_mode(storage_class: str | None, mode: str | None) -> list[FieldError]:
    errors: list[FieldError] = []
    if storage_class:
        errors += [invalid("spec.storageClassName", storage_class, text) for text in dns1123_subdomain(storage_class)]
    if mode not in (None, "Block", "Filesystem"):
        errors.append(not_supported("spec.volumeMode", mode, ("Block", "Filesystem")))
    return errors


def validate_volume_update(new: PersistentVolume, old: PersistentVolume) -> list[FieldError]:
    errors = validate_volume(new) if new.spec != old.spec else []
    if persistent_sources(new.spec) != persistent_sources(old.spec):
        detail = "spec.persistentvolumesource is immutable after creation"
        errors.append(forbidden_field("spec.persistentvolumesource", detail))
    return errors + immutable(new.spec.volume_mode, old.spec.volume_mode, "volumeMode")


def validate_claim(claim: PersistentVolumeClaim) -> list[FieldError]:
    return validate_claim_spec(claim.spec)


def validate_claim_spec(spec: PersistentVolumeClaimSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    if not spec.access_modes:
        errors.append(required("spec.accessModes", "at least 1 access mode is required"))
    errors += validate_selector(spec.selector, "spec.selector")
    errors += _validate_modes(spec.access_modes, "spec.accessModes")
    storage = spec.resources.requests.get("storage")
    if storage is None:
        errors.append(required("spec.resources[storage]"))
    elif amount(storage).nano <= 0:
        errors.append(invalid("spec.resources[storage]", storage, _POSITIVE))
    errors += _validate_class_and_mode(spec.storage_class_name, spec.volume_mode)
    return errors + _validate_data_source(spec)


def _validate_data_source(spec: PersistentVolumeClaimSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, source in (("dataSource", spec.data_source), ("dataSourceRef", spec.data_source_ref)):
        if source is None:
            continue
        if not source.name:
            errors.append(required(f"spec.{name}.name"))
        if not source.kind:
            errors.append(required(f"spec.{name}.kind"))
        if not source.api_group and source.kind != "PersistentVolumeClaim":
            detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
            errors.append(invalid(f"spec.{name}", source.kind, detail))
    return errors


def validate_claim_update(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> list[FieldError]:
    """A claim is bound once; a bound one may ask for more, never for less."""
    if new.spec == old.spec:
        return []
    errors = validate_claim(new)
    spec = copy(new.spec)
    if not old.spec.volume_name:
        spec.volume_name = old.spec.volume_name
    bound = old.status.phase == "Bound"
    if bound:
        spec.resources.requests = old.spec.resources.requests
        spec.volume_attributes_class_name = old.spec.volume_attributes_class_name
    if not old.spec.storage_class_name:
        # Claims of before a default class existed get it later.
        spec.storage_class_name = old.spec.storage_class_name
    if spec != old.spec:
        errors.append(forbidden_field("spec", _CLAIM_FIELDS))
    errors += _validate_growth(new, old)
    return errors + immutable(new.spec.volume_mode, old.spec.volume_mode, "volumeMode")


def _validate_growth(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> list[FieldError]:
    after, before = new.spec.resources.requests.get("storage"), old.spec.resources.requests.get("storage")
    status = old.status.capacity.get("storage")
    if after is None or before is None or compare(after, before) >= 0:
        return []
    if status is not None and compare(after, status) > 0:
        return []
    detail = "field can not be less than status.capacity"
    return [forbidden_field("spec.resources.requests.storage", detail)]
