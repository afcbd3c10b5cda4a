"""What an informer knows: objects by namespace and name, and by the indexes that were asked for.

The informer writes, everyone else reads. Objects are shared: never change them, `api.objects.copy` them first.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import Generic

from pybernetes.api.objects import Object

IndexFunction = Callable[[Object], Iterable[str]]


class Cache(Generic[Object]):
    """Objects of one kind. Lists are snapshots, in no order that means anything."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Object]] = {}
        self._functions: dict[str, IndexFunction[Object]] = {}
        # index -> value -> (namespace, name) -> object; dicts for their stable order.
        self._indexes: dict[str, dict[str, dict[tuple[str, str], Object]]] = {}

    def get(self, namespace: str, name: str) -> Object | None:
        """One object; the namespace is empty for what has none."""
        return self._objects.get(namespace, {}).get(name)

    def list(self, namespace: str | None = None) -> builtins.list[Object]:
        """All objects, or those of one namespace."""
        if namespace is not None:
            return [*self._objects.get(namespace, {}).values()]
        return [obj for group in self._objects.values() for obj in group.values()]

    def by_index(self, index: str, value: str) -> builtins.list[Object]:
        """The objects for which the index's function gave this value; KeyError for an index nobody added."""
        return [*self._indexes[index].get(value, {}).values()]

    def __len__(self) -> int:
        return sum(len(group) for group in self._objects.values())

    def add_index(self, name: str, function: IndexFunction[Object]) -> None:
        """Indexes what is there and what comes. The same name twice must mean the same function."""
        if name in self._functions:
            return
        self._functions[name] = function
        self._indexes[name] = {}
        for obj in self.list():
            self._index(name, obj)

    def put(self, obj: Object) -> Object | None:
        """Stores an object and returns the one it replaces."""
        namespace, name = _place(obj)
        group = self._objects.setdefault(namespace, {})
        old = group.get(name)
        group[name] = obj
        for index in self._functions:
            if old is not None:
                self._unindex(index, old)
            self._index(index, obj)
        return old

    def remove(self, obj: Object) -> Object | None:
        """Removes the object of this namespace and name and returns what was stored."""
        namespace, name = _place(obj)
        group = self._objects.get(namespace, {})
        old = group.pop(name, None)
        if old is None:
            return None
        if not group:
            del self._objects[namespace]
        for index in self._functions:
            self._unindex(index, old)
        return old

    def _index(self, index: str, obj: Object) -> None:
        values = self._indexes[index]
        for value in self._functions[index](obj):
            values.setdefault(value, {})[_place(obj)] = obj

    def _unindex(self, index: str, obj: Object) -> None:
        values = self._indexes[index]
        for value in self._functions[index](obj):
            entries = values.get(value)
            if entries is not None and entries.pop(_place(obj), None) is not None and not entries:
                del values[value]


def _place(obj: Object) -> tuple[str, str]:
    return obj.metadata.namespace or "", obj.metadata.name or ""
