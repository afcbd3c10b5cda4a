"""Every collection of the server, by kind: the objects' only home in memory, and the `Reader` that the stages get."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import ApiObject, Object
from pybernetes.apiserver.collection import Collection
from pybernetes.apiserver.conversion import storage_kind
from pybernetes.store.contract import Store


class Registry:
    """Collections for all kinds that are stored; implements `reader.Reader`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._is_closed = False
        stored = {storage_kind(kind) for kind in KINDS if "get" in kind.verbs}
        # Those of custom resources, by resource and group.
        self._custom: dict[str, Collection] = {}
        self._collections = {kind.type: Collection(kind, store) for kind in sorted(stored, key=lambda k: k.resource)}

    def collection(self, kind: Kind) -> Collection:
        """Where the objects of a kind live; KeyError for kinds that are not stored, such as reviews."""
        found = self._collections.get(storage_kind(kind).type)
        return found if found is not None else self._custom[kind.group_resource]

    def serve(self, kind: Kind) -> None:
        """Makes room for the objects of a custom resource, or goes on with them under its changed definition."""
        collection = self._custom.get(kind.group_resource)
        if collection is None:
            self._custom[kind.group_resource] = Collection(kind, self.store)
        else:
            collection.reform(kind)

    def withdraw(self, kind: Kind) -> None:
        """Ends the service of a custom resource; its watches end."""
        self._custom.pop(kind.group_resource).close()

    @property
    def revision(self) -> int:
        return self.store.revision

    def get(self, type_: type[Object], name: str, namespace: str = "") -> Object | None:
        entry = self._collections[type_].get(namespace, name)
        return cast(Object, entry.object) if entry is not None else None

    def list(self, type_: type[Object], namespace: str | None = None) -> Iterable[Object]:
        return (cast(Object, entry.object) for entry in self._collections[type_].entries(namespace))

    def of_kind(self, kind: Kind, namespace: str) -> Iterable[ApiObject]:
        return (entry.object for entry in self.collection(kind).entries(namespace))

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        found = find_kind(api_version, name)
        if found is not None:
            return found
        for collection in self._custom.values():
            type_: Any = collection.kind.type
            row: Kind | None = type_.rules.versions.get(api_version)
            if row is not None and row.name == name:
                return row
        return None

    def counts(self) -> dict[tuple[str, str], int]:
        """How many objects there are, by group and resource."""
        every = [*self._collections.values(), *self._custom.values()]
        return {(each.kind.group, each.kind.resource): each.count() for each in every}

    async def check(self) -> str | None:
        """The readiness check `informer-sync`: collections are filled when they are made, and then never behind."""
        return "the collections are closed" if self._is_closed else None

    def close(self) -> None:
        self._is_closed = True
        for collection in [*self._collections.values(), *self._custom.values()]:
            collection.close()
