"""The kubelet's server: logs of a container file, refusals in upstream's words, tunnels for upgraded connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import HTTPGetAction
from pybernetes.api.wire import Peer, Request, Response
from pybernetes.kubelet.http_server import Answer, HttpServer, Tunnel
from pybernetes.kubelet.logs import LogOptions, read_log, tail_text
from pybernetes.kubelet.network_probes import request_head
from pybernetes.kubelet.options import KubeletOptions, ServerFiles
from pybernetes.kubelet.server import KubeletServer

LOG = (
    b"2026-01-01T00:00:00.000000001Z stdout F one\n"
    b"2026-01-01T00:00:01.000000001Z stdout P two\n"
    b"2026-01-01T00:00:01.000000002Z stdout F -half\n"
    b"2026-01-01T00:00:02.000000001Z stderr F three\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "0.log"
    path.write_bytes(LOG)
    return path


async def text(path: Path, options: LogOptions) -> bytes:
    return b"".join([chunk async for chunk in read_log(path, options, lambda: True)])


async def test_lines_are_joined_and_streams_chosen(log: Path) -> None:
    assert await text(log, LogOptions()) == b"one\ntwo-half\nthree\n"
    assert await text(log, LogOptions(stream="stderr")) == b"three\n"


async def test_tail_since_limit_and_timestamps(log: Path) -> None:
    assert await text(log, LogOptions(tail_lines=1)) == b"three\n"
    assert await text(log, LogOptions(tail_lines=0)) == b""
    assert await text(log, LogOptions(tail_lines=99)) == b"one\ntwo-half\nthree\n"
    assert await text(log, LogOptions(since=1_767_225_602 * 10**9)) == b"three\n"
    assert await text(log, LogOptions(limit_bytes=5)) == b"one\nt"
    assert await text(log, LogOptions(tail_lines=1, timestamps=True)) == b"2026-01-01T00:00:02.000000001Z three\n"
    assert tail_text(log, 2, 100) == "-half\nthree\n"


async def test_followed_log_brings_new_lines_and_ends_with_the_container(log: Path) -> None:
    over = False
    stream = read_log(log, LogOptions(follow=True, tail_lines=0), lambda: over)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    with log.open("ab") as file:
        file.write(b"2026-01-01T00:00:03.000000001Z stdout F four\n")
    assert await waiting == b"four\n"
    over = True
    assert [chunk async for chunk in stream] == []


async def test_a_link_is_no_log(log: Path, tmp_path: Path) -> None:
    link = tmp_path / "1.log"
    link.symlink_to(log)
    with pytest.raises(OSError, match="symbolic links"):
        await text(link, LogOptions())
    with pytest.raises(OSError, match="symbolic links"):
        await text(link, LogOptions(tail_lines=1))
    assert tail_text(link, 2, 100) == ""


@pytest.fixture
async def upstream() -> AsyncIterator[int]:
    """Answers an upgrade and then says everything twice."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /exec/token HTTP/1.1\r\n")
        assert b"upgrade: spdy/3.1" in head.lower()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n")
        while data := await reader.read(100):
            writer.write(data * 2)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_tunnel_passes_an_upgraded_connection_on(upstream: int) -> None:
    async def handle(request: Request) -> Answer:
        if request.path == "/healthz":
            return Response(200, body=b"ok")
        return Tunnel(f"http://127.0.0.1:{upstream}/exec/token")

    server = HttpServer(handle, None)
    port = await server.listen("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /exec/a/b/c?command=ls HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    writer.write(b"hello")
    assert await reader.readexactly(10) == b"hellohello"
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.read()).endswith(b"\r\n\r\nok")
    writer.close()
    await server.close()


@pytest.mark.parametrize(
    ("name", "status"),
    [("kube-apiserver-kubelet-client", 200), ("system:node:n2", 403), ("kubernetes-admin", 403), ("", 403)],
)
async def test_only_the_api_server_is_answered(tmp_path: Path, name: str, status: int) -> None:
    files = ServerFiles(tmp_path, tmp_path, tmp_path)
    server = KubeletServer.__new__(KubeletServer)
    server._options = KubeletOptions("n1", "192.0.2.1", tmp_path, server=files)
    answer = await server.handle(Request("GET", "/healthz", peer=Peer("192.0.2.9", name, ("system:masters",))))
    assert isinstance(answer, Response)
    assert answer.status == status


def test_a_probe_is_one_request_whatever_the_pod_says() -> None:
    words = {
        "path": "/x y HTTP/1.1\r\nHost: a\r\n\r\nDELETE /",
        "httpHeaders": [{"name": "X-A", "value": "b\r\n\r\nPOST /exec HTTP/1.1"}],
    }
    head = request_head(from_builtins({"port": 80, **words}, HTTPGetAction), "192.0.2.1:80").decode()
    lines = head.split("\r\n")
    assert lines[0] == "GET /x%20y%20HTTP/1.1%0D%0AHost:%20a%0D%0A%0D%0ADELETE%20/ HTTP/1.1"
    assert lines[4:] == ["X-A: b    POST /exec HTTP/1.1", "Connection: close", "", ""]
    assert "\n" not in "".join(lines)
