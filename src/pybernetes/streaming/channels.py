"""WebSocket sub-protocols that carry several streams: which channel a message belongs to, and how it is written.

Sans I/O: messages go in, (channel, bytes) come out, and the other way round. Used by the API server, by kubectl and by
whoever else speaks exec, attach or logs over WebSocket.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STDIN, STDOUT, STDERR, ERROR, RESIZE = 0, 1, 2, 3, 4
# The first byte of a message that ends one direction of a channel (v5 only).
_CLOSE = 255


class BadMessage(ValueError):
    """A message that the sub-protocol does not allow."""


@dataclass(frozen=True, slots=True)
class ChannelData:
    """Bytes of one channel."""

    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """The sender has no more for this channel."""

    channel: int


@dataclass(frozen=True, slots=True)
class ChannelProtocol:
    """One sub-protocol; `writes_status`: the error channel carries a Status, else plain text and only of failures."""

    name: str
    is_text: bool = False
    has_channels: bool = True
    writes_status: bool = False
    closes_channels: bool = False

    def encode(self, channel: int, data: bytes) -> bytes | str:
        """The message that brings `data` to a channel; without channels it is the bytes alone."""
        if self.is_text:
            text = base64.b64encode(data).decode()
            return f"{channel}{text}" if self.has_channels else text
        return bytes((channel,)) + data if self.has_channels else data

    def encode_close(self, channel: int) -> bytes | None:
        """The message that ends a channel; None where the sub-protocol has none."""
        return bytes((_CLOSE, channel)) if self.closes_channels else None

    def decode(self, message: bytes | str) -> ChannelData | ChannelClosed:
        """What a message says. BadMessage when it is empty or malformed."""
        if not self.has_channels:
            return ChannelData(STDIN, self._data(message))
        if not message:
            raise BadMessage("a message without a channel")
        if self.is_text:
            text = message if isinstance(message, str) else message.decode("latin-1")
            if not text[0].isdecimal():
                raise BadMessage(f"{text[0]!r} is no channel")
            return ChannelData(int(text[0]), self._data(text[1:]))
        data = message.encode() if isinstance(message, str) else message
        if data[0] == _CLOSE and self.closes_channels:
            if len(data) != 2:
                raise BadMessage("a close names one channel")
            return ChannelClosed(data[1])
        return ChannelData(data[0], data[1:])

    def _data(self, payload: bytes | str) -> bytes:
        data = payload.encode() if isinstance(payload, str) else payload
        if not self.is_text:
            return data
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise BadMessage(str(error)) from error


V5 = ChannelProtocol("v5.channel.k8s.io", writes_status=True, closes_channels=True)
V4 = ChannelProtocol("v4.channel.k8s.io", writes_status=True)
# Newest first, as upstream chooses; the empty name is for clients that ask for none.
REMOTE_COMMAND: tuple[ChannelProtocol, ...] = (
    V5,
    V4,
    ChannelProtocol("v4.base64.channel.k8s.io", is_text=True, writes_status=True),
    ChannelProtocol("channel.k8s.io"),
    ChannelProtocol("base64.channel.k8s.io", is_text=True),
    ChannelProtocol(""),
)
# One stream, from server to client.
ONE_WAY: tuple[ChannelProtocol, ...] = (
    ChannelProtocol("binary.k8s.io", has_channels=False),
    ChannelProtocol("base64.binary.k8s.io", is_text=True, has_channels=False),
    ChannelProtocol("", has_channels=False),
)


def offered_protocols(header: str) -> list[str]:
    """The names in a `Sec-WebSocket-Protocol` header."""
    return [name.strip() for name in header.split(",") if name.strip()]


def choose(offered: Iterable[str], served: Sequence[ChannelProtocol]) -> ChannelProtocol | None:
    """The first sub-protocol of the client that the server has; None when it has none of them."""
    names = list(offered) or [""]
    by_name = {protocol.name: protocol for protocol in served}
    return next((by_name[name] for name in names if name in by_name), None)
