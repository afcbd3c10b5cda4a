"""One change of one object, seen in the terms of any version that managers speak. Pure.

A manager owns fields of the version that it writes. Where two versions differ in shape (autoscalers, Events), the
stored and the new object are converted before they are compared.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import msgspec

from pybernetes.api import kinds
from pybernetes.api.encoding import from_value
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, to_builtins
from pybernetes.api.types import apps_v1
from pybernetes.apiserver.conversion import convert
from pybernetes.apiserver.field_management.comparison import Comparison, compare
from pybernetes.apiserver.field_management.field_type import FieldType
from pybernetes.apiserver.field_management.kind_types import empty_document, type_of
from pybernetes.apiserver.field_management.reset_fields import ResetFields

_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def document_of(obj: ApiObject, kind: Kind) -> dict[str, Any]:
    """The object as a document of a kind, without its managedFields."""
    if obj.metadata.managed_fields:
        obj = copy.copy(obj)
        obj.metadata = msgspec.structs.replace(obj.metadata, managed_fields=[])
    document = to_builtins(convert(obj, kind))
    if kind.type is apps_v1.DaemonSet:
        # Internally it is a field of the spec, so that every versioned form shows it.
        document["metadata"].setdefault("annotations", {}).setdefault(_TEMPLATE_GENERATION, "0")
    return document


def translated(document: dict[str, Any], kind: Kind, wanted: Kind) -> dict[str, Any]:
    """A document of one kind as the same thing in another version."""
    if kind is wanted:
        return document
    if issubclass(kind.type, CustomObject):
        return {**document, "apiVersion": wanted.api_version}
    return to_builtins(convert(from_value(document, kind.type).object, wanted))


def at_version(kind: Kind, api_version: str) -> Kind | None:
    """The same kind in another version; None when that is not served."""
    if kind.api_version == api_version:
        return kind
    if issubclass(kind.type, CustomObject):
        siblings: Mapping[str, Kind] = kind.type.rules.versions
        return siblings.get(api_version)
    return kinds.find_kind(api_version, kind.name)


class Change:
    """From `old` (None: from nothing) to `new`; both are only read."""

    def __init__(self, kind: Kind, old: ApiObject | None, new: ApiObject, reset: ResetFields) -> None:
        self._kind = kind
        self._old = old
        self._new = new
        self._reset = reset
        self._known: dict[str, Comparison | None] = {}

    def compare_at(self, api_version: str) -> Comparison | None:
        """What differs in terms of a version, but for the fields that this write cannot change."""
        if api_version not in self._known:
            self._known[api_version] = self._compare(api_version)
        return self._known[api_version]

    def _compare(self, api_version: str) -> Comparison | None:
        kind = at_version(self._kind, api_version)
        if kind is None:
            return None
        old = document_of(self._old, kind) if self._old is not None else empty_document(kind)
        return compared(type_of(kind), old, document_of(self._new, kind), self._reset)


def compared(type_: FieldType, old: dict[str, Any], new: dict[str, Any], reset: ResetFields) -> Comparison:
    """What differs between two documents, but for the fields that a write cannot change."""
    found = compare(type_, old, new)
    return Comparison(reset(found.changed), reset(found.removed))
