"""NodePorts on the host: bytes both ways, half-closed connections, ports that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from pybernetes.cluster.publish import Published, Publisher

HERE, NODE = "127.0.77.1", "127.0.77.2"


async def serve_shouting() -> tuple[asyncio.Server, int]:
    """Reads all, then answers in capitals: needs the client's end of stream to come through."""

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    server = await asyncio.start_server(shout, NODE, 0)
    return server, server.sockets[0].getsockname()[1]


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(HERE, port)
    try:
        writer.write(b"hello")
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


async def until_published(port: int) -> bytes:
    while True:
        try:
            return await ask(port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


async def test_a_node_port_is_reached_through_the_host_until_it_goes() -> None:
    server, port = await serve_shouting()
    publisher = Publisher([Published("n", HERE, NODE, None)])
    changes: asyncio.Queue[Iterable[int]] = asyncio.Queue()

    async def ports() -> AsyncIterator[Iterable[int]]:
        while True:
            yield await changes.get()

    running = asyncio.create_task(publisher.run(ports()))
    await changes.put({port})
    assert await until_published(port) == b"HELLO"
    await publisher.set_away("n", True)
    with pytest.raises(ConnectionRefusedError):
        await ask(port)
    await publisher.set_away("n", False)
    assert await ask(port) == b"HELLO"
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionResetError):
        await ask(port)
    running.cancel()
    await asyncio.wait([running])
    with pytest.raises(ConnectionRefusedError):
        await ask(port)
