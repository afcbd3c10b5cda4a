"""Reads from a request's method, path and query what it asks for. The first stage of the pipeline; a pure function."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from pybernetes.api.fields import SelectorError, parse_selector
from pybernetes.api.kind import Kind, Subresource
from pybernetes.api.kinds import find_resource, group_versions
from pybernetes.api.names import path_segment_name
from pybernetes.api.wire import Request
from pybernetes.apiserver.query_options import flag
from pybernetes.apiserver.request import RequestInfo

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_CONNECTS = {"proxy", "exec", "attach", "portforward"}
# Longer ones are not remembered.
_KNOWN_PATH_MAX = 300
# Sub-resources of namespaces, which are not resources inside of the namespace.
_NAMESPACE_CHILDREN = {"finalize", "status"}


class Kinds(Protocol):
    """The kinds that are served at the moment."""

    @property
    def groups(self) -> frozenset[str]: ...

    def find(self, group: str, version: str, resource: str) -> Kind | None: ...


class _BuiltIn:
    """The kinds of a server without custom resources."""

    groups = frozenset(group for group, _version in group_versions())

    def find(self, group: str, version: str, resource: str) -> Kind | None:
        return find_resource(group, version, resource)


BUILT_IN = _BuiltIn()


def identify(request: Request, kinds: Kinds = BUILT_IN) -> RequestInfo:
    """The request's target; a path that is no resource path gives the plain method as verb."""
    method, path, watches = request.method, request.path, bool(flag(request, "watch"))
    if len(path) <= _KNOWN_PATH_MAX:
        known = _known(method, path, watches)
        if known is not None:
            return known
    return _identified(method, path, watches, kinds)


@lru_cache(maxsize=4096)
def _known(method: str, path: str, watches: bool) -> RequestInfo | None:
    """The target if it is of a built-in kind, which nothing that is served besides can change."""
    info = _identified(method, path, watches, BUILT_IN)
    return info if info.kind is not None else None


def _identified(method: str, path: str, watches: bool, kinds: Kinds) -> RequestInfo:
    located = _group_version(path.strip("/").split("/"))
    if located is None:
        return RequestInfo(path, method.lower())
    group, version, rest = located
    # The old way to ask for a watch: /api/v1/watch/pods.
    old_watch = rest[0] == "watch" and len(rest) > 1 and method in ("GET", "HEAD")
    namespace, rest = _namespace(rest[1:] if old_watch else rest)
    resource, name, subresource = (*rest[:3], "", "", "")[:3]
    kind = kinds.find(group, version, resource)
    verb = "watch" if old_watch else _verb(method, watches, name, subresource)
    if kind is not None and not kind.namespaced and resource == "namespaces":
        namespace = name
    return RequestInfo(
        path=path,
        verb=verb,
        is_resource=True,
        group=group,
        version=version,
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
        tail="/" + "/".join(rest[3:]) if len(rest) > 3 else "",
        kind=kind,
        child=_child(kind, subresource),
    )


def selected(info: RequestInfo, field_selector: str) -> RequestInfo:
    """The target as authorization sees it: a list or watch of one name is about that object."""
    if info.name or not field_selector or info.verb not in ("list", "watch"):
        return info
    try:
        # By the same reading as the list itself: what is authorized must be what is selected.
        name = parse_selector(field_selector).required_value("metadata.name")
    except SelectorError:
        return info
    return replace(info, name=name) if name and not path_segment_name(name) else info


def _group_version(parts: list[str]) -> tuple[str, str, list[str]] | None:
    """Group, version and what follows; also of groups that nobody serves, for who may ask is decided first."""
    if len(parts) >= 3 and parts[0] == "api":
        return "", parts[1], parts[2:]
    if len(parts) >= 4 and parts[0] == "apis":
        return parts[1], parts[2], parts[3:]
    return None


def _namespace(rest: list[str]) -> tuple[str, list[str]]:
    if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in _NAMESPACE_CHILDREN:
        return rest[1], rest[2:]
    return "", rest


def _verb(method: str, watches: bool, name: str, subresource: str) -> str:
    verb = _VERBS.get(method, "")
    if subresource in _CONNECTS:
        return "create" if subresource != "proxy" else verb
    if verb == "get" and not name:
        return "watch" if watches else "list"
    if verb == "get" and watches and not subresource:
        return "watch"
    if verb == "delete" and not name:
        return "deletecollection"
    return verb


def _child(kind: Kind | None, subresource: str) -> Subresource | None:
    if kind is None or not subresource:
        return None
    return next((child for child in kind.subresources if child.name == subresource), None)
