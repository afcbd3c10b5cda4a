"""What a CustomResourceDefinition must obey, in upstream's order and words. Pure.

Upstream checks its internal form, in which what all versions have in common stands at the top of the spec; so do the
paths of errors: `spec.validation` for a schema that all versions share, `spec.versions[1].schema` for one of several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pybernetes.api.json_schema import child
from pybernetes.api.names import dns1035_label, dns1123_subdomain
from pybernetes.api.objects import to_builtins
from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types.apiextensions_v1 import (
    CustomResourceColumnDefinition,
    CustomResourceDefinition,
    CustomResourceDefinitionNames,
    CustomResourceDefinitionSpec,
    CustomResourceDefinitionVersion,
    CustomResourceSubresourceScale,
)
from pybernetes.apiserver.custom.json_path import PathError, keys, parse
from pybernetes.apiserver.custom.names import APPROVAL, APPROVAL_URL, is_protected
from pybernetes.apiserver.custom.structural import schema_errors, unknown_formats
from pybernetes.apiserver.resources.validation.metadata import immutable

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_MIXED = "may have mixed case, but should otherwise match: "
_MIGRATION = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a "
    "storage migration ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
)
_PRESERVE = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
_SELECTABLE_TYPES = ("string", "boolean", "integer")
_SELECTABLE_MAX = 8


def validate_definition(definition: CustomResourceDefinition) -> list[FieldError]:
    """The rules for a new definition, besides those for metadata."""
    errors: list[FieldError] = []
    name = definition.metadata.name or ""
    if name != f"{definition.spec.names.plural}.{definition.spec.group}":
        errors.append(invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    errors += _spec_errors(definition.spec)
    errors += _stored_errors(definition)
    errors += _approval_errors(definition)
    if definition.spec.preserve_unknown_fields:
        errors.append(invalid("spec.preserveUnknownFields", True, _PRESERVE))
    return errors


def validate_definition_update(new: CustomResourceDefinition, old: CustomResourceDefinition) -> list[FieldError]:
    """The rules for a changed definition: what an established one is called stays."""
    errors = list(_spec_errors(new.spec))
    if any(item.type == "Established" and item.status == "True" for item in old.status.conditions):
        errors += immutable(new.spec.group, old.spec.group, "spec.group")
        errors += immutable(new.spec.scope, old.spec.scope, "spec.scope")
        errors += immutable(new.spec.names.kind, old.spec.names.kind, "spec.names.kind")
        errors += immutable(new.spec.names.plural, old.spec.names.plural, "spec.names.plural")
    errors += _stored_errors(new)
    if new.metadata.annotations.get(APPROVAL) != old.metadata.annotations.get(APPROVAL):
        errors += _approval_errors(new)
    if new.spec.preserve_unknown_fields and not old.spec.preserve_unknown_fields:
        errors.append(invalid("spec.preserveUnknownFields", True, _PRESERVE))
    return errors


def definition_warnings(new: CustomResourceDefinition, _old: CustomResourceDefinition | None) -> list[str]:
    """Formats that nothing will be checked against."""
    schemas = [_schema(version) for version in new.spec.versions]
    found = [name for schema in schemas if schema is not None for name in unknown_formats(schema)]
    return [f'unrecognized format "{name}"' for name in dict.fromkeys(found)]


def _spec_errors(spec: CustomResourceDefinitionSpec) -> Iterator[FieldError]:
    yield from _group_errors(spec.group)
    if not spec.scope:
        yield required("spec.scope")
    elif spec.scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", spec.scope, ("Cluster", "Namespaced"))
    for index, version in enumerate(spec.versions):
        if _schema(version) is None:
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema")
    yield from _versions_errors(spec)
    yield from _names_errors(spec.names)
    for aspect in _ASPECTS:
        if _is_shared(spec, aspect.value) and spec.versions:
            yield from aspect.errors(spec.versions[0], f"spec.{aspect.shared}")
    yield from _conversion_errors(spec)


def _group_errors(group: str) -> Iterator[FieldError]:
    if not group:
        yield required("spec.group")
    elif problems := dns1123_subdomain(group):
        yield invalid("spec.group", group, ",".join(problems))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _versions_errors(spec: CustomResourceDefinitionSpec) -> Iterator[FieldError]:
    names = [version.name for version in spec.versions]
    for index, version in enumerate(spec.versions):
        path = f"spec.versions[{index}]"
        if problems := dns1035_label(version.name):
            yield invalid(f"{path}.name", version.name, ",".join(problems))
        for aspect in _ASPECTS:
            if not _is_shared(spec, aspect.value):
                yield from aspect.errors(version, f"{path}.{aspect.own}")
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
    fields = (
        ("plural", names.plural, ""),
        ("singular", names.singular, ""),
        ("kind", names.kind, _MIXED),
        ("listKind", names.list_kind, _MIXED),
    )
    for field, value, _prefix in fields:
        if not value:
            yield required(f"spec.names.{field}")
    for field, value, prefix in fields:
        checked = (value or "").lower() if prefix else value or ""
        if value and (problems := dns1035_label(checked)):
            yield invalid(f"spec.names.{field}", value, prefix + ",".join(problems))
    for field, values in (("shortNames", names.short_names), ("categories", names.categories)):
        for index, value in enumerate(values):
            if problems := dns1035_label(value):
                yield invalid(f"spec.names.{field}[{index}]", value, ",".join(problems))
    if names.kind and names.kind == names.list_kind:
        yield invalid("spec.names.listKind", names.list_kind, "kind and listKind may not be the same")


class _Aspect:
    """A part of versions that is checked at the top of the spec when all versions share it."""

    def __init__(
        self,
        shared: str,
        own: str,
        value: Callable[[CustomResourceDefinitionVersion], Any],
        errors: Callable[[CustomResourceDefinitionVersion, str], Iterator[FieldError]],
    ) -> None:
        self.shared, self.own, self.value, self.errors = shared, own, value, errors


def _is_shared(spec: CustomResourceDefinitionSpec, value: Callable[[CustomResourceDefinitionVersion], Any]) -> bool:
    values = [value(version) for version in spec.versions]
    return all(other == values[0] for other in values)


def _schema(version: CustomResourceDefinitionVersion) -> dict[str, Any] | None:
    schema = version.schema.open_apiv3_schema if version.schema is not None else None
    return to_builtins(schema) if schema is not None else None


def _validation_errors(version: CustomResourceDefinitionVersion, path: str) -> Iterator[FieldError]:
    schema = _schema(version)
    if schema is not None:
        yield from schema_errors(schema, f"{path}.openAPIV3Schema")


def _subresources_errors(version: CustomResourceDefinitionVersion, path: str) -> Iterator[FieldError]:
    scale = version.subresources.scale if version.subresources is not None else None
    if scale is not None:
        yield from _scale_errors(scale, f"{path}.scale")


def _scale_errors(scale: CustomResourceSubresourceScale, path: str) -> Iterator[FieldError]:
    for field, value, root in (
        ("specReplicasPath", scale.spec_replicas_path, "spec"),
        ("statusReplicasPath", scale.status_replicas_path, "status"),
    ):
        if not value:
            yield required(f"{path}.{field}")
        elif _root(value) != root:
            yield invalid(f"{path}.{field}", value, f"should be a json path under .{root}")
    selector = scale.label_selector_path
    if selector and _root(selector) not in ("spec", "status"):
        yield invalid(f"{path}.labelSelectorPath", selector, "should be a json path under either .spec or .status")


def _root(path: str) -> str:
    """The first field of a path of fields that goes deeper; empty for any other text."""
    try:
        names = keys(parse(path))
    except PathError:
        return ""
    return names[0] if names is not None and len(names) > 1 else ""


def _columns_errors(version: CustomResourceDefinitionVersion, path: str) -> Iterator[FieldError]:
    for index, column in enumerate(version.additional_printer_columns):
        yield from _column_errors(column, f"{path}[{index}]")


def _column_errors(column: CustomResourceColumnDefinition, path: str) -> Iterator[FieldError]:
    if not column.name:
        yield required(f"{path}.name")
    if not column.type:
        yield required(f"{path}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
    elif column.type not in _COLUMN_TYPES:
        yield invalid(f"{path}.type", column.type, f"must be one of {','.join(_COLUMN_TYPES)}")
    if not column.json_path:
        yield required(f"{path}.JSONPath")
    elif not column.json_path.startswith("."):
        yield invalid(f"{path}.JSONPath", column.json_path, "must be a simple json path starting with .")


def _selectable_errors(version: CustomResourceDefinitionVersion, path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    fields = version.selectable_fields
    if len(fields) > _SELECTABLE_MAX:
        detail = f"must have at most {_SELECTABLE_MAX} items"
        yield FieldError("FieldValueTooMany", path, detail, len(fields))
    for index, field in enumerate(fields):
        place = f"{path}[{index}].jsonPath"
        if not field.json_path:
            yield required(place)
            continue
        if field.json_path in seen:
            yield duplicate(place, field.json_path)
        seen.add(field.json_path)
        if problem := _selectable_problem(field.json_path, _schema(version) or {}):
            yield invalid(place, field.json_path, problem)


def _selectable_problem(path: str, schema: dict[str, Any]) -> str:
    try:
        names: Sequence[str] = keys(parse(path)) or ()
    except PathError:
        names = ()
    if not names:
        return "is an invalid path: must be a simple json path starting with ."
    if names[0] == "metadata":
        return "must not point to fields in metadata"
    found: Any = schema
    for name in names:
        found = child(found, name)
        if found is None:
            return "is an invalid path: does not refer to a valid field"
    if found.get("type") not in _SELECTABLE_TYPES:
        allowed = "must point to a field of type string, boolean or integer"
        return f"{allowed}. Enum string fields and strings with formats are allowed."
    return ""


_ASPECTS = (
    _Aspect("validation", "schema", _schema, _validation_errors),
    _Aspect("subresources", "subresources", lambda version: version.subresources, _subresources_errors),
    _Aspect(
        "additionalPrinterColumns",
        "additionalPrinterColumns",
        lambda version: version.additional_printer_columns,
        _columns_errors,
    ),
    _Aspect("selectableFields", "selectableFields", lambda version: version.selectable_fields, _selectable_errors),
)


def _conversion_errors(spec: CustomResourceDefinitionSpec) -> Iterator[FieldError]:
    conversion = spec.conversion
    if conversion is None:
        return
    path = "spec.conversion"
    if not conversion.strategy:
        yield required(f"{path}.strategy")
    elif conversion.strategy not in ("None", "Webhook"):
        yield not_supported(f"{path}.strategy", conversion.strategy, ("None", "Webhook"))
    webhook = conversion.webhook
    if conversion.strategy != "Webhook":
        if webhook is not None:
            yield FieldError(
                "FieldValueForbidden",
                f"{path}.webhookClientConfig",
                "should not be set when strategy is not set to Webhook",
            )
        return
    if webhook is None or webhook.client_config is None:
        yield required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook")
    if webhook is None or not webhook.conversion_review_versions:
        yield required(f"{path}.conversionReviewVersions")


def _stored_errors(definition: CustomResourceDefinition) -> Iterator[FieldError]:
    """Every version that objects may still be stored as must stay in the spec."""
    path, stored = "status.storedVersions", definition.status.stored_versions
    if not stored:
        yield invalid(path, None, "must have at least one stored version")
    names = [version.name for version in definition.spec.versions]
    for index, name in enumerate(stored):
        if name not in names:
            yield invalid(f"{path}[{index}]", name, _MIGRATION.format(name))


def _approval_errors(definition: CustomResourceDefinition) -> Iterator[FieldError]:
    if not is_protected(definition.spec.group):
        return
    said = definition.metadata.annotations.get(APPROVAL, "")
    if said.startswith(("unapproved", "http://", "https://")):
        return
    path, head = f"metadata.annotations[{APPROVAL}]", f'protected groups must have approval annotation "{APPROVAL}"'
    if not said:
        yield required(path, f"{head}, see {APPROVAL_URL}")
    else:
        how = 'with either a URL or a reason starting with "unapproved"'
        yield invalid(path, said, f"{head} {how}, see {APPROVAL_URL}")
