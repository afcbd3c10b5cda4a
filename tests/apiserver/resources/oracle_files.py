"""Reads the answers recorded from a real API server that lie beside the checkout, where they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import find_kind, find_resource
from pybernetes.api.objects import ApiObject, encode

ORACLE = Path(__file__).parents[4] / "shared" / "oracle"


@dataclass(frozen=True)
class Step:
    """One request and what came back."""

    scenario: str
    number: int
    method: str
    path: str
    body: Any
    status: int
    answer: Any
    dry_run: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.scenario}[{self.number}]"


def scenarios(folder: str) -> list[str]:
    return sorted(path.stem for path in (ORACLE / folder).glob("*.json"))


def steps(folder: str, scenario: str) -> Iterator[Step]:
    document = json.loads((ORACLE / folder / f"{scenario}.json").read_text())
    for number, step in enumerate(document["steps"]):
        request, response = step["request"], step["response"]
        yield Step(
            scenario,
            number,
            request["method"],
            request["path"],
            request.get("body"),
            response["status"],
            response.get("body"),
            "dryRun" in request.get("query", {}),
            _warnings(response.get("headers", {}).get("Warning", [])),
        )


def _warnings(given: str | list[str]) -> tuple[str, ...]:
    """The texts of `Warning` headers, without code and quotes."""
    listed = [given] if isinstance(given, str) else given
    return tuple(text.removeprefix('299 - "').removesuffix('"').replace('\\"', '"') for text in listed)


def kind_of_path(path: str) -> Kind | None:
    """The kind whose collection or object a request path names; None for anything else."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[1:]) if parts[0] == "api" else (parts[1], parts[2:])
    if len(rest) > 3 and rest[1] == "namespaces":
        return find_resource(group, rest[0], rest[3])
    return find_resource(group, rest[0], rest[1]) if len(rest) > 1 else None


def decoded(kind: Kind, body: Any) -> Any:
    return msgspec.json.decode(json.dumps(body).encode(), type=kind.type)


def encoded(obj: Any) -> Any:
    return json.loads(encode(obj) if isinstance(obj, ApiObject) else msgspec.json.encode(obj))


def kind_of_body(body: Any) -> Kind | None:
    return find_kind(body.get("apiVersion", ""), body.get("kind", "")) if isinstance(body, dict) else None
