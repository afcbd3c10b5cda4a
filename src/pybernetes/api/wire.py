"""Requests and responses as values: what both ends of the wire, and the in-process transport between them, speak."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the transport has verified it."""

    address: str = ""
    # The common name and the organizations of a client certificate that our CA has signed.
    common_name: str = ""
    organizations: tuple[str, ...] = ()
    # The user's uid that the certificate gives, where it does, and the certificate's SHA-256 in hexadecimal.
    uid: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower-case; the path is percent-decoded and has no query.

    The values of a header that stands there several times are joined: by commas, but those of `impersonate-*` by line
    feeds, since the name of a group may have a comma in it.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: Peer = Peer()

    def parameter(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        for key, value in self.query:
            if key == name:
                return value
        return default


class Channel(Protocol):
    """One message-preserving connection after an upgrade: a WebSocket, as both ends see it."""

    async def receive(self) -> bytes | str | None:
        """The next message; None when the other side has closed."""

    async def send(self, message: bytes | str) -> None: ...

    async def close(self, code: int = 1000, reason: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Turns the connection into a WebSocket of this sub-protocol and lets `serve` own it until it returns.

    When `is_raw`, the connection speaks whatever the response's headers say (SPDY/3.1, or somebody else's WebSocket):
    the channel then carries bytes without borders between messages.
    """

    protocol: str
    serve: Callable[[Channel], Awaitable[None]]
    is_raw: bool = False


class Outlet(Protocol):
    """The connection that a stream's chunks go to."""

    def take(self, chunk: bytes) -> bool:
        """Takes a chunk at once; False when it is to come in the stream, where the connection can be waited for."""

    def cut(self) -> None:
        """Ends the connection at once, however much is still to be read from it."""


@runtime_checkable
class Direct(Protocol):
    """A stream of chunks that can also hand them over the moment they come, with no task between."""

    def flow_into(self, outlet: Outlet) -> None:
        """From now on offers each chunk to `outlet` first; those that it does not take are iterated over as ever."""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response: a body, or a stream of chunks (a watch, a log), or an upgrade to a WebSocket."""

    status: int
    headers: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    body: bytes = b""
    # Chunks are flushed one by one; closing the iterator (aclose) ends the stream at its source. See also `Direct`.
    stream: AsyncIterator[bytes] | None = None
    upgrade: Upgrade | None = None


Handler = Callable[[Request], Awaitable[Response]]
