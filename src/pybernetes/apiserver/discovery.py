"""Discovery: which groups, versions and resources there are, whole (aggregated) or a document a level.

Rows of kinds go in once and become bytes; every answer after that is a look-up. Called by `documents`. Custom resources
will come and go: whoever knows of a change makes a new `Discovery` of the new rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pybernetes.api.kind import Kind, Subresource
from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.negotiation import CONTENT_TYPES, Accepted, by_quality, negotiate_document
from pybernetes.apiserver.rendering import finished

_AGGREGATED_PARAMETERS = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_AGGREGATED = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}
UNCACHED = "no-cache, private"


class Discovery:
    """The discovery documents of some kinds; `address` is `host:port` of the server, as clients outside reach it."""

    def __init__(self, kinds: Iterable[Kind], address: str) -> None:
        rows = _by_group(kinds)
        self._groups = frozenset(rows) - {""}
        self._documents = {path: msgspec.json.encode(value) for path, value in _documents(rows, address).items()}
        core = {"": rows.get("", {})}
        named = {group: versions for group, versions in rows.items() if group}
        self._aggregated = {"/api": _Aggregated(core), "/apis": _Aggregated(named)}

    @property
    def paths(self) -> Sequence[str]:
        """All paths that have a document."""
        return list(self._documents)

    def answer(self, request: Request) -> Response | None:
        """The document of a path; None for a path that has none, StatusError where a known group says so itself."""
        path = request.path.rstrip("/")
        body = self._documents.get(path)
        if body is None:
            if self._owns(path):
                raise failure(404, "NotFound", "the server could not find the requested resource", StatusDetails())
            return None
        if request.method != "GET" and path != "/apis":
            raise method_not_allowed()
        if path in self._aggregated and (accepted := _aggregated_form(request)) is not None:
            return self._aggregated[path].answer(request, accepted)
        return document(body, negotiate_document(request))

    def _owns(self, path: str) -> bool:
        parts = path.split("/")[1:]
        return (len(parts) > 1 and parts[0] == "api") or (
            len(parts) > 2 and parts[0] == "apis" and parts[1] in self._groups
        )


class _Aggregated:
    """One aggregated document and its tag."""

    def __init__(self, rows: dict[str, dict[str, list[Kind]]]) -> None:
        items = [_group_discovery(group, versions) for group, versions in rows.items()]
        head = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
        self._body = msgspec.json.encode({**head, "items": items})
        self._tag = f'"{hashlib.sha512(self._body).hexdigest().upper()}"'

    def answer(self, request: Request, accepted: Accepted) -> Response:
        """The document, or 304 when the client has it."""
        headers = {"cache-control": "public", "etag": self._tag, "vary": "Accept"}
        if request.headers.get("if-none-match") == self._tag:
            return Response(304, headers)
        body, content_type = finished(self._body, accepted)
        return Response(200, {**headers, "content-type": content_type + _AGGREGATED_PARAMETERS}, body)


def document(body: bytes, accepted: Accepted) -> Response:
    """JSON in the form that the client accepts, not to be cached."""
    text, content_type = finished(body, accepted)
    return Response(200, {"content-type": content_type, "cache-control": UNCACHED}, text)


def method_not_allowed() -> StatusError:
    message = "the server does not allow this method on the requested resource"
    return failure(405, "MethodNotAllowed", message, StatusDetails())


def _aggregated_form(request: Request) -> Accepted | None:
    """The form of the aggregated document, where that is the first acceptable clause."""
    names = {name: media for media, name in CONTENT_TYPES.items()}
    for name, parameters in by_quality(request.headers.get("accept", "")):
        if (name in names or name == "*/*") and "as" not in parameters:
            return None
        if name in names and parameters.items() >= _AGGREGATED.items():
            return Accepted(names[name])
    return None


def _by_group(kinds: Iterable[Kind]) -> dict[str, dict[str, list[Kind]]]:
    """group -> version -> rows, in the order of the rows."""
    rows: dict[str, dict[str, list[Kind]]] = {}
    for kind in kinds:
        rows.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
    return rows


def _documents(rows: dict[str, dict[str, list[Kind]]], address: str) -> dict[str, Any]:
    """Path -> document, of all levels."""
    groups = {group: _api_group(group, versions) for group, versions in rows.items() if group}
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    versions = list(rows.get("", {}))
    found: dict[str, Any] = {
        "/api": {"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": addresses},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(groups.values())},
    }
    for group, value in groups.items():
        found[f"/apis/{group}"] = {"kind": "APIGroup", "apiVersion": "v1", **value}
    for group, by_version in rows.items():
        for kinds in by_version.values():
            # Upstream leaves apiVersion out of the core group's list.
            head = {"kind": "APIResourceList", **({"apiVersion": "v1"} if group else {})}
            resources = [resource for kind in kinds for resource in _resources(kind)]
            resources.sort(key=lambda resource: resource["name"])
            found[kinds[0].path_prefix] = {**head, "groupVersion": kinds[0].api_version, "resources": resources}
    return found


def _api_group(group: str, versions: Iterable[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def _resources(kind: Kind) -> list[dict[str, Any]]:
    """A resource and its sub-resources, as APIResourceList has them."""
    own = {
        "name": kind.resource,
        "singularName": kind.singular or kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": sorted(kind.verbs),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
        "storageVersionHash": kind.storage_version_hash,
    }
    resources = [{key: value for key, value in own.items() if value not in ([], "")}]
    for child in kind.subresources:
        group, version, name = _body(kind, child)
        body = {"group": group, "version": version} if version else {}
        resources.append(
            {
                "name": f"{kind.resource}/{child.name}",
                "singularName": "",
                "namespaced": kind.namespaced,
                **body,
                "kind": name,
                "verbs": sorted(child.verbs),
            }
        )
    return resources


def _body(kind: Kind, child: Subresource) -> tuple[str, str, str]:
    """Group, version and kind of a sub-resource's body; group and version empty where they are the parent's."""
    return child.body if child.body is not None else ("", "", kind.name)


def _group_discovery(group: str, versions: dict[str, list[Kind]]) -> dict[str, Any]:
    listed = []
    for version, kinds in versions.items():
        resources = sorted((_resource_discovery(kind) for kind in kinds), key=lambda item: item["resource"])
        listed.append({"version": version, "resources": resources, "freshness": "Current"})
    return {"metadata": {"name": group} if group else {}, "versions": listed}


def _resource_discovery(kind: Kind) -> dict[str, Any]:
    own: dict[str, Any] = {
        "resource": kind.resource,
        "responseKind": {"group": "", "version": "", "kind": kind.name},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular or kind.name.lower(),
        "verbs": sorted(kind.verbs),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
        "subresources": [_subresource_discovery(kind, child) for child in kind.subresources],
    }
    return {key: value for key, value in own.items() if value != []}


def _subresource_discovery(kind: Kind, child: Subresource) -> dict[str, Any]:
    group, version, name = _body(kind, child)
    response = {"group": group, "version": version, "kind": name}
    return {"subresource": child.name, "responseKind": response, "verbs": sorted(child.verbs)}
