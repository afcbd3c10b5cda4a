"""The watchers of the fan-out, as a process of their own, and the run that feeds them.

`python -m benchmarks.apiserver.fanout PORT PATH WATCHERS EVENTS` opens the watches, says `ready`, and prints the moment
(monotonic, the machine's) when each of them had all events. The watchers share the machine with the server, so they do
no more than decrypt, count bytes, and look at the first watch's events.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable

import uvloop
from benchmarks.apiserver.connection import Connection, head, insecure_tls
from benchmarks.apiserver.pods import Loader
from benchmarks.apiserver.served import USER, Served

_WITHIN_SECONDS = 60.0
_BUFFER_BYTES = 256 * 1024


class Watch:
    """One watch: `payload` is how many bytes of events have come. They are in chunks, whose borders are read here."""

    def __init__(self, port: int, path: str, tls: ssl.SSLContext) -> None:
        self.payload = 0
        self._left = 0
        # The line of a chunk's border that has not wholly come yet.
        self._border = b""
        self._socket = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), _WITHIN_SECONDS))
        self._socket.sendall(head("GET", path, USER))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(_BUFFER_BYTES)
        _head, _, rest = answer.partition(b"\r\n\r\n")
        self._socket.setblocking(False)
        if rest:
            raise RuntimeError("an event before the first create")

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self, buffer: memoryview, look: Callable[[memoryview], None] | None = None) -> None:
        """Reads all that has come, and shows `look` the events in it."""
        while True:
            try:
                size = self._socket.recv_into(buffer)
            except ssl.SSLWantReadError:
                return
            if not size:
                raise ConnectionError("a watch ended early")
            self._unframe(buffer[:size], look)

    def _unframe(self, data: memoryview, look: Callable[[memoryview], None] | None) -> None:
        while data:
            if self._left:
                part = data[: self._left]
                self._left -= len(part)
                self.payload += len(part)
                if look:
                    look(part)
            else:
                part = data[: bytes(data[:20]).find(b"\n") + 1] or data
                self._border += part
                if self._border.endswith(b"\n"):
                    self._left = int(self._border.strip() or b"0", 16)
                    self._border = b""
            data = data[len(part) :]


class Watches:
    """All watches. The first one's events are counted; the others have them all when they have as many bytes."""

    def __init__(self, port: int, path: str, watchers: int) -> None:
        tls = insecure_tls()
        self._watches = {watch.fileno(): watch for watch in (Watch(port, path, tls) for _ in range(watchers))}
        self._first = next(iter(self._watches.values()))
        self._events = 0

    def run(self, events: int) -> None:
        """Returns when every watch has had all events, which are the same for all."""
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        poll = select.epoll()
        for descriptor in self._watches:
            poll.register(descriptor, select.EPOLLIN)
        waiting = dict(self._watches)
        until = time.monotonic() + _WITHIN_SECONDS
        while waiting:
            for descriptor, _ in poll.poll(until - time.monotonic()):
                watch = self._watches[descriptor]
                watch.receive(buffer, self._count if watch is self._first else None)
            if time.monotonic() > until:
                raise TimeoutError(f"{len(waiting)} watches have not had all events")
            if self._events >= events:
                done = [number for number, watch in waiting.items() if watch.payload >= self._first.payload]
                for number in done:
                    del waiting[number]

    def _count(self, part: memoryview) -> None:
        # Every event ends with the only line break in it.
        self._events += bytes(part).count(b"\n")


async def _revision(port: int, path: str) -> str:
    connection = await Connection.open(port, USER)
    _status, body = await connection.request("GET", f"{path}?limit=1")
    connection.close()
    return body.partition(b'"resourceVersion":"')[2].partition(b'"')[0].decode()


def _main(port: int, path: str, watchers: int, events: int) -> None:
    revision = uvloop.run(_revision(port, path))
    watches = Watches(port, f"{path}?watch=1&resourceVersion={revision}", watchers)
    print("ready", flush=True)
    watches.run(events)
    print(time.monotonic(), flush=True)


async def fan_out(served: Served, path: str, watchers: int, bodies: list[bytes]) -> float:
    """Events per second, from the first create that is sent until the last watcher has had the last event."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.apiserver.fanout", str(served.port), path, str(watchers), str(len(bodies))),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    loader = await Loader.open(served.port, USER)
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            if await process.stdout.readline() != b"ready\n":
                raise RuntimeError("the watchers could not begin")
            began = time.monotonic()
            await loader.create(path, bodies)
            ended = float(await process.stdout.readline())
    finally:
        loader.close()
        if process.returncode is None:
            process.kill()
        await process.wait()
    return watchers * len(bodies) / (ended - began)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
