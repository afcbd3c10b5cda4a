"""Serves the OpenAPI documents: /openapi/v2, /openapi/v3 and one document a group-version below it.

Rows of kinds go in once; each document is written at its first question and kept as bytes with its hash. Called by
`documents`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.compression import encoded_headers, gzipped, weighs_gzip
from pybernetes.apiserver.custom import openapi
from pybernetes.apiserver.discovery import UNCACHED
from pybernetes.apiserver.negotiation import by_quality
from pybernetes.apiserver.openapi.operations import Path, version_paths
from pybernetes.apiserver.openapi.service_paths import SINGLE_PATHS, group_path, resources_path
from pybernetes.environment.clock import Clock
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.openapi import gnostic, gnostic_version3, version2, version3

_JSON = "application/json"
# The second spelling has been wrong since 1.10 and is what clients send; the first one is what they are answered.
_PROTOBUF_2 = (
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
)
_PROTOBUF_3 = (
    "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
)
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S"


def _encoded_version2(document: dict[str, Any]) -> bytes:
    return gnostic.encode(document)


def _encoded_version3(document: dict[str, Any]) -> bytes:
    return gnostic_version3.encode(document)


@dataclass(frozen=True)
class _Document:
    """One document; `write` gives its JSON value, `encode` makes protobuf of that."""

    write: Callable[[], dict[str, Any]]
    encode: Callable[[dict[str, Any]], bytes] = _encoded_version3

    @cached_property
    def json(self) -> bytes:
        return msgspec.json.encode(self.write())

    @cached_property
    def protobuf(self) -> bytes:
        return self.encode(msgspec.json.decode(self.json))

    @cached_property
    def gzipped_json(self) -> bytes:
        return gzipped(self.json)

    @cached_property
    def gzipped_protobuf(self) -> bytes:
        return gzipped(self.protobuf)

    @cached_property
    def hash(self) -> str:
        return hashlib.sha512(self.json).hexdigest().upper()


class Publisher:
    """The OpenAPI documents of some kinds."""

    def __init__(self, kinds: Iterable[Kind], clock: Clock, former: Publisher | None = None) -> None:
        """`former` published what was served before: what has not changed since need not be written again."""
        self._clock = clock
        self._written = clock.now()
        self._kinds: dict[tuple[str, str], list[Kind]] = {}
        for kind in kinds:
            self._kinds.setdefault((kind.group, kind.version), []).append(kind)
        self._custom = [kind for kinds in self._kinds.values() for kind in kinds if openapi.is_custom(kind)]
        self._version2 = _Document(
            lambda: version2.document(self._all_paths(), openapi.version2(self._custom)),
            _encoded_version2,
        )
        self._version3 = dict(sorted(self._documents(former).items()))

    def answer(self, request: Request) -> Response | None:
        """The document of a path; None for a path that is not below /openapi/v2 or /openapi/v3."""
        path = request.path.rstrip("/")
        if path == "/openapi/v2":
            return self._serve_version2(request)
        if path == "/openapi/v3":
            return Response(200, {"content-type": "text/plain; charset=utf-8", "cache-control": UNCACHED}, self._index)
        if path.startswith("/openapi/v3/"):
            return self._serve_version3(request, path.removeprefix("/openapi/v3/"))
        return None

    def _documents(self, former: Publisher | None) -> dict[str, _Document]:
        found = {name: _single(path) for name, path in SINGLE_PATHS.items()}
        for (group, version), kinds in self._kinds.items():
            level = f"apis/{group}" if group else "api"
            if not all(map(openapi.is_custom, kinds)):
                found[level] = _single(group_path(group))
            name = kinds[0].path_prefix.removeprefix("/")
            same = former is not None and former._kinds.get((group, version)) == kinds
            found[name] = former._version3[name] if former is not None and same else _of_version(kinds)
        return found

    def _all_paths(self) -> list[Path]:
        paths = list(SINGLE_PATHS.values())
        built_in = {
            name: [kind for kind in kinds if not openapi.is_custom(kind)] for name, kinds in self._kinds.items()
        }
        paths += [group_path(group) for group in dict.fromkeys(group for (group, _), held in built_in.items() if held)]
        for (group, version), kinds in built_in.items():
            if kinds:
                paths += [resources_path(group, version), *version_paths(kinds)]
        return paths + openapi.paths(self._custom)

    @cached_property
    def _index(self) -> bytes:
        paths = {
            name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={document.hash}"}
            for name, document in self._version3.items()
        }
        return msgspec.json.encode({"paths": paths})

    def _serve_version2(self, request: Request) -> Response:
        media = _preferred(request, _PROTOBUF_2)
        if media is None:
            return Response(406, {"cache-control": UNCACHED, "vary": ("Accept-Encoding", "Accept")})
        document = self._version2
        found = self._respond(request, document, {"content-type": media})
        if found.status != 200 or request.method == "HEAD" or not weighs_gzip(request.headers):
            return replace(found, headers={**found.headers, "vary": ("Accept-Encoding", "Accept")})
        # The one document that upstream compresses whatever its length.
        body = document.gzipped_json if media == _JSON else document.gzipped_protobuf
        return Response(200, encoded_headers(found.headers), body)

    def _serve_version3(self, request: Request, name: str) -> Response:
        document = self._version3.get(name)
        if document is None:
            return Response(404, {"cache-control": UNCACHED})
        media = _preferred(request, _PROTOBUF_3)
        if media is None:
            return Response(406, {"cache-control": UNCACHED, "vary": "Accept"})
        headers = {"content-type": media}
        asked = request.parameter("hash")
        if asked and asked != document.hash:
            location = f"/openapi/v3/{name}?hash={document.hash}"
            headers |= {"cache-control": UNCACHED, "etag": f'"{document.hash}"', "vary": "Accept"}
            return Response(301, {**headers, "location": location})
        if asked:
            expires = self._clock.now() + timedelta(days=365)
            headers |= {"cache-control": "public, immutable", "expires": f"{expires.strftime(_HTTP_DATE)} UTC"}
        return self._respond(request, document, headers)

    def _respond(self, request: Request, document: _Document, headers: dict[str, str]) -> Response:
        tag = f'"{document.hash}"'
        common = {"cache-control": UNCACHED, "etag": tag, "vary": "Accept", "last-modified": _http_date(self._written)}
        if request.headers.get("if-none-match") == tag:
            return Response(304, {**common, **headers})
        body = document.json if headers["content-type"] == _JSON else document.protobuf
        return Response(200, {**common, **headers}, body)


def _single(path: Path) -> _Document:
    return _Document(lambda: version3.document([path]))


def _of_version(kinds: list[Kind]) -> _Document:
    return _Document(lambda: version3.version_document(kinds))


def _http_date(when: datetime) -> str:
    return f"{when.strftime(_HTTP_DATE)} GMT"


def _preferred(request: Request, protobuf: tuple[str, str]) -> str | None:
    """The content type of the answer: what comes first in the client's order."""
    for media, _parameters in by_quality(request.headers.get("accept", "") or "*/*"):
        if media in (_JSON, "*/*", "application/*"):
            return _JSON
        if media in protobuf:
            return protobuf[0]
    return None
