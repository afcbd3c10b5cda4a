"""Printer columns as definitions word them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pybernetes.api.objects import CustomObject
from pybernetes.api.types.apiextensions_v1 import CustomResourceColumnDefinition
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.custom.columns import printer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTENT: dict[str, Any] = {
    "spec": {"count": 3, "share": 0.5, "big": 1e21, "on": True, "none": None, "map": {"b": 1, "a": [2]}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Done", "status": "False"}]},
}


def column(path: str, type_: str = "string", name: str = "X") -> CustomResourceColumnDefinition:
    return CustomResourceColumnDefinition(name=name, type=type_, json_path=path)


@pytest.mark.parametrize(
    ("path", "type_", "cell"),
    [
        (".spec.count", "integer", 3),
        (".spec.count", "string", "3"),
        (".spec.count", "number", 3.0),
        (".spec.count", "boolean", None),
        (".spec.share", "integer", 0),
        (".spec.share", "string", "0.5"),
        (".spec.big", "string", "1e+21"),
        (".spec.on", "boolean", True),
        (".spec.on", "string", "true"),
        (".spec.none", "string", "<no value>"),
        (".spec.none", "integer", None),
        (".spec.map", "string", '{"a":[2],"b":1}'),
        (".spec.missing", "string", None),
        ('.status.conditions[?(@.type=="Done")].status', "string", "False"),
        (".status.conditions[-1:].type", "string", "Done"),
        (".status.conditions[*].type", "string", "Ready"),
        (".metadata.creationTimestamp", "date", "120m"),
        (".metadata.name", "date", "<invalid>"),
        (".kind", "string", "Thing"),
    ],
)
def test_cells(path: str, type_: str, cell: Any) -> None:
    metadata = ObjectMeta(name="a", creation_timestamp="2026-01-01T10:00:00Z")
    table = printer([column(path, type_)])
    made = CustomObject(kind="Thing", metadata=metadata, content=CONTENT)
    assert table.cells(made, NOW) == ["a", cell]


def test_columns_end_before_a_path_that_cannot_be_read() -> None:
    table = printer([column(".spec.count", name="One"), column(".spec[", name="Two"), column(".spec.on", name="Three")])
    assert [definition["name"] for definition in table.columns] == ["Name", "One"]
