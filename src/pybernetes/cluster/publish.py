"""The nodes' NodePorts on the host: 127.0.<cluster>.<node>:<port> leads to the node's own address, in both directions.

`Publisher.run` follows an async iterator of port sets (the NodePorts of all services); a connection is opened from the
fabric namespace, so that the node sees it come in by its cable. Runs in the cluster's supervisor process.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from pybernetes.environment.namespace import listen_in, open_connection_in
from pybernetes.environment.stream_relay import relay

_log = logging.getLogger(__name__)
_CONNECT_WITHIN = 10.0


@dataclass(frozen=True)
class Published:
    """One node as the host sees it: `host_address` on the host stands for `address` reached from inside `namespace`."""

    node: str
    host_address: str
    address: str
    namespace: str | None


class Publisher:
    """Listens for every node and port, and pipes."""

    def __init__(self, nodes: Sequence[Published]) -> None:
        self._nodes = list(nodes)
        self._ports: frozenset[int] = frozenset()
        self._away: set[str] = set()
        self._servers: dict[tuple[str, int], asyncio.Server] = {}

    async def run(self, ports: AsyncIterator[Iterable[int]]) -> None:
        """Publishes each set of ports as it comes, until cancelled; then everything is closed."""
        try:
            async for wanted in ports:
                self._ports = frozenset(wanted)
                await self._settle()
        finally:
            self._ports = frozenset()
            await self._settle()

    async def set_away(self, node: str, away: bool) -> None:
        """A node that is switched off refuses connections, as an unplugged machine would in the end."""
        (self._away.add if away else self._away.discard)(node)
        await self._settle()

    async def _settle(self) -> None:
        wanted = {
            (node.node, port): node for node in self._nodes if node.node not in self._away for port in self._ports
        }
        for key in set(self._servers) - set(wanted):
            self._servers.pop(key).close()
        for key, node in wanted.items():
            if key not in self._servers:
                await self._listen(node, key[1])

    async def _listen(self, node: Published, port: int) -> None:
        try:
            listener = listen_in(None, node.host_address, port)
        except OSError as error:
            _log.warning("cannot publish %s:%d: %s", node.host_address, port, error)
            return
        self._servers[node.node, port] = await asyncio.start_server(partial(_serve, node, port), sock=listener)


async def _serve(node: Published, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(_CONNECT_WITHIN):
            far_reader, far_writer = await open_connection_in(node.namespace, node.address, port)
    except (OSError, TimeoutError):
        _reset(writer)
        return
    try:
        await relay((reader, writer), (far_reader, far_writer))
    except OSError:
        _reset(writer)
        _reset(far_writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection by a reset, so that the other side does not take it for an orderly end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
