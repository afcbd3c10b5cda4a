"""Objects to begin with, of every kind: what the oracle recorded, where it is at hand, and what the schema allows."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from pybernetes.api import schema
from pybernetes.api.kinds import KINDS
from tests.oracle.recording import scenarios

_SCALARS: dict[str, Any] = {
    "string": "a",
    "int32": 1,
    "int64": 1,
    "double": 1.0,
    "bool": True,
    "bytes": "YQ==",
    "time": "2026-01-01T00:00:00Z",
    "micro_time": "2026-01-01T00:00:00.000000Z",
    "quantity": "1",
    "int_or_string": 1,
    "any": {"a": 1},
}


class Sample(NamedTuple):
    """A body and the path that it is created at."""

    path: str
    body: dict[str, Any]


@cache
def samples() -> list[Sample]:
    """At least one body for each kind."""
    return [*_recorded(), *(_made(kind) for kind in KINDS if "create" in kind.verbs)]


def _recorded() -> list[Sample]:
    found = []
    for file in scenarios("defaults"):
        for step in json.loads(file.read_text())["steps"]:
            request = step["request"]
            if request.get("method") == "POST" and isinstance(request.get("body"), dict):
                path = request["path"].replace("/namespaces/defaults/", "/namespaces/fuzz/")
                text = json.dumps(request["body"]).replace('"namespace": "defaults"', '"namespace": "fuzz"')
                found.append(Sample(path, json.loads(text)))
    return found


def _made(kind: Any) -> Sample:
    body = _struct(schema.definition_of(kind.type), ())
    body |= {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "made", "labels": {"a": "b"}}}
    return Sample(kind.path("fuzz" if kind.namespaced else None), body)


def _struct(definition: str, above: tuple[str, ...]) -> dict[str, Any]:
    """All fields filled in; a type inside itself is left out."""
    if definition in above or len(above) > 6:
        return {}
    inner = (*above, definition)
    return {name: _value(node, inner) for name, node in schema.fields(definition).items() if name != "status"}


def _value(node: schema.Node, above: tuple[str, ...]) -> Any:
    if node.type == "struct":
        return _struct(node.definition, above)
    if node.item is not None:
        item = _value(node.item, above)
        return [item] if node.type == "list" else {"a": item}
    return _SCALARS[node.type]
