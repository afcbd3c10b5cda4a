"""OpenAPI version 2 (Swagger): all of the API in one document.

Paths and definitions go in, one JSON value comes out. Called by `publisher`; `gnostic` writes the same value in
protobuf.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pybernetes.apiserver.openapi import definitions
from pybernetes.apiserver.openapi.operations import Operation, Path
from pybernetes.apiserver.openapi.parameters import place_of, type_of
from pybernetes.apiserver.openapi.sentences import of_operation, of_parameter
from pybernetes.apiserver.openapi.version3 import BEARER, INFO

# kubectl looks for the first two and follows no references; the description of the third differs from kind to kind.
_WRITTEN_OUT = frozenset(("dryRun", "fieldValidation", "name"))


def document(paths: Iterable[Path], own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document of some paths; `own` are the definitions of custom resources."""
    own = own or {}
    listed = sorted(paths, key=lambda path: path.path)
    used = {name for path in listed for item in path.operations for name in (item.body, item.result) if name}
    return {
        "swagger": "2.0",
        "info": INFO,
        "paths": {path.path: _path(path) for path in listed},
        "parameters": {name: _parameter(name) for name in _names(listed)},
        "definitions": {name: own.get(name) or definitions.version2(name) for name in definitions.closure(used, own)},
        "securityDefinitions": {"BearerToken": BEARER},
        "security": [{"BearerToken": []}],
    }


def _path(path: Path) -> dict[str, Any]:
    shared = path.shared
    written: dict[str, Any] = {item.method: _operation(path, item, shared) for item in path.operations}
    if shared:
        written["parameters"] = [_placed(name, path.kind) for name in shared]
    return written


def _names(paths: Iterable[Path]) -> list[str]:
    """All parameters: they stand in the document once, and operations refer to them."""
    named: set[str] = set()
    for path in paths:
        named.update(path.parameters, *(operation.parameters for operation in path.operations))
    return sorted(named - _WRITTEN_OUT)


def _placed(name: str, kind: str) -> dict[str, Any]:
    return _parameter(name, kind) if name in _WRITTEN_OUT else {"$ref": f"#/parameters/{name}"}


def _parameter(name: str, kind: str = "") -> dict[str, Any]:
    return {"uniqueItems": True, "type": type_of(name), "description": of_parameter(name, kind), **place_of(name)}


def _operation(path: Path, operation: Operation, shared: Sequence[str]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "consumes": list(operation.consumes),
        "produces": list(operation.produces),
        "schemes": ["https"],
        "tags": [path.tag],
        "operationId": operation.name,
    }
    if not operation.consumes:
        del written["consumes"]
    if text := of_operation(path, operation):
        written = {"description": text, **written}
    parameters = [_placed(name, path.kind) for name in sorted(set(operation.parameters) - set(shared))]
    if operation.body:
        body: dict[str, Any] = {"name": "body", "in": "body"}
        if operation.body_required:
            body["required"] = True
        parameters.insert(0, {**body, "schema": _schema(operation.body)})
    if parameters:
        written["parameters"] = parameters
    texts = {200: "OK", 201: "Created", 202: "Accepted"}
    schema = _schema(operation.result)
    responses = {str(code): {"description": texts[code], "schema": schema} for code in operation.codes}
    written["responses"] = {**responses, "401": {"description": "Unauthorized"}}
    if operation.gvk is not None:
        group, version, kind = operation.gvk
        written["x-kubernetes-action"] = operation.action
        written["x-kubernetes-group-version-kind"] = {"group": group, "kind": kind, "version": version}
    return written


def _schema(definition: str) -> dict[str, Any]:
    return {"$ref": f"#/definitions/{definition}"} if definition else {"type": "string"}
