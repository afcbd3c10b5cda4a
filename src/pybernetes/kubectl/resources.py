"""What a resource is called and where it is: rows of the built-in kinds, and the server's discovery for the others.

Words such as `po`, `deploy`, `deployments.v1.apps` or `all` go in, `Resource`s come out. `Catalog` is pure; verbs get
one from `session.catalog()` and ask the server only when a word is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pybernetes.api import schema
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.kinds import find_kind
from pybernetes.api.objects import ApiObject

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Resource:
    """One resource of the API, built in or not; `type` is the struct of a built-in one."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    type: type[ApiObject] | None = None

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def label(self) -> str:
        """`pod` or `deployment.apps`, as the lines of output begin."""
        return f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()

    @property
    def group_resource(self) -> str:
        """`pods` or `deployments.apps`, as errors name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def definition(self) -> str:
        """The schema's name of a built-in type; empty for others, whose lists are replaced as a whole."""
        return schema.definition_of(self.type) if self.type is not None else ""

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of a collection, an object or a sub-resource; all namespaces when `namespace` is empty."""
        base = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        middle = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        tail = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{base}{middle}/{self.plural}{tail}"


class Catalog:
    """Resources in discovery order."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)

    def find(self, word: str) -> Resource | None:
        """The resource of `pods`, `pod`, `po`, `pods.v1.` or `deployments.v1.apps`; None when there is none."""
        name, _, rest = word.lower().partition(".")
        group_versions = [("", rest)] if rest else []
        if rest:
            version, _, group = rest.partition(".")
            group_versions.append((version, group))
        for test in (_is_name, _is_short_name):
            for resource in self.resources:
                if test(resource, name) and (not rest or _fits(resource, group_versions)):
                    return resource
        return None

    def kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of a manifest's apiVersion and kind."""
        found = (item for item in self.resources if item.kind == kind and item.api_version == api_version)
        return next(found, None)

    def category(self, word: str) -> tuple[Resource, ...]:
        """The resources of a category such as `all`; of each name one."""
        found = {item.group_resource: item for item in reversed(self.resources) if word in item.categories}
        return tuple(reversed(found.values()))


def _is_name(resource: Resource, name: str) -> bool:
    return name in (resource.plural, resource.singular or resource.kind.lower(), resource.kind.lower())


def _is_short_name(resource: Resource, name: str) -> bool:
    return name in resource.short_names


def _fits(resource: Resource, wanted: list[tuple[str, str]]) -> bool:
    return any(resource.group == group and version in ("", resource.version) for version, group in wanted)


def built_in() -> Catalog:
    """The kinds that every server of this version has."""
    rows = (
        Resource(
            row.group,
            row.version,
            row.resource,
            row.name,
            row.namespaced,
            row.singular,
            row.short_names,
            row.categories,
            row.verbs,
            row.type,
        )
        for row in KINDS
    )
    return Catalog(rows)


def discovered(document: Mapping[str, Any]) -> Iterator[Resource]:
    """The resources that an aggregated discovery document lists, in its order."""
    for group in document.get("items", ()):
        group_name = group.get("metadata", {}).get("name", "")
        for version in group.get("versions", ()):
            for entry in version.get("resources", ()):
                yield _discovered(group_name, version["version"], entry)


def _discovered(group: str, version: str, entry: Mapping[str, Any]) -> Resource:
    kind = entry.get("responseKind", {}).get("kind", "")
    row = find_kind(f"{group}/{version}" if group else version, kind)
    return Resource(
        group,
        version,
        entry["resource"],
        kind,
        entry.get("scope") == "Namespaced",
        entry.get("singularResource", ""),
        tuple(entry.get("shortNames", ())),
        tuple(entry.get("categories", ())),
        frozenset(entry.get("verbs", ())),
        row.type if row is not None else None,
    )
