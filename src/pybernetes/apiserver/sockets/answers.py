"""Writes answers to connections: the bytes of a head, of a body, of chunks, straight to aiohttp's transport.

`server.py` hands over a request of aiohttp and a `wire.Response`; what comes back is all that aiohttp's connection asks
of a response. Its own `web.Response` would cost more than the whole pipeline does for a read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from aiohttp import HttpVersion11, web

from pybernetes.api.wire import Direct, Response
from pybernetes.apiserver.in_flight import TOO_MANY
from pybernetes.apiserver.sockets.connection import UNREAD_BYTES_MAX, Connection
from pybernetes.apiserver.sockets.plain_requests import PlainRequest
from pybernetes.apiserver.sockets.unsent_bodies import UnsentBodies
from pybernetes.environment.clock import SystemClock

# A long body is written in parts, so that other connections get their turn and no second copy piles up.
_PART_BYTES = 256 * 1024
_FRAMES_BYTES_MAX = 1024 * 1024
_EMPTY = frozenset({204, 304})
# What those are told whom the server sends away; see `lifecycle`.
_LAST = frozenset({429, 503})
# Headers whose values are our own words.
_PLAIN = frozenset({"content-type", "cache-control"})

Incoming = web.BaseRequest | PlainRequest


class Answer:
    """A response as far as aiohttp looks at it: it is asked to write itself, and whether the connection goes on."""

    def __init__(self, incoming: Incoming, response: Response) -> None:
        self.keep_alive: bool | None = incoming.keep_alive
        self._incoming = incoming
        self._response = response

    async def prepare(self, _request: web.BaseRequest) -> None:
        return None

    async def write_eof(self) -> None:
        incoming, response = self._incoming, self._response
        status, body = response.status, response.body
        head = _head(response, connection_header(incoming))
        if status in _LAST and response.headers.get("connection") == "close":
            # It says so itself.
            self.keep_alive = False
        size = b"" if status in _EMPTY else b"Content-Length: %d\r\n" % len(body)
        if incoming.method == "HEAD" or status in _EMPTY:
            body = b""
        if len(body) <= _PART_BYTES:
            _transport(incoming).write(b"%b%b\r\n%b" % (head, size, body))
            await _taken(incoming)
            return
        if not _UNSENT.begin(body):
            await Answer(incoming, TOO_MANY).write_eof()
            return
        try:
            _transport(incoming).write(b"%b%b\r\n" % (head, size))
            await _write_in_parts(incoming, body)
        finally:
            _UNSENT.end(body)


async def _write_in_parts(incoming: Incoming, body: bytes) -> None:
    view = memoryview(body)
    for first in range(0, len(body), _PART_BYTES):
        _transport(incoming).write(view[first : first + _PART_BYTES])
        await _taken(incoming)


class Streamed:
    """An answer without an end known beforehand. `write` has it written; aiohttp finds it done."""

    def __init__(self, incoming: Incoming, response: Response) -> None:
        self._has_length = any(name.lower() == "content-length" for name in response.headers)
        self._is_chunked = not self._has_length and incoming.version >= HttpVersion11
        # Without borders of its own, the answer ends where the connection does.
        self.keep_alive: bool | None = incoming.keep_alive and (self._has_length or self._is_chunked)
        self._incoming = incoming
        self._response = response

    async def prepare(self, _request: web.BaseRequest) -> None:
        return None

    async def write_eof(self) -> None:
        return None

    async def write(self) -> None:
        """Writes head and chunks as they come; ConnectionError when the client has gone away."""
        incoming, response = self._incoming, self._response
        connection = connection_header(incoming) if self.keep_alive else "close"
        head = _head(response, connection)
        framing = b"Transfer-Encoding: chunked\r\n" if self._is_chunked else b""
        _transport(incoming).write(b"%b%b\r\n" % (head, framing))
        if incoming.method != "HEAD" and response.stream is not None:
            if isinstance(response.stream, Direct):
                response.stream.flow_into(self)
            async for chunk in response.stream:
                if chunk:
                    _transport(incoming).write(self._framed(chunk))
                    await _taken(incoming)
        if self._is_chunked and incoming.method != "HEAD":
            _transport(incoming).write(b"0\r\n\r\n")

    def _framed(self, chunk: bytes) -> bytes:
        return _FRAMES.framed(chunk) if self._is_chunked else chunk

    def take(self, chunk: bytes) -> bool:
        """Writes a chunk at once, unless much waits in the connection already: then it is for `write` to wait."""
        transport = self._incoming.transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            return False
        transport.write(self._framed(chunk))
        return True

    def cut(self) -> None:
        """Ends the connection, however much of it the client has still to read."""
        if self._incoming.transport is not None:
            self._incoming.transport.abort()


class _Frames:
    """Chunks of HTTP. Watches that hear the same are written to in a row, so a frame is often one of the last."""

    def __init__(self) -> None:
        # By identity of the chunk, which is kept with its frame.
        self._known: dict[int, tuple[bytes, bytes]] = {}
        self._bytes = 0

    def framed(self, chunk: bytes) -> bytes:
        known = self._known.get(id(chunk))
        if known is not None:
            return known[1]
        framed = b"%x\r\n%b\r\n" % (len(chunk), chunk)
        if len(framed) > _FRAMES_BYTES_MAX:
            return framed
        if self._bytes + len(framed) > _FRAMES_BYTES_MAX:
            self._known.clear()
            self._bytes = 0
        self._known[id(chunk)] = (chunk, framed)
        self._bytes += len(framed)
        return framed


_FRAMES = _Frames()
_UNSENT = UnsentBodies()


def _transport(incoming: Incoming) -> asyncio.WriteTransport:
    transport = incoming.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client went away")
    return transport


async def _taken(incoming: Incoming) -> None:
    """Waits until the client has taken most of what was written; one that takes nothing for long is cut off."""
    transport = _transport(incoming)
    while (held := transport.get_write_buffer_size()) > UNREAD_BYTES_MAX:
        try:
            async with asyncio.timeout(_connection(incoming).patience.reading):
                await incoming.writer.drain()
                return
        except TimeoutError:
            if transport.get_write_buffer_size() >= held:
                transport.abort()
                raise ConnectionResetError("the client takes nothing") from None


def _connection(incoming: Incoming) -> Connection:
    connection = incoming.protocol
    assert isinstance(connection, Connection)  # server.py makes no others
    return connection


def connection_header(incoming: Incoming) -> str:
    """What the answer says of the connection; nothing where the version's default holds."""
    if not incoming.keep_alive or _connection(incoming).is_closing:
        return "close"
    return "" if incoming.version >= HttpVersion11 else "keep-alive"


