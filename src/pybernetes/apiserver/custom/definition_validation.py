"""What a CustomResourceDefinition must obey, in upstream's order and words. Pure.

A definition, and for updates the one before, go in; what is wrong comes out. What is said of its versions is in
`version_validation`; `demands` knows what an update is not asked for. Called by the table of validations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pybernetes.api.json_schema import Schema
from pybernetes.api.names import dns1035_label, dns1123_subdomain
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.apiextensions_v1 import (
    CustomResourceDefinition,
    CustomResourceDefinitionNames,
    CustomResourceDefinitionSpec,
)
from pybernetes.apiserver.custom.conversion_validation import (
    asks_for_certificates,
    asks_for_review_version,
    conversion_errors,
)
from pybernetes.apiserver.custom.default_validation import has_unpruned_default
from pybernetes.apiserver.custom.demands import ALL, Demands, has_unknown_type, walk
from pybernetes.apiserver.custom.list_schemas import key_errors, set_errors
from pybernetes.apiserver.custom.names import APPROVAL, approval_of, is_protected
from pybernetes.apiserver.custom.schema_validation import unknown_formats
from pybernetes.apiserver.custom.version_validation import own_errors, schema_of, shared_errors
from pybernetes.apiserver.resources.validation.metadata import immutable

_MIXED = "may have mixed case, but should otherwise match: "
_MIGRATION = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a "
    "storage migration ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
)
_PRESERVE = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"


def validate_definition(definition: CustomResourceDefinition) -> list[FieldError]:
    """The rules for a new definition, besides those for metadata."""
    errors: list[FieldError] = []
    name = definition.metadata.name or ""
    if name != f"{definition.spec.names.plural}.{definition.spec.group}":
        errors.append(invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    errors += _spec_errors(definition.spec, ALL)
    return errors + _definition_errors(definition, None)


def validate_definition_update(new: CustomResourceDefinition, old: CustomResourceDefinition) -> list[FieldError]:
    """The rules for a changed definition: what its objects are called stays."""
    errors = list(_spec_errors(new.spec, _demands_of(old)))
    if any(item.type == "Established" and item.status == "True" for item in old.status.conditions):
        errors += immutable(new.spec.scope, old.spec.scope, "spec.scope")
        errors += immutable(new.spec.names.kind, old.spec.names.kind, "spec.names.kind")
    errors += immutable(new.spec.group, old.spec.group, "spec.group")
    errors += immutable(new.spec.names.plural, old.spec.names.plural, "spec.names.plural")
    return errors + _definition_errors(new, old)


def validate_definition_status(new: CustomResourceDefinition, _old: CustomResourceDefinition) -> list[FieldError]:
    """The rules for a status: names are names."""
    return list(_shape_errors(new.status.accepted_names, "status.acceptedNames"))


def _definition_errors(new: CustomResourceDefinition, old: CustomResourceDefinition | None) -> list[FieldError]:
    """What is checked besides the spec itself."""
    errors = list(_shape_errors(new.status.accepted_names, "status.acceptedNames"))
    errors += _stored_errors(new)
    errors += _approval_errors(new, old)
    if new.spec.preserve_unknown_fields and not (old is not None and old.spec.preserve_unknown_fields):
        errors.append(invalid("spec.preserveUnknownFields", True, _PRESERVE))
    return errors


def definition_warnings(new: CustomResourceDefinition, old: CustomResourceDefinition | None) -> list[str]:
    """Formats that nothing will be checked against, unless they were there before."""
    known = set(_unknown_formats(old)) if old is not None else ()
    return [f'unrecognized format "{name}"' for name in _unknown_formats(new) if name not in known]


def _unknown_formats(definition: CustomResourceDefinition) -> list[str]:
    return list(dict.fromkeys(name for schema in _schemas(definition) for name in unknown_formats(schema)))


def _schemas(definition: CustomResourceDefinition) -> list[Schema]:
    schemas = [schema_of(version) for version in definition.spec.versions]
    return [schema for schema in schemas if schema is not None]


def _demands_of(old: CustomResourceDefinition) -> Demands:
    """What an update of a definition is asked for."""
    schemas = _schemas(old)
    parts = [part for schema in schemas for part in walk(schema)]
    return Demands(
        known_types=not has_unknown_type(schemas),
        pruned_defaults=not any(map(has_unpruned_default, schemas)),
        atomic_sets=not any(error for part in parts for error in set_errors(part)),
        map_keys=not any(error for part in parts for error in key_errors(part)),
        review_version=asks_for_review_version(old),
        valid_certificates=asks_for_certificates(old),
    )


def _spec_errors(spec: CustomResourceDefinitionSpec, demands: Demands) -> Iterator[FieldError]:
    yield from _group_errors(spec.group)
    if not spec.scope:
        yield required("spec.scope")
    elif spec.scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", spec.scope, ("Cluster", "Namespaced"))
    for index, version in enumerate(spec.versions):
        if schema_of(version) is None:
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema")
    yield from _versions_errors(spec, demands)
    yield from _names_errors(spec.names)
    yield from shared_errors(spec, demands)
    yield from conversion_errors(spec, demands)


def _group_errors(group: str) -> Iterator[FieldError]:
    if not group:
        yield required("spec.group")
    elif problems := dns1123_subdomain(group):
        yield invalid("spec.group", group, ",".join(problems))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _versions_errors(spec: CustomResourceDefinitionSpec, demands: Demands) -> Iterator[FieldError]:
    names = [version.name for version in spec.versions]
    for index, (name, errors) in enumerate(zip(names, own_errors(spec, demands), strict=True)):
        if problems := dns1035_label(name):
            yield invalid(f"spec.versions[{index}].name", name, ",".join(problems))
        yield from errors
    if len(set(names)) < len(names):
        yield invalid("spec.versions", _shown_versions(spec), "must contain unique version names")
    if sum(version.storage for version in spec.versions) != 1:
        detail = "must have exactly one version marked as storage version"
        yield invalid("spec.versions", _shown_versions(spec), detail)
    if names and (problems := dns1035_label(names[0])):
        yield invalid("spec.version", names[0], ",".join(problems))


def _shown_versions(spec: CustomResourceDefinitionSpec) -> list[dict[str, Any]] | None:
    """The versions as upstream's internal form has them, what they share taken out; null without a spec."""
    shown = [
        {
            "Name": version.name,
            "Served": version.served,
            "Storage": version.storage,
            "Deprecated": bool(version.deprecated),
            "DeprecationWarning": version.deprecation_warning,
            "Schema": None,
            "Subresources": None,
            "AdditionalPrinterColumns": None,
            "SelectableFields": None,
        }
        for version in spec.versions
    ]
    return shown if spec.group or spec.names.plural else None


