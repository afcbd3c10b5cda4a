"""What strangers do: connections whose bytes are written, or read, or not, as no decent client would. For `cases`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import cast

from benchmarks.apiserver.connection import insecure_tls

_TLS = insecure_tls()
# So little that a client which does not read holds nothing that the server has written.
_RECEIVE_BYTES = 8 * 1024
# How many handshakes are under way at a time.
_HANDSHAKES = 50
# The beginning of a TLS ClientHello: a record that promises 512 bytes.
HALF_HELLO = bytes.fromhex("1603010200010001fc0303")


class Stranger(asyncio.Protocol):
    """One connection. `received` counts bytes; `gone` is set when the server has closed it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.received = 0
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()

    def say(self, data: bytes) -> None:
        if not self.gone.is_set():
            self.transport.write(data)

    def shut_ears(self) -> None:
        self.transport.pause_reading()

    async def sip(self) -> None:
        """Reads for a moment: what has arrived, and no more."""
        if not self.gone.is_set():
            self.transport.resume_reading()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if not self.gone.is_set():
            self.transport.pause_reading()

    def leave(self) -> None:
        self.transport.abort()


async def connect(port: int, tls: bool = True) -> Stranger:
    """A stranger at the door, with TLS spoken or without."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
    sock.setblocking(False)
    try:
        await loop.sock_connect(sock, ("127.0.0.1", port))
        if not tls:
            return (await loop.create_connection(Stranger, sock=sock))[1]
        return (await loop.create_connection(Stranger, sock=sock, ssl=_TLS, server_hostname=""))[1]
    except BaseException:
        sock.close()
        raise


async def crowd(port: int, count: int, begin: Callable[[Stranger, int], None], tls: bool = True) -> list[Stranger]:
    """`count` strangers who have begun, or as many as the server lets in."""
    gate, found = asyncio.Semaphore(_HANDSHAKES), []

    async def one(number: int) -> None:
        async with gate:
            try:
                async with asyncio.timeout(30):
                    stranger = await connect(port, tls)
            except (OSError, TimeoutError):
                return
        begin(stranger, number)
        found.append(stranger)

    await asyncio.gather(*(one(number) for number in range(count)))
    return found


async def every_second(seconds: int, strangers: list[Stranger], act: Callable[[Stranger], Awaitable[None]]) -> None:
    """Lets each of them act once a second."""
    for _ in range(seconds):
        for stranger in strangers:
            await act(stranger)
        await asyncio.sleep(1)
