"""Lists that are sets or maps: no item twice. Pure; called after the schema itself has nothing to complain of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pybernetes.api.json_schema import LIST_KEYS, LIST_TYPE, Schema, child, items, joined, properties
from pybernetes.api.status import FieldError, duplicate, invalid


def list_errors(value: Any, schema: Schema | None, path: str = "") -> Iterator[FieldError]:
    """Duplicates in all lists of a value that are sets or maps."""
    if schema is None:
        return
    if isinstance(value, dict):
        for name, held in value.items():
            place = joined(path, name) if name in properties(schema) else f"{path}[{name}]"
            yield from list_errors(held, child(schema, name), place)
    elif isinstance(value, list):
        if schema.get(LIST_TYPE) in ("set", "map"):
            yield from _duplicates(value, schema, path)
        for index, item in enumerate(value):
            yield from list_errors(item, items(schema), f"{path}[{index}]")


def _duplicates(value: list[Any], schema: Schema, path: str) -> Iterator[FieldError]:
    is_map = schema[LIST_TYPE] == "map"
    odd = (index for index, item in enumerate(value) if not isinstance(item, dict | None))
    if is_map and (at := next(odd, None)) is not None:
        yield invalid(f"{path}[{at}]", value[at], "must be an object for an array of list-type map")
        return
    seen: dict[str, int] = {}
    for index, item in enumerate(value):
        keys = sorted(schema.get(LIST_KEYS) or ()) if is_map else ()
        shown = {key: item[key] for key in keys if key in (item or ())} if is_map else item
        text = json.dumps(shown, sort_keys=True)
        seen[text] = seen.get(text, 0) + 1
        # A value that occurs often is told once.
        if seen[text] == 2:
            yield duplicate(f"{path}[{index}]", shown)
