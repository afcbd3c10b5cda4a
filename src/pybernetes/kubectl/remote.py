"""One command in a container, over a WebSocket: bytes in, bytes out, and how it ended.

`execute` runs it for a user, `copy` for tar. The API server's channels are `streaming.channels`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from pybernetes.api.types.meta_v1 import Status
from pybernetes.api.wire import Channel
from pybernetes.client import Unreachable
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.session import Session
from pybernetes.streaming.channels import ERROR, RESIZE, STDERR, STDIN, STDOUT, V4, V5, ChannelData, ChannelProtocol
from pybernetes.streaming.remote_command import CommandStreams, read_status, terminal_size

Sink = Callable[[bytes], None]


@dataclass(frozen=True)
class Command:
    """Where, what and with which streams; no words means attach."""

    pod: str
    container: str
    words: Sequence[str]
    streams: CommandStreams

    def query(self) -> list[tuple[str, str]]:
        """The query of the request."""
        pairs = [("command", word) for word in self.words] + [("container", self.container)]
        names = ("stdin", "stdout", "stderr", "tty")
        return pairs + [(name, "true") for name in names if getattr(self.streams, name)]


@dataclass
class Ends:
    """The user's ends of the streams."""

    stdin: AsyncIterator[bytes] | None
    stdout: Sink
    stderr: Sink


class RemoteCommand:
    """A session under way."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._protocol: ChannelProtocol = V4 if getattr(channel, "protocol", "") == V4.name else V5
        self._sizes: asyncio.Queue[tuple[int, int]] = asyncio.Queue()

    def resize(self, columns: int, rows: int) -> None:
        """The user's window has this size now."""
        self._sizes.put_nowait((columns, rows))

    async def run(self, ends: Ends) -> Status:
        """Carries bytes both ways until the server says how the command ended."""
        tasks = [asyncio.ensure_future(self._send_sizes())]
        if ends.stdin is not None:
            tasks.append(asyncio.ensure_future(self._send_input(ends.stdin)))
        try:
            return await self._receive(ends)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._channel.close()

    async def _receive(self, ends: Ends) -> Status:
        while (message := await self._channel.receive()) is not None:
            said = self._protocol.decode(message)
            if not isinstance(said, ChannelData):
                continue
            if said.channel == ERROR:
                return read_status(said.data)
            sink = {STDOUT: ends.stdout, STDERR: ends.stderr}.get(said.channel)
            if sink is not None and said.data:
                sink(said.data)
        return Status(status="Failure", message="the connection was lost before the command had ended")

    async def _send_input(self, source: AsyncIterator[bytes]) -> None:
        async with aclosing(cast(Any, source)) as chunks:
            async for chunk in chunks:
                await self._channel.send(self._protocol.encode(STDIN, chunk))
        if (closing := self._protocol.encode_close(STDIN)) is not None:
            await self._channel.send(closing)

    async def _send_sizes(self) -> None:
        while True:
            columns, rows = await self._sizes.get()
            await self._channel.send(self._protocol.encode(RESIZE, terminal_size(columns, rows)))


async def start(session: Session, command: Command) -> RemoteCommand:
    """Opens the session; `StatusError` when the server refuses."""
    if session.connect is None:
        raise error("this connection cannot carry streams")
    verb = "exec" if command.words else "attach"
    path = f"/api/v1/namespaces/{session.namespace}/pods/{command.pod}/{verb}"
    try:
        return RemoteCommand(await session.connect(path, command.query(), (V5.name, V4.name)))
    except Unreachable as failure:
        raise error(f"unable to upgrade connection: {failure}") from failure
