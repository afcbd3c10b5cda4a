"""Carries bytes between two TCP connections, both ways. Used by whoever stands between a client and a server."""

from __future__ import annotations

import asyncio

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK = 1 << 16


async def relay(near: Streams, far: Streams) -> None:
    """Copies until both sides have said all; one direction may end before the other. Raises OSError when one breaks.

    Both connections are closed afterwards.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_copy(near[0], far[1]))
            tasks.create_task(_copy(far[0], near[1]))
    except* OSError as group:
        raise OSError(str(group.exceptions[0])) from group
    finally:
        near[1].close()
        far[1].close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
