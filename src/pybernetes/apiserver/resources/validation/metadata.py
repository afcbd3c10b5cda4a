"""Rules for what all objects share: names, labels, annotations, owners, finalizers, and what of it can never change.

Called for every create and update before the rules of the kind. Paths are texts such as `metadata.labels`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pybernetes.api.names import (
    LABEL_LIMIT,
    SUBDOMAIN_LIMIT,
    dns1123_label,
    dns1123_subdomain,
    label_value,
    masked_generate_name,
    path_segment_name,
    qualified_name,
)
from pybernetes.api.objects import to_builtins
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.struct import ApiStruct
from pybernetes.api.types.meta_v1 import ObjectMeta, OwnerReference
from pybernetes.apiserver.resources.validation.lists import each
from pybernetes.apiserver.resources.validation.texts import obeys, too_long

NameRule = Callable[[str], list[str]]
TOTAL_ANNOTATION_SIZE = 256 * 1024
IMMUTABLE = "field is immutable"
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_NOT_QUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"
# A domain, a slash and a name.
_KEY_LIMIT = SUBDOMAIN_LIMIT + 1 + LABEL_LIMIT


def validate_metadata(
    metadata: ObjectMeta,
    *,
    namespaced: bool,
    rule: NameRule = dns1123_subdomain,
    path: str = "metadata",
    any_finalizer: bool = False,
) -> list[FieldError]:
    """The rules for new metadata; custom resources take finalizers without a domain as well."""
    errors: list[FieldError] = []
    if metadata.generate_name:
        prefix = masked_generate_name(metadata.generate_name)
        errors += [invalid(f"{path}.generateName", metadata.generate_name, text) for text in rule(prefix)]
    if not metadata.name:
        errors.append(required(f"{path}.name", "name or generateName is required"))
    else:
        errors += obeys(metadata.name, rule, f"{path}.name")
    if not namespaced:
        if metadata.namespace:
            errors.append(forbidden_field(f"{path}.namespace", "not allowed on this type"))
    elif not metadata.namespace:
        errors.append(required(f"{path}.namespace"))
    else:
        errors += obeys(metadata.namespace, dns1123_label, f"{path}.namespace")
    if metadata.generation is not None and metadata.generation < 0:
        errors.append(invalid(f"{path}.generation", metadata.generation, "must be greater than or equal to 0"))
    return errors + _validate_decorations(metadata, path, any_finalizer)


def _validate_decorations(metadata: ObjectMeta, path: str, any_finalizer: bool) -> list[FieldError]:
    """Labels, annotations, owners and finalizers."""
    errors: list[FieldError] = []
    if metadata.labels:
        errors += validate_labels(metadata.labels, f"{path}.labels")
    if metadata.annotations:
        errors += validate_annotations(metadata.annotations, f"{path}.annotations")
    if metadata.owner_references:
        errors += _validate_owners(metadata.owner_references, f"{path}.ownerReferences")
    if metadata.finalizers:
        errors += _validate_finalizers(metadata.finalizers, f"{path}.finalizers", any_finalizer)
    return errors


def validate_labels(labels: Mapping[str, str], path: str) -> list[FieldError]:
    """Keys are qualified names, values are label values."""
    errors: list[FieldError] = []
    for key, value in labels.items():
        if len(value) > LABEL_LIMIT or len(key) > _KEY_LIMIT or not _is_label(key, value):
            errors += obeys(key, label_key, path)
            errors += obeys(value, label_value, path)
    return errors


# Few labels are on many objects. Texts that are too long for labels do not come here, and so fill no memory.
@lru_cache(maxsize=4096)
def _is_label(key: str, value: str) -> bool:
    return not label_key(key) and not label_value(value)


def label_key(key: str) -> list[str]:
    """The rule for a qualified name, worded for labels."""
    return [text.replace("a qualified name ", "a valid label key ", 1) for text in qualified_name(key)]


def validate_annotations(annotations: Mapping[str, str], path: str) -> list[FieldError]:
    """Keys are qualified names; all together stay below 256 KiB."""
    errors = [invalid(path, key, text) for key in annotations for text in qualified_name(key.lower())]
    size = sum(len(key) + len(value) for key, value in annotations.items())
    if 4 * size > TOTAL_ANNOTATION_SIZE:
        size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > TOTAL_ANNOTATION_SIZE:
        errors.append(too_long(path, TOTAL_ANNOTATION_SIZE))
    return errors


def _validate_owners(owners: Sequence[OwnerReference], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    controllers: list[OwnerReference] = []
    for owner in owners:
        errors += _validate_owner(owner, path)
        if owner.controller:
            controllers.append(owner)
    for other in controllers[1:]:
        first = controllers[0]
        detail = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{first.kind}/{first.name} and {other.kind}/{other.name}"
        )
        errors.append(invalid(path, [_shown_owner(owner) for owner in owners], detail))
    return errors


def _validate_owner(owner: OwnerReference, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if owner.api_version.count("/") > 1 or not owner.api_version.rpartition("/")[2]:
        errors.append(invalid(f"{path}.apiVersion", owner.api_version, "version must not be empty"))
    missing = [name for name in ("kind", "name", "uid") if not getattr(owner, name)]
    errors += [invalid(f"{path}.{name}", "", "must not be empty") for name in missing]
    if owner.api_version == "v1" and owner.kind == "Event":
        errors.append(invalid(path, _shown_owner(owner), "/v1, Kind=Event is disallowed from being an owner"))
    return errors


def _shown_owner(owner: OwnerReference) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": owner.controller,
        "blockOwnerDeletion": owner.block_owner_deletion,
    }
    return {key: value for key, value in shown.items() if value is not None}


def finalizer_warnings(new: Iterable[str], old: Iterable[str]) -> list[str]:
    """What is said of new finalizers that a custom resource may have and others may not."""
    text = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
    strange = [name for name in sorted(set(new) - set(old)) if validate_finalizer(name, "")]
    return [f'metadata.finalizers: "{name}": {text}' for name in strange]


def _validate_finalizers(finalizers: Sequence[str], path: str, any_finalizer: bool) -> list[FieldError]:
    errors = [invalid(path, name, text) for name in finalizers for text in qualified_name(name)]
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(invalid(path, list(finalizers), detail))
    if not any_finalizer:
        errors += each(finalizers, validate_finalizer, path)
    return errors


def validate_finalizer(name: str, path: str) -> list[FieldError]:
    """A finalizer without a domain must be one of the few that Kubernetes itself uses."""
    if "/" in name or name in _STANDARD_FINALIZERS:
        return []
    return [invalid(path, name, _NOT_QUALIFIED)]


def validate_metadata_update(
    new: ObjectMeta, old: ObjectMeta, *, namespaced: bool, any_finalizer: bool = False
) -> list[FieldError]:
    """The rules for changed metadata; as upstream, the general rules and the kind's report the same thing again."""
    once = _validate_changes(new, old)
    errors: list[FieldError] = []
    if new.name != old.name:
        errors += [invalid("metadata.name", new.name, text) for text in path_segment_name(new.name or "")]
    if not namespaced and new.namespace:
        errors.append(forbidden_field("metadata.namespace", "not allowed on this type"))
    decorations: list[FieldError] = []
    if _decorations(new) != _decorations(old):
        decorations = _validate_decorations(new, "metadata", any_finalizer)
    return errors + decorations + once + decorations + once + decorations


