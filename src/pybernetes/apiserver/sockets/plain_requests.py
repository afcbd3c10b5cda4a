"""Requests as nearly all clients send them: one that is complete and has nothing unusual in its head is read here.

`connection` hands in what came; a `PlainRequest` goes out to `server`, or None: then aiohttp has to look at it, which
costs several times as much. Only what can be read in one way is taken, so that both never disagree.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11

if TYPE_CHECKING:
    import asyncio

    from pybernetes.apiserver.sockets.connection import Connection

_HEAD = re.compile(
    rb"(GET|POST|PUT|PATCH|DELETE) (/(?!/)[!\x22\x24-\x7e]*) HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]{1,64}: (?:[\x21-\x7e][\x20-\x7e]*)?\r\n){1,64})\r\n"
)
_HEAD_BYTES_MAX = 8 * 1024
# What says that there is more to a request than its head and a body of known length.
_UNUSUAL = frozenset({"connection", "expect", "http2-settings", "te", "trailer", "transfer-encoding", "upgrade"})
_LENGTH = re.compile(r"[0-9]{1,7}", re.ASCII)


class _Writer:
    """Waits as aiohttp's writer of a request does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def drain(self) -> None:
        """Returns when the client has taken most of what was written."""
        await self._connection.drained()


class PlainRequest:
    """One request; what `answers` wants to know of it is there under aiohttp's names."""

    __slots__ = ("body", "headers", "method", "protocol", "target")
    keep_alive = True
    version = HttpVersion11

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes, protocol: Connection) -> None:
        self.method = method
        self.target = target
        # Names are in lower case, each once.
        self.headers = headers
        self.body = body
        self.protocol = protocol

    @property
    def path(self) -> str:
        """For log lines."""
        return self.target

    @property
    def transport(self) -> asyncio.Transport | None:
        return self.protocol.transport

    @property
    def writer(self) -> _Writer:
        return _Writer(self.protocol)


def plain_request(data: bytes, connection: Connection) -> PlainRequest | None:
    """The request that `data` is, if it is one from the first to the last byte, and a plain one."""
    found = _HEAD.match(data)
    if found is None or found.end() > _HEAD_BYTES_MAX:
        return None
    method, target, lines = (part.decode("ascii") for part in found.groups())
    headers: dict[str, str] = {}
    for line in lines.split("\r\n")[:-1]:
        name, _, value = line.partition(": ")
        name = name.lower()
        if name in headers or (name in _UNUSUAL and not (name == "connection" and value.lower() == "keep-alive")):
            return None
        headers[name] = value.rstrip(" ")
    length = headers.get("content-length", "" if method != "GET" else "0")
    if "host" not in headers or not _LENGTH.fullmatch(length) or len(data) - found.end() != int(length):
        return None
    return PlainRequest(method, target, headers, data[found.end() :], connection)
