"""exec, attach and port-forward through a listening API server, as clients of every protocol see them."""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec
import pytest
from tests.apiserver.connect.conftest import FakeKubelet, Running

from pybernetes.api.types.meta_v1 import Status
from pybernetes.streaming.remote_command import exit_code, exited, read_status, stream_headers
from pybernetes.streaming.spdy import DataReceived, SpdySession

AUTHORIZATION = {"Authorization": "Bearer admin-token"}
PODS = "/api/v1/namespaces/default/pods"
EXEC = "/pods/p/exec?command=say&command=a%26b&stdin=true&stdout=true&stderr=true"


async def session(url: str, protocol: str, *messages: bytes | str) -> list[bytes | str]:
    """What a server says to a client that says this."""
    async with (
        aiohttp.ClientSession(headers=AUTHORIZATION) as http,
        http.ws_connect(url, protocols=(protocol,)) as connection,
    ):
        assert connection.protocol == protocol
        for message in messages:
            await (connection.send_str(message) if isinstance(message, str) else connection.send_bytes(message))
        return [message.data async for message in connection]


async def test_exec_with_input_that_ends(running: Running, kubelet: FakeKubelet) -> None:
    said = await session(running.url(EXEC), "v5.channel.k8s.io", b"\x00hello", b"\xff\x00")
    assert said[0] == b"\x01"
    assert b"".join(m[1:] for m in said if isinstance(m, bytes) and m[:1] == b"\x01") == b"hellohello"
    last = said[-1]
    assert isinstance(last, bytes)
    assert last[:1] == b"\x03"
    assert exit_code(read_status(last[1:])) == 3
    assert kubelet.heads[0].startswith("POST /exec/default/p/c?command=say&command=a%26b&input=1&output=1&error=1 ")


async def test_terminal_sizes_go_to_the_command(running: Running, kubelet: FakeKubelet) -> None:
    url = running.url("/pods/p/attach?stdin=true&stdout=true&stderr=true&tty=true")
    said = await session(url, "v5.channel.k8s.io", b'\x04{"Width":80,"Height":24}', b"\xff\x00")
    assert b'\x01size {"Width":80,"Height":24}' in said
    assert kubelet.heads[0].startswith("POST /attach/default/p/c?input=1&output=1&tty=1 ")


async def test_a_connection_that_is_lost_is_no_success(running: Running, kubelet: FakeKubelet) -> None:
    kubelet.refusal = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
    said = await session(running.url(EXEC), "v4.channel.k8s.io")
    assert isinstance(said[-1], bytes)
    assert msgspec.json.decode(said[-1][1:], type=Status).reason == "InternalError"


async def test_older_protocols_tell_failures_as_text(running: Running) -> None:
    async with (
        aiohttp.ClientSession(headers=AUTHORIZATION) as http,
        http.ws_connect(running.url(EXEC), protocols=("base64.channel.k8s.io",)) as connection,
    ):
        await connection.send_str("0aGk=")
        assert (await connection.receive()).data == "1"
        assert (await connection.receive()).data == "1aGloaQ=="


async def test_token_may_come_as_a_sub_protocol(running: Running) -> None:
    token = "base64url.bearer.authorization.k8s.io.YWRtaW4tdG9rZW4"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(running.url(EXEC), protocols=(token, "v4.channel.k8s.io")) as connection,
    ):
        assert connection.protocol == "v4.channel.k8s.io"


async def test_refusal_of_the_kubelet_is_the_answer(running: Running, kubelet: FakeKubelet) -> None:
    text = b'container not found ("c")'
    kubelet.refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
    response = await running.call.send("GET", f"/api/v1/namespaces/default{EXEC}", upgrade="websocket")
    assert (response.status, response.body) == (404, text)


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/pods/none/exec", 404, 'pods "none" not found'),
        ("/pods/p/exec?container=x", 400, "container x is not valid for pod p"),
        ("/pods/unbound/exec", 400, "pod unbound does not have a host assigned"),
        ("/pods/p/exec", 400, "Upgrade request required"),
        ("/pods/p/portforward", 400, "Upgrade request required"),
        (
            "/pods/two/exec",
            400,
            "a container name must be specified for pod two, choose one of: [first c d]",
        ),
    ],
)
async def test_what_cannot_be_is_refused_before_the_kubelet_is_asked(
    running: Running, kubelet: FakeKubelet, path: str, code: int, message: str
) -> None:
    status, body = await running.call("GET", f"/api/v1/namespaces/default{path}")
    assert (status, body["message"]) == (code, message)
    assert kubelet.heads == []


