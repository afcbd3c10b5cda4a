"""One exec or attach session: WebSocket channels of a client on one side, SPDY streams of a node on the other.

The API server's handlers start it when both connections stand; it ends with the command or with either connection.
"""

from __future__ import annotations

import logging

import msgspec

from pybernetes.api.status import internal_error
from pybernetes.api.types.meta_v1 import Status
from pybernetes.api.wire import Channel
from pybernetes.apiserver.connect.node_connection import ByteStream
from pybernetes.apiserver.connect.relay import either
from pybernetes.streaming.channels import ERROR, RESIZE, STDIN, BadMessage, ChannelClosed, ChannelProtocol
from pybernetes.streaming.remote_command import CommandStreams, read_status, stream_headers
from pybernetes.streaming.spdy import DataReceived, Event, SpdyError, SpdySession, StreamAccepted, StreamReset

_log = logging.getLogger(__name__)
_LOST = internal_error("the connection to the node was lost before the command had ended").status


class CommandSession:
    """Translates until the session is over."""

    def __init__(self, protocol: ChannelProtocol, streams: CommandStreams, node: ByteStream) -> None:
        self._protocol = protocol
        self._streams = streams
        self._node = node
        self._spdy = SpdySession(client=True)
        self._numbers = {channel: self._spdy.open(stream_headers(channel)) for channel in streams.channels()}
        self._channels = {number: channel for channel, number in self._numbers.items()}
        # Channels that still bring something.
        self._running = set(self._channels.values()) - {STDIN, RESIZE}
        self._error = bytearray()

    async def serve(self, client: Channel) -> None:
        """Owns the client's connection until the session is over."""
        try:
            await self._flush()
            await client.send(self._protocol.encode(self._streams.first_readable(), b""))
            await either(self._from_client(client), self._from_node(client))
        except OSError as error:
            _log.debug("a session ended: %s", error)
        finally:
            await self._node.close()
        await client.close()

    async def _from_client(self, client: Channel) -> None:
        while (message := await client.receive()) is not None:
            try:
                said = self._protocol.decode(message)
            except BadMessage as error:
                await client.close(1002, str(error))
                return
            number = self._numbers.get(said.channel) if said.channel in (STDIN, RESIZE) else None
            if number is None:
                continue
            if isinstance(said, ChannelClosed):
                self._spdy.send(number, b"", finished=True)
            else:
                self._spdy.send(number, said.data)
            await self._flush()

    async def _from_node(self, client: Channel) -> None:
        try:
            while self._running and (data := await self._node.read()):
                for event in self._spdy.receive(data):
                    await self._tell(event, client)
                await self._flush()
        except SpdyError as error:
            _log.warning("a node does not speak SPDY: %s", error)
        is_lost = ERROR in self._running and not self._error
        await self._end(client, _LOST if is_lost else read_status(bytes(self._error)))

    async def _tell(self, event: Event, client: Channel) -> None:
        if isinstance(event, StreamAccepted | DataReceived | StreamReset):
            channel = self._channels.get(event.stream)
            if channel is None:
                return
            if isinstance(event, DataReceived) and event.data:
                if channel == ERROR:
                    self._error += event.data
                else:
                    await client.send(self._protocol.encode(channel, event.data))
            if isinstance(event, StreamReset) or event.finished:
                self._running.discard(channel)

    async def _end(self, client: Channel, status: Status) -> None:
        """Says how it ended, in the client's protocol."""
        if self._protocol.writes_status:
            await client.send(self._protocol.encode(ERROR, msgspec.json.encode(status)))
        elif status.status != "Success":
            await client.send(self._protocol.encode(ERROR, (status.message or "").encode()))

    async def _flush(self) -> None:
        if data := self._spdy.take():
            await self._node.write(data)
