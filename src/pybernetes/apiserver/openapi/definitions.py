"""The schema of types as OpenAPI has it: `api.schema` with references, descriptions and the two versions' differences.

Names of definitions go in, JSON values private to the caller come out. Called by `version2` and `version3`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from pybernetes.api import schema
from pybernetes.apiserver.openapi.descriptions import describe

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_VERSION2: dict[str, dict[str, Any]] = {
    _QUANTITY: {"type": "string"},
    _INT_OR_STRING: {"type": "string", "format": "int-or-string"},
}
_VERSION3: dict[str, dict[str, Any]] = {
    _QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    _INT_OR_STRING: {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
}
_GVK = "x-kubernetes-group-version-kind"
# Our schema narrows these to the one value that a kind has; OpenAPI leaves them open.
_NARROWED = ("apiVersion", "kind")


def version2(definition: str) -> dict[str, Any]:
    """A definition in version 2."""
    return _written(definition, _VERSION2.get(definition), "#/definitions/")


def version3(definition: str, group: str = "", version: str = "") -> dict[str, Any]:
    """A definition in version 3; of the kinds that share it only those of the group-version are named."""
    written = _written(definition, _VERSION3.get(definition), "#/components/schemas/")
    kinds = written.get(_GVK, [])
    if len(kinds) > 1:
        wanted = ({"group": "", "version": "v1"}, {"group": group, "version": version})
        written[_GVK] = [kind for kind in kinds if {key: kind[key] for key in ("group", "version")} in wanted]
    return written


@cache
def _enums() -> dict[str, list[str]]:
    """The values of fields, by `<definition>.<field>`; `[]` and `{}` stand for a list's items and a map's values."""
    text = (resources.files("pybernetes.apiserver.openapi") / "enums.json").read_bytes()
    found: dict[str, list[str]] = msgspec.json.decode(text)
    return found


def closure(definitions: Iterable[str], own: Mapping[str, Any]) -> list[str]:
    """The definitions and all that they refer to, in the order of their names; those of `own` are written already."""
    found: set[str] = set()
    waiting = list(definitions)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(own[name] if name in own else schema.definitions()[name])
    return sorted(found)


def _references(raw: Any) -> list[str]:
    if isinstance(raw, list):
        return [name for item in raw for name in _references(item)]
    if not isinstance(raw, dict):
        return []
    reference = raw.get("$ref")
    if isinstance(reference, str):
        return [reference.rpartition("/")[2]]
    return [name for value in raw.values() for name in _references(value)]


def _written(definition: str, replaced: dict[str, Any] | None, prefix: str) -> dict[str, Any]:
    described = describe(definition)
    raw = replaced if replaced is not None else schema.definitions()[definition]
    head = {"description": described.text} if described.text else {}
    written = {**head, **{key: value for key, value in raw.items() if key != "properties"}}
    if properties := raw.get("properties"):
        written["properties"] = {
            name: _property(f"{definition}.{name}", value, described.fields.get(name, ""), prefix)
            for name, value in properties.items()
        }
    return written


def _property(path: str, raw: dict[str, Any], description: str, prefix: str) -> dict[str, Any]:
    written = _with_references(raw, prefix)
    if path.rpartition(".")[2] in _NARROWED:
        written.pop("enum", None)
    if values := _enums().get(path):
        written["enum"] = values
    for suffix, key in (("[]", "items"), ("{}", "additionalProperties")):
        if values := _enums().get(path + suffix):
            written[key] = {**written[key], "enum": values}
    reference = written.get("$ref")
    if reference is not None and prefix != "#/definitions/" and (description or len(written) > 1):
        # In version 3 nothing may stand beside a reference.
        del written["$ref"]
        written["allOf"] = [{"$ref": reference}]
    return {"description": description, **written} if description else written


def _with_references(raw: dict[str, Any], prefix: str) -> dict[str, Any]:
    written = dict(raw)
    reference = written.get("$ref")
    if isinstance(reference, str):
        written["$ref"] = prefix + reference
    for key in ("items", "additionalProperties"):
        if isinstance(written.get(key), dict):
            written[key] = _with_references(written[key], prefix)
    return written
