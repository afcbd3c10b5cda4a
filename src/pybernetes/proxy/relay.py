"""Carrying datagrams between clients and endpoints (TCP goes by `environment.stream_relay`).

`userspace` makes one `UdpRelay` for each UDP socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from pybernetes.proxy.endpoints import Endpoint

Address = tuple[str, int]
# Datagrams of one client that wait for its socket to be made.
_WAITING = 16


class UdpRelay(asyncio.DatagramProtocol):
    """One UDP socket of a Service. Each client has a socket of its own towards its endpoint, until it is idle."""

    def __init__(self, pick: Callable[[str], Endpoint | None], idle: float) -> None:
        self._pick = pick
        self._idle = idle
        self._transport: asyncio.DatagramTransport | None = None
        self._flows: dict[Address, _Flow] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        flow = self._flows.get(addr)
        if flow is None:
            endpoint = self._pick(addr[0])
            if endpoint is None:
                return
            flow = self._flows[addr] = _Flow((endpoint.ip, endpoint.port), partial(self._answer, addr), self._idle)
            task = asyncio.get_running_loop().create_task(self._open(addr, flow))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        flow.send(data)

    def keep(self, endpoints: frozenset[Address]) -> None:
        """Ends the flows to endpoints that are gone: the next datagram goes elsewhere."""
        for addr in [addr for addr, flow in self._flows.items() if flow.endpoint not in endpoints]:
            self._drop(addr)

    def close(self) -> None:
        for addr in [*self._flows]:
            self._drop(addr)
        if self._transport is not None:
            self._transport.close()

    async def _open(self, addr: Address, flow: _Flow) -> None:
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: flow, remote_addr=flow.endpoint)
        except OSError:
            self._drop(addr)
            return
        await flow.ended.wait()
        if self._flows.get(addr) is flow:
            self._drop(addr)

    def _answer(self, addr: Address, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)

    def _drop(self, addr: Address) -> None:
        flow = self._flows.pop(addr, None)
        if flow is not None:
            flow.close()


class _Flow(asyncio.DatagramProtocol):
    """A client's socket towards its endpoint."""

    def __init__(self, endpoint: Address, answer: Callable[[bytes], None], idle: float) -> None:
        self.endpoint = endpoint
        self.ended = asyncio.Event()
        self._answer = answer
        self._idle = idle
        self._waiting: list[bytes] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self.ended.is_set():
            transport.close()
            return
        for data in self._waiting:
            self.send(data)
        self._waiting.clear()

    def send(self, data: bytes) -> None:
        self._touch()
        if self._transport is not None:
            self._transport.sendto(data)
        elif len(self._waiting) < _WAITING:
            self._waiting.append(data)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._touch()
        self._answer(data)

    def error_received(self, exc: Exception) -> None:
        # The endpoint refuses: let the next datagram choose again.
        self.close()

    def close(self) -> None:
        self.ended.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            with suppress(OSError):
                self._transport.close()

    def _touch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle, self.close)
