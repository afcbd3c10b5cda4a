"""Reads the struct types of `k8s.io` packages out of a Go program: which fields there are and which are pointers.

Flow: a statically linked ELF program (kubectl, helm) goes in; `{("k8s.io/api/core/v1", "Pod"): [GoField, ...]}` comes
out. Go keeps a description of every type that can be reached by reflection; its layout is that of `internal/abi`:
a type is 48 bytes, of which byte 20 holds flags and byte 23 the kind; a struct type goes on with its fields.
Called by `generate_protobuf.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_STRUCT = 25
# Interface, map, pointer and slice: what can be nil.
_NILABLE = frozenset({20, 21, 22, 23})
_UNCOMMON, _NAMED = 1, 4
_FIELDS_MAX = 300

Types = dict[tuple[str, str], list["GoField"]]


class GoField(NamedTuple):
    """One field of a struct; `tag` as it is written in the source."""

    name: str
    tag: str
    nilable: bool


class Data:
    """The read-only data of a program, by address."""

    def __init__(self, program: bytes) -> None:
        self.start, offset, size = _section(program, b".rodata")
        self.bytes = program[offset : offset + size]

    def unpack(self, layout: str, address: int) -> tuple[int, ...]:
        return struct.unpack_from(layout, self.bytes, address - self.start)

    def holds(self, address: int) -> bool:
        return self.start < address < self.start + len(self.bytes) - 64

    def name(self, address: int) -> tuple[str, str]:
        """A name and its tag: flags, a length, the letters, and the same for the tag where there is one."""
        flags = self.bytes[address - self.start]
        text, after = self._text(address - self.start + 1)
        return text, self._text(after)[0] if flags & 2 else ""

    def _text(self, position: int) -> tuple[str, int]:
        length = shift = 0
        while True:
            byte = self.bytes[position]
            position += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return self.bytes[position : position + length].decode(), position + length
            shift += 7

    def kind(self, address: int) -> int:
        return self.bytes[address - self.start + 23] & 31


def _section(program: bytes, wanted: bytes) -> tuple[int, int, int]:
    """Address, offset and size of a section of a 64-bit ELF file; KeyError when there is none."""
    (table,) = struct.unpack_from("<Q", program, 40)
    _entry, count, names = struct.unpack_from("<HHH", program, 58)
    headers = [struct.unpack_from("<IIQQQQ", program, table + 64 * number) for number in range(count)]
    for name, _type, _flags, address, offset, size in headers:
        begin = headers[names][4] + name
        if program[begin : program.index(b"\0", begin)] == wanted:
            return address, offset, size
    raise KeyError(wanted)


def read(path: Path) -> Types:
    """All named structs of `k8s.io` packages in a program."""
    data = Data(path.read_bytes())
    return dict(_structs(data))


def _structs(data: Data) -> Iterator[tuple[tuple[str, str], list[GoField]]]:
    kinds = data.bytes[23::8]
    for number, kind in enumerate(kinds):
        if kind & 31 != _STRUCT:
            continue
        address = data.start + 8 * number
        try:
            found = _struct(data, address)
        except (struct.error, IndexError, UnicodeDecodeError):
            continue  # eight bytes that only look like a type
        if found is not None:
            yield found


def _struct(data: Data, address: int) -> tuple[tuple[str, str], list[GoField]] | None:
    flags = data.unpack("<B", address + 20)[0]
    if not flags & _UNCOMMON or not flags & _NAMED:
        return None
    first, length, capacity = data.unpack("<QQQ", address + 56)
    if length != capacity or not 0 < length < _FIELDS_MAX or not data.holds(first):
        return None
    package, _tag = data.name(data.start + data.unpack("<i", address + 80)[0])
    name, _tag = data.name(data.start + data.unpack("<i", address + 40)[0])
    if not package.startswith("k8s.io/"):
        return None
    return (package, name.rpartition(".")[2]), [_field(data, first + 24 * number) for number in range(length)]


def _field(data: Data, address: int) -> GoField:
    name, type_ = data.unpack("<QQ", address)
    return GoField(*data.name(name), data.kind(type_) in _NILABLE)
