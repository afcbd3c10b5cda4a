"""A version 3 document in protobuf, as the messages of gnostic's `openapi.v3` have it.

The JSON value of `version3` goes in, bytes come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.api.protobuf_writer import field, text_field, varint_field
from pybernetes.apiserver.openapi.gnostic_messages import (
    Writer,
    double,
    double_field,
    external_docs,
    free,
    mapping,
    message,
    named,
    only,
    text,
)


def _or_reference(writer: Writer) -> Writer:
    """What may be a reference instead."""

    def write(value: Mapping[str, Any]) -> bytes:
        if "$ref" in value:
            return field(2, _REFERENCE({key: held for key, held in value.items() if key in _REFERENCE_FIELDS}))
        return field(1, writer(value))

    return write


_REFERENCE_FIELDS = {"$ref": (1, text), "summary": (2, text), "description": (3, text)}
_REFERENCE = message(_REFERENCE_FIELDS)


def _schema(value: Mapping[str, Any]) -> bytes:
    return _WRITE_SCHEMA(value)


def _additional(value: Any) -> bytes:
    return varint_field(2, int(value)) if isinstance(value, bool) else field(1, _SCHEMA_OR_REFERENCE(value))


def _default(value: Any) -> bytes:
    """There is a place for scalars only; of others it is only told that there is one."""
    if isinstance(value, bool):
        return varint_field(2, int(value))
    if isinstance(value, int | float):
        return double_field(1, value)
    return text_field(3, value) if isinstance(value, str) else b""


_SCHEMA_OR_REFERENCE = _or_reference(_schema)
_WRITE_SCHEMA = message(
    {
        "nullable": (1, None),
        "readOnly": (3, None),
        "writeOnly": (4, None),
        "externalDocs": (6, external_docs),
        "example": (7, free),
        "deprecated": (8, None),
        "title": (9, text),
        "multipleOf": (10, double),
        "maximum": (11, double),
        "exclusiveMaximum": (12, None),
        "minimum": (13, double),
        "exclusiveMinimum": (14, None),
        "maxLength": (15, None),
        "minLength": (16, None),
        "pattern": (17, text),
        "maxItems": (18, None),
        "minItems": (19, None),
        "uniqueItems": (20, None),
        "maxProperties": (21, None),
        "minProperties": (22, None),
        "required": (23, text),
        "enum": (24, free),
        "type": (25, text),
        "allOf": (26, _SCHEMA_OR_REFERENCE),
        "oneOf": (27, _SCHEMA_OR_REFERENCE),
        "anyOf": (28, _SCHEMA_OR_REFERENCE),
        "not": (29, _schema),
        "items": (30, only(1, _SCHEMA_OR_REFERENCE)),
        "properties": (31, mapping(1, _SCHEMA_OR_REFERENCE)),
        "additionalProperties": (32, _additional),
        "default": (33, _default),
        "description": (34, text),
        "format": (35, text),
    },
    extensions=36,
)
_CONTENT = mapping(1, message({"schema": (1, _SCHEMA_OR_REFERENCE)}))
_PARAMETER = _or_reference(
    message(
        {
            "name": (1, text),
            "in": (2, text),
            "description": (3, text),
            "required": (4, None),
            "schema": (10, _SCHEMA_OR_REFERENCE),
        }
    )
)
_BODY = _or_reference(message({"description": (1, text), "content": (2, _CONTENT), "required": (3, None)}))
_RESPONSE = _or_reference(message({"description": (1, text), "content": (3, _CONTENT)}))


def _responses(value: Mapping[str, Any]) -> bytes:
    return b"".join(
        field(1, _RESPONSE(item)) if name == "default" else field(2, named(name, _RESPONSE(item)))
        for name, item in value.items()
    )


_OPERATION = message(
    {
        "tags": (1, text),
        "summary": (2, text),
        "description": (3, text),
        "operationId": (5, text),
        "parameters": (6, _PARAMETER),
        "requestBody": (7, _BODY),
        "responses": (8, _responses),
        "deprecated": (10, None),
    },
    extensions=13,
)
_PATH = message(
    {
        "get": (4, _OPERATION),
        "put": (5, _OPERATION),
        "post": (6, _OPERATION),
        "delete": (7, _OPERATION),
        "options": (8, _OPERATION),
        "head": (9, _OPERATION),
        "patch": (10, _OPERATION),
        "parameters": (13, _PARAMETER),
    }
)
_API_KEY = message({"type": (1, text), "description": (2, text), "name": (3, text), "in": (4, text)})
_COMPONENTS = message(
    {"schemas": (1, mapping(1, _SCHEMA_OR_REFERENCE)), "securitySchemes": (7, mapping(1, only(1, _API_KEY)))}
)
_DOCUMENT = message(
    {
        "openapi": (1, text),
        "info": (2, message({"title": (1, text), "version": (6, text)})),
        "paths": (4, mapping(1, _PATH)),
        "components": (5, _COMPONENTS),
    }
)


def encode(document: Mapping[str, Any]) -> bytes:
    """The document as `openapi.v3.Document`; KeyError for a key that has no place in it."""
    return _DOCUMENT(document)
