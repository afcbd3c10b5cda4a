"""Clients that are too slow for the server, over real sockets; its patience is a blink here."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.sockets.connection import HEAD_BYTES_MAX, Patience
from pybernetes.apiserver.sockets.server import Server, tls_context
from pybernetes.cluster.pki import Pki, apiserver
from pybernetes.environment.clock import SystemClock

BLINK = Patience(head=0.05, body=0.05, reading=0.05)
FOREVER = Patience(head=3600, body=3600, reading=3600)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 100_000
        await asyncio.sleep(0)


class Handled:
    """What the handler was asked, and whether its streams were ended."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.ended = asyncio.Event()

    async def handle(self, request: Request) -> Response:
        self.requests.append(request)
        if request.path == "/stream":
            return Response(200, {"content-type": "text/plain"}, stream=self._stream())
        return Response(200, {"content-type": "text/plain"}, b"x" * (5_000_000 if request.path == "/large" else 2))

    async def _stream(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in endless():
                yield chunk
        finally:
            self.ended.set()


@asynccontextmanager
async def serving(
    handled: Handled, patience: Patience
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server."""
    server = Server(handled.handle, None, patience)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.listen(listener)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await server.stop(0.1)


@pytest.mark.parametrize("begun", [b"G", b"GET /a HTTP/1.1\r\nhost: a\r\nx-slow: "])
async def test_a_head_that_does_not_end_is_given_up(begun: bytes) -> None:
    handled = Handled()
    async with serving(handled, BLINK) as (reader, writer):
        writer.write(begun)
        assert await reader.read() == b""
    assert not handled.requests


async def test_a_head_in_many_pieces_is_a_head() -> None:
    handled = Handled()
    async with serving(handled, FOREVER) as (reader, writer):
        for byte in b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_headers_that_stand_there_twice_are_joined_and_groups_keep_their_commas() -> None:
    handled = Handled()
    async with serving(handled, FOREVER) as (reader, writer):
        lines = ["host: a", "x-two: 1", "x-two: 2", "impersonate-group: a", "Impersonate-Group: b,,c"]
        writer.write("\r\n".join(["GET /a HTTP/1.1", *lines, "", ""]).encode())
        await reader.readline()
    headers = handled.requests[0].headers
    assert (headers["x-two"], headers["impersonate-group"]) == ("1,2", "a\nb,,c")


async def test_a_body_that_does_not_come_is_a_timeout() -> None:
    handled = Handled()
    async with serving(handled, BLINK) as (reader, writer):
        writer.write(b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 504") and msgspec.json.decode(body)["reason"] == "Timeout"
    assert not handled.requests


@pytest.mark.parametrize("path", ["/stream", "/large"])
async def test_a_client_that_takes_nothing_is_cut_off(path: str) -> None:
    handled = Handled()
    async with serving(handled, BLINK) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        if path == "/stream":
            await handled.ended.wait()
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        if path == "/stream":
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                while await reader.readexactly(100_000):
                    continue


async def test_garbage_is_a_bad_request_and_large_heads_are_too_large() -> None:
    line = b"GET / HTTP/1.1\r\nx: " + b"y" * HEAD_BYTES_MAX
    for sent, status in ((b"GARBAGE\r\n\r\n", b"400"), (line, b"431"), (_lines(HEAD_BYTES_MAX), b"431")):
        handled = Handled()
        async with serving(handled, FOREVER) as (reader, writer):
            writer.write(sent)
            assert (await reader.readline()).split()[1] == status
        assert not handled.requests


def _lines(size: int) -> bytes:
    """The beginning of a head of a little more than `size` bytes in lines of a few thousand."""
    line = b"x: " + b"y" * 10_000 + b"\r\n"
    return b"GET / HTTP/1.1\r\n" + line * (size // len(line) + 1)


async def test_a_head_may_be_as_long_as_go_takes_it() -> None:
    handled = Handled()
    async with serving(handled, FOREVER) as (reader, writer):
        writer.write(_lines(500_000) + b"host: a\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"200"
    assert len(handled.requests[0].headers["x"]) > 500_000


async def test_bytes_that_are_no_text_do_not_reach_the_handler_as_such() -> None:
    handled = Handled()
    async with serving(handled, FOREVER) as (reader, writer):
        writer.write(b"GET /%ff%00 HTTP/1.1\r\nhost: a\r\nx-user: \xff\xc3\xa9\r\n\r\n")
        await reader.readline()
    (request,) = handled.requests
    assert request.headers["x-user"] == "\ufffd\u00e9" and request.path == "/\ufffd\0"


async def test_handshakes_that_fail_are_counted(tmp_path: Path) -> None:
    pki = Pki(tmp_path, SystemClock())
    pair = pki.certificate("apiserver", apiserver("10.0.0.1", ["127.0.0.1"]))
    server = Server(Handled().handle, tls_context(str(pair.certificate), str(pair.key), None))
    listener = socket.create_server(("127.0.0.1", 0))
    await server.listen(listener)
    for sent in (b"GET / HTTP/1.1\r\n\r\n", b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        writer.write(sent)
        writer.write_eof()
        await reader.read()
        writer.close()
    trusting = ssl.create_default_context(cafile=str(pki.authority().certificate))
    _, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1], ssl=trusting)
    gc.collect()
    assert server.handshake_errors() == 2
    writer.close()
    await server.stop(1)


HOST = b"Host: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "text",
    [
        b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
        b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: +4\r\n\r\nabcd",
        b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /a HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n0x1\r\nX\r\n0\r\n\r\n",
        b"POST /a HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n1;a\nb\r\nX\r\n0\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\r\n Impersonate-User: c\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\rImpersonate-User: c\r\n\r\n",
        b"GET /a HTTP/1.1\nHost: x\nX: y\n\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\0c\r\n\r\n",
        b"GET secrets HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
async def test_what_could_be_read_in_two_ways_is_no_request(text: bytes) -> None:
    """Or a proxy in front of us and we would not agree on where a request ends."""
    handled = Handled()
    async with serving(handled, FOREVER) as (reader, writer):
        writer.write(text)
        answer = await reader.read()
    assert answer.split(b" ", 2)[1] == b"400"
    assert handled.requests == []


async def test_a_trailer_is_no_header() -> None:
    handled = Handled()
    async with serving(handled, FOREVER) as (reader, writer):
        writer.write(b"POST /a HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n1\r\nX\r\n0\r\nImpersonate-User: c\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert "impersonate-user" not in handled.requests[0].headers
