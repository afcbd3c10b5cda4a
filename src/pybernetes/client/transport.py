"""The seam between a client and an API server: over HTTPS, or in the same process."""

from __future__ import annotations

from typing import Protocol

from pybernetes.api.wire import Request, Response


class Transport(Protocol):
    """Carries one request and brings its response.

    Raises `client.errors.Unreachable` when no answer could be had. A response whose `stream` is set must be closed by
    `aclose()` of that iterator. WebSocket upgrades go through `connect` of the HTTP transport only.
    """

    async def send(self, request: Request) -> Response: ...

    async def close(self) -> None: ...