async def spdy_connection(
    running: Running, path: str, versions: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    """A connection that the server has switched, and the head of its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        "Authorization: Bearer admin-token",
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        f"X-Stream-Protocol-Version: {versions}",
        "Content-Length: 0",
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    return reader, writer, (await reader.readuntil(b"\r\n\r\n")).decode()


async def test_clients_that_speak_spdy_get_the_nodes_own_streams(running: Running, kubelet: FakeKubelet) -> None:
    reader, writer, head = await spdy_connection(
        running, f"{PODS}/p/exec?command=say&stdin=true&stdout=true", "v4.channel.k8s.io, channel.k8s.io"
    )
    assert head.startswith("HTTP/1.1 101 ")
    assert "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n" in head
    assert "x-stream-protocol-version: v4.channel.k8s.io, channel.k8s.io" in kubelet.heads[0].lower()
    spdy = SpdySession(client=True)
    error, stdin, stdout = (spdy.open(stream_headers(channel)) for channel in (3, 0, 1))
    spdy.send(stdin, b"hi", finished=True)
    writer.write(spdy.take())
    events = spdy.receive(await reader.read())
    writer.close()
    said = {event.stream: event.data for event in events if isinstance(event, DataReceived)}
    assert said == {stdout: b"hihi", error: msgspec.json.encode(exited(3))}


async def test_port_forward_is_bytes_in_a_web_socket(running: Running, kubelet: FakeKubelet) -> None:
    async with (
        aiohttp.ClientSession(headers=AUTHORIZATION) as http,
        http.ws_connect(running.url("/pods/p/portforward"), protocols=("SPDY/3.1+portforward.k8s.io",)) as connection,
    ):
        await connection.send_bytes(b"knock")
        assert (await connection.receive()).data == b"KNOCK"
    assert kubelet.heads[0].startswith("POST /portForward/default/p HTTP/1.1\r\n")


async def test_port_forward_over_spdy(running: Running) -> None:
    reader, writer, head = await spdy_connection(running, f"{PODS}/p/portforward", "portforward.k8s.io")
    assert head.startswith("HTTP/1.1 101 ")
    writer.write(b"knock")
    assert await reader.readexactly(5) == b"KNOCK"
    writer.close()


async def test_port_forward_in_channels_is_the_runtimes_own_affair(running: Running, kubelet: FakeKubelet) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    lines = [
        f"GET {PODS}/p/portforward?ports=80&ports=81 HTTP/1.1",
        "Host: x",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.YWRtaW4tdG9rZW4",
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 101 ")
    assert "sec-websocket-protocol: v4.channel.k8s.io\r\n" in head.lower()
    writer.write(b"knock")
    assert await reader.readexactly(5) == b"KNOCK"
    writer.close()
    asked = kubelet.heads[0].lower()
    assert asked.startswith("get /portforward/default/p?port=80%2c81 http/1.1\r\n")
    assert "sec-websocket-key: dghlihnhbxbszsbub25jzq==\r\n" in asked
    assert "bearer" not in asked


async def test_upgraded_connections_go_through_proxies(running: Running, kubelet: FakeKubelet) -> None:
    reader, writer, head = await spdy_connection(running, "/api/v1/nodes/n1/proxy/portForward/x", "any")
    assert head.startswith("HTTP/1.1 101 ")
    writer.write(b"knock")
    assert await reader.readexactly(5) == b"KNOCK"
    writer.close()
    assert "authorization" not in kubelet.heads[0].lower()


async def test_an_absent_kubelet_is_told_as_such(running: Running) -> None:
    addresses = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
    gone = {"status": {**addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}}
    await running.call("PATCH", "/api/v1/nodes/n1/status", gone, content_type="application/merge-patch+json")
    path = f"/api/v1/namespaces/default{EXEC}"
    status, body = await running.call("GET", path, upgrade="websocket")
    assert status == 500
    assert body["message"] == "error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused"
