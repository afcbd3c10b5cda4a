"""What a request says about the WebSocket that it asks for. Pure."""

from __future__ import annotations

from pybernetes.api.wire import Request
from pybernetes.apiserver.stages.authentication import WEB_SOCKET_TOKEN
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.streaming import channels

SUB_PROTOCOLS = "sec-websocket-protocol"


def is_web_socket(request: Request) -> bool:
    """Whether it asks for one at all."""
    return request.headers.get("upgrade", "").lower() == "websocket"


def offered(request: Request) -> list[str]:
    """The sub-protocols that the client offers, without the one that carries its token."""
    return without_token(request.headers.get(SUB_PROTOCOLS, ""))


def without_token(header: str) -> list[str]:
    """The sub-protocols of a header but for the one that is a credential."""
    return [name for name in channels.offered_protocols(header) if not name.startswith(WEB_SOCKET_TOKEN)]
