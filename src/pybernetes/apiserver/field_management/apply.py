"""Server-side apply: what a document and its applier make of a stored one, and of who owns what. Pure.

The live document and its managers go in with the applied document; out come the new ones, or `Conflicts`. The order is
upstream's: merge, take out what the applier gave up and nobody else owns, then look whose fields that changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.merge_patch import same
from pybernetes.apiserver.field_management.comparison import Comparison, settings
from pybernetes.apiserver.field_management.conflicts import Conflicts
from pybernetes.apiserver.field_management.fieldset import Fields, difference, intersection, union
from pybernetes.apiserver.field_management.kind_types import type_of
from pybernetes.apiserver.field_management.managers import CompareAt, Identity, Managers, Owned, stripped, taken
from pybernetes.apiserver.field_management.merging import merged, with_named_parents, without
from pybernetes.apiserver.field_management.reset_fields import ResetFields
from pybernetes.apiserver.field_management.versions import at_version, compared, translated

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Applier:
    """Who applies as what; `force` takes fields from others."""

    kind: Kind
    identity: Identity
    force: bool
    reset: ResetFields
    now: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome: the document as it shall be stored, whether that is another one, and the managers."""

    document: Document
    changed: bool
    managers: Managers


def apply(applier: Applier, live: Document, managers: Managers, document: Document) -> Applied:
    """Lays `document` over `live`; raises Conflicts, or ValueError when the two cannot be merged."""
    type_ = type_of(applier.kind)
    new = merged(type_, live, document)
    last = managers.get(applier.identity)
    own = applier.reset(settings(type_, document))
    version = applier.kind.api_version
    owners = {**managers, applier.identity: Owned(own, version, last.time if last is not None else None)}
    if last is not None and last.fields:
        new = _pruned(applier.kind, new, owners, last)
    changed = new != live or (type_.mixed and not same(new, live))
    owners = _settled(owners, _comparing(applier, live, new), applier)
    own = stripped(own)
    if not own:
        owners.pop(applier.identity, None)
    elif applier.identity in owners:
        time = applier.now if changed else owners[applier.identity].time
        owners[applier.identity] = Owned(own, version, time)
    return Applied(new if changed else live, changed, owners)


def _settled(owners: Managers, compare_at: CompareAt, applier: Applier) -> Managers:
    """The managers after the write; Conflicts unless the applier may take what others own."""
    conflicts: dict[Identity, Fields] = {}
    for who, owned in owners.items():
        comparison = compare_at(owned.api_version)
        if who != applier.identity and comparison is not None:
            contested = intersection(owned.fields, comparison.changed)
            if contested:
                conflicts[who] = contested
    if conflicts and not applier.force:
        raise Conflicts(conflicts)
    return {who: owned for who, owned in taken(owners, compare_at, but=applier.identity).items() if owned.fields}


def _comparing(applier: Applier, live: Document, new: Document) -> CompareAt:
    known: dict[str, Comparison | None] = {}

    def compare_at(api_version: str) -> Comparison | None:
        if api_version not in known:
            kind = at_version(applier.kind, api_version)
            known[api_version] = (
                compared(
                    type_of(kind),
                    translated(live, applier.kind, kind),
                    translated(new, applier.kind, kind),
                    applier.reset,
                )
                if kind is not None
                else None
            )
        return known[api_version]

    return compare_at


def _pruned(kind: Kind, document: Document, owners: Managers, last: Owned) -> Document:
    """The document without what the applier applied last time and now does not, as far as nobody else owns it."""
    then = at_version(kind, last.api_version)
    if then is None:
        return document
    type_ = type_of(then)
    whole = translated(document, kind, then)
    given_up = with_named_parents(type_, last.fields)
    pruned = without(type_, whole, given_up) or {}
    owned_at: dict[str, Fields] = {}
    for owned in owners.values():
        owned_at[owned.api_version] = union(owned_at.get(owned.api_version, {}), owned.fields)
    for api_version in sorted(owned_at, key=lambda version: version != last.api_version):
        other = at_version(kind, api_version)
        if other is not None:
            pruned = _with_owned(then, other, whole, pruned, owned_at[api_version])
    kept = with_named_parents(type_, settings(type_, pruned))
    gone = difference(with_named_parents(type_, settings(type_, whole)), kept)
    result = without(type_, whole, intersection(gone, given_up)) or {}
    return translated(result, then, kind)


def _with_owned(then: Kind, other: Kind, whole: Document, pruned: Document, owned: Fields) -> Document:
    """Puts back what pruning took out although someone owns it in terms of `other`."""
    type_ = type_of(other)
    whole, pruned = translated(whole, then, other), translated(pruned, then, other)
    everything = with_named_parents(type_, settings(type_, whole))
    kept = union(
        with_named_parents(type_, settings(type_, pruned)),
        with_named_parents(type_, owned),
    )
    result: Document = without(type_, whole, difference(everything, kept)) or {}
    return translated(result, other, then)
