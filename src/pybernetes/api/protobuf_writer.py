"""Plain JSON values to protobuf bodies: the inverse of `protobuf`, for answers and clients that speak it.

Flow: a dict with the field names of JSON and a definition go in; bytes with the `k8s\\0` envelope come out, the same
bytes that Go writes: fields by number, the zeros of what is no pointer, maps by key. A message's encoder is made when
its first object comes by.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import msgspec

from pybernetes.api import time
from pybernetes.api.protobuf import PREFIX
from pybernetes.api.protobuf_table import EXTENSIONS, INT_OR_STRING, META, QUANTITY, RAW_EXTENSION, Field, fields

Value = Mapping[str, Any]
Encode = Callable[[Any], bytes]

_WHOLE = (1 << 64) - 1
_SHORT = 128
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(value: Value, definition: str) -> bytes:
    """The body of an object; kind and apiVersion go into the envelope."""
    return envelope(value.get("apiVersion", ""), value.get("kind", ""), encode_message(value, definition))


def encode_message(value: Value, definition: str) -> bytes:
    """One message; what the table does not know is left out. KeyError when there is no such message."""
    return encoder_of(definition)(value)


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    """A message as a body of its own."""
    return envelope_head(api_version, kind, len(raw)) + raw + ENVELOPE_END


def envelope_head(api_version: str, kind: str, size: int) -> bytes:
    """What stands before a message of `size` bytes."""
    return PREFIX + field(1, text_field(1, api_version) + text_field(2, kind)) + head(2, size)


# The encoding and the type of the content, which are not set.
ENVELOPE_END = b"\x1a\x00\x22\x00"


def watch_frame(type_: str, body: bytes) -> bytes:
    """An event of a watch: four bytes of length, and a WatchEvent without an envelope around the object's body."""
    event = text_field(1, type_) + field(2, field(1, body))
    return len(event).to_bytes(4, "big") + event


def field(number: int, raw: bytes) -> bytes:
    """A field that holds bytes."""
    return head(number, len(raw)) + raw


def text_field(number: int, text: str) -> bytes:
    return field(number, text.encode())


def varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value & _WHOLE)


def head(number: int, size: int) -> bytes:
    """What stands before `size` bytes of a field."""
    if size < _SHORT:
        return _heads(number)[size]
    return _tag(number) + (bytes((size & 0x7F | 0x80, size >> 7)) if size < _SHORT**2 else _varint(size))


@cache
def _heads(number: int) -> tuple[bytes, ...]:
    """The heads of short fields, by size."""
    return tuple(_tag(number) + bytes((size,)) for size in range(_SHORT))


@cache
def _tag(number: int) -> bytes:
    """What a field of bytes begins with."""
    return _varint(number << 3 | 2)


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


class Message:
    """The encoder of one message type. Most fields of most objects are absent, so only the others are looked at."""

    __slots__ = ("_absent", "_definition", "_embedded", "_steps")

    def __init__(self, definition: str) -> None:
        self._definition = definition
        # Of an object without any field, by place: what the present fields are written over.
        self._absent: list[bytes] = []
        self._steps: dict[str, tuple[int, Encode]] = {}
        self._embedded: list[tuple[int, Encode]] = []

    def __call__(self, value: Value) -> bytes:
        if not self._absent:
            self._plan()
        parts = self._absent.copy()
        find = self._steps.get
        for name, held in value.items():
            step = find(name)
            if step is not None and held is not None:
                parts[step[0]] = step[1](held)
        for place, write in self._embedded:
            parts[place] = write(value)
        return b"".join(parts)

    def _plan(self) -> None:
        for place, (number, row, absent) in enumerate(self.rows()):
            self._absent.append(absent)
            if row.name:
                self._steps[row.name] = place, writer(number, row.type)
            else:
                self._embedded.append((place, writer(number, row.type)))

    def rows(self) -> Iterator[tuple[int, Field, bytes]]:
        """Its fields by number, with what stands there when they are absent."""
        for number, row in fields(self._definition).items():
            yield number, row, _absent(number, row)


@cache
def encoder_of(definition: str) -> Message:
    """What writes the messages of a definition; KeyError when it has no protobuf form."""
    fields(definition)
    return Message(definition)


