"""The kinds that custom resources add to the server: a table that follows the CustomResourceDefinitions.

It listens to their collection, so that a definition's rows come, change and go in the turn of the event loop that
brings the commit: the look-up of requests, the registry's collections, discovery and OpenAPI.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.kinds import find_resource, group_versions, kind_of
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.apiserver.collection import Change
from pybernetes.apiserver.registry import Registry
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.custom import rows as made

_log = logging.getLogger(__name__)
DEFINITIONS = kind_of(CustomResourceDefinition)
_BUILT_IN_GROUPS = frozenset(group for group, _version in group_versions())
_BUILT_IN = frozenset((kind.group, kind.resource) for kind in KINDS)


class CustomResources:
    """All kinds of one server, built in and custom; `publish` is told whenever they change."""

    def __init__(self, registry: Registry, publish: Callable[[Iterable[Kind]], None]) -> None:
        self._registry = registry
        self._publish = publish
        self._rows: dict[str, made.Rows] = {}
        self._fingerprints: dict[str, bytes] = {}
        self._by_resource: dict[tuple[str, str, str], Kind] = {}
        self.groups: frozenset[str] = _BUILT_IN_GROUPS
        definitions = registry.collection(DEFINITIONS)
        for entry in definitions.entries():
            self._follow(entry.name, cast(CustomResourceDefinition, entry.object))
        if self._rows:
            self._republish()
        definitions.listen(self._receive)

    def find(self, group: str, version: str, resource: str) -> Kind | None:
        """The row of a resource, as it is served now."""
        return find_resource(group, version, resource) or self._by_resource.get((group, version, resource))

    def is_custom(self, group: str) -> bool:
        """Whether a group has custom resources only."""
        return group in self.groups and group not in _BUILT_IN_GROUPS

    def stored(self, definition: str) -> Kind | None:
        """The row that a definition's objects are stored as; None while it is not established."""
        rows = self._rows.get(definition)
        return rows.stored if rows is not None else None

    @property
    def kinds(self) -> list[Kind]:
        """All rows, those of custom resources after the built-in ones, by group."""
        rows = [row for _name, held in sorted(self._rows.items()) for row in held.served]
        return [*KINDS, *sorted(rows, key=lambda row: row.group)]

    def _receive(self, changes: Sequence[Change]) -> None:
        changed = False
        for change in changes:
            entry = change.new or change.old
            assert entry is not None  # every change has a before or an after
            definition = cast(CustomResourceDefinition, entry.object) if change.new is not None else None
            changed |= self._follow(entry.name, definition)
        if changed:
            self._republish()

    def _follow(self, name: str, definition: CustomResourceDefinition | None) -> bool:
        """Takes over a definition's present state; whether that changed anything."""
        mark = made.fingerprint(definition) if definition is not None else b""
        if self._fingerprints.get(name) == mark:
            return False
        self._fingerprints[name] = mark
        rows = made.rows_of(definition) if definition is not None and not is_built_in(definition) else None
        before = self._rows.pop(name, None)
        if rows is not None:
            self._rows[name] = rows
            self._registry.serve(rows.stored)
        elif before is not None:
            self._registry.withdraw(before.stored)
            del self._fingerprints[name]
        return rows is not None or before is not None

    def _republish(self) -> None:
        custom = [row for rows in self._rows.values() for row in rows.served]
        self._by_resource = {(row.group, row.version, row.resource): row for row in custom}
        self.groups = _BUILT_IN_GROUPS | {row.group for row in custom}
        _log.debug("%d custom kinds are served", len(custom))
        self._publish(self.kinds)


def is_built_in(definition: CustomResourceDefinition) -> bool:
    """Whether a definition wants the place of a built-in resource, whose objects it must not get hold of."""
    return (definition.spec.group, definition.spec.names.plural) in _BUILT_IN
