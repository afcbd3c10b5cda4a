"""Sockets only: HTTP/1.1 over TLS in, `wire.Request` to the pipeline, its `wire.Response` out, upgrades included."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from collections.abc import Mapping
from functools import lru_cache
from socket import socket
from typing import Any
from urllib.parse import parse_qsl, unquote
from weakref import WeakKeyDictionary

from aiohttp import WSCloseCode, WSMsgType, web
from cryptography import x509
from cryptography.x509.oid import NameOID

from pybernetes.api.wire import Handler, Peer, Request, Response
from pybernetes.apiserver.in_flight import TOO_LONG, TOO_MANY
from pybernetes.apiserver.sockets.answers import Answer, Incoming, Streamed
from pybernetes.apiserver.sockets.connection import HEAD_BYTES_MAX, Connection, Patience, ServePlain
from pybernetes.apiserver.sockets.plain_requests import PlainRequest
from pybernetes.apiserver.sockets.raw_connection import taken_over
from pybernetes.apiserver.sockets.received_bodies import ReceivedBodies

_log = logging.getLogger(__name__)
# Where a client certificate's subject gives the user's uid.
_USER_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
# Upstream's limit of one message of a WebSocket.
_MESSAGE_BYTES_MAX = 32 * 1024 * 1024
_TOO_LARGE = (
    b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
    b'"message":"Request entity too large: limit is 3145728","reason":"RequestEntityTooLarge","code":413}'
)
# Seconds that a connection may stay unused; upstream's.
_IDLE_SECONDS = 90.0

# Go counts bytes only, but then each of them costs it less.
_HEADERS_MAX = 1000
# Longer ones are not remembered.
_KNOWN_TARGET_MAX = 1000

Answered = Answer | Streamed | web.StreamResponse


class Server:
    """Serves a handler on listening sockets until it is stopped."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None, patience: Patience | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._patience = patience or Patience()
        self._bodies = ReceivedBodies(self._patience.body)
        self._server = _Connections(
            self._serve,
            patience=self._patience,
            serve_plain=self._serve_plain,
            access_log=None,
            keepalive_timeout=_IDLE_SECONDS,
            max_line_size=HEAD_BYTES_MAX,
            max_field_size=HEAD_BYTES_MAX,
            max_headers=_HEADERS_MAX,
            # A body that claims to be compressed is none of ours; upstream does not unpack it either.
            auto_decompress=False,
            logger=_log,
        )
        self._listeners: list[asyncio.Server] = []
        # Connections that no longer speak HTTP.
        self._upgraded: set[asyncio.Task[Any]] = set()

    async def listen(self, listener: socket) -> None:
        """Begins to accept connections on a bound socket."""
        loop = asyncio.get_running_loop()
        # A handshake that does not end is a head that does not come.
        seconds = self._patience.head if self._tls is not None else None
        server = await loop.create_server(
            self._server, sock=listener, ssl=self._tls, ssl_handshake_timeout=seconds, backlog=1024
        )
        self._listeners.append(server)

    def stop_listening(self) -> None:
        """Takes no new connections."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    async def stop(self, seconds: float = 2.0) -> None:
        """Stops accepting, ends what has no end of its own, and gives answers under way `seconds` to be taken."""
        self.stop_listening()
        for writing in list(self._server.writing.values()):
            writing.cancel()
        for upgraded in self._upgraded:
            upgraded.cancel()
        await self._server.shutdown(seconds)

    def handshake_errors(self) -> int:
        """How many TLS handshakes have failed so far; one may be told as late as the time that they are given."""
        begun = asyncio.get_running_loop().time() - self._patience.head
        at_it = sum(began > begun for began in self._server.unmade.values())
        return self._server.created - self._server.made - at_it

    async def _serve(self, incoming: web.BaseRequest) -> Answered:
        try:
            request = await self._received(incoming)
        except web.HTTPRequestEntityTooLarge:
            return _last_answer(413, _TOO_LARGE, {"content-type": "application/json"})
        except web.HTTPTooManyRequests:
            return _last_answer(429, TOO_MANY.body, TOO_MANY.headers)
        except TimeoutError:
            return _last_answer(504, TOO_LONG.body, TOO_LONG.headers)
        response = await self._handler(request)
        if response.upgrade is not None:
            return await self._upgrade(incoming, response)
        if response.stream is not None:
            return await _streamed(incoming, response, self._server)
        return Answer(incoming, response)

    async def _serve_plain(self, incoming: PlainRequest) -> bool:
        """Answers what `connection` has read itself; whether the connection goes on."""
        target = incoming.target
        path, query = _known_target(target) if len(target) <= _KNOWN_TARGET_MAX else _target(target)
        peer = self._peer(incoming)
        request = Request(incoming.method, path, query, incoming.headers, incoming.body, peer)
        response = await self._handler(request)
        if response.stream is not None:
            return bool((await _streamed(incoming, response, self._server)).keep_alive)
        if response.upgrade is not None:
            raise ConnectionError("an upgrade that nobody asked for")
        answer = Answer(incoming, response)
        await answer.write_eof()
        return bool(answer.keep_alive)

    async def _upgrade(self, incoming: web.BaseRequest, response: Response) -> web.StreamResponse:
        assert response.upgrade is not None
        task = asyncio.current_task()
        assert task is not None  # aiohttp's, one for the connection
        take = taken_over if response.upgrade.is_raw else _upgraded
        self._upgraded.add(task)
        try:
            return await take(incoming, response)
        finally:
            self._upgraded.discard(task)

    async def _received(self, incoming: web.BaseRequest) -> Request:
        body = await self._bodies.read(incoming) if incoming.can_read_body else b""
        target = incoming.path_qs
        path, query = _known_target(target) if len(target) <= _KNOWN_TARGET_MAX else _target(target)
        return Request(
            method=incoming.method,
            path=path,
            query=query,
            headers=_lower(incoming.headers),
            body=body,
            peer=self._peer(incoming),
        )

    def _peer(self, incoming: Incoming) -> Peer:
        """The other end; its certificate is read once a connection."""
        peers = self._server.peers
        peer = peers.get(incoming.protocol)
        if peer is None and incoming.transport is not None:
            peer = peers[incoming.protocol] = _peer_of(incoming.transport)
        return peer or Peer()


class _Connections(web.Server):
    """aiohttp's server, which also remembers who is at the other end of each connection."""

    def __init__(self, handler: Any, patience: Patience, serve_plain: ServePlain, **options: Any) -> None:
        super().__init__(handler, **options)
        self._options: dict[str, Any] = {**options, "patience": patience, "serve_plain": serve_plain}
        self.peers: dict[Any, Peer] = {}
        # What is being written to a connection; it ends with the connection.
        self.writing: dict[Any, asyncio.Future[None]] = {}
        # Connections that were accepted, and those of them whose handshakes have ended well.
        self.created = self.made = 0
        # Those that may still be at it, by when they began. One that failed is gone without a word.
        self.unmade: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()

    def __call__(self) -> Connection:
        loop = asyncio.get_running_loop()
        connection = Connection(self, loop=loop, **self._options)
        self.created += 1
        self.unmade[connection] = loop.time()
        connection.unmade = self.unmade
        return connection

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        self.made += 1
        super().connection_made(handler, transport)

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        self.peers.pop(handler, None)
        writing = self.writing.pop(handler, None)
        if writing is not None:
            writing.cancel()
        super().connection_lost(handler, exc)


