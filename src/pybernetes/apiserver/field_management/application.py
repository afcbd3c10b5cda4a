"""One apply request on its way: its body is read, and every attempt makes a typed object of the stored one.

Called by `commands` and the scale sub-resources: a request comes in, the object to store (with its managedFields) goes
out, or a StatusError in upstream's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from pybernetes.api import status, strictness
from pybernetes.api.encoding import DecodeError, from_value
from pybernetes.api.go_text import json_kind
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject
from pybernetes.api.wire import Request
from pybernetes.apiserver.custom.reading import from_document
from pybernetes.apiserver.field_management import last_applied
from pybernetes.apiserver.field_management.apply import Applied, Applier, Document, apply
from pybernetes.apiserver.field_management.checking import problems, summary
from pybernetes.apiserver.field_management.conflicts import Conflicts
from pybernetes.apiserver.field_management.fieldset import difference
from pybernetes.apiserver.field_management.kind_types import empty_document, is_custom, type_of
from pybernetes.apiserver.field_management.managers import (
    APPLY,
    UPDATE,
    Managers,
    decoded,
    encoded,
    identity,
    updated,
)
from pybernetes.apiserver.field_management.reconciling import reconciled
from pybernetes.apiserver.field_management.reset_fields import reset_fields
from pybernetes.apiserver.field_management.versions import compared, document_of
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.api import yaml

_BEFORE = "before-first-apply"


@dataclass(frozen=True, slots=True)
class Application:
    """What is applied to an object of `kind`, as it is served, through a sub-resource or none."""

    kind: Kind
    subresource: str
    manager: str
    force: bool
    document: Document

    def object(self, live: ApiObject | None, now: str) -> ApiObject:
        """The object that results, of the served kind; `live` is the stored one (read only), None if there is none."""
        before = document_of(live, self.kind) if live is not None else empty_document(self.kind)
        managers = decoded(live.metadata.managed_fields) if live is not None else {}
        result = self.on(before, managers, now)
        obj = self.typed(result.document)
        obj.metadata.managed_fields = encoded(result.managers)
        return obj

    def typed(self, document: Document) -> ApiObject:
        """The object that a resulting document is."""
        return _typed(document, self.kind)

    def on(self, live: Document, managers: Managers, now: str) -> Applied:
        """The outcome for a document and its managers; the body is checked first."""
        self._check()
        managers = reconciled(managers, self.kind) or self._before_first(live, now)
        try:
            result = self._apply(live, managers, now)
        except Conflicts as conflicts:
            raise conflicts.error() from conflicts
        except ValueError as error:
            raise status.failure(500, "", f"failed to merge config: {error}") from error
        if self.manager == last_applied.MANAGER and last_applied.annotation_of(live) is not None:
            result = _annotated(result, last_applied.text_of(self.document))
        return result

    def _apply(self, live: Document, managers: Managers, now: str) -> Applied:
        writer = identity(self.manager, APPLY, self.kind.api_version, self.subresource)
        reset = reset_fields(self.kind, self.subresource, custom=is_custom(self.kind))
        applier = Applier(self.kind, writer, self.force, reset, now)
        try:
            return apply(applier, live, managers, self.document)
        except Conflicts as conflicts:
            if self.manager != last_applied.MANAGER:
                raise
            allowed = last_applied.allowed(type_of(self.kind), live)
            left = {who: rest for who, fields in conflicts.fields.items() if (rest := difference(fields, allowed))}
            if left:
                raise Conflicts(left) from None
            return apply(replace(applier, force=True), live, managers, self.document)

    def _before_first(self, live: Document, now: str) -> Managers:
        """Whoever wrote an object that no one followed counts as one updater."""
        reset = reset_fields(self.kind, self.subresource, custom=is_custom(self.kind))
        found = compared(type_of(self.kind), empty_document(self.kind), live, reset)
        version = self.kind.api_version
        writer = identity(_BEFORE, UPDATE, version, self.subresource)
        return updated({}, lambda _version: found, writer, version, now)

    def _check(self) -> None:
        """400 and 500, as upstream answers them: another kind, managedFields, a body that does not fit its type."""
        api_version, kind = self.document.get("apiVersion") or "", self.document.get("kind") or ""
        shown = _group_version_kind(str(api_version), str(kind))
        if (api_version, kind) != (self.kind.api_version, self.kind.name):
            raise status.bad_request(f"invalid object type: {shown}")
        metadata = self.document.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        if metadata.get("managedFields") is not None:
            raise status.bad_request("metadata.managedFields must be nil")
        if texts := problems(type_of(self.kind), self.document):
            where = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}; {shown}"
            raise status.failure(500, "", f"failed to create typed patch object ({where}): {summary(texts)}")


def _group_version_kind(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def _typed(document: Document, kind: Kind) -> ApiObject:
    try:
        if issubclass(kind.type, CustomObject):
            return from_document(document, kind.type, strict=False).object
        return from_value(document, kind.type).object
    except DecodeError as error:
        raise status.failure(500, "", f"failed to convert new object: {error}") from error


def _annotated(result: Applied, text: str) -> Applied:
    """The outcome with the annotation, or without it when it would be too long for an object."""
    metadata = result.document.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), last_applied.ANNOTATION: text}
    if not last_applied.fits(annotations):
        del annotations[last_applied.ANNOTATION]
    return replace(result, document={**result.document, "metadata": {**metadata, "annotations": annotations}})


def document_in(request: Request, validation: str, warn: Callable[[str], None]) -> Document:
    """The applied document; 400 for a body that is none. Keys that occur twice are told as field validation wants."""
    duplicates: list[str] = []
    try:
        value: Any = msgspec.json.decode(request.body)
        if strictness.duplicates(request.body):
            duplicates = yaml.load_reporting(request.body)[1]
    except (msgspec.DecodeError, RecursionError):
        try:
            value, duplicates = yaml.load_reporting(request.body)
        except yaml.YamlError as error:
            message = f"error decoding YAML: error converting YAML to JSON: {error}"
            raise status.bad_request(message) from error
    if duplicates and validation != "Ignore":
        text = f"error converting YAML to JSON: {yaml.problem(duplicates)}"
        if validation == "Strict":
            raise status.bad_request(f"error strict decoding YAML: {text}")
        for line in duplicates:
            warn(line)
    if value is None:
        return {}
    if not isinstance(value, dict):
        why = f"json: cannot unmarshal {json_kind(value)} into Go value of type map[string]interface {{}}"
        raise status.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    return value
