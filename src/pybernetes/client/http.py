"""The transport over HTTPS: connections kept alive, answers and streams as they come, WebSockets through `connect`.

Whatever keeps an answer from coming is `Unreachable`. One instance belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from pybernetes.api.wire import Channel, Request, Response
from pybernetes.client.answers import error_in
from pybernetes.client.config import ClientConfig
from pybernetes.client.credentials import Authorization, tls_context
from pybernetes.client.errors import Unreachable

CONNECT_TIMEOUT = 10.0  # seconds
KEEP_ALIVE = 60.0  # seconds that an idle connection is kept
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError)
# A peer that is switched off says nothing: the kernel asks after 15 s of silence and gives up after 45 s.
_LIVENESS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 45_000),
)


def is_stream(request: Request) -> bool:
    """Whether the answer may go on for ever, so that it is to be handed on as it comes."""
    # /api/<version> or /apis/<group>/<version>, then what is asked for: names in it may be any words.
    _, root, *segments = [*request.path.split("/"), ""]
    asked = segments[1:] if root == "api" else segments[2:]
    inside = asked[2:] if asked[:1] == ["namespaces"] and len(asked) > 3 else asked
    if inside[2:3] == ["proxy"]:
        return True
    if request.method != "GET":
        return False
    follows = request.parameter("watch") in ("true", "1") or request.parameter("follow") in ("true", "1")
    return follows or asked[:1] == ["watch"]


class HttpTransport:
    """One API server, one user. It connects when it is first used."""

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._authorization = Authorization(config)
        self._tls = tls_context(config) if config.server.startswith("https://") else True
        self._session: aiohttp.ClientSession | None = None
        self._upgrades: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._config.request_timeout):
                return await self._send(request)
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(str(error), sent=False) from error
        except _FAILURES as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    async def connect(self, path: str, query: Iterable[tuple[str, str]] = (), protocols: Iterable[str] = ()) -> Channel:
        """A WebSocket of the first protocol that the server takes; a refusal is a `StatusError`."""
        if self._upgrades is None:
            self._upgrades = aiohttp.ClientSession(
                connector=self._connector(), cookie_jar=aiohttp.DummyCookieJar(), raise_for_status=_raise_refusal
            )
        try:
            websocket = await self._upgrades.ws_connect(
                self._url(path, tuple(query)),
                protocols=tuple(protocols),
                headers=self._headers({}),
                max_msg_size=0,
                server_hostname=self._config.tls_server_name or None,
            )
        except _FAILURES as error:
            raise Unreachable(str(error) or type(error).__name__) from error
        return WebSocketChannel(websocket)

    async def close(self) -> None:
        for session in (self._session, self._upgrades):
            if session is not None:
                await session.close()
        self._session = self._upgrades = None

    async def _send(self, request: Request) -> Response:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=self._connector(), cookie_jar=aiohttp.DummyCookieJar())
        answer = await self._session.request(
            request.method,
            self._url(request.path, request.query),
            data=request.body or None,
            headers=self._headers(request.headers),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            server_hostname=self._config.tls_server_name or None,
        )
        headers = {name.lower(): ", ".join(answer.headers.getall(name)) for name in answer.headers}
        if answer.status < 400 and is_stream(request):
            _keep_watching(answer)
            return Response(answer.status, headers, stream=ChunkStream(answer))
        async with answer:
            return Response(answer.status, headers, await answer.read())

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=0, ssl=self._tls, keepalive_timeout=KEEP_ALIVE)

    def _headers(self, given: Mapping[str, str]) -> list[tuple[str, str]]:
        # On one machine or one network compressing costs more than it saves.
        headers = {"accept-encoding": "identity", **given}
        authorization = self._authorization.value()
        if authorization:
            headers.setdefault("authorization", authorization)
        return [(name, each) for name, value in headers.items() for each in value.split("\n")]

    def _url(self, path: str, query: tuple[tuple[str, str], ...]) -> URL:
        text = self._config.server + quote(path, safe="/:@!$&'()*+,;=~")
        return URL(f"{text}?{urlencode(query)}" if query else text, encoded=True)


class ChunkStream:
    """The chunks of an answer that goes on; `aclose` drops the connection, which tells the server to stop."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._answer.content.readany()
        except _FAILURES as error:
            raise Unreachable(str(error) or type(error).__name__) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        self._answer.close()


class WebSocketChannel:
    """The client's end of a WebSocket."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self._websocket = websocket

    @property
    def protocol(self) -> str:
        """The sub-protocol that the server chose; empty when it chose none."""
        return self._websocket.protocol or ""

    async def receive(self) -> bytes | str | None:
        message = await self._websocket.receive()
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
            data: bytes | str = message.data
            return data
        return None

    async def send(self, message: bytes | str) -> None:
        try:
            if isinstance(message, str):
                await self._websocket.send_str(message)
            else:
                await self._websocket.send_bytes(message)
        except _FAILURES as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._websocket.close(code=code, message=reason.encode())


async def _raise_refusal(answer: aiohttp.ClientResponse) -> None:
    """aiohttp would throw the body away, and with it the reason why there is no WebSocket."""
    if answer.status < 400:
        return
    error = error_in(Response(answer.status, dict(answer.headers), await answer.read()))
    if error is not None:
        raise error


def _keep_watching(answer: aiohttp.ClientResponse) -> None:
    connection = answer.connection
    transport = connection.transport if connection is not None else None
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is not None:
        for level, option, value in _LIVENESS:
            sock.setsockopt(level, option, value)
