"""Message classes of CRI v1, and of containerd's events, made when this module is imported; no compiler involved.

`schema.json` flows in, `CRI.message("PodSandboxConfig")` and `CRI.methods` flow out to `client.py` and `convert.py`.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_SCALARS = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "uint32": 13,
}
_MESSAGE, _ENUM = 11, 14
_OPTIONAL, _REPEATED = 1, 3


class Schema:
    """The messages, enums and methods of one package."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.package: str = source["package"]
        self.methods: dict[str, dict[str, list[str]]] = source["methods"]
        self.enums: dict[str, dict[str, int]] = source["enums"]
        self._messages: dict[str, dict[str, Any]] = source["messages"]
        self._pool = descriptor_pool.DescriptorPool()
        self._pool.Add(self._file())
        self._classes: dict[str, Any] = {}

    def message(self, name: str) -> Any:
        """The class of a message, such as `Mount`."""
        if name not in self._classes:
            descriptor = self._pool.FindMessageTypeByName(f"{self.package}.{name}")
            self._classes[name] = message_factory.GetMessageClass(descriptor)
        return self._classes[name]

    def number(self, enum: str, name: str) -> int:
        """The number of an enum's value."""
        return self.enums[enum][name]

    def _file(self) -> descriptor_pb2.FileDescriptorProto:
        file = descriptor_pb2.FileDescriptorProto(name=f"{self.package}.proto", package=self.package, syntax="proto3")
        places: dict[str, descriptor_pb2.DescriptorProto] = {}
        for name in sorted(self._messages, key=lambda name: name.count(".")):
            outer, _, inner = name.rpartition(".")
            place = places[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=name)
            places[name] = place
            for field, (number, type_, *rest) in self._messages[name].items():
                self._add_field(place, (field, number, type_))
                place.options.map_entry = place.options.map_entry or "map_entry" in rest
        for name, values in self.enums.items():
            outer, _, inner = name.rpartition(".")
            enum = places[outer].enum_type.add(name=inner) if outer else file.enum_type.add(name=name)
            for value, number in values.items():
                enum.value.add(name=value, number=number)
        return file

    def _add_field(self, place: descriptor_pb2.DescriptorProto, what: tuple[str, int, str]) -> None:
        field, number, type_ = what
        name = type_.removeprefix("repeated ")
        made = place.field.add(name=field, number=number)
        made.label = _REPEATED if name != type_ else _OPTIONAL  # type: ignore[assignment]
        made.type = _SCALARS.get(name) or (_ENUM if name in self.enums else _MESSAGE)  # type: ignore[assignment]
        if name not in _SCALARS:
            made.type_name = f".{self.package}.{name}"


def _load() -> list[Schema]:
    text = resources.files("pybernetes.kubelet.cri").joinpath("schema.json").read_text()
    return [Schema(source) for source in json.loads(text)]


CRI, CONTAINERD = _load()
