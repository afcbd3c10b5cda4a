"""The answers recorded from a real API server, where they lie beside the checkout; else the tests are skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pybernetes.api import kinds
from pybernetes.api.kind import Kind

FOLDER = Path(__file__).parents[2].parent / "shared" / "oracle"
needs_oracle = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recorded answers beside the checkout")


def steps(name: str) -> list[dict[str, Any]]:
    """The steps of a scenario such as `patch/json-patch`."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text())["steps"] if path.is_file() else []


def names(folder: str) -> list[str]:
    """The scenarios of a folder."""
    return sorted(f"{folder}/{path.stem}" for path in (FOLDER / folder).glob("*.json"))


def kind_at(path: str) -> Kind | None:
    """The kind of a collection or an object at a request path; None for a sub-resource or an unknown resource."""
    parts = path.strip("/").split("/")
    if len(parts) < 3:
        return None
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    return kinds.find_resource(group, version, rest[0]) if rest and len(rest) <= 2 else None


def text_of(body: Any) -> bytes:
    """A request body as it was sent."""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
