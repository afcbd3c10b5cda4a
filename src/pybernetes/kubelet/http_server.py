"""A small HTTP/1.1 server for the kubelet: one request per connection, streams, and raw tunnels for upgrades.

`server.py` gives it a handler. It is our own because a tunnel must pass any upgraded protocol (SPDY, WebSocket) on byte
by byte, and because nothing else of HTTP is needed.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from pybernetes.api.wire import Peer, Request, Response
from pybernetes.kubelet.options import ServerFiles

log = logging.getLogger(__name__)

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 1 << 20
HEAD_TIMEOUT = 30.0
BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Tunnel:
    """Hands the connection over to another server: the request goes to `url` as it is, then bytes flow both ways."""

    url: str


Answer = Response | Tunnel
Handler = Callable[[Request], Awaitable[Answer]]
_WORDS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed"}


class BadRequest(Exception):
    """What came is no HTTP request."""


def tls_context(files: ServerFiles) -> ssl.SSLContext:
    """Serves with our certificate and accepts only callers that the authority has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(files.client_ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class HttpServer:
    """Listens at one address."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None) -> None:
        self._handler = handler
        self._context = context
        self._server: asyncio.Server | None = None
        # asyncio itself keeps no hold on the task of a connection whose client has gone.
        self._open: set[asyncio.Task[Any]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Starts listening; the port (useful where 0 was asked for). OSError when it is taken."""
        self._server = await asyncio.start_server(
            self._connected, host, port, ssl=self._context, limit=LONGEST_HEAD, reuse_address=True
        )
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("connection ended: %s", error)
        except BadRequest as error:
            await _plain(writer, 400, str(error))
        except Exception:
            # The outermost edge of one request.
            log.exception("request failed")
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_TIMEOUT):
            head = await reader.readuntil(b"\r\n\r\n")
        request = await _request(head, reader, writer)
        answer = await self._handler(request)
        if isinstance(answer, Tunnel):
            await _tunnel(answer.url, head, request.body, (reader, writer))
        else:
            await _respond(writer, reader, answer)


async def _request(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise BadRequest("malformed request line")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LONGEST_BODY:
        raise BadRequest("bad content length")
    body = await reader.readexactly(int(length))
    target = urlsplit(words[1])
    query = tuple(parse_qsl(target.query, keep_blank_values=True))
    return Request(words[0], unquote(target.path), query, headers, body, _peer(writer))


def _peer(writer: asyncio.StreamWriter) -> Peer:
    certificate: dict[str, Any] = writer.get_extra_info("peercert") or {}
    fields = [pair for group in certificate.get("subject", ()) for pair in group]
    names = [value for name, value in fields if name == "commonName"]
    organizations = tuple(value for name, value in fields if name == "organizationName")
    address = writer.get_extra_info("peername") or ("",)
    return Peer(str(address[0]), names[0] if names else "", organizations)


async def _respond(writer: asyncio.StreamWriter, reader: asyncio.StreamReader, answer: Response) -> None:
    headers = {"content-type": "text/plain", **answer.headers, "connection": "close"}
    if answer.stream is None:
        headers["content-length"] = str(len(answer.body))
        writer.write(_head(answer.status, headers) + answer.body)
        await writer.drain()
        return
    headers["transfer-encoding"] = "chunked"
    writer.write(_head(answer.status, headers))
    await writer.drain()
    sending = asyncio.ensure_future(_send_chunks(writer, answer))
    hung_up = asyncio.ensure_future(reader.read(1))
    try:
        # Whoever follows a quiet log and goes away shall not keep us waiting for its next line.
        await asyncio.wait({sending, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, hung_up):
            task.cancel()
        await asyncio.gather(sending, hung_up, return_exceptions=True)


async def _send_chunks(writer: asyncio.StreamWriter, answer: Response) -> None:
    stream: Any = answer.stream
    async with aclosing(stream):
        async for chunk in stream:
            if chunk:
                writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _head(status: int, headers: dict[str, Any]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {_WORDS.get(status, 'Error')}\r\n{lines}\r\n".encode("latin-1")


async def _plain(writer: asyncio.StreamWriter, status: int, text: str) -> None:
    body = text.encode() + b"\n"
    headers = {"content-type": "text/plain", "content-length": str(len(body)), "connection": "close"}
    writer.write(_head(status, headers) + body)
    await writer.drain()


async def _tunnel(url: str, head: bytes, body: bytes, ours: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """The same request to the other server, then whatever either side says."""
    target = urlsplit(url)
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    method = head.split(b" ", 1)[0].decode("latin-1")
    path = target.path + (f"?{target.query}" if target.query else "")
    kept = [
        line
        for line in head.decode("latin-1").split("\r\n")[1:]
        if line and not line.lower().startswith(("host:", "authorization:"))
    ]
    lines = [f"{method} {path} HTTP/1.1", f"Host: {target.netloc}", *kept]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
    pipes = {asyncio.ensure_future(_pipe(ours[0], writer)), asyncio.ensure_future(_pipe(reader, ours[1]))}
    try:
        # Upgraded protocols have their own way to end one direction; a closed connection is the end of both.
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pipe in pipes:
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
    except OSError as error:
        log.debug("tunnel ended: %s", error)
        cast(Any, writer.transport).abort()
