"""What admission looks at: the reader of the plug-ins, which can tell whoever wants to know what was asked of it.

`apiserver` puts it between the registry and the plug-ins; `moulds` listens while it learns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, Object
from pybernetes.apiserver.collection import Collection, Part
from pybernetes.apiserver.registry import Registry

# Collections or parts of them, and the generation of each when it was first looked at.
LookedAt = dict[Collection | Part, int]


class Witness:
    """A `reader.Reader` of a registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._listening: list[LookedAt] = []

    @contextmanager
    def attention(self) -> Iterator[LookedAt]:
        """Gathers what is looked at until the block ends, also by others who happen to look meanwhile."""
        looked_at: LookedAt = {}
        self._listening.append(looked_at)
        try:
            yield looked_at
        finally:
            # By identity: two that have seen the same are equal.
            self._listening = [other for other in self._listening if other is not looked_at]

    def get(self, type_: type[Object], name: str, namespace: str = "") -> Object | None:
        if self._listening:
            kind = kind_of(type_)
            self._note(kind, namespace if kind.namespaced else name)
        return self._registry.get(type_, name, namespace)

    def list(self, type_: type[Object], namespace: str | None = None) -> Iterable[Object]:
        if self._listening:
            kind = kind_of(type_)
            self._note(kind, namespace if kind.namespaced else None)
        return self._registry.list(type_, namespace)

    def of_kind(self, kind: Kind, namespace: str) -> Iterable[ApiObject]:
        if self._listening:
            self._note(kind, namespace if kind.namespaced else None)
        return self._registry.of_kind(kind, namespace)

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        return self._registry.find_kind(api_version, name)

    def _note(self, kind: Kind, part: str | None) -> None:
        collection = self._registry.collection(kind)
        seen = collection if part is None else collection.part(part)
        for looked_at in self._listening:
            looked_at.setdefault(seen, seen.generation)
