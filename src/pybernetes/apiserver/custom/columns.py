"""Printer columns of custom resources: what `kubectl get` shows of them.

A version's column definitions go in, a `Printer` comes out, as for built-in kinds. Called by `rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from pybernetes.api.objects import CustomObject
from pybernetes.api.types.apiextensions_v1 import CustomResourceColumnDefinition
from pybernetes.apiserver.custom.json_path import Path, PathError, first, parse, shown
from pybernetes.apiserver.openapi.descriptions import describe
from pybernetes.apiserver.printing.cells import since
from pybernetes.apiserver.printing.table import Printer

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_AGE = ".metadata.creationTimestamp"


def printer(columns: Sequence[CustomResourceColumnDefinition]) -> Printer:
    """Name and the version's columns; Name and Age for a version that has none."""
    if not columns:
        age = describe(_META).fields.get("creationTimestamp", "")
        columns = [CustomResourceColumnDefinition(name="Age", type="date", json_path=_AGE, description=age)]
    name = {"name": "Name", "type": "string", "format": "name", "priority": 0}
    definitions = [{**name, "description": describe(_META).fields.get("name", "")}, *map(_definition, columns)]
    cells = [_cell(column) for column in columns]

    def row(obj: CustomObject, now: datetime) -> list[Any]:
        document = {**obj.content, "metadata": msgspec.to_builtins(obj.metadata)}
        return [obj.metadata.name or "", *(cell(document, now) for cell in cells)]

    return Printer(definitions, row)


def _definition(column: CustomResourceColumnDefinition) -> dict[str, Any]:
    path = f"Custom resource definition column (in JSONPath format): {column.json_path}"
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format or "",
        "description": column.description or path,
        "priority": column.priority or 0,
    }


def _cell(column: CustomResourceColumnDefinition) -> Callable[[Any, datetime], Any]:
    try:
        path: Path | None = parse(column.json_path)
    except PathError:
        path = None

    def cell(document: Any, now: datetime) -> Any:
        value = first(document, path) if path is not None else None
        return None if value is None else _shown(column.type, value, now)

    return cell


def _shown(type_: str, value: Any, now: datetime) -> Any:
    """A value as the cell of a column of some type; None where it has another type."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match type_:
        case "string":
            return (
                msgspec.json.encode(value, order="sorted").decode() if isinstance(value, dict | list) else shown(value)
            )
        case "integer":
            return int(value) if number else None
        case "number":
            return float(value) if number else None
        case "boolean":
            return value if isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    try:
        return since(value, now)
    except ValueError:
        return "<invalid>"
