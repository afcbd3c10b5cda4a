"""Rules for PersistentVolumeClaims, and for the specs of claims that templates hold."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.names import dns1123_label, dns1123_subdomain, qualified_name
from pybernetes.api.objects import copy
from pybernetes.api.quantity import amount, compare, value
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import (
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from pybernetes.apiserver.resources.validation.internal_form import difference
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, immutable
from pybernetes.apiserver.resources.validation.numbers import is_native, positive_quantity, quantity_of
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.apiserver.resources.validation.texts import none_or_one_of, obeys

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_CLAIM_FIELDS = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)
_RESIZE_STATES = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
)


def validate_modes(modes: Sequence[str], path: str) -> list[FieldError]:
    """Access modes are known, and one pod's own excludes the others."""
    errors = [not_supported(path, mode, _MODES) for mode in modes if mode not in _MODES]
    known = {mode for mode in modes if mode in _MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        errors.append(forbidden_field(path, "may not use ReadWriteOncePod with other access modes"))
    return errors


def validate_class_and_mode(storage_class: str | None, mode: str | None, path: str) -> list[FieldError]:
    """Storage class and volume mode, which claims and volumes have alike."""
    errors: list[FieldError] = []
    if storage_class:
        where = f"{path}.storageClassName"
        errors += obeys(storage_class, dns1123_subdomain, where)
    return errors + none_or_one_of(mode, _VOLUME_MODES, f"{path}.volumeMode")


def validate_claim(claim: PersistentVolumeClaim) -> list[FieldError]:
    return validate_claim_spec(claim.spec, "spec")


def validate_claim_spec(spec: PersistentVolumeClaimSpec, path: str, *, any_group: bool = False) -> list[FieldError]:
    """`any_group` is whether a source may be of a group that is no name of a domain."""
    errors: list[FieldError] = []
    if not spec.access_modes:
        errors.append(required(f"{path}.accessModes", "at least 1 access mode is required"))
    errors += validate_selector(spec.selector, f"{path}.selector")
    errors += validate_modes(spec.access_modes, f"{path}.accessModes")
    where = f"{path}.resources[storage]"
    storage = spec.resources.requests.get("storage")
    errors += [required(where)] if storage is None else positive_quantity(storage, where)
    errors += validate_class_and_mode(spec.storage_class_name, spec.volume_mode, path)
    errors += _validate_data_source(spec, path, any_group=any_group)
    if spec.volume_attributes_class_name:
        where, name = f"{path}.volumeAttributesClassName", spec.volume_attributes_class_name
        errors += obeys(name, dns1123_subdomain, where)
    return errors


def _validate_data_source(spec: PersistentVolumeClaimSpec, path: str, *, any_group: bool) -> list[FieldError]:
    source, reference = spec.data_source, spec.data_source_ref
    errors: list[FieldError] = []
    if source is not None:
        errors += _validate_reference(source, f"{path}.dataSource", any_group=any_group)
    if reference is not None:
        errors += _validate_reference(reference, f"{path}.dataSourceRef", any_group=any_group)
        if reference.namespace:
            where = f"{path}.dataSourceRef.namespace"
            errors += obeys(reference.namespace, dns1123_label, where)
    if source is None or reference is None:
        return errors
    shown = f"{path}.dataSource"
    if reference.namespace:
        errors.append(invalid(path, shown, "may not be specified when dataSourceRef.namespace is specified"))
    elif (source.api_group, source.kind, source.name) != (reference.api_group, reference.kind, reference.name):
        errors.append(invalid(path, shown, "must match dataSourceRef"))
    return errors


def _validate_reference(
    source: TypedLocalObjectReference | TypedObjectReference, path: str, *, any_group: bool
) -> list[FieldError]:
    errors = [required(f"{path}.{name}") for name in ("name", "kind") if not getattr(source, name)]
    group = source.api_group or ""
    if not group and source.kind != "PersistentVolumeClaim":
        detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        errors.append(invalid(path, source.kind, detail))
    if group and not any_group:
        errors += obeys(group, dns1123_subdomain, f"{path}.apiGroup")
    return errors


def validate_claim_update(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> list[FieldError]:
    """A claim is bound once; a bound one may ask for more, never for less than it has."""
    before = (old.spec.data_source, old.spec.data_source_ref)
    grouped = any(source is not None and source.api_group is not None for source in before)
    errors = validate_claim_spec(new.spec, "spec", any_group=grouped) if new.spec != old.spec else []
    errors += _same_annotation(new, old)
    if not _is_allowed_change(new, old):
        errors.append(forbidden_field("spec", f"{_CLAIM_FIELDS}\n{difference(old.spec, new.spec)}"))
    errors += _validate_growth(new, old)
    errors += immutable(new.spec.volume_mode, old.spec.volume_mode, "volumeMode")
    return errors + _validate_class_change(new.spec, old.spec)


def _becomes_field(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> bool:
    """Whether the class moves from the annotation of old to the field."""
    before, after = old.metadata.annotations.get(_BETA_CLASS), new.metadata.annotations.get(_BETA_CLASS)
    moved = before is not None and old.spec.storage_class_name is None and new.spec.storage_class_name == before
    return moved and after in (None, before)


def _same_annotation(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> list[FieldError]:
    before, after = old.metadata.annotations.get(_BETA_CLASS, ""), new.metadata.annotations.get(_BETA_CLASS, "")
    if before == after or _becomes_field(new, old):
        return []
    return [invalid(f"metadata.annotations.{_BETA_CLASS}", after, IMMUTABLE)]


def _is_allowed_change(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> bool:
    """Whether the specs are equal once what may change is made the same."""
    if new.spec == old.spec:
        return True
    spec = copy(new.spec)
    if not old.spec.volume_name:
        spec.volume_name = old.spec.volume_name
    beta = old.metadata.annotations.get(_BETA_CLASS)
    named_late = old.spec.storage_class_name is None and spec.storage_class_name is not None
    if named_late and beta in (None, spec.storage_class_name):
        # Claims of before a default class existed get it later.
        spec.storage_class_name = None
    if old.status.phase == "Bound":
        if spec.resources.requests and "storage" in old.spec.resources.requests:
            spec.resources.requests["storage"] = old.spec.resources.requests["storage"]
        if spec.volume_attributes_class_name is not None:
            spec.volume_attributes_class_name = old.spec.volume_attributes_class_name
    return spec == old.spec


def _validate_growth(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> list[FieldError]:
    after = new.spec.resources.requests.get("storage", "0")
    before = old.spec.resources.requests.get("storage", "0")
    if compare(after, before) >= 0 or compare(after, old.status.capacity.get("storage", "0")) > 0:
        return []
    detail = "field can not be less than status.capacity"
    return [forbidden_field("spec.resources.requests.storage", detail)]


def _validate_class_change(new: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec) -> list[FieldError]:
    """Once a claim has a class of attributes it never is without."""
    after, before = new.volume_attributes_class_name, old.volume_attributes_class_name
    if before is None or after:
        return []
    if after is None:
        return [forbidden_field("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")]
    if after == before:
        return []
    detail = "update from non-nil value to an empty string is forbidden"
    return [forbidden_field("spec.volumeAttributesClassName", detail)]


def validate_claim_status(new: PersistentVolumeClaim, _old: PersistentVolumeClaim) -> list[FieldError]:
    errors: list[FieldError] = []
    if not new.spec.access_modes:
        errors.append(required("Spec.accessModes"))
    for name, quantity in new.status.capacity.items():
        errors += sound_quantity(quantity, f"status.capacity[{name}]")
    path = "status.allocatedResourceStatus"
    for name, state in new.status.allocated_resource_statuses.items():
        errors += _resource_key(name, path)
        if state not in _RESIZE_STATES:
            errors.append(not_supported(path, name, _RESIZE_STATES))
    path = "status.allocatedResources"
    for name, quantity in new.status.allocated_resources.items():
        problems = _resource_key(name, path) or sound_quantity(quantity, f"{path}[{name}]")
        errors += problems or quantity_of("storage", quantity, f"{path}[{name}]")
    return errors


def _resource_key(name: str, path: str) -> list[FieldError]:
    errors = obeys(name, qualified_name, path)
    if not errors and is_native(name) and name != "storage":
        errors.append(not_supported(path, name, ("storage",)))
    return errors


def sound_quantity(quantity: Quantity, path: str) -> list[FieldError]:
    """A quantity that is not negative, shown as a whole number."""
    if amount(quantity).nano >= 0:
        return []
    return [invalid(path, value(quantity), "must be a valid resource quantity")]
