"""Requests that are read without aiohttp: which they are, and that nobody can tell, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.sockets.plain_requests import plain_request
from pybernetes.apiserver.sockets.server import Server

GET = b"GET /a?x=%2F HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
CONNECTION: Any = None


def test_head_and_body_of_a_plain_request() -> None:
    got = plain_request(GET, CONNECTION)
    assert got is not None
    assert (got.method, got.target, got.headers, got.body) == ("GET", "/a?x=%2F", {"host": "a", "accept": "*/*"}, b"")
    sent = plain_request(POST, CONNECTION)
    assert sent is not None and (sent.method, sent.body) == ("POST", b"hi")


@pytest.mark.parametrize(
    "data",
    [
        GET[:-1],
        GET + b"G",
        GET + GET,
        POST[:-1],
        POST + b"!",
        POST.replace(b"Content-Length: 2\r\n", b""),
        POST.replace(b"2\r\n", b"+2\r\n"),
        POST.replace(b"2\r\n", b"2\r\nContent-Length: 2\r\n"),
        POST.replace(b"Content-Length: 2", b"Content-Length : 2"),
        POST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        GET.replace(b"Host: a", b"X: a"),
        GET.replace(b"Host: a", b"Host: a\r\nUpgrade: websocket"),
        GET.replace(b"Host: a", b"Host: a\r\nConnection: close"),
        GET.replace(b"Host: a", b"Host: a\r\n b"),
        GET.replace(b"Host: a", b"Host: \xc3\xa4"),
        GET.replace(b"Host: a", b"Host: a\n"),
        GET.replace(b"/a?", b"//a?"),
        GET.replace(b"/a?", b"/a#?"),
        GET.replace(b"/a?", b"http://a/?"),
        GET.replace(b"1.1", b"1.0"),
        GET.replace(b"GET", b"HEAD"),
    ],
)
def test_whatever_is_unusual_is_left_to_aiohttp(data: bytes) -> None:
    assert plain_request(data, CONNECTION) is None


class Slow:
    """Answers each request with its path, once `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Event()

    async def handle(self, request: Request) -> Response:
        self.begun.set()
        await self.go.wait()
        return Response(200, {"content-type": "text/plain"}, request.path.encode() + request.body)


@asynccontextmanager
async def serving(handler: Slow) -> AsyncIterator[tuple[Server, asyncio.StreamReader, asyncio.StreamWriter]]:
    server = Server(handler.handle, None)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.listen(listener)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield server, reader, writer
    finally:
        writer.transport.abort()
        await server.stop(0.1)


async def answered(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


async def test_what_comes_during_an_answer_is_answered_after_it() -> None:
    slow = Slow()
    async with serving(slow) as (_server, reader, writer):
        writer.write(GET)
        await slow.begun.wait()
        # A pipeline of plain requests and others, the last of them in two pieces.
        writer.write(b"".join(GET.replace(b"/a?", b"/%d?" % number) for number in range(5)) + POST[:-1])
        slow.go.set()
        bodies = [await answered(reader) for _ in range(6)]
        assert bodies == [b"/a", b"/0", b"/1", b"/2", b"/3", b"/4"]
        writer.write(POST[-1:] + GET)
        assert [await answered(reader), await answered(reader)] == [b"/ahi", b"/a"]


async def test_a_loud_client_is_heard_to_the_end() -> None:
    slow = Slow()
    async with serving(slow) as (_server, reader, writer):
        writer.write(GET)
        await slow.begun.wait()
        count = 5000
        writer.write(GET * count)
        slow.go.set()
        for _ in range(1 + count):
            assert await answered(reader) == b"/a"


async def test_a_request_under_way_is_answered_when_the_server_stops() -> None:
    slow = Slow()
    async with serving(slow) as (server, reader, writer):
        writer.write(GET)
        await slow.begun.wait()
        stopping = asyncio.ensure_future(server.stop(30))
        await asyncio.sleep(0)
        slow.go.set()
        assert await answered(reader) == b"/a"
        assert await reader.read() == b""
        await stopping


async def test_a_client_that_leaves_while_it_waits_harms_nobody() -> None:
    slow = Slow()
    async with serving(slow) as (server, _reader, writer):
        writer.write(GET)
        await slow.begun.wait()
        writer.transport.abort()
        slow.go.set()
        await server.stop(30)
