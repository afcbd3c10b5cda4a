"""`Warning` headers: what a client should know about the kind that it asks for, and about the object that it wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.types import core_v1

# All but blanks and line breaks, which YAML's complaints have and headers show as blanks.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DEPRECATED: dict[type[ApiObject], str] = {
    core_v1.Endpoints: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    core_v1.ComponentStatus: "v1 ComponentStatus is deprecated in v1.19+",
}


def warning_of_age(kind: Kind | None) -> str | None:
    """The `Warning` header of a kind that is an old one; None for all others."""
    text = _DEPRECATED.get(kind.type) if kind is not None else None
    return f'299 - "{_quoted(text)}"' if text else None


def warning_headers(warnings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`Warning` headers, each text once. A text with control characters is left out, as upstream does."""
    if not warnings:
        return {}
    told = [text for text in dict.fromkeys(warnings) if not _CONTROL.search(text)]
    texts = tuple(f'299 - "{_quoted(text)}"' for text in told)
    return {"warning": texts} if texts else {}


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
