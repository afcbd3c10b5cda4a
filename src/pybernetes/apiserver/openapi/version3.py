"""OpenAPI version 3: one document a group-version, and small ones for the levels above.

Paths and definitions go in, JSON values come out. Called by `publisher`, once a document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.apiserver.custom import openapi
from pybernetes.apiserver.openapi import definitions
from pybernetes.apiserver.openapi.operations import Operation, Path, version_paths
from pybernetes.apiserver.openapi.parameters import place_of, type_of
from pybernetes.apiserver.openapi.sentences import of_operation, of_parameter
from pybernetes.apiserver.openapi.service_paths import resources_path

INFO = {"title": "Kubernetes", "version": "1.36"}
BEARER = {
    "type": "apiKey",
    "description": "Bearer Token authentication",
    "name": "authorization",
    "in": "header",
}


def version_document(kinds: Sequence[Kind]) -> dict[str, Any]:
    """The document of one group-version."""
    group, version = kinds[0].group, kinds[0].version
    custom = [kind for kind in kinds if openapi.is_custom(kind)]
    built_in = [kind for kind in kinds if not openapi.is_custom(kind)]
    paths = [resources_path(group, version), *version_paths(built_in)] if built_in else []
    return document([*paths, *openapi.paths(custom)], group, version, openapi.version3(custom))


def document(
    paths: Iterable[Path], group: str = "", version: str = "", own: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The document of some paths; `own` are the definitions of custom resources."""
    own = own or {}
    listed = sorted(paths, key=lambda path: path.path)
    used = {name for path in listed for item in path.operations for name in (item.body, item.result) if name}
    schemas = {
        name: own.get(name) or definitions.version3(name, group, version) for name in definitions.closure(used, own)
    }
    return {
        "openapi": "3.0.0",
        "info": INFO,
        "paths": {path.path: _path(path) for path in listed},
        "components": {"schemas": schemas, "securitySchemes": {"BearerToken": BEARER}},
    }


def _path(path: Path) -> dict[str, Any]:
    shared = path.shared
    written: dict[str, Any] = {item.method: _operation(path, item, shared) for item in path.operations}
    if shared:
        written["parameters"] = [_parameter(name, path.kind) for name in shared]
    return written


def _parameter(name: str, kind: str) -> dict[str, Any]:
    return {
        **place_of(name),
        "description": of_parameter(name, kind),
        "schema": {"type": type_of(name), "uniqueItems": True},
    }


def _operation(path: Path, operation: Operation, shared: Sequence[str]) -> dict[str, Any]:
    written: dict[str, Any] = {"tags": [path.tag], "operationId": operation.name}
    if text := of_operation(path, operation):
        written["description"] = text
    if own := sorted(set(operation.parameters) - set(shared)):
        written["parameters"] = [_parameter(name, path.kind) for name in own]
    if operation.body:
        written["requestBody"] = {"content": _content(operation.body, sorted(operation.consumes))}
        if operation.body_required:
            written["requestBody"]["required"] = True
    responses: dict[str, Any] = {}
    for code in operation.codes:
        text = {200: "OK", 201: "Created", 202: "Accepted"}[code]
        responses[str(code)] = {"description": text, "content": _content(operation.result, sorted(operation.produces))}
    written["responses"] = {**responses, "401": {"description": "Unauthorized"}}
    if operation.gvk is not None:
        group, version, kind = operation.gvk
        written["x-kubernetes-action"] = operation.action
        written["x-kubernetes-group-version-kind"] = {"group": group, "version": version, "kind": kind}
    return written


def _content(definition: str, media: Iterable[str]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{definition}"} if definition else {"type": "string"}
    return {name: {"schema": schema} for name in media}
