"""Managers and what they own: managedFields as a value, and what an update makes of it. Pure.

An object's managedFields come in as `Managers` (by identity: manager, operation, version, sub-resource); a write makes
new ones: fields that changed move to the writer, fields that are gone are nobody's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from pybernetes.api.types.meta_v1 import ManagedFieldsEntry
from pybernetes.apiserver.field_management.comparison import Comparison
from pybernetes.apiserver.field_management.fieldset import (
    LEAF,
    Fields,
    difference,
    parse,
    shared,
    union,
)

APPLY, UPDATE = "Apply", "Update"
_UPDATERS_MAX = 10
_ANCIENT = "ancient-changes"
# What the server sets, or the object's own name: owned by no one.
_NEVER_OWNED: Fields = {
    "f:apiVersion": LEAF,
    "f:kind": LEAF,
    "f:metadata": {
        ".": LEAF,
        **{
            f"f:{name}": LEAF
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        },
    },
}


class Identity(NamedTuple):
    """Who writes how. An applier is the same whatever version it applies, so that its `api_version` is empty."""

    manager: str
    operation: str
    api_version: str
    subresource: str

    def __str__(self) -> str:
        """As conflicts name it."""
        text = json.dumps(self.manager, ensure_ascii=False)
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


@dataclass(frozen=True, slots=True)
class Owned:
    """What one manager owns, in terms of one version; `time` is RFC 3339 text, None where upstream leaves it out."""

    fields: Fields
    api_version: str
    time: str | None = None


Managers = dict[Identity, Owned]
# What differs between the stored and the new object in terms of a version; None for a version that is served no more.
CompareAt = Callable[[str], Comparison | None]


class InvalidManagers(ValueError):
    """managedFields that a client has made up wrongly."""


def identity(manager: str, operation: str, api_version: str, subresource: str) -> Identity:
    """The identity of a writer."""
    return Identity(manager or "unknown", operation, "" if operation == APPLY else api_version, subresource)


def decoded(entries: Iterable[ManagedFieldsEntry], *, trusted: bool = True) -> Managers:
    """The managers of an object; InvalidManagers when the entries, unless they are our own, say nothing valid."""
    result: Managers = {}
    for number, entry in enumerate(entries):
        fields = entry.fields_v1 or {}
        if not trusted:
            _check(entry, number)
            try:
                fields = parse(fields)
            except ValueError as error:
                raise InvalidManagers(str(error)) from error
        operation, api_version = entry.operation or "", entry.api_version or ""
        who = Identity(
            entry.manager or "", operation, "" if operation == APPLY else api_version, entry.subresource or ""
        )
        result[who] = Owned(fields, api_version, entry.time)
    return result


def _check(entry: ManagedFieldsEntry, number: int) -> None:
    if entry.operation not in (APPLY, UPDATE):
        raise InvalidManagers("operation must be `Apply` or `Update`")
    if not entry.api_version:
        raise InvalidManagers("apiVersion must not be empty")
    if not entry.fields_type:
        raise InvalidManagers(f"missing fieldsType in managed fields entry {number}")
    if entry.fields_type != "FieldsV1":
        raise InvalidManagers(f'invalid fieldsType "{entry.fields_type}" in managed fields entry {number}')


def encoded(managers: Managers) -> list[ManagedFieldsEntry]:
    """The entries as an object shows them: appliers first, then by time and name."""
    ordered = sorted(
        managers.items(),
        key=lambda item: (
            item[0].operation,
            item[1].time or "",
            item[0].manager,
            item[1].api_version,
            item[0].subresource,
        ),
    )
    return [
        ManagedFieldsEntry(
            manager=who.manager or None,
            operation=who.operation,
            api_version=owned.api_version,
            time=owned.time,
            fields_type="FieldsV1",
            fields_v1=shared(owned.fields),
            subresource=who.subresource or None,
        )
        for who, owned in ordered
    ]


def taken(managers: Managers, compare_at: CompareAt, but: Identity | None = None) -> Managers:
    """The managers without what a write has changed or removed; `but` (the writer itself) keeps what it has."""
    result: Managers = {}
    for who, owned in managers.items():
        if who == but:
            result[who] = owned
            continue
        comparison = compare_at(owned.api_version)
        if comparison is None:
            continue
        left = difference(difference(owned.fields, comparison.changed), comparison.removed)
        if left:
            result[who] = owned if left is owned.fields else replace(owned, fields=left)
    return result


def stripped(fields: Fields) -> Fields:
    """The fields that can be owned."""
    return difference(fields, _NEVER_OWNED)


def updated(managers: Managers, compare_at: CompareAt, writer: Identity, api_version: str, now: str) -> Managers:
    """What a create, an update or a patch makes of the managers: the writer owns all that it has changed."""
    result = taken(managers, compare_at)
    comparison = compare_at(api_version)
    own = stripped(comparison.changed) if comparison is not None else {}
    if not own:
        return result
    before, left = managers.get(writer), result.get(writer)
    fields = union(left.fields, own) if left is not None else own
    if before is not None and before.fields == fields:
        fields = before.fields
    result[writer] = Owned(fields, api_version, now)
    return capped(result)


def capped(managers: Managers) -> Managers:
    """At most ten updaters: the oldest of a version are folded into one."""
    updaters = [who for who in managers if who.operation == UPDATE]
    if len(updaters) <= _UPDATERS_MAX:
        return managers
    result = dict(managers)
    updaters.sort(key=lambda who: (managers[who].time or "", who))
    first: dict[str, Identity] = {}
    count = len(updaters)
    for who in updaters:
        if count <= _UPDATERS_MAX:
            break
        owned = result[who]
        version = owned.api_version
        if version not in first:
            first[version] = who
            continue
        bucket = Identity(_ANCIENT, UPDATE, version, "")
        gathered = result[bucket] if bucket in result else result.pop(first[version])
        result.pop(who, None)
        result[bucket] = Owned(union(gathered.fields, owned.fields), version, owned.time)
        count -= 1
    return result
