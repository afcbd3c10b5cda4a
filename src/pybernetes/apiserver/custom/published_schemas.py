"""The schemas of custom resources as OpenAPI documents show them: whole for version 3, reduced for version 2. Pure.

A definition's schema goes in, and how a document refers to others; a new schema comes out. Called by `openapi`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pybernetes.api.json_schema import EMBEDDED, INT_OR_STRING, PRESERVE, VALIDATIONS

# Refers to a definition by its name, with a description of what it is here.
Reference = Callable[[str, str], dict[str, Any]]

# Old kubectls take a known field for a sign that there are no unknown ones.
ANYTHING = {"type": "object"}
CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_INTEGER_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_JUNCTORS = ("oneOf", "anyOf", "allOf", "not")
# What nobody but the author reads.
_UNPUBLISHED = ("example", "externalDocs")


def whole(schema: dict[str, Any], reference: Reference) -> dict[str, Any]:
    """The schema with what its extensions imply: the types of int-or-string, the fields of embedded objects."""
    result = _mapped(schema, lambda inner: whole(inner, reference))
    if result.get(INT_OR_STRING):
        _tell_types(result)
    if result.get(EMBEDDED):
        _tell_fields(result, reference)
    return result


def reduced(schema: dict[str, Any], reference: Reference) -> dict[str, Any]:
    """The schema without what version 2, or an old kubectl that reads it, cannot cope with."""
    return dict(ANYTHING) if schema.get(PRESERVE) else _reduced(schema, reference)


def metadata(reference: Reference) -> dict[str, Any]:
    """The schema of the metadata of objects."""
    text = f"Standard object's metadata. More info: {CONVENTIONS}#metadata"
    return reference("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", text)


def _reduced(schema: dict[str, Any], reference: Reference) -> dict[str, Any]:
    result = _mapped(schema, lambda inner: _reduced(inner, reference))
    for key in (*_JUNCTORS, "default", VALIDATIONS):
        result.pop(key, None)
    if required := _required(schema):
        result["required"] = required
    else:
        result.pop("required", None)
    is_nullable = result.pop("nullable", False)
    if is_nullable or result.get(PRESERVE):
        for key in ("items", "properties"):
            result.pop(key, None)
    if is_nullable or (result.get(PRESERVE) and result.get("type") == "object"):
        result.pop("type", None)
    if result.get("type") == "array" and "items" not in result:
        result.pop("type")
    if result.get(EMBEDDED) and not result.get(PRESERVE):
        _tell_fields(result, reference)
    return result


def _required(schema: dict[str, Any]) -> list[str]:
    """The fields that must be there; what may be null is not among them."""
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict) and extra.get("nullable"):
        return []
    nullable = {name for name, held in (schema.get("properties") or {}).items() if held.get("nullable")}
    return [name for name in schema.get("required") or () if name not in nullable]


def _mapped(schema: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A schema whose parts went through a change."""
    result = {key: held for key, held in schema.items() if key not in _UNPUBLISHED}
    if properties := schema.get("properties"):
        result["properties"] = {name: change(held) for name, held in properties.items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = change(schema[key])
    return result


def _tell_types(schema: dict[str, Any]) -> None:
    """Says that a value is an integer or a string, unless the author does in one of the two forms there are for it."""
    every = schema.get("allOf") or []
    if _INTEGER_OR_STRING in (schema.get("anyOf"), every[0].get("anyOf") if every else None):
        return
    if schema.get("anyOf"):
        schema["allOf"] = [{"anyOf": _INTEGER_OR_STRING}, *every]
    else:
        schema["anyOf"] = _INTEGER_OR_STRING


def _tell_fields(schema: dict[str, Any], reference: Reference) -> None:
    """Says that an embedded object has what all objects have."""
    version = f"of this representation of an object. More info: {CONVENTIONS}#resources"
    kind = f"of this object. In CamelCase. More info: {CONVENTIONS}#types-kinds"
    head = {
        "apiVersion": {"description": f"apiVersion defines the versioned schema {version}", "type": "string"},
        "kind": {"description": f"kind is a string value representing the type {kind}", "type": "string"},
        "metadata": metadata(reference),
    }
    schema["properties"] = {**(schema.get("properties") or {}), **head}
    schema["required"] = list(dict.fromkeys([*(schema.get("required") or ()), "kind", "apiVersion"]))
