"""The watchers of the fan-out, as a process of their own, and the run that feeds them.

`python -m benchmarks.apiserver.fanout PORT WATCHERS EVENTS` opens the watches, says `ready`, counts events until each
watch has had all of them, and prints the moment (monotonic, the machine's) of the last one.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

import uvloop
from benchmarks.apiserver.connection import Connection, head, insecure_tls
from benchmarks.apiserver.pods import PATH, load
from benchmarks.apiserver.served import USER, Served

_WITHIN_SECONDS = 60.0
_OPENING_AT_ONCE = 50


class _Watch(asyncio.Protocol):
    """Counts what ends in a brace and a newline: JSON has no bare newlines, and chunk borders end in CR LF."""

    def __init__(self, path: str, events: int) -> None:
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._path = path
        self._left = events
        self._split = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(head("GET", self._path, USER))

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.begun, self.ended):
            if not future.done():
                future.set_exception(exc or ConnectionError("the watch ended early"))

    def data_received(self, data: bytes) -> None:
        if not self.begun.done():
            self.begun.set_result(None)
        self._left -= data.count(b"}\n") + (self._split and data.startswith(b"\n"))
        self._split = data.endswith(b"}")
        if self._left <= 0 and not self.ended.done():
            self.ended.set_result(None)


async def _watch(port: int, watchers: int, events: int) -> None:
    loop, tls = asyncio.get_running_loop(), insecure_tls()
    connection = await Connection.open(port, USER)
    _status, body = await connection.request("GET", f"{PATH}?limit=1")
    revision = body.partition(b'"resourceVersion":"')[2].partition(b'"')[0].decode()
    path = f"{PATH}?watch=1&resourceVersion={revision}"
    opening = asyncio.Semaphore(_OPENING_AT_ONCE)

    async def one() -> _Watch:
        async with opening:
            _transport, watch = await loop.create_connection(
                lambda: _Watch(path, events), "127.0.0.1", port, ssl=tls, server_hostname=""
            )
            await watch.begun
        return watch

    watches = await asyncio.gather(*(one() for _ in range(watchers)))
    print("ready", flush=True)
    async with asyncio.timeout(_WITHIN_SECONDS):
        await asyncio.gather(*(watch.ended for watch in watches))
    print(time.monotonic(), flush=True)


async def fan_out(served: Served, watchers: int, pods: int, prefix: str) -> float:
    """Events per second, from the first create sent until the last watcher has had the last event."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.apiserver.fanout", str(served.port), str(watchers), str(pods)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            if await process.stdout.readline() != b"ready\n":
                raise RuntimeError("the watchers could not begin")
            began = time.monotonic()
            await load(served.port, USER, prefix, pods)
            ended = float(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    return watchers * pods / (ended - began)


if __name__ == "__main__":
    uvloop.run(_watch(*map(int, sys.argv[1:4])))
