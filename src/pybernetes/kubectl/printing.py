"""Columns of text as kubectl lays them out: the server's Tables for `get`, and tab-separated lines for `describe`.

Rows go in, text comes out; nothing here knows a connection. `Columns` remembers widths, so that what a watch adds stays
under its headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pybernetes.api import yaml

MINIMUM, PADDING = 6, 3


class Columns:
    """Lays out rows with three blanks between columns, none narrower than six."""

    def __init__(self) -> None:
        self.widths: list[int] = []

    def lines(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """The rows as text; the last cell of a row is not padded."""
        for row in rows:
            self.widths += [MINIMUM] * (len(row) - len(self.widths))
            for position, cell in enumerate(row):
                self.widths[position] = max(self.widths[position], len(cell) + PADDING)
        return [
            "".join(cell.ljust(width) for cell, width in zip(row[:-1], self.widths, strict=False)) + row[-1]
            for row in rows
            if row
        ]


def aligned(text: str, padding: int = 2) -> str:
    """Lines with tabs, laid out so that cells of neighbouring lines stand under one another."""
    lines = [line.split("\t") for line in text.split("\n")]
    for column in range(max(len(line) for line in lines) - 1):
        block: list[list[str]] = []
        for line in [*lines, [""]]:
            if len(line) > column + 1:
                block.append(line)
                continue
            width = max((len(cells[column]) for cells in block), default=0) + padding
            for cells in block:
                cells[column] = cells[column].ljust(width)
            block = []
    return "\n".join("".join(line) for line in lines)


@dataclass(frozen=True)
class TableStyle:
    """What `get` was asked to show of a Table."""

    wide: bool = False
    headers: bool = True
    namespaces: bool = False
    labels: bool = False
    label_columns: tuple[str, ...] = ()
    kind: str = ""  # put before names, such as `deployment.apps`


@dataclass
class Shown:
    """A Table's rows as text, with their headers."""

    header: list[str]
    rows: list[list[str]] = field(default_factory=list)


def shown_table(table: Mapping[str, Any], style: TableStyle) -> Shown:
    """The cells that a Table shows in a style."""
    definitions = table.get("columnDefinitions") or []
    seen = [number for number, column in enumerate(definitions) if style.wide or not column.get("priority")]
    name = next((number for number in seen if definitions[number].get("name", "").lower() == "name"), -1)
    header = [definitions[number]["name"].upper() for number in seen]
    header = ["NAMESPACE"] * style.namespaces + header
    header += [key.rpartition("/")[2].upper() for key in style.label_columns] + ["LABELS"] * style.labels
    rows = []
    for row in table.get("rows") or ():
        cells = ["" if number >= len(row["cells"]) else shown_cell(row["cells"][number]) for number in seen]
        if style.kind and name in seen:
            position = seen.index(name)
            cells[position] = f"{style.kind}/{cells[position]}"
        rows.append(_with_metadata(cells, (row.get("object") or {}).get("metadata") or {}, style))
    return Shown(header, rows)


def _with_metadata(cells: list[str], metadata: Mapping[str, Any], style: TableStyle) -> list[str]:
    labels = metadata.get("labels") or {}
    before = [metadata.get("namespace", "")] if style.namespaces else []
    after = [labels.get(key, "") for key in style.label_columns]
    return before + cells + after + ([shown_map(labels)] if style.labels else [])


def shown_map(values: Mapping[str, Any], between: str = ",", nothing: str = "<none>") -> str:
    """`a=b,c=d`, sorted."""
    return between.join(f"{key}={values[key]}" for key in sorted(values)) or nothing


def shown_cell(value: Any) -> str:
    """A cell's text: one line, without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict | list) else str(value)
    line = text.splitlines()[0] + "..." if "\n" in text or "\r" in text else text
    return "".join(letter if letter.isprintable() else f"^{chr(ord(letter) % 32 + 64)}" for letter in line)


_HARMLESS = {**{code: f"^{chr(code + 64)}" for code in (0x07, 0x08, 0x0E, 0x0F, 0x1B)}, 0x0D: "\\r", 0x9B: "^["}


def harmless(text: str) -> str:
    """Text as a terminal may be given it: escape sequences are shown, not obeyed."""
    return text.translate(_HARMLESS)


def as_json(value: Any) -> str:
    """JSON as `-o json` prints it, with Go's escapes."""
    return html_escaped(json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False)) + "\n"


def html_escaped(text: str) -> str:
    """Go writes these three so that JSON can stand inside HTML."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def as_yaml(value: Any) -> str:
    return yaml.dump(value)
