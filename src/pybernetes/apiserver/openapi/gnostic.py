"""The version 2 document in protobuf, as the messages of gnostic's `openapi.v2` have it: what client-go reads.

The JSON value of `version2` goes in, bytes come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.api.protobuf_writer import field
from pybernetes.apiserver.openapi.gnostic_messages import (
    double,
    external_docs,
    free,
    mapping,
    message,
    only,
    strings,
    text,
)


def _type(value: str) -> bytes:
    return strings([value])


def _schema(value: Mapping[str, Any]) -> bytes:
    return _write_schema(value)


_write_schema = message(
    {
        "$ref": (1, text),
        "format": (2, text),
        "description": (4, text),
        "default": (5, free),
        "title": (3, text),
        "multipleOf": (6, double),
        "maximum": (7, double),
        "exclusiveMaximum": (8, None),
        "minimum": (9, double),
        "exclusiveMinimum": (10, None),
        "maxLength": (11, None),
        "minLength": (12, None),
        "pattern": (13, text),
        "maxItems": (14, None),
        "minItems": (15, None),
        "uniqueItems": (16, None),
        "maxProperties": (17, None),
        "minProperties": (18, None),
        "externalDocs": (29, external_docs),
        "example": (30, free),
        "required": (19, text),
        "enum": (20, free),
        "additionalProperties": (21, only(1, _schema)),
        "type": (22, _type),
        "items": (23, only(1, _schema)),
        "properties": (25, mapping(1, _schema)),
    },
    extensions=31,
)
_BODY = message(
    {"description": (1, text), "name": (2, text), "in": (3, text), "required": (4, None), "schema": (5, _schema)}
)
_IN_QUERY = message(
    {"in": (2, text), "description": (3, text), "name": (4, text), "type": (6, text), "uniqueItems": (20, None)}
)
_IN_PATH = message(
    {
        "required": (1, None),
        "in": (2, text),
        "description": (3, text),
        "name": (4, text),
        "type": (5, text),
        "uniqueItems": (19, None),
    }
)


_REFERENCE = message({"$ref": (1, text), "description": (2, text)})


def _parameter(value: Mapping[str, Any]) -> bytes:
    return field(2, _REFERENCE(value)) if "$ref" in value else field(1, _own_parameter(value))


def _own_parameter(value: Mapping[str, Any]) -> bytes:
    if value["in"] == "body":
        written = field(1, _BODY(value))
    else:
        place = field(4, _IN_PATH(value)) if value["in"] == "path" else field(3, _IN_QUERY(value))
        written = field(2, place)
    return written


_RESPONSE = message({"description": (1, text), "schema": (2, only(1, _schema))})
_OPERATION = message(
    {
        "tags": (1, text),
        "description": (3, text),
        "operationId": (5, text),
        "produces": (6, text),
        "consumes": (7, text),
        "parameters": (8, _parameter),
        "responses": (9, mapping(1, only(1, _RESPONSE))),
        "schemes": (10, text),
    },
    extensions=13,
)
_PATH = message(
    {
        "get": (2, _OPERATION),
        "put": (3, _OPERATION),
        "post": (4, _OPERATION),
        "delete": (5, _OPERATION),
        "options": (6, _OPERATION),
        "head": (7, _OPERATION),
        "patch": (8, _OPERATION),
        "parameters": (9, _parameter),
    }
)
_API_KEY = message({"type": (1, text), "name": (2, text), "in": (3, text), "description": (4, text)})
_DOCUMENT = message(
    {
        "swagger": (1, text),
        "info": (2, message({"title": (1, text), "version": (2, text)})),
        "paths": (8, mapping(2, _PATH)),
        "definitions": (9, mapping(1, _schema)),
        "parameters": (10, mapping(1, _own_parameter)),
        "security": (12, mapping(1, strings)),
        "securityDefinitions": (13, mapping(1, only(2, _API_KEY))),
    }
)


def encode(document: Mapping[str, Any]) -> bytes:
    """The document as `openapi.v2.Document`; KeyError for a key that has no place in it."""
    return _DOCUMENT(document)
