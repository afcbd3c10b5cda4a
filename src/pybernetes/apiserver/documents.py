"""Answers for paths that are no resources: discovery, OpenAPI, version, token keys and how the server is.

The pipeline hands over every request that is no resource request, when its sender may have the path. One order of
questions, and at the end the plain 404 page.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from typing import Any

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.status import failure
from pybernetes.api.types.meta_v1 import StatusDetails
from pybernetes.api.types.version import Info
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.diagnostics.endpoints import Diagnostics
from pybernetes.apiserver.discovery import UNCACHED, Discovery, method_not_allowed
from pybernetes.apiserver.negotiation import CONTENT_TYPES, by_quality
from pybernetes.apiserver.openapi.publisher import Publisher
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.stages.service_account_tokens import TokenIssuer
from pybernetes.environment.clock import Clock

_TEXT = {"content-type": "text/plain; charset=utf-8", "cache-control": UNCACHED, "x-content-type-options": "nosniff"}
_JWKS, _OPENID = "/openid/v1/jwks", "/.well-known/openid-configuration"
_KEY_SET_TYPE = "application/jwk-set+json"
_AN_HOUR = "public, max-age=3600"
# Go's names.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


class ApiDocuments:
    """The documents of one server; `address` is its `host:port` as clients outside reach it."""

    def __init__(
        self,
        issuer: TokenIssuer | None,
        clock: Clock,
        diagnostics: Diagnostics,
        *,
        address: str = "",
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._address = address
        self.diagnostics = diagnostics
        self._openapi: Publisher | None = None
        self.serve(KINDS)

    def serve(self, kinds: Iterable[Kind]) -> None:
        """Publishes these kinds; called again when custom resources come or go."""
        rows = tuple(kinds)
        self._discovery = Discovery(rows, self._address)
        self._openapi = Publisher(rows, self._clock, self._openapi)

    async def answer(self, asked: Authenticated) -> Response | None:
        """The document of a path, or the 404 page; StatusError as upstream refuses methods and media types."""
        request = asked.request
        response = (
            self._discovery.answer(request)
            or await self.diagnostics.answer(request)
            or (self._openapi and self._openapi.answer(request))
            or self._other(request)
        )
        return response or Response(404, _TEXT, b"404 page not found\n")

    def _other(self, request: Request) -> Response | None:
        match request.path.rstrip("/"):
            case "":
                return self._index() if request.path == "/" else None
            case "/version":
                return _json(request, msgspec.to_builtins(version()))
            case "/openid/v1/jwks" if self._issuer is not None:
                return _json(request, self._issuer.key_set(), _KEY_SET_TYPE, _AN_HOUR)
            case "/.well-known/openid-configuration" if self._issuer is not None:
                location = f"https://{self._address}{_JWKS}"
                return _json(request, self._issuer.discovery(location), cache=_AN_HOUR)
        return None

    def _index(self) -> Response:
        """All paths, for people: in JSON whatever is accepted."""
        others = ["/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version", _JWKS, _OPENID]
        paths = sorted({*self._discovery.paths, *self.diagnostics.paths, *others, "/apis/"})
        body = msgspec.json.format(msgspec.json.encode({"paths": paths}), indent=2)
        return Response(200, {"content-type": CONTENT_TYPES["json"], "cache-control": UNCACHED}, body)


def version() -> Info:
    """What /version says: the Kubernetes whose answers these are, and what runs them."""
    return Info(
        major="1",
        minor="36",
        emulation_major="1",
        emulation_minor="36",
        min_compatibility_major="1",
        min_compatibility_minor="35",
        git_version="v1.36.2",
        git_commit="",
        git_tree_state="clean",
        build_date="1970-01-01T00:00:00Z",
        # Clients want the field; what runs us is no Go.
        go_version=f"python{platform.python_version()}",
        compiler="cpython",
        platform=f"linux/{_ARCHITECTURES.get(platform.machine(), platform.machine())}",
    )


def _json(request: Request, value: Any, media: str = "application/json", cache: str = UNCACHED) -> Response:
    """JSON that exists in one media type only: 405 for what is no GET, 406 for who wants another."""
    if request.method != "GET":
        raise method_not_allowed()
    accepted = {found for found, _parameters in by_quality(request.headers.get("accept", "") or "*/*")}
    if not accepted & {media, "*/*", media.partition("/")[0] + "/*"}:
        message = f"406: Not Acceptable\n\nAvailable representations: {media}"
        raise failure(406, "NotAcceptable", message, StatusDetails())
    return Response(200, {"content-type": media, "cache-control": cache}, msgspec.json.encode(value))
