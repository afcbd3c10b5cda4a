"""/statusz and /flagz: what runs here and how it was started, as text for people or as config.k8s.io/v1beta1.

A request and the facts go in, an answer comes out. Called by `endpoints`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from pybernetes.api import time
from pybernetes.api.status import failure
from pybernetes.api.types.version import Info
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.discovery import UNCACHED
from pybernetes.apiserver.negotiation import Accepted, by_quality
from pybernetes.apiserver.rendering import finished

_COMPONENT = "kube-apiserver"
_WARNING = (
    "Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees"
    " and is for debugging purposes only."
)
_SUPPORTED = "application/json, application/yaml, text/plain"
_TEXT = {"content-type": "text/plain; charset=utf-8", "cache-control": UNCACHED}


@dataclass(frozen=True)
class Facts:
    """What /statusz tells; `paths` are relative."""

    version: Info
    started: datetime
    paths: Sequence[str]


def statusz(request: Request, facts: Facts, now: datetime) -> Response:
    """What runs here, since when."""
    up = max(int((now - facts.started).total_seconds()), 0)
    binary = facts.version.git_version.removeprefix("v")
    emulation = f"{facts.version.emulation_major}.{facts.version.emulation_minor}"
    lines = [
        f"Started: {facts.started.strftime('%a %b %e %H:%M:%S UTC %Y')}",
        f"Up: {up // 3600} hr {up % 3600 // 60:02d} min {up % 60:02d} sec",
        f"Go version: {facts.version.go_version}",
        f"Binary version: {binary}",
        f"Emulation version: {emulation}",
        f"Paths: {' '.join(facts.paths)}",
    ]
    structured = {
        "startTime": time.format(facts.started),
        "uptimeSeconds": up,
        "goVersion": facts.version.go_version,
        "binaryVersion": binary,
        "emulationVersion": emulation,
        "minimumCompatibilityVersion": (
            f"{facts.version.min_compatibility_major}.{facts.version.min_compatibility_minor}"
        ),
        "paths": list(facts.paths),
    }
    return _answer(request, "Statusz", ("statusz", lines), structured)


def flagz(request: Request, flags: Mapping[str, str]) -> Response:
    """The flags in force, by name."""
    lines = [f"{name}={value}" for name, value in sorted(flags.items())]
    return _answer(request, "Flagz", ("flags", lines), {"flags": dict(sorted(flags.items()))})


def _answer(request: Request, kind: str, text: tuple[str, Sequence[str]], structured: Mapping[str, Any]) -> Response:
    """The first form that the client accepts; 406 when it accepts none."""
    title, lines = text
    for media, parameters in by_quality(request.headers.get("accept", "").strip() or "text/plain"):
        if media in ("text/plain", "text/*", "*/*"):
            body = "\n".join([f"\n{_COMPONENT} {title}", _WARNING, "", *lines, ""])
            return Response(200, _TEXT, body.encode())
        wanted = (parameters.get("g"), parameters.get("v"), parameters.get("as"))
        if media in ("application/json", "application/yaml") and wanted == ("config.k8s.io", "v1beta1", kind):
            head = {"kind": kind, "apiVersion": "config.k8s.io/v1beta1", "metadata": {"name": _COMPONENT}}
            accepted = Accepted("yaml" if media.endswith("yaml") else "json")
            body_bytes, content_type = finished(msgspec.json.encode({**head, **structured}), accepted)
            return Response(200, {"content-type": content_type, "cache-control": UNCACHED}, body_bytes)
    raise failure(406, "NotAcceptable", f"only the following media types are accepted: {_SUPPORTED}")
