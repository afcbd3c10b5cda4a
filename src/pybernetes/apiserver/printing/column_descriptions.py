"""What the columns of tables mean, as the original says it.

`column_descriptions.json` holds, by kind and column, the field whose description is the column's (`module.Type.field`,
as `openapi.descriptions` knows it) or, where a column is no field's, its own few words; "" stands for every kind.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from pybernetes.apiserver.openapi.descriptions import field_description

_FIELD = re.compile(r"(\w+)\.(\w+)\.(\w+)")


def described(kind: str, columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns of a kind with their descriptions."""
    sources = {**_sources()[""], **_sources().get(kind, {})}
    return [{**column, "description": _text(sources.get(column["name"], ""))} for column in columns]


def _text(source: str) -> str:
    match = _FIELD.fullmatch(source)
    return field_description(*match.groups()) if match else source


@cache
def _sources() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("column_descriptions.json").read_text()
    sources: dict[str, dict[str, str]] = json.loads(text)
    return sources