Target = tuple[str, tuple[tuple[str, str], ...]]


def _target(text: str) -> Target:
    """Path and query of a request's target."""
    path, _, query = text.partition("#")[0].partition("?")
    return unquote(path), tuple(parse_qsl(query, keep_blank_values=True))


@lru_cache(maxsize=1024)
def _known_target(text: str) -> Target:
    """The same, remembered: clients ask for the same again and again."""
    return _target(text)


def _last_answer(status: int, body: bytes, headers: Mapping[str, str | tuple[str, ...]]) -> web.Response:
    """An answer to a request that was not read to its end, so that no other can follow it."""
    answer = web.Response(status=status, body=body, headers={name: str(value) for name, value in headers.items()})
    answer.force_close()
    return answer


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    result: dict[str, list[str]] = {}
    for name, value in headers.items():
        if not value.isascii():
            # aiohttp spells bytes that are no UTF-8 as lone surrogates, which nothing else can write.
            value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        result.setdefault(name.lower(), []).append(value)
    return {name: ("\n" if name.startswith("impersonate-") else ",").join(values) for name, values in result.items()}


def _peer_of(transport: asyncio.BaseTransport) -> Peer:
    address = transport.get_extra_info("peername")
    host = str(address[0]) if isinstance(address, tuple) else ""
    tls = transport.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    if not der:
        return Peer(host)
    subject = x509.load_der_x509_certificate(der).subject

    def said(what: x509.ObjectIdentifier) -> list[str]:
        return [str(name.value) for name in subject.get_attributes_for_oid(what)]

    names, uids = said(NameOID.COMMON_NAME) or [""], said(_USER_UID) or [""]
    return Peer(host, names[-1], tuple(said(NameOID.ORGANIZATION_NAME)), uids[-1], hashlib.sha256(der).hexdigest())


async def _streamed(incoming: Incoming, response: Response, connections: _Connections) -> Streamed:
    """Writes chunks as they come; a client that goes away ends the stream at its source, however quiet that is."""
    outgoing = Streamed(incoming, response)
    close: Any = getattr(response.stream, "aclose", None)
    writing = asyncio.ensure_future(outgoing.write())
    connections.writing[incoming.protocol] = writing
    try:
        await writing
    except ConnectionError:
        _log.debug("%s %s: the client went away", incoming.method, incoming.path)
    except asyncio.CancelledError:
        if incoming.transport is not None:
            raise
    finally:
        connections.writing.pop(incoming.protocol, None)
        if close is not None:
            await close()
    return outgoing


class _WebSocketChannel:
    """An aiohttp WebSocket as a `wire.Channel`."""

    def __init__(self, connection: web.WebSocketResponse) -> None:
        self._connection = connection

    async def receive(self) -> bytes | str | None:
        message = await self._connection.receive()
        if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            data: bytes | str = message.data
            return data
        return None

    async def send(self, message: bytes | str) -> None:
        if isinstance(message, str):
            await self._connection.send_str(message)
        else:
            await self._connection.send_bytes(message)

    async def close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        await self._connection.close(code=code, message=reason.encode())


async def _upgraded(incoming: web.BaseRequest, response: Response) -> web.StreamResponse:
    assert response.upgrade is not None
    protocols = (response.upgrade.protocol,) if response.upgrade.protocol else ()
    connection = web.WebSocketResponse(protocols=protocols, max_msg_size=_MESSAGE_BYTES_MAX, compress=False)
    await connection.prepare(incoming)
    try:
        await response.upgrade.serve(_WebSocketChannel(connection))
    finally:
        await connection.close()
    return connection


def tls_context(certificate: str, key: str, client_ca: str | None) -> ssl.SSLContext:
    """TLS 1.2 and newer with a serving certificate; clients may show certificates that `client_ca` has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
