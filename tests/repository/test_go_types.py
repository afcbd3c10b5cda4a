"""The reader of Go's type descriptions, by a program of a few hundred bytes that holds nothing else."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "go_types.py"
START = 0x400000
STRING, POINTER, STRUCT = 24, 22, 25
UNCOMMON_AND_NAMED = 1 | 4
LONG_TAG = f'json:"metadata" protobuf:"bytes,1,opt" patchStrategy:"{"x" * 200}"'


@pytest.fixture(scope="module")
def go_types() -> ModuleType:
    spec = importlib.util.spec_from_file_location("go_types", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ReadOnlyData:
    """What a linker would lay out; `put` gives the address of what was put there."""

    def __init__(self) -> None:
        self.bytes = bytearray(8)

    def put(self, part: bytes) -> int:
        self.bytes += bytes(-len(self.bytes) % 8)
        address = START + len(self.bytes)
        self.bytes += part
        return address

    def name(self, text: str, tag: str = "") -> int:
        return self.put(bytes([2 if tag else 0]) + counted(text) + (counted(tag) if tag else b""))

    def plain_type(self, kind: int) -> int:
        return self.put(described(kind, 0, 0))

    def struct_type(self, package: str, name: str, fields: list[tuple[int, int]], flags: int) -> None:
        first = self.put(b"".join(struct.pack("<QQQ", *field, 0) for field in fields))
        own, home = self.name(name), self.name(package)
        head = described(STRUCT, flags, own - START) + struct.pack("<Q", home)
        self.put(head + struct.pack("<QQQi", first, len(fields), len(fields), home - START))


def counted(text: str) -> bytes:
    length = len(text)
    return bytes([length & 0x7F | 0x80, length >> 7] if length > 127 else [length]) + text.encode()


def described(kind: int, flags: int, name: int) -> bytes:
    return struct.pack("<20sBBBB16sii", b"", flags, 8, 8, kind, b"", name, 0)


def program(rodata: bytes) -> bytes:
    """An ELF file with two sections, the names of the sections and the data."""
    names = b"\0.shstrtab\0.rodata\0"
    table = 64 + len(names) + len(rodata)
    head = b"\x7fELF".ljust(40, b"\0") + struct.pack("<Q", table) + bytes(10) + struct.pack("<HHH", 64, 2, 0)
    sections = [(1, 3, 0, 0, 64, len(names)), (11, 1, 2, START, 64 + len(names), len(rodata))]
    return head + names + rodata + b"".join(struct.pack("<IIQQQQ", *section).ljust(64, b"\0") for section in sections)


def test_named_structs_of_kubernetes_are_read_with_their_fields(go_types: ModuleType, tmp_path: Path) -> None:
    data = ReadOnlyData()
    text, pointer = data.plain_type(STRING), data.plain_type(POINTER)
    fields = [(data.name("Name", LONG_TAG), text), (data.name("Spec", 'json:"spec"'), pointer), (data.name("x"), text)]
    data.struct_type("k8s.io/api/core/v1", "v1.Pod", fields, UNCOMMON_AND_NAMED)
    data.struct_type("example.com/other", "other.Thing", fields, UNCOMMON_AND_NAMED)
    data.struct_type("k8s.io/api/core/v1", "struct {}", fields, flags=0)
    data.put(bytes(64))
    path = tmp_path / "program"
    path.write_bytes(program(bytes(data.bytes)))
    assert go_types.read(path) == {
        ("k8s.io/api/core/v1", "Pod"): [
            ("Name", LONG_TAG, False),
            ("Spec", 'json:"spec"', True),
            ("x", "", False),
        ]
    }


def test_a_program_without_read_only_data_is_refused(go_types: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(program(b"").replace(b".rodata", b".rodatb"))
    with pytest.raises(KeyError):
        go_types.read(path)


def test_bytes_that_only_look_like_types_are_passed_over(go_types: ModuleType, tmp_path: Path) -> None:
    data = ReadOnlyData()
    # Kind and flags of a named struct everywhere, and addresses that lead nowhere.
    data.put(bytes([UNCOMMON_AND_NAMED, 1, 1, STRUCT]) * 100)
    path = tmp_path / "program"
    path.write_bytes(program(bytes(data.bytes)))
    assert go_types.read(path) == {}
