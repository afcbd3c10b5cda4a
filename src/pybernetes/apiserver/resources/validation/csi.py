"""Rules for what storage drivers say of themselves, of nodes, of capacity, and of the volumes that they attach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybernetes.api.names import dns1123_subdomain, qualified_name
from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import TopologySelectorTerm
from pybernetes.api.types.storage_v1 import (
    CSIDriver,
    CSINode,
    CSINodeDriver,
    CSIStorageCapacity,
    StorageClass,
    TokenRequest,
    VolumeAttachment,
    VolumeAttachmentSource,
    VolumeAttributesClass,
    VolumeError,
)
from pybernetes.apiserver.resources.validation.lists import no_twins, repeated
from pybernetes.apiserver.resources.validation.metadata import immutable, immutable_part, label_key
from pybernetes.apiserver.resources.validation.numbers import not_negative, not_negative_quantity
from pybernetes.apiserver.resources.validation.persistent_volumes import validate_inline_volume
from pybernetes.apiserver.resources.validation.selectors import same_selector, validate_selector
from pybernetes.apiserver.resources.validation.texts import none_or_obeys, none_or_one_of, obeys, one_of, too_long
from pybernetes.apiserver.resources.validation.volume_sources import validate_driver_name

_MOST_PARAMETERS = 512
_PARAMETERS_LIMIT = 256 * 1024
_METADATA_LIMIT = 256 * 1024
_MESSAGE_LIMIT = 1024
_NODE_ID_LIMIT = 256
_ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_LIFECYCLES = ("Persistent", "Ephemeral")


def validate_storage_class(storage_class: StorageClass) -> list[FieldError]:
    errors = _validate_provisioner(storage_class.provisioner, "provisioner")
    errors += _validate_parameters(storage_class.parameters)
    policy, mode = storage_class.reclaim_policy, storage_class.volume_binding_mode
    errors += one_of(policy, ("Delete", "Retain"), "reclaimPolicy")
    errors += one_of(mode, ("Immediate", "WaitForFirstConsumer"), "volumeBindingMode")
    return errors + _validate_topologies(storage_class.allowed_topologies)


def validate_storage_class_update(new: StorageClass, old: StorageClass) -> list[FieldError]:
    errors = validate_storage_class(new)
    errors += immutable(new.parameters, old.parameters, "parameters")
    errors += immutable(new.provisioner, old.provisioner, "provisioner")
    errors += immutable(new.reclaim_policy, old.reclaim_policy, "reclaimPolicy")
    return errors + immutable(new.volume_binding_mode, old.volume_binding_mode, "volumeBindingMode")


def _validate_provisioner(name: str, path: str) -> list[FieldError]:
    if not name:
        return [required(path)]
    return [invalid(path, name, text) for text in qualified_name(name.lower())]


def _validate_parameters(parameters: Mapping[str, str]) -> list[FieldError]:
    if len(parameters) > _MOST_PARAMETERS:
        return [too_long("parameters", _MOST_PARAMETERS)]
    errors = [invalid("parameters", "", "field can not be empty.")] if "" in parameters else []
    return [*errors, too_long("parameters", _PARAMETERS_LIMIT)] if _size(parameters) > _PARAMETERS_LIMIT else errors


def _size(texts: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in texts.items())


def _validate_topologies(terms: Sequence[TopologySelectorTerm]) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: list[Mapping[str, frozenset[str]]] = []
    for index, term in enumerate(terms):
        path = f"allowedTopologies[{index}].matchLabelExpressions"
        places: dict[str, frozenset[str]] = {}
        for number, expression in enumerate(term.match_label_expressions):
            where = f"{path}[{number}]"
            if not expression.values:
                errors.append(required(f"{where}.values"))
            errors += no_twins(expression.values, f"{where}.values")
            errors += obeys(expression.key, label_key, f"{where}.key")
            if expression.key in places:
                errors.append(duplicate(f"{where}.key", expression.key))
            places[expression.key] = frozenset(expression.values)
        if places in seen:
            errors.append(duplicate(path, ""))
        seen.append(places)
    return errors


def validate_attributes_class(attributes: VolumeAttributesClass) -> list[FieldError]:
    errors = _validate_provisioner(attributes.driver_name, "driverName")
    errors += _validate_parameters(attributes.parameters)
    if not attributes.parameters:
        errors.append(required("parameters", "must contain at least one key/value pair"))
    return errors


def validate_attributes_class_update(new: VolumeAttributesClass, old: VolumeAttributesClass) -> list[FieldError]:
    kept = (
        ("driverName", new.driver_name, old.driver_name),
        ("parameters", new.parameters, old.parameters),
    )
    changed = [name for name, after, before in kept if after != before]
    errors = [forbidden_field(name, f"updates to {name} are forbidden.") for name in changed]
    return errors + validate_attributes_class(new)


def validate_driver(driver: CSIDriver) -> list[FieldError]:
    spec = driver.spec
    errors = none_or_one_of(spec.fs_group_policy, _GROUP_POLICIES, "spec.fsGroupPolicy")
    errors += _validate_tokens(spec.token_requests, "spec.tokenRequests")
    wrong = [mode for mode in spec.volume_lifecycle_modes if mode not in _LIFECYCLES]
    errors += [not_supported("spec.volumeLifecycleModes", mode, _LIFECYCLES) for mode in wrong]
    period = spec.node_allocatable_update_period_seconds
    if period is not None and period < 10:
        detail = "must be greater than or equal to 10 seconds"
        errors.append(invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, detail))
    return errors


def _validate_tokens(requests: Sequence[TokenRequest], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    audiences: set[str] = set()
    for index, request in enumerate(requests):
        where, seconds = f"{path}[{index}]", request.expiration_seconds
        if request.audience in audiences:
            errors.append(duplicate(f"{where}.audience", request.audience))
            continue
        audiences.add(request.audience)
        if seconds is not None and seconds < 600:
            detail = "may not specify a duration less than 10 minutes"
            errors.append(invalid(f"{where}.expirationSeconds", seconds, detail))
        if seconds is not None and seconds > 1 << 32:
            detail = "may not specify a duration larger than 2^32 seconds"
            errors.append(invalid(f"{where}.expirationSeconds", seconds, detail))
    return errors


def validate_driver_update(new: CSIDriver, old: CSIDriver) -> list[FieldError]:
    after, before = new.spec, old.spec
    errors = validate_driver(new)
    errors += immutable(after.attach_required, before.attach_required, "spec.attachedRequired")
    modes = after.volume_lifecycle_modes
    return errors + immutable(modes, before.volume_lifecycle_modes, "spec.volumeLifecycleModes")


def validate_node(node: CSINode) -> list[FieldError]:
    again = repeated(driver.name for driver in node.spec.drivers)
    errors: list[FieldError] = []
    for index, driver in enumerate(node.spec.drivers):
        path = f"spec.drivers[{index}]"
        errors += _validate_node_driver(driver, path)
        if index in again:
            errors.append(duplicate(f"{path}.name", driver.name))
        errors += _validate_keys(driver.topology_keys, path)
    return errors


def _validate_node_driver(driver: CSINodeDriver, path: str) -> list[FieldError]:
    errors = validate_driver_name(driver.name, f"{path}.name")
    if not driver.node_id:
        errors.append(required(f"{path}.nodeID"))
    if len(driver.node_id) > _NODE_ID_LIMIT:
        detail = f"must be {_NODE_ID_LIMIT} characters or less"
        errors.append(invalid(f"{path}.nodeID", driver.node_id, detail))
    if driver.allocatable is not None:
        errors += not_negative(driver.allocatable.count, f"{path}.allocatable.count")
    return errors


def _validate_keys(keys: Sequence[str], path: str) -> list[FieldError]:
    """All of them are complained of at the driver itself."""
    errors: list[FieldError] = []
    again = repeated(keys)
    for index, key in enumerate(keys):
        if not key:
            errors.append(required(path))
        if index in again:
            errors.append(duplicate(path, key))
        errors += obeys(key, qualified_name, path)
    return errors


def validate_node_update(new: CSINode, old: CSINode) -> list[FieldError]:
    """A driver that is registered stays as it is, but for how many volumes it can still attach."""
    errors = validate_node(new)
    for before in map(copy, old.spec.drivers):
        for after in map(copy, new.spec.drivers):
            before.allocatable = after.allocatable = None
            if after.name == before.name:
                errors += immutable_part(after, before, "spec.drivers")
    return errors


def validate_storage_capacity(capacity: CSIStorageCapacity) -> list[FieldError]:
    errors = validate_selector(capacity.node_topology, "nodeTopology")
    name = capacity.storage_class_name
    errors += obeys(name, dns1123_subdomain, "storageClassName")
    if capacity.capacity is not None:
        errors += not_negative_quantity(capacity.capacity, "capacity")
    return errors


def validate_storage_capacity_update(new: CSIStorageCapacity, old: CSIStorageCapacity) -> list[FieldError]:
    errors = same_selector(new.node_topology, old.node_topology, "nodeTopology")
    return errors + immutable(new.storage_class_name, old.storage_class_name, "storageClassName")


def validate_attachment(attachment: VolumeAttachment) -> list[FieldError]:
    errors = _validate_attachment(attachment)
    errors += validate_driver_name(attachment.spec.attacher, "spec.attacher")
    name = attachment.spec.source.persistent_volume_name
    return errors + none_or_obeys(name, dns1123_subdomain, "spec.source.persistentVolumeName")


def _validate_attachment(attachment: VolumeAttachment) -> list[FieldError]:
    spec, status = attachment.spec, attachment.status
    errors = [] if spec.attacher else [required("spec.attacher")]
    errors += _validate_source(spec.source, "spec.source")
    errors += obeys(spec.node_name, dns1123_subdomain, "spec.nodeName")
    if _size(status.attachment_metadata) > _METADATA_LIMIT:
        errors.append(too_long("status.attachmentMetadata", _METADATA_LIMIT))
    for name, problem in (("attachError", status.attach_error), ("detachError", status.detach_error)):
        errors += _validate_problem(problem, f"status.{name}")
    return errors


def _validate_source(source: VolumeAttachmentSource, path: str) -> list[FieldError]:
    name, inline = source.persistent_volume_name, source.inline_volume_spec
    if name is None and inline is None:
        return [required(path, _ONE_SOURCE)]
    if name is not None and inline is not None:
        return [forbidden_field(path, _ONE_SOURCE)]
    if inline is not None:
        return validate_inline_volume(inline, f"{path}.inlineVolumeSpec")
    return [] if name else [required(f"{path}.persistentVolumeName", "must specify non empty persistentVolumeName")]


def _validate_problem(problem: VolumeError | None, path: str) -> list[FieldError]:
    if problem is None:
        return []
    errors: list[FieldError] = []
    if len((problem.message or "").encode()) > _MESSAGE_LIMIT:
        errors.append(too_long(f"{path}.message", _METADATA_LIMIT))
    if problem.error_code is not None and problem.error_code < 0:
        detail = "must be between 0 and 2147483647, inclusive"
        errors.append(invalid(f"{path}.errorCode", problem.error_code, detail))
    return errors


def validate_attachment_update(new: VolumeAttachment, old: VolumeAttachment) -> list[FieldError]:
    return _validate_attachment(new) + immutable_part(new.spec, old.spec, "spec")
