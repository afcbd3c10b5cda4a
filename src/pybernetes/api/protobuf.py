"""Protobuf bodies: the `k8s\\0` envelope and the messages of built-in kinds, to plain JSON values.

Flow: bytes of a request and a definition go in; a dict with the field names of JSON comes out. The field numbers are in
`protobuf_table`; a message's decoder is made when the first one comes by. `protobuf_writer` is the way back.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from pybernetes.api import time
from pybernetes.api.json_syntax import TOO_DEEP, is_too_deep
from pybernetes.api.protobuf_table import EXTENSIONS, INT_OR_STRING, META, QUANTITY, RAW_EXTENSION, Field, fields

PREFIX = b"k8s\x00"
Wire = int | bytes
Decode = Callable[[Wire], Any]

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotProtobuf(ValueError):
    """Bytes that do not begin as a protobuf body does."""


class WireError(ValueError):
    """Bytes that break off or that are no message."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every protobuf body is wrapped in."""

    api_version: str
    kind: str
    raw: bytes


def open_envelope(body: bytes) -> Envelope:
    """Unwraps a body; NotProtobuf or WireError."""
    if not body.startswith(PREFIX):
        raise NotProtobuf("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    api_version, kind, raw = "", "", b""
    for number, value in read(body[len(PREFIX) :]):
        if number == 1 and isinstance(value, bytes):
            names = {inner: _text(text) for inner, text in read(value)}
            api_version, kind = names.get(1, ""), names.get(2, "")
        elif number == 2 and isinstance(value, bytes):
            raw = value
    return Envelope(api_version, kind, raw)


def decode(body: bytes, definition: str) -> dict[str, Any]:
    """The object in a body, with its kind and apiVersion where the envelope names them."""
    envelope = open_envelope(body)
    value = decode_message(envelope.raw, definition)
    if envelope.kind:
        value["kind"] = envelope.kind
    if envelope.api_version:
        value["apiVersion"] = envelope.api_version
    return value


def decode_message(raw: bytes, definition: str) -> dict[str, Any]:
    """One message as JSON values; WireError."""
    found: dict[str, Any] = {}
    try:
        decoder_of(definition).into(raw, found)
    except RecursionError:
        raise WireError(TOO_DEEP) from None
    return found


def read(raw: bytes) -> Iterator[tuple[int, Wire]]:
    """(field number, value) pairs as they come: varints as int, everything else as bytes."""
    position, end = 0, len(raw)
    while position < end:
        tag, position = _varint(raw, position) if raw[position] > 0x7F else (raw[position], position + 1)
        wire_type = tag & 7
        if wire_type == 2:
            if position < end and raw[position] < 0x80:
                stop = position + 1 + raw[position]
                position += 1
            else:
                length, position = _varint(raw, position)
                stop = position + length
        elif wire_type == 0:
            value, position = _varint(raw, position)
            yield tag >> 3, value
            continue
        elif wire_type in _FIXED:
            stop = position + _FIXED[wire_type]
        else:
            raise WireError(f"proto: illegal wireType {wire_type}")
        if stop > end:
            raise WireError("unexpected EOF")
        yield tag >> 3, raw[position:stop]
        position = stop


# Bytes by wire type.
_FIXED = {1: 8, 5: 4}


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if position >= len(raw):
            raise WireError("unexpected EOF")
        if shift > 63:
            raise WireError("proto: integer overflow")
        byte = raw[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def _text(value: Wire) -> str:
    return _bytes(value).decode("utf-8", "replace")


def _bytes(value: Wire) -> bytes:
    if isinstance(value, int):
        raise WireError("proto: wrong wireType = 0")
    return value


def _signed(bits: int) -> Decode:
    half, whole = 1 << (bits - 1), 1 << bits

    def decode_signed(value: Wire) -> int:
        if not isinstance(value, int):
            raise WireError("proto: wrong wireType = 2")
        value &= whole - 1
        return value - whole if value >= half else value

    return decode_signed


def _double(value: Wire) -> float:
    try:
        number: float = struct.unpack("<d", _bytes(value))[0]
    except struct.error:
        raise WireError("unexpected EOF") from None
    return number


def _base64(value: Wire) -> str:
    return base64.b64encode(_bytes(value)).decode()


_SCALARS: dict[str, Decode] = {
    "string": _text,
    "bool": bool,
    "int32": _signed(32),
    "int64": _signed(64),
    "double": _double,
    "bytes": _base64,
}


# Messages that are lists of texts in JSON.
_LISTS = (".ExtraValue", ".Verbs")


class Message:
    """The decoder of one message type."""

    def __init__(self, definition: str) -> None:
        self.definition = definition
        self.plan: dict[int, Callable[[Wire, dict[str, Any]], None]] = {}
        self.known = fields(definition)

    def into(self, raw: bytes, found: dict[str, Any]) -> None:
        """Adds the message's fields to `found`; unknown numbers are skipped."""
        for number, value in read(raw):
            take = self.plan.get(number)
            if take is None:
                field = self.known.get(number)
                if field is None:
                    continue
                take = self.plan[number] = _taker(field)
            take(value, found)


@cache
def decoder_of(definition: str) -> Message:
    return Message(definition)


def _taker(field: Field) -> Callable[[Wire, dict[str, Any]], None]:
    """What puts one field's value into the object."""
    name, type_, zero = field
    if not name:
        embedded = decoder_of(type_)
        return lambda value, found: embedded.into(_bytes(value), found)
    if type_.startswith("[]"):
        item = _decoder(type_[2:])
        return lambda value, found: found.setdefault(name, []).append(item(value))
    if type_.startswith("{}"):
        entry = _decoder(type_[2:])
        return lambda value, found: _take_entry(entry, value, found.setdefault(name, {}))
    decode_one = _decoder(type_)
    drops_zero = zero == "omitted" and (type_ in _SCALARS or type_ == INT_OR_STRING)

    def take(value: Wire, found: dict[str, Any]) -> None:
        decoded = decode_one(value)
        if decoded is None or (drops_zero and not decoded):
            found.pop(name, None)
        else:
            found[name] = decoded

    return take


def _take_entry(decode_one: Decode, value: Wire, into: dict[str, Any]) -> None:
    key, held = "", b""
    for number, part in read(_bytes(value)):
        if number == 1:
            key = _text(part)
        elif number == 2:
            held = _bytes(part)
    into[key] = decode_one(held)


def _decoder(type_: str) -> Decode:
    if type_ in _SCALARS:
        return _SCALARS[type_]
    if type_ in _SPECIAL:
        return _SPECIAL[type_]
    if type_.endswith(_LISTS):
        return lambda value: [_text(item) for _, item in read(_bytes(value))]
    return lambda value: decode_message(_bytes(value), type_)


def _quantity(value: Wire) -> str:
    return next((_text(text) for _, text in read(_bytes(value))), "") or "0"


def _int_or_string(value: Wire) -> int | str:
    parts = dict(read(_bytes(value)))
    if parts.get(1):
        return _text(parts.get(3, b""))
    number: int = _signed(32)(parts.get(2, 0))
    return number


def _instant(value: Wire) -> datetime | None:
    """The time of a Time or MicroTime; None for Go's zero time, which is sent as nothing."""
    parts = dict(read(_bytes(value)))
    seconds, nanos = _signed(64)(parts.get(1, 0)), _signed(32)(parts.get(2, 0))
    if not seconds and not nanos:
        return None
    try:
        return UNIX_EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        raise WireError("time out of range") from None


def _time(value: Wire) -> str | None:
    when = _instant(value)
    return time.format(when) if when else None


def _micro_time(value: Wire) -> str | None:
    when = _instant(value)
    return time.format_micro(when) if when else None


def _raw_json(value: Wire) -> Any:
    """RawExtension, JSON and FieldsV1 carry JSON text in their only field."""
    text = next((_bytes(part) for _, part in read(_bytes(value))), b"")
    if is_too_deep(text):
        raise WireError(TOO_DEEP)
    try:
        return msgspec.json.decode(text) if text else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error)) from None


def _schema_or_array(value: Wire) -> Any:
    found = decode_message(_bytes(value), EXTENSIONS + "JSONSchemaPropsOrArray")
    return found.get("schema", found.get("jSONSchemas", []))


def _schema_or_bool(value: Wire) -> Any:
    found = decode_message(_bytes(value), EXTENSIONS + "JSONSchemaPropsOrBool")
    return found.get("schema", found.get("allows", False))


def _schema_or_strings(value: Wire) -> Any:
    found = decode_message(_bytes(value), EXTENSIONS + "JSONSchemaPropsOrStringArray")
    return found.get("schema", found.get("property", []))


_SPECIAL: dict[str, Decode] = {
    QUANTITY: _quantity,
    INT_OR_STRING: _int_or_string,
    RAW_EXTENSION: _raw_json,
    META + "FieldsV1": _raw_json,
    META + "Time": _time,
    META + "MicroTime": _micro_time,
    EXTENSIONS + "JSON": _raw_json,
    EXTENSIONS + "JSONSchemaPropsOrArray": _schema_or_array,
    EXTENSIONS + "JSONSchemaPropsOrBool": _schema_or_bool,
    EXTENSIONS + "JSONSchemaPropsOrStringArray": _schema_or_strings,
}
