"""One client's connection, and how long we wait for it: heads that never end, bodies that never come, shut ears.

aiohttp feeds it bytes and asks it for the answers to what is no HTTP; `server` and `answers` ask for its patience.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

_log = logging.getLogger(__name__)
# Upstream takes a megabyte of head in all; this is for one line, of which aiohttp takes 128.
LINE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a client may take for the head of a request (upstream's 32), for its body, for taking any bytes."""

    head: float = 32.0
    body: float = 60.0
    reading: float = 60.0


class Connection(web.RequestHandler):
    """aiohttp's connection with upstream's limits and upstream's words for garbage."""

    __slots__ = ("_unfinished_head", "patience")

    def __init__(self, *arguments: Any, patience: Patience, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.patience = patience
        self._unfinished_head: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Bytes came and made no request, though none is under way: they began a head.
        if self._current_request is None and not self._messages:
            if self._unfinished_head is None:
                loop = asyncio.get_running_loop()
                self._unfinished_head = loop.call_later(self.patience.head, self.force_close)
        elif self._unfinished_head is not None:
            self._unfinished_head.cancel()
            self._unfinished_head = None

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
