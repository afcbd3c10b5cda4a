"""The version 2 document in protobuf, as the messages of gnostic's `openapi.v2` have it: what client-go reads.

The JSON value of `version2` goes in, bytes come out. A table says which field of a message holds which key; the few
shapes that protobuf writes differently from JSON (maps, alternatives, extensions) have a function each.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

Writer = Callable[[Any], bytes]
_LENGTH_DELIMITED, _VARINT, _FIXED64 = 2, 0, 1


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(value)) + value


def _text(value: str) -> bytes:
    return value.encode()


def _message(fields: Mapping[str, tuple[int, Writer | None]], extensions: int = 0) -> Writer:
    """A writer of objects; a field without a writer is a boolean. Keys that begin with `x-` are extensions."""

    def write(value: Mapping[str, Any]) -> bytes:
        written = []
        for key, item in value.items():
            if extensions and key.startswith("x-"):
                written.append(_bytes_field(extensions, _named(key, _any(item))))
                continue
            number, writer = fields[key]
            if writer is None:
                written.append(_varint(number << 3 | _VARINT) + _varint(int(item)))
            elif writer is _double:
                written.append(_varint(number << 3 | _FIXED64) + _double(item))
            elif isinstance(item, list):
                written += [_bytes_field(number, writer(each)) for each in item]
            else:
                written.append(_bytes_field(number, writer(item)))
        return b"".join(written)

    return write


def _double(value: float) -> bytes:
    return struct.pack("<d", value)


def _external_docs(value: Mapping[str, Any]) -> bytes:
    return b"".join(_bytes_field(n, value[key].encode()) for n, key in ((1, "description"), (2, "url")) if key in value)


def _any(value: Any) -> bytes:
    """A free value: YAML, of which JSON is a part."""
    return _bytes_field(2, msgspec.json.encode(value))


def _named(name: str, value: bytes) -> bytes:
    """One entry of a map."""
    return _bytes_field(1, name.encode()) + _bytes_field(2, value)


def _map(number: int, writer: Writer) -> Writer:
    """A writer of maps, which are repeated pairs of a name and a value."""

    def write(value: Mapping[str, Any]) -> bytes:
        return b"".join(_bytes_field(number, _named(name, writer(item))) for name, item in value.items())

    return write


def _only(number: int, writer: Writer) -> Writer:
    """A message with one field: an alternative, or a list."""
    return lambda value: _bytes_field(number, writer(value))


def _strings(value: Iterable[str]) -> bytes:
    return b"".join(_bytes_field(1, item.encode()) for item in value)


def _type(value: str) -> bytes:
    return _strings([value])


def _schema(value: Mapping[str, Any]) -> bytes:
    return _write_schema(value)


_write_schema = _message(
    {
        "$ref": (1, _text),
        "format": (2, _text),
        "description": (4, _text),
        "default": (5, _any),
        "title": (3, _text),
        "multipleOf": (6, _double),
        "maximum": (7, _double),
        "exclusiveMaximum": (8, None),
        "minimum": (9, _double),
        "exclusiveMinimum": (10, None),
        "maxLength": (11, None),
        "minLength": (12, None),
        "pattern": (13, _text),
        "maxItems": (14, None),
        "minItems": (15, None),
        "uniqueItems": (16, None),
        "maxProperties": (17, None),
        "minProperties": (18, None),
        "externalDocs": (29, _external_docs),
        "example": (30, _any),
        "required": (19, _text),
        "enum": (20, _any),
        "additionalProperties": (21, _only(1, _schema)),
        "type": (22, _type),
        "items": (23, _only(1, _schema)),
        "properties": (25, _map(1, _schema)),
    },
    extensions=31,
)
_BODY = _message(
    {"description": (1, _text), "name": (2, _text), "in": (3, _text), "required": (4, None), "schema": (5, _schema)}
)
_IN_QUERY = _message(
    {"in": (2, _text), "description": (3, _text), "name": (4, _text), "type": (6, _text), "uniqueItems": (20, None)}
)
_IN_PATH = _message(
    {
        "required": (1, None),
        "in": (2, _text),
        "description": (3, _text),
        "name": (4, _text),
        "type": (5, _text),
        "uniqueItems": (19, None),
    }
)


def _parameter(value: Mapping[str, Any]) -> bytes:
    if value["in"] == "body":
        written = _bytes_field(1, _BODY(value))
    else:
        place = _bytes_field(4, _IN_PATH(value)) if value["in"] == "path" else _bytes_field(3, _IN_QUERY(value))
        written = _bytes_field(2, place)
    return _bytes_field(1, written)


_RESPONSE = _message({"description": (1, _text), "schema": (2, _only(1, _schema))})
_OPERATION = _message(
    {
        "tags": (1, _text),
        "description": (3, _text),
        "operationId": (5, _text),
        "produces": (6, _text),
        "consumes": (7, _text),
        "parameters": (8, _parameter),
        "responses": (9, _map(1, _only(1, _RESPONSE))),
        "schemes": (10, _text),
    },
    extensions=13,
)
_PATH = _message(
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
_API_KEY = _message({"type": (1, _text), "name": (2, _text), "in": (3, _text), "description": (4, _text)})
_DOCUMENT = _message(
    {
        "swagger": (1, _text),
        "info": (2, _message({"title": (1, _text), "version": (2, _text)})),
        "paths": (8, _map(2, _PATH)),
        "definitions": (9, _map(1, _schema)),
        "security": (12, _map(1, _strings)),
        "securityDefinitions": (13, _map(1, _only(2, _API_KEY))),
    }
)


def encode(document: Mapping[str, Any]) -> bytes:
    """The document as `openapi.v2.Document`; KeyError for a key that has no place in it."""
    return _DOCUMENT(document)
