"""SPDY/3.1 framing without sockets: bytes of the other side go in and events come out; calls go in and bytes come out.

Enough to be either side of the streams of exec, attach and port-forward. Nobody on this wire (kubectl, container
runtimes) keeps SPDY's flow-control windows: TCP itself slows the sender down, so windows are read and ignored.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from pybernetes.streaming.spdy_headers import BadHeaders, HeaderReader, HeaderWriter

_VERSION = 3
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN = 1
# Status codes of RST_STREAM.
PROTOCOL_ERROR, REFUSED_STREAM, CANCEL = 1, 3, 5
# A frame can hold 16 MiB; smaller ones let streams take turns.
_LARGEST_DATA = 32 * 1024


class SpdyError(Exception):
    """The other side does not speak SPDY/3.1; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The other side began a stream; answer with `accept` or `reset`."""

    stream: int
    headers: Mapping[str, str]
    finished: bool = False


@dataclass(frozen=True, slots=True)
class StreamAccepted:
    """The other side took a stream that we began."""

    stream: int
    headers: Mapping[str, str]
    finished: bool = False


@dataclass(frozen=True, slots=True)
class DataReceived:
    """Bytes of a stream; `finished` when the other side sends no more on it."""

    stream: int
    data: bytes
    finished: bool = False


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The other side ended a stream in both directions."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class GoneAway:
    """The other side takes no more streams."""

    last_stream: int


Event = StreamOpened | StreamAccepted | DataReceived | StreamReset | GoneAway


class SpdySession:
    """One connection, seen from one side. Stream numbers are odd for those that the client begins."""

    def __init__(self, *, client: bool) -> None:
        self._next = 1 if client else 2
        self._last_opened = 0
        self._next_ping = self._next
        self._in = bytearray()
        self._out = bytearray()
        self._writer = HeaderWriter()
        self._reader = HeaderReader()

    def open(self, headers: Mapping[str, str], finished: bool = False) -> int:
        """Begins a stream; its number."""
        stream = self._next
        self._next += 2
        body = struct.pack(">IIBB", stream, 0, 0, 0) + self._writer.write(headers)
        self._control(_SYN_STREAM, _FIN if finished else 0, body)
        return stream

    def accept(self, stream: int, headers: Mapping[str, str] | None = None) -> None:
        """Takes a stream that the other side began."""
        self._control(_SYN_REPLY, 0, struct.pack(">I", stream) + self._writer.write(headers or {}))

    def send(self, stream: int, data: bytes, finished: bool = False) -> None:
        """Bytes of a stream, and its end in our direction when `finished`."""
        view = memoryview(data)
        for start in range(0, max(len(data), 1), _LARGEST_DATA):
            part = view[start : start + _LARGEST_DATA]
            flags = _FIN if finished and start + _LARGEST_DATA >= len(data) else 0
            self._out += struct.pack(">II", stream, flags << 24 | len(part)) + part

    def reset(self, stream: int, status: int = CANCEL) -> None:
        self._control(_RST_STREAM, 0, struct.pack(">II", stream, status))

    def ping(self) -> None:
        """Asks the other side for a sign of life."""
        self._control(_PING, 0, struct.pack(">I", self._next_ping))
        self._next_ping += 2

    def go_away(self) -> None:
        """Says that we take no more streams."""
        self._control(_GOAWAY, 0, struct.pack(">II", self._last_opened, 0))

    def take(self) -> bytes:
        """What is to be sent to the other side now."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes) -> list[Event]:
        """What bytes of the other side mean; SpdyError when they mean nothing. May leave bytes for `take`."""
        self._in += data
        events: list[Event] = []
        while len(self._in) >= 8:
            first, second = struct.unpack_from(">II", self._in)
            flags, length = second >> 24, second & 0xFFFFFF
            if len(self._in) < 8 + length:
                break
            body = bytes(self._in[8 : 8 + length])
            del self._in[: 8 + length]
            event = self._frame(first, flags, body)
            if event is not None:
                events.append(event)
        return events

    def _frame(self, first: int, flags: int, body: bytes) -> Event | None:
        finished = bool(flags & _FIN)
        if not first >> 31:
            return DataReceived(first, body, finished)
        if first >> 16 & 0x7FFF != _VERSION:
            raise SpdyError(f"version {first >> 16 & 0x7FFF} of SPDY")
        try:
            return self._control_frame(first & 0xFFFF, finished, body)
        except (struct.error, BadHeaders) as error:
            raise SpdyError(f"malformed frame of type {first & 0xFFFF}: {error}") from error

    def _control_frame(self, type_: int, finished: bool, body: bytes) -> Event | None:
        match type_:
            case 1:  # SYN_STREAM
                (stream,) = struct.unpack_from(">I", body)
                self._last_opened = stream
                return StreamOpened(stream, self._reader.read(body[10:]), finished)
            case 2:  # SYN_REPLY
                (stream,) = struct.unpack_from(">I", body)
                return StreamAccepted(stream, self._reader.read(body[4:]), finished)
            case 3:  # RST_STREAM
                return StreamReset(*struct.unpack_from(">II", body))
            case 6:  # PING
                (number,) = struct.unpack_from(">I", body)
                # Whoever's parity it has, asked; its own come back as answers.
                if number % 2 != self._next % 2:
                    self._control(_PING, 0, body[:4])
                return None
            case 7:  # GOAWAY
                return GoneAway(*struct.unpack_from(">I", body))
            case 8:  # HEADERS: must be read, since the blocks are one zlib stream.
                (stream,) = struct.unpack_from(">I", body)
                self._reader.read(body[4:])
                return DataReceived(stream, b"", True) if finished else None
        return None

    def _control(self, type_: int, flags: int, body: bytes) -> None:
        self._out += struct.pack(">HHI", 0x8000 | _VERSION, type_, flags << 24 | len(body)) + body
