"""The strategy of a custom resource: as `resources.strategies` has one for every built-in kind. Pure.

The rules of a version go in; a `Strategy` comes out, whose functions prepare and validate its objects in upstream's
order: metadata, schema, scale, lists, and then the place of the rules in CEL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pybernetes.api import json_schema, objects, status
from pybernetes.api.objects import CustomObject
from pybernetes.api.status import FieldError, invalid
from pybernetes.api.types.meta_v1 import StatusCause, StatusDetails
from pybernetes.apiserver.custom import schema as schemas
from pybernetes.apiserver.custom.correlation import Correlation
from pybernetes.apiserver.custom.embedded import cleaned, embedded_errors
from pybernetes.apiserver.custom.list_types import list_errors
from pybernetes.apiserver.custom.numbers import text_of
from pybernetes.apiserver.custom.replicas import names_of, spec_errors, status_errors
from pybernetes.apiserver.custom.rules import VersionRules, rules_of
from pybernetes.apiserver.custom.validation import NOWHERE, validate
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.apiserver.resources.validation.metadata import (
    finalizer_warnings,
    validate_metadata,
    validate_metadata_update,
)
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.custom import expressions as cel

_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


def strategy(rules: VersionRules) -> Strategy:
    """The strategy of a version."""
    return Strategy(
        default=_default,
        prepare_create=_prepare_create if rules.has_status else _prepare_first,
        prepare_update=_prepare_update if rules.has_status else _count,
        prepare_status=_prepare_status,
        validate_create=_create_errors,
        validate_update=_update_errors,
        validate_status=_status_errors,
        warnings=_warnings,
        fields=lambda obj: _fields(obj, rules.selected),
        field_names=frozenset(rules.selectable),
        unconditional_update=False,
    )


def _default(obj: CustomObject) -> None:
    rules = rules_of(type(obj))
    schemas.default(obj.content, rules.content)
    if rules.embeds:
        # Defaults may have brought fields that metadata does not have.
        cleaned(obj.content, rules.content, drop_malformed=True)


def _prepare_first(obj: CustomObject) -> None:
    obj.metadata.generation = 1


def _prepare_create(obj: CustomObject) -> None:
    obj.content.pop("status", None)
    obj.metadata.generation = 1


def _prepare_update(new: CustomObject, old: CustomObject) -> None:
    _put_status(new.content, old.content)
    _count(new, old)


def _put_status(content: dict[str, Any], source: Mapping[str, Any]) -> None:
    content.pop("status", None)
    if "status" in source:
        content["status"] = source["status"]


def _count(new: CustomObject, old: CustomObject) -> None:
    """Any change outside of metadata (and of the status, where that is a sub-resource) raises the generation."""
    generation = old.metadata.generation or 1
    new.metadata.generation = generation if _text(new.content) == _text(old.content) else generation + 1


def _prepare_status(new: CustomObject, old: CustomObject) -> None:
    """Of what the client sent only the status counts, and who manages which field."""
    given = new.content
    new.content = {**old.content}
    _put_status(new.content, given)
    managed, revision = new.metadata.managed_fields, new.metadata.resource_version
    new.metadata = objects.copy(old.metadata)
    new.metadata.managed_fields, new.metadata.resource_version = managed, revision


def _text(value: Any) -> bytes:
    # Compared as text, since to Python 1, 1.0 and True are one.
    return msgspec.json.encode(value, order="sorted")


def _warnings(new: CustomObject, old: CustomObject | None) -> list[str]:
    return finalizer_warnings(new.metadata.finalizers, old.metadata.finalizers if old is not None else ())


def _spoken(obj: CustomObject) -> VersionRules:
    return rules_of(obj.spoken or type(obj))


def _document(obj: CustomObject, rules: VersionRules) -> dict[str, Any]:
    """The object as the version that the client speaks has it, to look at."""
    metadata = msgspec.to_builtins(obj.metadata)
    return {"kind": obj.kind, "apiVersion": f"{rules.group}/{rules.version}", "metadata": metadata, **obj.content}


def _create_errors(obj: CustomObject) -> list[FieldError]:
    rules = _spoken(obj)
    _require_kind(obj, rules)
    errors = validate_metadata(obj.metadata, namespaced=rules.namespaced, any_finalizer=True)
    return errors + _content_errors(obj, None, rules)


def _update_errors(new: CustomObject, old: CustomObject) -> list[FieldError]:
    rules = _spoken(new)
    _require_kind(new, rules)
    errors = validate_metadata_update(new.metadata, old.metadata, namespaced=rules.namespaced, any_finalizer=True)
    return errors + _content_errors(new, old, rules)


def _content_errors(new: CustomObject, old: CustomObject | None, rules: VersionRules) -> list[FieldError]:
    document = _document(new, rules)
    before = _document(old, rules) if old is not None else None
    past = Correlation(document, before, rules.schema, is_closed=rules.is_closed) if before is not None else None
    errors = validate(document, rules.schema, past=past)
    if rules.scale is not None:
        errors += spec_errors(new.content, rules.scale)
        errors += status_errors(new.content, rules.scale)
    if rules.embeds:
        errors += embedded_errors(new.content, rules.content)
    errors += _list_errors(new, old, rules)
    return errors + _rule_errors(errors, rules, document, past, before)


def _list_errors(new: CustomObject, old: CustomObject | None, rules: VersionRules) -> list[FieldError]:
    """Items that are there twice; an update may keep some."""
    errors = list(list_errors(new.content, rules.content))
    if errors and old is not None and next(list_errors(old.content, rules.content), None) is not None:
        return []
    return errors


def _status_errors(new: CustomObject, old: CustomObject) -> list[FieldError]:
    rules = _spoken(new)
    _require_kind(new, rules)
    errors = validate_metadata_update(new.metadata, old.metadata, namespaced=rules.namespaced, any_finalizer=True)
    document, before = _document(new, rules), _document(old, rules)
    past = Correlation(document, before, rules.schema, is_closed=rules.is_closed)
    inner = json_schema.properties(rules.schema).get("status")
    if inner is not None and "status" in document:
        held = past.key("status") or Correlation(document["status"], before.get("status"), inner)
        errors += validate(document["status"], inner, root="status", past=held)
    if rules.scale is not None:
        errors += status_errors(new.content, rules.scale)
    errors += _list_errors(new, old, rules)
    return errors + _rule_errors(errors, rules, document, past, before)


def _rule_errors(
    errors: Iterable[FieldError], rules: VersionRules, new: Any, past: Correlation | None, old: Any
) -> list[FieldError]:
    """What the rules in CEL say; they are not asked about an object whose shape is wrong."""
    compiled = rules.expressions
    if compiled is None:
        return []
    if any(error.type in _BLOCKING for error in errors):
        return [invalid(NOWHERE, None, _UNCHECKED)]
    return cel.expression_errors(compiled, new, old, past=past)


def _require_kind(obj: CustomObject, rules: VersionRules) -> None:
    """422 for an object that says it is of another kind; upstream names that kind in the error."""
    if obj.kind == rules.kind:
        return
    problem = invalid("kind", obj.kind, f"must be {rules.kind}")
    name = obj.metadata.name or ""
    cause = StatusCause(reason=problem.type, message=problem.body, field=problem.field)
    details = StatusDetails(name=name or None, group=rules.group, kind=obj.kind, causes=[cause])
    raise status.failure(422, "Invalid", f'{obj.kind}.{rules.group} "{name}" is invalid: {problem}', details)


def _fields(obj: CustomObject, selected: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in selected:
        value: Any = obj.content
        for step in names_of(name):
            value = value.get(step) if isinstance(value, dict) else None
        found[name] = "" if value is None else text_of(value)
    return found
