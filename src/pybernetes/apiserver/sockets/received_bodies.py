"""Reads the bodies of requests from their connections, within upstream's limits and those of our memory.

`server` hands in a request whose head has come; its whole body goes out, or what has to be answered instead.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

# Upstream's limit of a request body.
BODY_BYTES_MAX = 3 * 1024 * 1024
# What all bodies may take that are not complete yet: upstream lets 200 writes be under way, and so 200 of the largest.
_UNFINISHED_BYTES_MAX = 256 * 1024 * 1024


class ReceivedBodies:
    """The bodies that are on their way to one server."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is what each may take."""
        self._seconds = seconds
        self._bytes = 0

    async def read(self, incoming: web.BaseRequest) -> bytes:
        """The whole body; TimeoutError when it does not come in time, aiohttp's exception for 413 and 429."""
        if (incoming.content_length or 0) > BODY_BYTES_MAX:
            raise _too_large(incoming.content_length or 0)
        content = incoming.content
        if content.is_eof():
            # It came together with the head.
            return content.read_nowait()
        chunks, size = [], 0
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in content.iter_any():
                    size += len(chunk)
                    self._bytes += len(chunk)
                    if size > BODY_BYTES_MAX:
                        raise _too_large(size)
                    if self._bytes > _UNFINISHED_BYTES_MAX:
                        raise web.HTTPTooManyRequests
                    chunks.append(chunk)
        finally:
            self._bytes -= size
        return b"".join(chunks)


def _too_large(size: int) -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(max_size=BODY_BYTES_MAX, actual_size=size)
