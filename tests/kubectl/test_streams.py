"""exec, port-forward and cp against the other end of their wire."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pybernetes.api.wire import Request, Response
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.kubectl import copy
from pybernetes.kubectl.commands import run
from pybernetes.kubectl.failures import CommandError
from pybernetes.kubectl.port_forward import Tunnel
from pybernetes.kubectl.session import Session
from pybernetes.streaming.channels import ERROR, STDERR, STDIN, STDOUT, V5, ChannelClosed, ChannelData
from pybernetes.streaming.port_forward import asked_for
from pybernetes.streaming.remote_command import exited
from pybernetes.streaming.spdy import DataReceived, SpdySession, StreamOpened

POD = {
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
    "status": {"phase": "Running"},
}


class Wire:
    """A WebSocket whose other end is a function of each message."""

    protocol = V5.name

    def __init__(self, answer: Callable[[Any], list[bytes | str]], greeting: list[bytes | str] | None = None) -> None:
        self._answer = answer
        self._coming: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        for message in greeting or []:
            self._coming.put_nowait(message)

    async def receive(self) -> bytes | str | None:
        return await self._coming.get()

    async def send(self, message: bytes | str) -> None:
        for answer in self._answer(message):
            self._coming.put_nowait(answer)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._coming.put_nowait(None)


class Server:
    """Has one pod, and a wire for whoever asks."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.wire = wire
        self.asked: tuple[str, list[tuple[str, str]]] = ("", [])
        self.out, self.err = io.StringIO(), io.StringIO()

    async def handle(self, _request: Request) -> Response:
        return Response(200, {}, json.dumps(POD).encode())

    async def connect(self, path: str, query: Any = (), _protocols: Any = ()) -> Any:
        self.asked = (path, list(query))
        return self.wire

    def session(self, stdin: str = "") -> Session:
        client = Client(InProcessTransport(self.handle))
        return Session(client, connect=self.connect, out=self.out, err=self.err, stdin=io.StringIO(stdin))

    async def __call__(self, *words: str, stdin: str = "") -> int:
        return await run(words, lambda _words: self.session(stdin), self.out, self.err)


def ended(code: int) -> bytes | str:
    return V5.encode(ERROR, msgspec.json.encode(exited(code)))


async def test_exec_shows_both_outputs_and_passes_the_exit_code_on() -> None:
    server = Server(Wire(lambda _: [], [V5.encode(STDOUT, b"out\n"), V5.encode(STDERR, b"err\n"), ended(3)]))
    assert await server("exec", "web", "-c", "b", "--", "sh", "-c", "exit 3") == 3
    assert (server.out.getvalue(), server.err.getvalue()) == (
        "out\n", "err\ncommand terminated with exit code 3\n",
    )  # fmt: skip
    words = [("command", "sh"), ("command", "-c"), ("command", "exit 3")]
    streams = [("stdout", "true"), ("stderr", "true")]
    assert server.asked == ("/api/v1/namespaces/default/pods/web/exec", [*words, ("container", "b"), *streams])


async def test_exec_sends_what_is_typed_and_says_when_it_ends() -> None:
    def echo(message: Any) -> list[bytes | str]:
        said = V5.decode(message)
        if isinstance(said, ChannelData) and said.channel == STDIN:
            return [V5.encode(STDOUT, said.data.upper())]
        return [ended(0)] if said == ChannelClosed(STDIN) else []

    server = Server(Wire(echo))
    assert await server("exec", "-i", "web", "--", "cat", stdin="hello") == 0
    assert server.out.getvalue() == "HELLO"
    assert server.err.getvalue() == 'Defaulted container "a" out of: a, b\n'


async def test_exec_without_a_command_or_with_an_unknown_container_is_told() -> None:
    server = Server()
    assert await server("exec", "web") == 1
    assert await server("exec", "web", "-c", "nosuch", "--", "ls") == 1
    assert "error: you must specify at least one command for the container" in server.err.getvalue()
    assert "error: container nosuch is not valid for pod web" in server.err.getvalue()


class EchoingPod:
    """The pod's end of a port-forward: says back what comes, in capitals."""

    def __init__(self) -> None:
        self.spdy = SpdySession(client=False)
        self.streams: dict[int, tuple[str, int, str]] = {}

    def __call__(self, message: Any) -> list[bytes | str]:
        for event in self.spdy.receive(message):
            if isinstance(event, StreamOpened):
                asked = asked_for(event.headers)
                assert asked is not None
                self.streams[event.stream] = asked
                self.spdy.accept(event.stream)
            elif isinstance(event, DataReceived) and self.streams[event.stream][0] == "data":
                self.spdy.send(event.stream, event.data.upper(), finished=event.finished)
        data = self.spdy.take()
        return [data] if data else []


async def test_connections_share_a_tunnel() -> None:
    pod, server = EchoingPod(), Server()
    tunnel = Tunnel(Wire(pod), server.session())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(tunnel.run())
        listener = await asyncio.start_server(lambda r, w: tunnel.carry(80, r, w), "127.0.0.1", 0)
        address = listener.sockets[0].getsockname()[:2]
        answers = await asyncio.gather(*(_talk(address, text) for text in (b"one", b"two")))
        running.cancel()
        listener.close()
    assert answers == [b"ONE", b"TWO"]
    assert {asked[:2] for asked in pod.streams.values()} == {("error", 80), ("data", 80)}


async def _talk(address: tuple[str, int], text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def test_archives_keep_folders_and_modes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "run.sh").write_text("#!/bin/sh\n")
    (source / "inner" / "run.sh").chmod(0o750)
    copy.unpack(copy.pack(source, "etc"), "/etc", tmp_path / "back")
    written = tmp_path / "back" / "inner" / "run.sh"
    assert (written.read_text(), written.stat().st_mode & 0o777) == ("#!/bin/sh\n", 0o750)


def test_archives_cannot_write_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CommandError, match="illegal path in archive"):
        copy.unpack(copy.pack(tmp_path / "file", "a/../../evil"), "/a", tmp_path / "back")


async def test_logs_go_out_unchanged() -> None:
    class Logging(Server):
        async def handle(self, request: Request) -> Response:
            if not request.path.endswith("/log"):
                return await super().handle(request)
            self.asked = (request.path, list(request.query))
            if request.parameter("follow"):
                return Response(200, {}, stream=_chunks(b"one\ntw", b"o\n"))
            return Response(200, {}, b"one\ntwo\n")

    server = Logging()
    assert await server("logs", "web", "-c", "a", "--tail", "2", "--since=1m") == 0
    assert server.asked[1] == [("container", "a"), ("tailLines", "2"), ("sinceSeconds", "60")]
    assert await server("logs", "-f", "web", "b", "--prefix") == 0
    assert server.out.getvalue() == "one\ntwo\n[pod/web/b] one\n[pod/web/b] two\n"


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
