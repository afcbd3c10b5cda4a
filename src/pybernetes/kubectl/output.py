"""The forms of `-o`: json, yaml, name, jsonpath and custom-columns, from JSON values to text.

`printer` reads the flag once and gives a function of the object (or `List`); every verb that prints objects uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pybernetes.api import json_path
from pybernetes.kubectl import jsonpath, printing
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.words import Flag, Words, switch

FLAGS = (Flag("output", "o"), Flag("template"), switch("show-managed-fields"))
_TABLES = ("", "wide")
_ALLOWED = (
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,"
    "name,template,templatefile,wide,yaml"
)
Print = Callable[[Mapping[str, Any]], str]


def is_table(words: Words) -> bool:
    """Whether people are to read it as a table."""
    return words.text("output") in _TABLES


def printer(words: Words) -> Print:
    """What prints an object or a `List` in the form that was asked for; `CommandError` for an unknown form."""
    form, _, argument = words.text("output").partition("=")
    argument = argument or words.text("template")
    if form in ("json", "yaml"):
        write = printing.as_json if form == "json" else printing.as_yaml
        return lambda value: write(value if words.on("show-managed-fields") else without_managed_fields(value))
    if form == "name":
        return lambda value: "".join(f"{reference(item)}\n" for item in items_of(value))
    if form in ("jsonpath", "jsonpath-file"):
        template = jsonpath.parse(Path(argument).read_text() if form == "jsonpath-file" else argument)
        return template.print
    if form in ("custom-columns", "custom-columns-file"):
        headers, paths = _columns(Path(argument).read_text() if form.endswith("file") else argument)
        return lambda value: custom_columns(headers, paths, items_of(value), not words.on("no-headers"))
    raise error(
        f'unable to match a printer suitable for the output format "{words.text("output")}", '
        f"allowed formats are: {_ALLOWED}"
    )


def items_of(value: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The objects of a list, or the object itself."""
    return value.get("items") or () if is_list(value) else (value,)


def is_list(value: Mapping[str, Any]) -> bool:
    return str(value.get("kind", "")).endswith("List") and "items" in value


def reference(value: Mapping[str, Any]) -> str:
    """`pod/web` or `deployment.apps/web`."""
    group, slash, _ = str(value.get("apiVersion", "")).partition("/")
    kind = str(value.get("kind", "")).lower()
    return f"{kind}.{group}/{value['metadata'].get('name', '')}" if slash else f"{kind}/{value['metadata'].get('name')}"


def without_managed_fields(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object, or every object of the list, without what only field managers read."""
    if is_list(value):
        return {**value, "items": [without_managed_fields(item) for item in items_of(value)]}
    metadata = value.get("metadata") or {}
    if "managedFields" not in metadata:
        return value
    return {**value, "metadata": {key: item for key, item in metadata.items() if key != "managedFields"}}


def _columns(text: str) -> tuple[list[str], list[json_path.Path]]:
    """`NAME:.metadata.name,IP:.status.podIP`, or a file with headers over paths."""
    if "\n" in text.strip():
        lines = text.strip().splitlines()
        pairs = list(zip(lines[0].split(), lines[1].split(), strict=False))
    else:
        pairs = [(part.partition(":")[0], part.partition(":")[2]) for part in text.split(",")]
    if not text or not all(path for _, path in pairs):
        raise error("custom-columns format specified but no custom columns given" if not text else _BAD_COLUMN + text)
    return [header for header, _ in pairs], [jsonpath.parse_relaxed(path) for _, path in pairs]


_BAD_COLUMN = "unexpected custom-columns spec: "


def custom_columns(
    headers: Sequence[str], paths: Sequence[json_path.Path], items: Sequence[Mapping[str, Any]], with_headers: bool
) -> str:
    """A row for each object, `<none>` where a path leads to nothing."""
    rows = [list(headers)] if with_headers else []
    rows += [[",".join(map(jsonpath.shown, path.values(item))) or "<none>" for path in paths] for item in items]
    return "".join(f"{line}\n" for line in printing.Columns().lines(rows))
