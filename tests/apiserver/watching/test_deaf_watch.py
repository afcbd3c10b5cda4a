"""A watch whose client does not read, over a real socket: it is not waited for once it is owed too much."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.apiserver.conftest import Caller

from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.sockets.connection import Patience
from pybernetes.apiserver.sockets.server import Server

MAPS = "/api/v1/namespaces/default/configmaps"
# Only what is owed may end the watch here, never the time.
FOREVER = Patience(head=3600, body=3600, reading=3600)


async def test_a_deaf_watch_is_closed_at_once_and_counted(api: ApiServer, call: Caller) -> None:
    server = Server(api.handle, None, FOREVER)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    await server.listen(listener)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {MAPS}?watch=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin-token\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    for number in range(40):
        data = {"text": "x" * 900_000}
        assert (await call("POST", MAPS, {"metadata": {"name": f"m{number}"}, "data": data}))[0] == 201
    text = (await call.send("GET", "/metrics")).body.decode()
    assert 'apiserver_terminated_watchers_total{group="",resource="configmaps"} 1\n' in text
    writer.transport.resume_reading()  # type: ignore[attr-defined]
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        while await reader.readexactly(100_000):
            continue
    writer.transport.abort()
    await server.stop(1)
