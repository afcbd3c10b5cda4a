"""A transport without a network: calls the API server's `handle` in the same process and on the same loop.

Simulated clusters use it. The request carries a bearer token or a `Peer`, so that authentication is done as over the
wire; streams pass through untouched.
"""

from __future__ import annotations

from dataclasses import replace

from pybernetes.api.wire import Handler, Peer, Request, Response
from pybernetes.client.errors import Unreachable
from pybernetes.client.http import is_stream


class InProcessTransport:
    """One user's way to a handler. `cut` it to play a lost connection, `mend` it again."""

    def __init__(self, handler: Handler, token: str = "", peer: Peer | None = None) -> None:
        self._handler = handler
        self._peer = peer or Peer()
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._cut = False

    async def send(self, request: Request) -> Response:
        if self._cut:
            raise Unreachable("the transport is cut", sent=False)
        sent = replace(request, headers={**self._headers, **request.headers}, peer=self._peer)
        response = await self._handler(sent)
        if response.stream is None or is_stream(request):
            return response
        # A long list comes in pieces, as it does over the wire.
        return replace(response, body=b"".join([chunk async for chunk in response.stream]), stream=None)

    def cut(self) -> None:
        """New requests fail from now on; streams that are open go on until they are closed."""
        self._cut = True

    def mend(self) -> None:
        self._cut = False

    async def close(self) -> None:
        self.cut()
