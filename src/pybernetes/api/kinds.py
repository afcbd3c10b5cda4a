"""Look-ups over the kinds that the API serves. Whatever the rest of the system wants to know of one is in its row."""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.objects import ApiObject
from pybernetes.api.partial import PartialObject

_BY_TYPE = {kind.type: kind for kind in KINDS}
_BY_RESOURCE = {(kind.group, kind.version, kind.resource): kind for kind in KINDS}
_BY_NAME = {(kind.api_version, kind.name): kind for kind in KINDS}


def kind_of(type_: type[ApiObject]) -> Kind:
    """The row of a struct such as `core_v1.Pod`; KeyError for a struct that is no served kind."""
    kind = _BY_TYPE.get(type_)
    if kind is None and issubclass(type_, PartialObject):
        return type_.row
    return _BY_TYPE[type_]


def find_resource(group: str, version: str, resource: str) -> Kind | None:
    """The row of a resource such as ("apps", "v1", "deployments")."""
    return _BY_RESOURCE.get((group, version, resource))


def find_kind(api_version: str, name: str) -> Kind | None:
    """The row of a kind such as ("apps/v1", "Deployment")."""
    return _BY_NAME.get((api_version, name))


def group_versions() -> Iterable[tuple[str, str]]:
    """(group, version) pairs in discovery order, each once."""
    return dict.fromkeys((kind.group, kind.version) for kind in KINDS)