# The Date header is about this machine, whatever time the cluster is told.
_CLOCK = SystemClock()

Headers = tuple[tuple[str, str | tuple[str, ...]], ...]


def _head(response: Response, connection: str) -> bytes:
    """The head but for the lines about the body's length and the empty one. It is the same for a second."""
    second = int(_CLOCK.now().timestamp())
    if response.headers.keys() <= _PLAIN:
        return _known_head(response.status, tuple(response.headers.items()), connection, second)
    # Warnings and the like hold what clients make up, as much as they please: nothing to remember.
    return _written_head(response.status, tuple(response.headers.items()), connection, second)


@lru_cache(maxsize=256)
def _known_head(status: int, headers: Headers, connection: str, second: int) -> bytes:
    return _written_head(status, headers, connection, second)


def _written_head(status: int, headers: Headers, connection: str, second: int) -> bytes:
    lines = [f"HTTP/1.1 {status} {_reason(status)}", *header_lines(dict(headers))]
    # What is passed on from elsewhere has a date already.
    if not any(name.lower() == "date" for name, _value in headers):
        lines.append(f"Date: {formatdate(second, usegmt=True)}")
    if connection:
        lines.append(f"Connection: {connection}")
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogateescape")


def header_lines(headers: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    """`Name: value` for each value. A line break in a value would begin another header, so it becomes a blank."""
    return [
        f"{name.title()}: {' '.join(item.splitlines())}"
        for name, value in headers.items()
        for item in ((value,) if isinstance(value, str) else value)
    ]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
