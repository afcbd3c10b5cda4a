"""A keep-alive HTTP/1.1 connection that costs next to nothing, so that the benchmark measures the server."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from typing import Any, cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def insecure_tls() -> ssl.SSLContext:
    """TLS as wrk speaks it: the server's certificate is not looked at (the server is our own, on loopback)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def head(method: str, path: str, token: str, length: int | None = None) -> bytes:
    """The bytes of a request up to its body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", "User-Agent: bench"]
    if length is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


class Connection(asyncio.Protocol):
    """One request at a time; answers must have a Content-Length."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, port: int, token: str) -> Connection:
        loop = asyncio.get_running_loop()
        _transport, connection = await loop.create_connection(
            lambda: cls(token), "127.0.0.1", port, ssl=insecure_tls(), server_hostname=""
        )
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        found = _LENGTH.search(self._received, 0, end)
        size = end + 4 + (int(found[1]) if found else 0)
        if len(self._received) >= size and self._answer is not None:
            status, body = int(self._received[9:12]), bytes(self._received[end + 4 : size])
            del self._received[:size]
            self._answer.set_result((status, body))

    async def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(head(method, path, self._token, None if body is None else len(body)) + (body or b""))
        return await self._answer

    async def create(self, path: str, obj: dict[str, Any]) -> None:
        """POSTs an object that must be accepted."""
        status, body = await self.request("POST", path, json.dumps(obj).encode())
        if status != 201:
            raise RuntimeError(f"POST {path}: {status} {body.decode()[:300]}")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
