"""Moves bytes between a client and a node until either of them ends: port-forward, SPDY, proxied upgrades."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pybernetes.api.wire import Channel
from pybernetes.apiserver.connect.node_connection import ByteStream

_log = logging.getLogger(__name__)


async def either(first: Awaitable[None], second: Awaitable[None]) -> None:
    """Runs both until one ends, then ends the other; a connection that breaks is an end like any other."""
    tasks = [asyncio.ensure_future(each) for each in (first, second)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, OSError):
                _log.debug("a relayed connection ended: %s", result)
            elif isinstance(result, Exception):
                raise result


async def until_closed(client: Channel) -> None:
    """Passes over what a client says until it has nothing more to say."""
    while await client.receive() is not None:
        pass


def relayed(node: ByteStream) -> Callable[[Channel], Awaitable[None]]:
    """What serves an upgrade that is passed on unread."""

    async def serve(client: Channel) -> None:
        try:
            await either(_to_node(client, node), _to_client(node, client))
        finally:
            await node.close()
        await client.close()

    return serve


async def _to_node(client: Channel, node: ByteStream) -> None:
    while (message := await client.receive()) is not None:
        await node.write(message.encode() if isinstance(message, str) else message)


async def _to_client(node: ByteStream, client: Channel) -> None:
    while data := await node.read():
        await client.send(data)
