"""What messages of gnostic are written with: writers of a message's fields, of maps and of free values.

Gnostic is the project whose protobuf messages mirror OpenAPI documents. A table says which field of a message holds
which key; the few shapes that protobuf writes differently from JSON (maps, alternatives, extensions) have a function
each. Used by `gnostic` and `gnostic_version3`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from pybernetes.api.protobuf_writer import field, text_field, varint_field

Writer = Callable[[Any], bytes]


def text(value: str) -> bytes:
    return value.encode()


def double(value: float) -> bytes:
    return struct.pack("<d", value)


def message(fields: Mapping[str, tuple[int, Writer | None]], extensions: int = 0) -> Writer:
    """A writer of objects; a field without a writer is a number or a boolean. Keys with `x-` are extensions."""

    def write(value: Mapping[str, Any]) -> bytes:
        written = []
        for key, item in value.items():
            if extensions and key.startswith("x-"):
                written.append(field(extensions, named(key, free(item))))
                continue
            number, writer = fields[key]
            if writer is None:
                written.append(varint_field(number, int(item)))
            elif writer is double:
                written.append(double_field(number, item))
            elif isinstance(item, list):
                written += [field(number, writer(each)) for each in item]
            else:
                written.append(field(number, writer(item)))
        return b"".join(written)

    return write


def double_field(number: int, value: float) -> bytes:
    # The wire type of eight bytes, in one byte, since all such fields have small numbers.
    return bytes((number << 3 | 1,)) + double(value)


def external_docs(value: Mapping[str, Any]) -> bytes:
    return b"".join(text_field(n, value[key]) for n, key in ((1, "description"), (2, "url")) if key in value)


def free(value: Any) -> bytes:
    """A free value: YAML, of which JSON is a part."""
    return field(2, msgspec.json.encode(value))


def named(name: str, value: bytes) -> bytes:
    """One entry of a map."""
    return text_field(1, name) + field(2, value)


def mapping(number: int, writer: Writer) -> Writer:
    """A writer of maps, which are repeated pairs of a name and a value."""

    def write(value: Mapping[str, Any]) -> bytes:
        return b"".join(field(number, named(name, writer(item))) for name, item in value.items())

    return write


def only(number: int, writer: Writer) -> Writer:
    """A message with one field: an alternative, or a list."""
    return lambda value: field(number, writer(value))


def strings(value: Iterable[str]) -> bytes:
    return b"".join(text_field(1, item) for item in value)
