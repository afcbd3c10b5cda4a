"""Plain JSON values to protobuf bodies: the inverse of `protobuf`, for answers and clients that speak it.

Flow: a dict with the field names of JSON and a definition go in; bytes with the `k8s\\0` envelope come out.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec

from pybernetes.api import protobuf, time
from pybernetes.api.protobuf import EXTENSIONS, META, PREFIX, UNIX_EPOCH


def encode(value: dict[str, Any], definition: str) -> bytes:
    """The body of an object; kind and apiVersion go into the envelope."""
    header = _text(1, value.get("apiVersion", "")) + _text(2, value.get("kind", ""))
    raw = encode_message(value, definition)
    return PREFIX + _bytes(1, header) + _bytes(2, raw) + _text(3, "") + _text(4, "")


def encode_message(value: dict[str, Any], definition: str) -> bytes:
    """One message; fields that the table does not know are left out."""
    parts = []
    for number, (name, type_) in sorted(protobuf.fields(definition).items()):
        if not name:
            parts.append(_bytes(number, encode_message(value, type_)))
        elif (held := value.get(name)) is not None:
            parts.append(_field(number, type_, held))
    return b"".join(parts)


def _field(number: int, type_: str, value: Any) -> bytes:
    if type_.startswith("[]"):
        return b"".join(_one(number, type_[2:], item) for item in value)
    if type_.startswith("{}"):
        return b"".join(_bytes(number, _text(1, key) + _one(2, type_[2:], value[key])) for key in sorted(value))
    return _one(number, type_, value)


def _one(number: int, type_: str, value: Any) -> bytes:
    match type_:
        case "string":
            return _text(number, value)
        case "bool" | "int32" | "int64":
            return _varint(number << 3) + _varint(int(value))
        case "double":
            return _varint(number << 3 | 1) + struct.pack("<d", value)
        case "bytes":
            return _bytes(number, base64.b64decode(value))
    return _bytes(number, _message(type_, value))


def _message(type_: str, value: Any) -> bytes:
    name = type_.rpartition(".")[2]
    if type_.startswith(META) and name in ("Time", "MicroTime"):
        return _instant(value)
    if type_ in _JSON:
        return _bytes(1, msgspec.json.encode(value))
    match name:
        case "Quantity":
            return _text(1, str(value))
        case "IntOrString":
            text = value if isinstance(value, str) else ""
            number = 0 if isinstance(value, str) else value
            kind = 1 if isinstance(value, str) else 0
            return _one(1, "int64", kind) + _one(2, "int32", number) + _text(3, text)
        case "ExtraValue":
            return b"".join(_text(1, item) for item in value)
        case "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray":
            return _schema_or(type_, value)
    return encode_message(value, type_)


_JSON = {META + "FieldsV1", EXTENSIONS + "JSON", "io.k8s.apimachinery.pkg.runtime.RawExtension"}


def _schema_or(type_: str, value: Any) -> bytes:
    if isinstance(value, dict):
        # A schema as additionalProperties implies that they are allowed.
        whole = {"schema": value, "allows": True} if type_.endswith("OrBool") else {"schema": value}
        return encode_message(whole, type_)
    return encode_message({"allows": value, "jSONSchemas": value, "property": value}, type_)


def _instant(text: str) -> bytes:
    if not text:
        return b""
    since = time.parse(text) - UNIX_EPOCH
    seconds = since // timedelta(seconds=1)
    nanos = (since - timedelta(seconds=seconds)).microseconds * 1000
    return _one(1, "int64", seconds) + _one(2, "int32", nanos)


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _bytes(number: int, raw: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    parts: Iterable[int] = _groups(number)
    return bytes(parts)


def _groups(number: int) -> Iterable[int]:
    """Groups of seven bits, the lowest first, all but the last marked."""
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number
