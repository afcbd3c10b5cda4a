"""`describe` of kinds that have no description of their own: every field, with its name in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pybernetes.kubectl.describe.writing import Writing, write_annotations, write_map

_ACRONYMS = frozenset({"API", "URL", "UID", "OSB", "GUID"})
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|-")
_SHOWN_ABOVE = frozenset({"name", "namespace", "labels", "annotations", "managedFields"})


def describe_object(writing: Writing, obj: Mapping[str, Any]) -> None:
    """All but the events."""
    metadata = obj["metadata"]
    writing.pair("Name", metadata.get("name", ""))
    writing.pair("Namespace", metadata.get("namespace", ""))
    write_map(writing, "Labels", metadata.get("labels") or {})
    write_annotations(writing, metadata.get("annotations") or {})
    writing.pair("API Version", obj.get("apiVersion", ""))
    writing.pair("Kind", obj.get("kind", ""))
    kept = {key: value for key, value in metadata.items() if key not in _SHOWN_ABOVE}
    rest = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}
    _write(writing, {**rest, "metadata": kept}, 0)


def _write(writing: Writing, content: Mapping[str, Any], level: int) -> None:
    for key in sorted(content):
        value = content[key]
        if isinstance(value, Mapping):
            writing.line(f"{label(key)}:", level)
            _write(writing, value, level + 1)
        elif isinstance(value, list):
            writing.line(f"{label(key)}:", level)
            for item in value:
                if isinstance(item, Mapping):
                    _write(writing, item, level + 1)
                else:
                    writing.line(_shown(item), level + 1)
        else:
            writing.pair(label(key), _shown(value), level)


def _shown(value: Any) -> str:
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def label(name: str) -> str:
    """`resourceVersion` in words: `Resource Version`."""
    if not all(letter.isalpha() or letter == "-" for letter in name):
        return name
    parts = _PART.findall(name)
    return " ".join(part.upper() if part.upper() in _ACRONYMS else part[:1].upper() + part[1:] for part in parts)
