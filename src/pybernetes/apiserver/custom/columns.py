"""Printer columns of custom resources: what `kubectl get` shows of them.

A version's column definitions go in, a `Printer` comes out, as for built-in kinds. Called by `rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from pybernetes.api.json_path import SOME, Path, PathError, parse
from pybernetes.api.objects import CustomObject
from pybernetes.api.types.apiextensions_v1 import CustomResourceColumnDefinition
from pybernetes.apiserver.custom.numbers import text_of
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
    shown = list(_readable(columns))
    name = {"name": "Name", "type": "string", "format": "name", "priority": 0}
    definitions = [{**name, "description": describe(_META).fields.get("name", "")}]
    definitions += [_definition(column) for column, _path in shown]

    def row(obj: CustomObject, now: datetime) -> list[Any]:
        head = {"apiVersion": obj.api_version, "kind": obj.kind, "metadata": msgspec.to_builtins(obj.metadata)}
        document = {**obj.content, **head}
        cells = (_cell(column.type, path.values(document, SOME), now) for column, path in shown)
        return [obj.metadata.name or "", *cells]

    return Printer(definitions, row)


def _readable(
    columns: Sequence[CustomResourceColumnDefinition],
) -> Iterator[tuple[CustomResourceColumnDefinition, Path]]:
    """The columns and their paths, up to the first path that is none."""
    for column in columns:
        try:
            path = parse(column.json_path)
        except PathError:
            return
        yield column, path


def _definition(column: CustomResourceColumnDefinition) -> dict[str, Any]:
    path = f"Custom resource definition column (in JSONPath format): {column.json_path}"
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format or "",
        "description": column.description or path,
        "priority": column.priority or 0,
    }


def _cell(type_: str, found: Sequence[Any], now: datetime) -> Any:
    """The first value as the cell of a column of some type; None where it has another type."""
    if not found:
        return None
    value = found[0]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match type_:
        case "string" if isinstance(value, dict | list):
            return msgspec.json.encode(value, order="sorted").decode()
        case "string":
            return "<no value>" if value is None else text_of(value)
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
