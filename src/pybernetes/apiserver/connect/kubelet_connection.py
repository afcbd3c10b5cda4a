"""The real way to nodes: HTTP by aiohttp, upgraded connections by plain asyncio streams, both with TLS to kubelets.

Made by the process of the API server from its kubelet flags; used through `node_connection.NodeConnection`.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from pybernetes.api.wire import Response
from pybernetes.apiserver.connect.node_connection import Backend, Call, Unreachable, Upgraded

_CONNECT_SECONDS = 10.0
_BLOCK = 64 * 1024
_LARGEST_REFUSAL = 1 << 20


def client_tls(certificate: Path | None, key: Path | None, authority: Path | None) -> ssl.SSLContext:
    """TLS to kubelets; without an authority their certificates are not verified, as upstream does."""
    context = _unverified() if authority is None else ssl.create_default_context(cafile=str(authority))
    if certificate is not None and key is not None:
        context.load_cert_chain(certificate, key)
    return context


def _unverified() -> ssl.SSLContext:
    """TLS to pods behind a proxy path: their certificates are nobody's that we know, as upstream has it."""
    # The machine's own authorities, a fiftieth of a second to read, would not be asked.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class KubeletConnection:
    """Reaches nodes over the network of this process. Close it in the end."""

    def __init__(self, kubelets: ssl.SSLContext) -> None:
        self._kubelets = kubelets
        self._others = _unverified()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _tls(self, backend: Backend) -> ssl.SSLContext | None:
        if backend.scheme != "https":
            return None
        return self._kubelets if backend.node else self._others

    async def request(self, backend: Backend, call: Call) -> Response:
        url = URL(backend.url(call.target), encoded=True)
        try:
            answer = await self._http().request(
                call.method,
                url,
                headers=CIMultiDict(call.headers),
                data=call.body or None,
                allow_redirects=False,
                ssl=self._tls(backend) or False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(f"dial tcp {backend.authority}: connect: {_reason(error.os_error)}") from error
        except aiohttp.ServerDisconnectedError as error:
            raise Unreachable("EOF") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{type(error).__name__} from {backend.authority}") from error
        found = {name.lower(): tuple(answer.headers.getall(name)) for name in answer.headers}
        headers: dict[str, str | tuple[str, ...]] = {
            name: values[0] if len(values) == 1 else values for name, values in found.items()
        }
        return Response(answer.status, headers, stream=_Chunks(answer))

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                connector=aiohttp.TCPConnector(limit=0),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def upgrade(self, backend: Backend, call: Call) -> Upgraded | Response:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(backend.host, backend.port, ssl=self._tls(backend))
        except TimeoutError as error:
            raise Unreachable(f"dial tcp {backend.authority}: i/o timeout") from error
        except OSError as error:
            raise Unreachable(f"dial tcp {backend.authority}: connect: {_reason(error)}") from error
        try:
            answer = await _switched(reader, writer, backend, call)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            writer.close()
            raise Unreachable(f"no answer from {backend.authority}: {error}") from error
        except asyncio.CancelledError:
            writer.close()
            raise
        if isinstance(answer, Response):
            writer.close()
        return answer


def _reason(error: OSError) -> str:
    # asyncio's own words would name the address once more.
    return (os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)).lower()


class _Chunks:
    """An answer's body as it comes; closing it, begun or not, closes the connection."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._answer.content.readany()
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error)) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        self._answer.close()


class _Stream:
    """An upgraded connection as a `ByteStream`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        return await self._reader.read(_BLOCK)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()


async def _switched(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend: Backend, call: Call
) -> Upgraded | Response:
    headers = {"host": backend.authority, **call.headers, "content-length": str(len(call.body))}
    lines = [f"{call.method} {call.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + call.body)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    status, answered = _head(head)
    if status == 101:
        return Upgraded(answered, _Stream(reader, writer))
    return Response(status, answered, await _body(reader, answered))


def _head(data: bytes) -> tuple[int, dict[str, str | tuple[str, ...]]]:
    """Status and headers of an answer; ValueError when it is none. Pure."""
    first, *lines = data.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
        raise ValueError("malformed HTTP response")
    headers: dict[str, tuple[str, ...]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers[key] = (*headers.get(key, ()), value.strip())
    return int(words[1]), {name: values if len(values) > 1 else values[0] for name, values in headers.items()}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str | tuple[str, ...]]) -> bytes:
    """The body of a refusal; one that is too long is cut."""
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(min(size, _LARGEST_REFUSAL))
            await reader.readline()
            if len(body) > _LARGEST_REFUSAL:
                break
        return body
    length = str(headers.get("content-length", ""))
    if length.isdecimal():
        return await reader.readexactly(min(int(length), _LARGEST_REFUSAL))
    return await reader.read(_LARGEST_REFUSAL)