def _names_errors(names: CustomResourceDefinitionNames) -> Iterator[FieldError]:
    for field in ("plural", "singular", "kind", "listKind"):
        if not _named(names, field):
            yield required(f"spec.names.{field}")
    yield from _shape_errors(names, "spec.names")


def _named(names: CustomResourceDefinitionNames, field: str) -> str:
    return (names.list_kind if field == "listKind" else getattr(names, field)) or ""


def _shape_errors(names: CustomResourceDefinitionNames, path: str) -> Iterator[FieldError]:
    """What is wrong with names that are given."""
    for field, prefix in (("plural", ""), ("singular", ""), ("kind", _MIXED), ("listKind", _MIXED)):
        value = _named(names, field)
        if value and (problems := dns1035_label(value.lower() if prefix else value)):
            yield invalid(f"{path}.{field}", value, prefix + ",".join(problems))
    yield from _list_errors(names.short_names, f"{path}.shortNames")
    if names.kind and names.kind == names.list_kind:
        yield invalid(f"{path}.listKind", names.list_kind, "kind and listKind may not be the same")
    yield from _list_errors(names.categories, f"{path}.categories")


def _list_errors(values: Iterable[str], path: str) -> Iterator[FieldError]:
    for index, value in enumerate(values):
        if problems := dns1035_label(value):
            yield invalid(f"{path}[{index}]", value, ",".join(problems))


def _stored_errors(definition: CustomResourceDefinition) -> Iterator[FieldError]:
    """Every version that objects may still be stored as must stay in the spec."""
    path, stored = "status.storedVersions", definition.status.stored_versions
    if not stored:
        yield invalid(path, None, "must have at least one stored version")
        return
    names = [version.name for version in definition.spec.versions]
    for version in definition.spec.versions:
        if version.storage and version.name not in stored:
            yield invalid(path, list(stored), f"must have the storage version {version.name}")
    for index, name in enumerate(stored):
        if name not in names:
            yield invalid(f"{path}[{index}]", name, _MIGRATION.format(name))


def _approval_errors(new: CustomResourceDefinition, old: CustomResourceDefinition | None) -> Iterator[FieldError]:
    """Groups of the Kubernetes community need its approval; what had none before is not asked for it again."""
    if not is_protected(new.spec.group):
        return
    approval = approval_of(new)
    if approval.is_conformant or (old is not None and approval_of(old).reason == approval.reason):
        return
    path = f"metadata.annotations[{APPROVAL}]"
    said = new.metadata.annotations.get(APPROVAL, "")
    yield invalid(path, said, approval.message) if said else required(path, approval.message)