def _absent(number: int, row: Field) -> bytes:
    """What Go writes for a field that is not there: nothing where it can be nil."""
    if not row.zero:
        return b""
    if row.type in _INTEGERS:
        return writer(number, row.type)(0)
    if row.type == "double":
        return writer(number, row.type)(0.0)
    if row.type == "string" or row.type in INSTANTS or row.type in JSON:
        return field(number, b"")
    zeros: dict[str, Any] = {QUANTITY: "0", INT_OR_STRING: 0}
    return writer(number, row.type)(zeros.get(row.type, {}))


def writer(number: int, type_: str) -> Encode:
    """What writes a field of a message, its number included."""
    if type_.startswith("[]"):
        one = writer(number, type_[2:])
        return lambda items: b"".join([one(item) for item in items])
    if type_.startswith("{}"):
        return _map_writer(number, type_[2:])
    if type_ == "string":
        return _string_writer(number)
    if type_ == "bool":
        false, true = _varint(number << 3) + b"\0", _varint(number << 3) + b"\1"
        return lambda given: true if given else false
    if type_ in _INTEGERS:
        return _integer_writer(number)
    if type_ == "double":
        tag = _varint(number << 3 | 1)
        return lambda given: tag + struct.pack("<d", given)
    return framed(number, _content(type_))


_INTEGERS = frozenset({"bool", "int32", "int64"})


def framed(number: int, content: Encode) -> Encode:
    """What writes a field whose inside `content` writes."""
    heads = _heads(number)

    def write(value: Any) -> bytes:
        raw = content(value)
        size = len(raw)
        return heads[size] + raw if size < _SHORT else head(number, size) + raw

    return write


def _string_writer(number: int) -> Encode:
    heads = _heads(number)

    def write(text: str) -> bytes:
        raw = text.encode()
        size = len(raw)
        return heads[size] + raw if size < _SHORT else head(number, size) + raw

    return write


def _integer_writer(number: int) -> Encode:
    tag = _varint(number << 3)
    small = tuple(tag + bytes((value,)) for value in range(_SHORT))

    def write(value: int) -> bytes:
        return small[value] if 0 <= value < _SHORT else tag + _varint(int(value) & _WHOLE)

    return write


def _map_writer(number: int, type_: str) -> Encode:
    key, value = writer(1, "string"), writer(2, type_)
    entry = framed(number, lambda pair: key(pair[0]) + (b"" if pair[1] is None else value(pair[1])))
    return lambda items: b"".join([entry((name, items[name])) for name in sorted(items)])


def _content(type_: str) -> Encode:
    """What writes the inside of a field of bytes."""
    if type_ == "bytes":
        return base64.b64decode
    if type_ in INSTANTS:
        return _instant
    if type_ in JSON:
        return lambda value: field(1, msgspec.json.encode(value))
    if type_ == QUANTITY:
        return lambda value: text_field(1, str(value))
    if type_ == INT_OR_STRING:
        return _int_or_string
    if type_.endswith((".ExtraValue", ".Verbs")):
        return writer(1, "[]string")
    if type_.startswith(EXTENSIONS + "JSONSchemaPropsOr"):
        return lambda value: _schema_or(type_, value)
    return encoder_of(type_)


INSTANTS = frozenset({META + "Time", META + "MicroTime"})
JSON = frozenset({META + "FieldsV1", EXTENSIONS + "JSON", RAW_EXTENSION})


def _int_or_string(value: int | str) -> bytes:
    if isinstance(value, str):
        return b"\x08\x01\x10\x00" + text_field(3, value)
    return b"\x08\x00" + writer(2, "int32")(value) + b"\x1a\x00"


def _schema_or(type_: str, value: Any) -> bytes:
    if isinstance(value, dict):
        # A schema as additionalProperties implies that they are allowed.
        whole = {"schema": value, "allows": True} if type_.endswith("OrBool") else {"schema": value}
        return encode_message(whole, type_)
    return encode_message({"allows": value, "jSONSchemas": value, "property": value}, type_)


# Objects that were made together have the same times in many places.
@lru_cache(maxsize=4096)
def _instant(text: str) -> bytes:
    if not text:
        return b""
    since = time.parse(text) - _UNIX_EPOCH
    seconds = since // timedelta(seconds=1)
    nanos = (since - timedelta(seconds=seconds)).microseconds * 1000
    return writer(1, "int64")(seconds) + writer(2, "int32")(nanos)
