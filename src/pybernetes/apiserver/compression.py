"""Answers in gzip, for clients that ask for it: `pipeline` and `reads` hand a response in and get the one to send.

Only long bodies are compressed, piece by piece in a worker thread, so that other requests get their turn meanwhile.
Watches, logs and what comes from elsewhere never come here.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace

from pybernetes.api.wire import Response
from pybernetes.apiserver.request import RequestInfo

# Upstream's: shorter bodies are sent as they are.
LONG_BYTES = 128 * 1024
# A piece is compressed in some milliseconds; a client that goes away wastes no more than that.
_PIECE_BYTES = 1024 * 1024
_LEVEL = 1
_WITH_GZIP_HEADER = 16 + zlib.MAX_WBITS


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    """Whether a client takes gzip, as upstream reads it: the bare word, and neither weights nor wildcards. Pure."""
    accepted = headers.get("accept-encoding")
    return accepted is not None and any(token.strip() == "gzip" for token in accepted.split(","))


def weighs_gzip(headers: Mapping[str, str]) -> bool:
    """Whether a client takes gzip where upstream honours weights, which is at /openapi/v2. Pure."""
    for token in headers.get("accept-encoding", "").split(","):
        coding, *parameters = (part.strip().lower() for part in token.split(";"))
        if coding == "gzip":
            weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
            return _weight(weights[-1]) > 0 if weights else True
    return False


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def may_compress(info: RequestInfo) -> bool:
    """Whether upstream compresses the answers to a request: resources and discovery, but nothing that goes on. Pure."""
    if info.is_resource:
        return not info.is_long_running
    return info.verb == "get" and info.path.startswith("/api")


def gzipped(body: bytes) -> bytes:
    """All of a body, at once."""
    return zlib.compress(body, _LEVEL, _WITH_GZIP_HEADER)


def encoded_headers(headers: Mapping[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
    """The headers of a body that has been compressed."""
    vary = headers.get("vary", ())
    others = (vary,) if isinstance(vary, str) else vary
    return {**headers, "content-encoding": "gzip", "vary": ("Accept-Encoding", *others)}


async def compressed(response: Response) -> Response:
    """The response in gzip; as it is when it is short or has been compressed already."""
    if "content-encoding" in response.headers or response.upgrade is not None:
        return response
    if response.stream is not None:
        return await _compressed_stream(response, response.stream)
    if len(response.body) <= LONG_BYTES:
        return response
    body = b"".join([piece async for piece in _squeezed(_pieces(response.body))])
    return replace(response, headers=encoded_headers(response.headers), body=body)


async def _compressed_stream(response: Response, stream: AsyncIterator[bytes]) -> Response:
    """Reads as far as is needed to know whether it is long."""
    first = bytearray()
    async for piece in stream:
        first += piece
        if len(first) > LONG_BYTES:
            squeezed = _squeezed(_continued(bytes(first), stream))
            return replace(response, headers=encoded_headers(response.headers), stream=squeezed)
    return replace(response, stream=None, body=bytes(first))


async def _continued(first: bytes, stream: AsyncIterator[bytes]) -> AsyncGenerator[memoryview]:
    """A stream whose beginning has been read already, in pieces of a bounded length."""
    async for part in _pieces(first):
        yield part
    async for piece in stream:
        async for part in _pieces(piece):
            yield part


async def _pieces(body: bytes) -> AsyncGenerator[memoryview]:
    view = memoryview(body)
    for first in range(0, len(view), _PIECE_BYTES):
        yield view[first : first + _PIECE_BYTES]


async def _squeezed(pieces: AsyncGenerator[memoryview]) -> AsyncGenerator[bytes]:
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WITH_GZIP_HEADER)
    async with aclosing(pieces):
        async for piece in pieces:
            # zlib lets go of the interpreter's lock, so that the loop goes on meanwhile.
            if found := await asyncio.to_thread(squeeze.compress, piece):
                yield found
    yield squeeze.flush()
