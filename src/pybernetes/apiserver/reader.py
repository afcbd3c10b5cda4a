"""What stages may read of the cluster: committed objects, from memory, without waiting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, Object


class Reader(Protocol):
    """A view of all stored objects at the newest committed revision. The objects are shared: never change them."""

    def get(self, type_: type[Object], name: str, namespace: str = "") -> Object | None: ...

    def list(self, type_: type[Object], namespace: str | None = None) -> Iterable[Object]:
        """All objects of a kind, or of one namespace of it."""

    def of_kind(self, kind: Kind, namespace: str) -> Iterable[ApiObject]:
        """The objects of a namespace that a request for this kind shows, as they are stored; custom kinds too."""

    def find_kind(self, api_version: str, name: str) -> Kind | None:
        """The kind of a name in a group-version, custom kinds too; None when there is none that is stored."""