def _decorations(metadata: ObjectMeta) -> tuple[Any, ...]:
    return metadata.labels, metadata.annotations, metadata.owner_references, metadata.finalizers


def _validate_changes(new: ObjectMeta, old: ObjectMeta) -> list[FieldError]:
    errors: list[FieldError] = []
    if old.deletion_timestamp is not None:
        errors += _validate_no_new_finalizers(new.finalizers, old.finalizers)
    unchanging = (
        ("name", new.name, old.name),
        ("namespace", new.namespace, old.namespace),
        ("uid", new.uid, old.uid),
        ("creationTimestamp", new.creation_timestamp, old.creation_timestamp),
        ("deletionTimestamp", new.deletion_timestamp, old.deletion_timestamp),
        ("deletionGracePeriodSeconds", new.deletion_grace_period_seconds, old.deletion_grace_period_seconds),
    )
    for name, after, before in unchanging:
        if after != before and (after or before):
            errors.append(invalid(f"metadata.{name}", after, IMMUTABLE))
    return errors


def _validate_no_new_finalizers(new: Iterable[str], old: Iterable[str]) -> list[FieldError]:
    added = sorted(set(new) - set(old))
    if not added:
        return []
    shown = ", ".join(f'"{name}"' for name in added)
    detail = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown}}}"
    return [forbidden_field("metadata.finalizers", detail)]


def immutable_part(new: ApiStruct, old: ApiStruct, path: str) -> list[FieldError]:
    """Complains when a part of an object has changed, which is shown as JSON."""
    return [] if new == old else [invalid(path, to_builtins(new), IMMUTABLE)]


def immutable(new: Any, old: Any, path: str) -> list[FieldError]:
    """Complains when a field has changed; the value is shown as it stands."""
    return [] if new == old else [invalid(path, new, IMMUTABLE)]
