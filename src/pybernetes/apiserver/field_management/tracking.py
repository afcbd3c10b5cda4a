"""What the writer asks while it stores an object: the managedFields that a create, an update or a patch leaves.

A request's manager, kind and sub-resource go in once; then, for every attempt, the stored and the new object, and the
entries of the new one come out. Pure but for the time, which is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.types.meta_v1 import ManagedFieldsEntry
from pybernetes.apiserver.field_management.alike import entries_of
from pybernetes.apiserver.field_management.checking import problems
from pybernetes.apiserver.field_management.kind_types import is_custom, type_of
from pybernetes.apiserver.field_management.managers import (
    UPDATE,
    InvalidManagers,
    Managers,
    decoded,
    encoded,
    identity,
    updated,
)
from pybernetes.apiserver.field_management.reconciling import reconciled
from pybernetes.apiserver.field_management.reset_fields import ResetFields, reset_fields
from pybernetes.apiserver.field_management.versions import Change, document_of

_EMPTY_LIST = re.compile(rb'"managedFields"\s*:\s*\[\s*\]')


class Tracker(Protocol):
    """Says who owns what after a write."""

    def created(self, new: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        """The entries of a new object, as the client gave it and before admission changes it."""

    def changed(self, new: ApiObject, old: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        """The entries of a stored object that becomes `new`; both are only read."""


@dataclass(frozen=True, slots=True)
class Updates:
    """Follows creates, updates and patches of `kind` as it is served, through a sub-resource or none."""

    kind: Kind
    manager: str
    subresource: str = ""

    def created(self, new: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        given = new.metadata.managed_fields
        if is_custom(self.kind) and not _fits(new, self.kind):
            # Nobody can say who owns what of an object that is not of its type.
            return given
        managers: Managers = {}
        if given and not is_reset(given):
            try:
                managers = decoded(given, trusted=False)
            except InvalidManagers:
                managers = {}

        def work_out() -> list[ManagedFieldsEntry]:
            return self._entries(managers, Change(self.kind, None, new, self._reset), now)

        if given:
            return work_out()
        return entries_of(new, (self.kind.api_version, self.manager, self.subresource), now, work_out)

    def changed(self, new: ApiObject, old: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        managers = self._before(new, old)
        # An object that no one follows stays so until someone applies it.
        if not managers:
            return []
        return self._entries(reconciled(managers, self.kind), Change(self.kind, old, new, self._reset), now)

    def _before(self, new: ApiObject, old: ApiObject) -> Managers:
        """The client may rewrite managedFields, but not through a sub-resource, and not into nonsense."""
        given = new.metadata.managed_fields
        if self.subresource or not given:
            return decoded(old.metadata.managed_fields)
        if is_reset(given):
            return {}
        try:
            return decoded(given, trusted=False) or decoded(old.metadata.managed_fields)
        except InvalidManagers:
            return decoded(old.metadata.managed_fields)

    @property
    def _reset(self) -> ResetFields:
        return reset_fields(self.kind, self.subresource, custom=is_custom(self.kind))

    def _entries(self, managers: Managers, change: Change, now: str) -> list[ManagedFieldsEntry]:
        version = self.kind.api_version
        writer = identity(self.manager, UPDATE, version, self.subresource)
        return encoded(updated(managers, change.compare_at, writer, version, now))


def _fits(obj: ApiObject, kind: Kind) -> bool:
    document = {name: value for name, value in document_of(obj, kind).items() if name != "metadata"}
    return not problems(type_of(kind), document)


class Given:
    """For writes that bring the entries along: an applied object has them already."""

    def created(self, new: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        return list(new.metadata.managed_fields)

    def changed(self, new: ApiObject, old: ApiObject, now: str) -> list[ManagedFieldsEntry]:
        return list(new.metadata.managed_fields)


def is_reset(entries: list[ManagedFieldsEntry]) -> bool:
    """Whether a client's managedFields ask to forget all managers: one empty entry (an empty list is read as that)."""
    return len(entries) == 1 and entries[0] == ManagedFieldsEntry()


def mark_reset(document: dict[str, Any], obj: ApiObject) -> None:
    """Keeps an empty list apart from none at all, which the typed form of `document` cannot."""
    metadata = document.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") == []:
        obj.metadata.managed_fields = [ManagedFieldsEntry()]


def keep_reset(body: bytes, obj: Any) -> None:
    """As `mark_reset`, for a body: JSON, since YAML and protobuf clients have no way to say it."""
    if isinstance(obj, ApiObject) and not obj.metadata.managed_fields and _EMPTY_LIST.search(body):
        try:
            document = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return
        if isinstance(document, dict):
            mark_reset(document, obj)


def same_but_for_time(one: list[ManagedFieldsEntry], other: list[ManagedFieldsEntry]) -> bool:
    """Whether two lists of entries differ in nothing but times."""
    return len(one) == len(other) and all(
        (a.manager, a.operation, a.api_version, a.subresource) == (b.manager, b.operation, b.api_version, b.subresource)
        and (a.fields_v1 is b.fields_v1 or a.fields_v1 == b.fields_v1)
        for a, b in zip(one, other, strict=True)
    )
