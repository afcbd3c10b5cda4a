"""The sockets of cluster DNS: UDP and TCP on one port. Packets flow to the `Resolver` and its answers back.

`Dns` starts and closes it.
"""

from __future__ import annotations

import asyncio
import logging
import struct

from pybernetes.dns.resolver import Resolver
from pybernetes.dns.wire_format import Query

log = logging.getLogger(__name__)

IDLE = 10.0  # seconds that a TCP connection may be silent


class DnsServer:
    """Both sockets; `port` is known after `start`."""

    def __init__(self, resolver: Resolver) -> None:
        self.port = 0
        self._resolver = resolver
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int) -> None:
        """Binds both. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._serve, address, port, backlog=512)
        self.port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (address, self.port))

    async def close(self) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def datagram(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answers at once what can be; the rest becomes a task."""
        try:
            answer = self._resolver.quick(data, tcp=False)
        except Exception:
            # One client's packet must not take the socket from the others.
            self._resolver.counts["failed"] += 1
            log.exception("cannot answer a datagram from %s", addr[0])
            return
        if isinstance(answer, Query):
            task = asyncio.get_running_loop().create_task(self._answer_later(answer, addr))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif answer is not None:
            self._send(answer, addr)

    async def _answer_later(self, query: Query, addr: tuple[str, int]) -> None:
        try:
            self._send(await self._resolver.slow(query, tcp=False), addr)
        except Exception:
            self._resolver.counts["failed"] += 1
            log.exception("cannot answer a question about %s", query.question.name)

    def _send(self, packet: bytes, addr: tuple[str, int]) -> None:
        if self._udp is not None and not self._udp.is_closing():
            self._udp.sendto(packet, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                async with asyncio.timeout(IDLE):
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    packet = await reader.readexactly(length)
                answer = self._resolver.quick(packet, tcp=True)
                if isinstance(answer, Query):
                    answer = await self._resolver.slow(answer, tcp=True)
                if answer is None:
                    return
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return
        finally:
            self._tasks.discard(task)
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.datagram(data, addr)
