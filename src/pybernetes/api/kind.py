"""What a kind is: how a resource is called, reached and held. The rows themselves are in `kind_rows.py`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pybernetes.api.objects import ApiObject

ALL_VERBS = frozenset({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})
SUBRESOURCE_VERBS = frozenset({"get", "patch", "update"})


@dataclass(frozen=True)
class Subresource:
    """A path below an object; `body` is the (group, version, kind) it speaks when that is not the parent's."""

    name: str
    verbs: frozenset[str] = SUBRESOURCE_VERBS
    body: tuple[str, str, str] | None = None


CREATE_ONLY = frozenset({"create"})
STATUS = (Subresource("status"),)
SCALE_AND_STATUS = (
    Subresource("scale", body=("autoscaling", "v1", "Scale")),
    *STATUS,
)


@dataclass(frozen=True)
class Kind:
    """One row: what a resource is called, how it is reached and which struct holds it."""

    group: str
    version: str
    resource: str
    type: type[ApiObject]
    singular: str = ""
    namespaced: bool = True
    verbs: frozenset[str] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    storage_version_hash: str = ""
    list_kind: str = ""

    @cached_property
    def name(self) -> str:
        """The kind as it is written in an object, such as `Pod`."""
        return self.type.__name__

    @cached_property
    def list_name(self) -> str:
        """The kind of its lists, such as `PodList`."""
        return self.list_kind or f"{self.name}List"

    @cached_property
    def api_version(self) -> str:
        """`v1` or `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def group_resource(self) -> str:
        """`pods` or `deployments.apps`, as error messages name it."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @cached_property
    def path_prefix(self) -> str:
        """The path of the group-version: `/api/v1` or `/apis/apps/v1`."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """The request path of a collection, an object or a sub-resource."""
        parts = [self.path_prefix]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.resource)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)
