"""Takes a connection over from aiohttp, for protocols that it does not know: SPDY/3.1 and WebSockets of others.

`server.py` hands over the request and a response that says so; `serve` gets the bytes as a channel.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web

from pybernetes.api.wire import Response

_log = logging.getLogger(__name__)
_BLOCK = 64 * 1024


class _Protocol(asyncio.StreamReaderProtocol):
    """Reads in aiohttp's place, and tells it when the connection is lost, so that it forgets it."""

    def __init__(self, reader: asyncio.StreamReader, before: asyncio.Protocol) -> None:
        super().__init__(reader)
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._before.connection_lost(exc)


class _ByteChannel:
    """A connection as a `wire.Channel` whose messages are whatever came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> bytes | str | None:
        return await self._reader.read(_BLOCK) or None

    async def send(self, message: bytes | str) -> None:
        self._writer.write(message.encode() if isinstance(message, str) else message)
        await self._writer.drain()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._writer.close()


class _Answered(web.StreamResponse):
    """Tells aiohttp that there is nothing left to say on this connection."""

    async def prepare(self, request: web.BaseRequest) -> Any:
        return None

    async def write_eof(self, data: Any = b"") -> None:
        return None


def _head(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} Switching Protocols"]
    for name, value in response.headers.items():
        lines += [f"{name.title()}: {item}" for item in ((value,) if isinstance(value, str) else value)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def taken_over(incoming: web.BaseRequest, response: Response) -> web.StreamResponse:
    """Answers 101 and lets the upgrade's `serve` own the connection."""
    assert response.upgrade is not None
    transport, before = incoming.transport, incoming.protocol
    answered = _Answered()
    answered.force_close()
    if transport is None:
        return answered
    reader = asyncio.StreamReader()
    protocol = _Protocol(reader, before)
    # aiohttp gives its transport the type of any transport; a connection's reads and writes.
    connection: Any = transport
    connection.set_protocol(protocol)
    protocol.connection_made(connection)
    writer = asyncio.StreamWriter(connection, protocol, reader, asyncio.get_running_loop())
    writer.write(_head(response))
    try:
        await writer.drain()
        await response.upgrade.serve(_ByteChannel(reader, writer))
    except ConnectionError as error:
        _log.debug("%s %s: %s", incoming.method, incoming.path, error)
    finally:
        writer.close()
    return answered
