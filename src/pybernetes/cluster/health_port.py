"""The secure port of scheduler and controller manager: /healthz, /livez and /readyz, as probes and upstream ask them.

A component's port comes in; while the context is open, `ok` goes out over TLS to whoever asks on the loopback. The
certificate is made anew for every process, as upstream's is when none is given.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pybernetes.cluster.pki import Pki, Subject
from pybernetes.environment.clock import Clock

_log = logging.getLogger(__name__)
SCHEDULER_PORT, CONTROLLER_MANAGER_PORT = 10259, 10257
_HOST = "127.0.0.1"
_PATHS = ("/healthz", "/livez", "/readyz")
_HEAD_SECONDS = 10.0


@asynccontextmanager
async def serving_health(component: str, port: int, clock: Clock) -> AsyncIterator[None]:
    """Answers for a component that runs; a port that is taken already is logged, and nothing is served."""
    try:
        server = await asyncio.start_server(_serve, _HOST, port, ssl=_tls(component, clock))
    except OSError as error:
        _log.warning("%s: no health at %s:%d: %s", component, _HOST, port, error.strerror)
        yield
        return
    async with server:
        yield


def _tls(component: str, clock: Clock) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    subject = Subject(component, names=("localhost",), addresses=(_HOST,), server=True, client=False)
    with tempfile.TemporaryDirectory() as folder:
        pair = Pki(Path(folder), clock).certificate("serving", subject)
        context.load_cert_chain(pair.certificate, pair.key)
    return context


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(head))
        await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


def answer(head: bytes) -> bytes:
    """The whole answer to a request's head. Pure."""
    method, target, *_rest = [*head.partition(b"\r\n")[0].decode("latin-1").split(" "), "", ""]
    path = target.partition("?")[0]
    if method not in ("GET", "HEAD"):
        return _response("405 Method Not Allowed", "Method Not Allowed\n")
    if path not in _PATHS:
        return _response("404 Not Found", "404 page not found\n")
    return _response("200 OK", "ok")


def _response(status: str, body: str) -> bytes:
    lines = (
        f"HTTP/1.1 {status}",
        "Content-Type: text/plain; charset=utf-8",
        "X-Content-Type-Options: nosniff",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
