"""One client's connection, and how long we wait for it: heads that never end, bodies that never come, shut ears.

aiohttp feeds it bytes and asks it for the answers to what is no HTTP; `server` and `answers` ask for its patience.
Plain requests it hands to `server` itself, until one comes that is not: from then on aiohttp reads the connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from pybernetes.apiserver.sockets.plain_requests import PlainRequest, plain_request

_log = logging.getLogger(__name__)
# What Go's server takes of a head, and what it grants beside that.
HEAD_BYTES_MAX = 1024 * 1024 + 4096
# What a client may send while it waits for an answer.
_HELD_BYTES_MAX = 64 * 1024
# What a client may leave unread before whoever writes to it has to wait.
UNREAD_BYTES_MAX = 64 * 1024

# Answers a plain request; False when no other can follow it on the connection.
ServePlain = Callable[[PlainRequest], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a client may take for the head of a request (upstream's 32), for its body, for taking any bytes."""

    head: float = 32.0
    body: float = 60.0
    reading: float = 60.0


class Connection(web.RequestHandler):
    """aiohttp's connection with upstream's limits and upstream's words for garbage."""

    __slots__ = (
        *("_answering", "_body", "_head_bytes", "_held", "_is_plain", "_serve_plain", "_unfinished_head"),
        *("__weakref__", "patience", "unmade"),
    )

    def __init__(self, *arguments: Any, patience: Patience, serve_plain: ServePlain, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.patience = patience
        # Those whose handshake has not ended, by when it began; it leaves them when its own has.
        self.unmade: WeakKeyDictionary[Connection, float] | None = None
        self._head_bytes = 0
        # That of the last request, which may still be coming when it has been answered.
        self._body: StreamReader | None = None
        self._unfinished_head: asyncio.TimerHandle | None = None
        self._serve_plain = serve_plain
        # Whether aiohttp has seen nothing of this connection yet, so that it cannot be in the middle of anything.
        self._is_plain = True
        self._answering: asyncio.Task[None] | None = None
        # What came while a plain request was being answered.
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own limit with TLS is eight times as much, for each client that does not read.
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=UNREAD_BYTES_MAX)
        if self.unmade is not None:
            self.unmade.pop(self, None)
        super().connection_made(transport)

    @property
    def is_closing(self) -> bool:
        """Whether the answer under way is the last."""
        return bool(self._close or self._force_close)

    def data_received(self, data: bytes) -> None:
        if self._answering is not None:
            self._hold(data)
            return
        if self._is_plain and not self._close and not self._force_close:
            request = plain_request(data, self)
            if request is not None:
                self._answering = asyncio.get_running_loop().create_task(self._answer(request))
                return
        self._is_plain = False
        self._parse(data)

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > _HELD_BYTES_MAX and self.transport is not None:
            self.transport.pause_reading()

    async def _answer(self, request: PlainRequest) -> None:
        goes_on = False
        try:
            goes_on = await self._serve_plain(request)
        except ConnectionError as error:
            _log.debug("%s %s: %s", request.method, request.path, error)
        except Exception:
            # The outermost edge of a connection: an answer that cannot be written ends it.
            _log.exception("%s %s: the answer failed", request.method, request.path)
        finally:
            self._answering = None
            if not goes_on or self._close or self._force_close or self.transport is None:
                self.force_close()
        if self.transport is None:
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._held:
            held, self._held = self._held, b""
            if len(held) > _HELD_BYTES_MAX:
                self.transport.resume_reading()
            self.data_received(held)

    async def drained(self) -> None:
        """Returns when the client has taken most of what was written; ConnectionError when it has gone."""
        await self._drain_helper()

    def _process_keepalive(self) -> None:
        if self._answering is not None:
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        super()._process_keepalive()

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109 - aiohttp's
        """Lets the request under way end, within `timeout` seconds, and closes."""
        # A connection that waits for a request does so no longer.
        self.close()
        answering = self._answering
        if answering is not None:
            await asyncio.wait({answering}, timeout=timeout)
            answering.cancel()
        await super().shutdown(timeout)

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages:
            self._body = self._messages[-1][1]
        # Bytes came and made no request, though none is under way: they began a head.
        is_body = self._body is not None and not self._body.is_eof()
        if self._current_request is None and not self._messages and not is_body:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse_head()
                return
            if self._unfinished_head is None:
                loop = asyncio.get_running_loop()
                self._unfinished_head = loop.call_later(self.patience.head, self.force_close)
        else:
            self._head_bytes = 0
            if self._unfinished_head is not None:
                self._unfinished_head.cancel()
                self._unfinished_head = None

    def _refuse_head(self) -> None:
        """Says that a head is too long, without having seen its end."""
        if self.transport is not None:
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n"
                b"Connection: close\r\n\r\n431 Request Header Fields Too Large"
            )
        self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._unfinished_head is not None:
            self._unfinished_head.cancel()
            self._unfinished_head = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request or breaks off, as Go's server words it; the connection ends with it."""
        if not isinstance(exc, HttpProcessingError | ConnectionError):
            return super().handle_error(request, status, exc, message)
        _log.debug("no request from %s: %s", request.remote, message or exc)
        text = "431 Request Header Fields Too Large" if isinstance(exc, LineTooLong) else "400 Bad Request"
        answer = web.Response(status=int(text[:3]), text=text, content_type="text/plain")
        answer.force_close()
        return answer
