"""What comes after an upgrade: frames of WebSockets and of SPDY, whole, broken, and in any pieces."""

# ruff: noqa: E501 - a row is a frame.
from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pybernetes.api.wire import Channel, Request, Response, Upgrade
from pybernetes.apiserver.sockets.server import Server
from pybernetes.streaming import channels, port_forward, remote_command
from pybernetes.streaming.spdy import SpdyError, SpdySession
from tests.fuzz.effort import fuzzed
from tests.fuzz.words import texts

PIECES = st.lists(st.integers(1, 50), min_size=1, max_size=20)


def conversation() -> bytes:
    """What a good client of port-forward says."""
    session = SpdySession(client=True)
    for headers in (port_forward.error_headers(80, 1), port_forward.data_headers(80, 1), {"a": "b" * 1000}):
        session.send(session.open(headers), b"x" * 300, finished=True)
    session.ping()
    session.reset(1)
    session.accept(2, {"c": "d"})
    session.go_away()
    return session.take()


GOOD = conversation()


def heard(data: bytes, pieces: list[int]) -> int:
    """How many events a session makes of the bytes, until it has enough of them."""
    session, count = SpdySession(client=False), 0
    at = n = 0
    while at < len(data):
        size = pieces[n % len(pieces)]
        try:
            count += len(session.receive(data[at : at + size]))
        except SpdyError:
            return count
        at, n = at + size, n + 1
    return count


@fuzzed
@given(PIECES)
def test_spdy_in_any_pieces_says_the_same(pieces: list[int]) -> None:
    assert heard(GOOD, pieces) == heard(GOOD, [len(GOOD)]) > 8


@fuzzed
@given(st.data(), PIECES)
def test_spdy_changed_or_cut_off(data: st.DataObject, pieces: list[int]) -> None:
    changed = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    heard(bytes(changed[: data.draw(st.integers(1, len(changed)))]), pieces)


@fuzzed
@given(st.binary(max_size=100), st.sampled_from(range(12)), PIECES)
def test_any_body_of_any_spdy_frame(body: bytes, kind: int, pieces: list[int]) -> None:
    heard(struct.pack(">HHI", 0x8003, kind, len(body)) + body, pieces)


@fuzzed
@given(st.sampled_from([*channels.REMOTE_COMMAND, *channels.ONE_WAY]), st.one_of(st.binary(max_size=20), texts))
def test_any_message_of_any_sub_protocol(protocol: channels.ChannelProtocol, message: bytes | str) -> None:
    with suppress(channels.BadMessage):
        protocol.decode(message)


@fuzzed
@given(
    st.dictionaries(
        st.sampled_from(["streamtype", "port", "requestid", "x"]),
        st.one_of(texts, st.sampled_from(["data", "error", "80"])),
    )
)
@example({"streamtype": "data", "port": "9" * 5000})
@example({"streamtype": "data", "port": "٣"})
def test_any_headers_of_a_stream(headers: dict[str, str]) -> None:
    port_forward.asked_for(headers)
    remote_command.channel_of(headers)


STATUS: dict[str, Any] = {
    "status": "Failure",
    "reason": "NonZeroExitCode",
    "details": {"causes": [{"reason": "ExitCode", "message": "9" * 5000}]},
}


@fuzzed
@given(st.one_of(st.binary(max_size=40), texts.map(lambda text: text.encode())))
@example(msgspec.json.encode(STATUS))
@example(b"[" * 100_000)
def test_any_end_of_a_command(data: bytes) -> None:
    remote_command.exit_code(remote_command.read_status(data))


def frame(first: int, payload: bytes, length: bytes | None = None, masked: bool = True) -> bytes:
    """A WebSocket frame, or what pretends to be one; the mask is zeros."""
    size = len(payload)
    coded = length or (bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size))
    return (
        bytes([first])
        + bytes([coded[0] | (0x80 if masked else 0)])
        + coded[1:]
        + (b"\0" * 4 if masked else b"")
        + payload
    )


FRAMES = {
    "unmasked": frame(0x82, b"a", masked=False),
    "reserved opcode": frame(0x83, b"a"),
    "reserved bits": frame(0xF2, b"a"),
    "compressed": frame(0xC1, b"\xff\xff\xff"),
    "continuation of nothing": frame(0x80, b"a"),
    "begun twice": frame(0x02, b"a") + frame(0x02, b"b"),
    "endless fragments": frame(0x02, b"a") + frame(0x00, b"x") * 10_000,
    "bad utf-8": frame(0x81, b"\xff\xfe"),
    "half a character": frame(0x81, b"\xc3"),
    "long ping": frame(0x89, b"x" * 200),
    "fragmented ping": frame(0x09, b"x"),
    "many pings": frame(0x89, b"x" * 125) * 10_000,
    "close of one byte": frame(0x88, b"\x03"),
    "close code 0": frame(0x88, b"\0\0"),
    "close code 1005": frame(0x88, struct.pack(">H", 1005)),
    "close with bad utf-8": frame(0x88, struct.pack(">H", 1000) + b"\xff"),
    "closed twice": frame(0x88, b"") * 2 + frame(0x82, b"late"),
    "promise of 2**63": frame(0x82, b"a", b"\x7f" + struct.pack(">Q", 2**63)),
    "promise of 2**64-1": frame(0x82, b"a", b"\x7f" + b"\xff" * 8),
    "promise of a gigabyte": frame(0x82, b"a" * 100_000, b"\x7f" + struct.pack(">Q", 2**30)),
    "no frame": b"GET / HTTP/1.1\r\n\r\n" * 100,
}  # fmt: skip


class Echo:
    """A handler whose every answer is an upgrade that sends back what it is sent."""

    def __init__(self) -> None:
        self.ended = 0

    async def handle(self, request: Request) -> Response:
        raw = request.path == "/raw"
        return Response(
            101,
            {"upgrade": "SPDY/3.1", "connection": "Upgrade"} if raw else {},
            upgrade=Upgrade("", self._serve, is_raw=raw),
        )

    async def _serve(self, channel: Channel) -> None:
        try:
            while (message := await channel.receive()) is not None:
                await channel.send(message)
        finally:
            self.ended += 1


@pytest.fixture
async def served() -> AsyncIterator[tuple[Echo, int]]:
    echo = Echo()
    server = Server(echo.handle, None)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.listen(listener)
    yield echo, listener.getsockname()[1]
    await server.stop(0.1)


async def upgraded(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    )
    writer.write(f"{head}sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return reader, writer


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("path", ["/", "/raw"])
async def test_frames_that_no_client_sends(
    served: tuple[Echo, int], name: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    echo, port = served
    reader, writer = await upgraded(port, path)
    writer.write(FRAMES[name])
    writer.write_eof()
    async with asyncio.timeout(20):
        # However it answers, it comes to an end.
        with suppress(ConnectionError):
            while await reader.read(65536):
                continue
    writer.close()
    reader, writer = await upgraded(port, "/")
    writer.write(frame(0x82, b"still there"))
    assert await reader.readexactly(13) == b"\x82\x0bstill there"
    writer.close()
    assert echo.ended == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
