"""A good client in a process of its own, so that it measures the server and not those who attack it.

`python -m benchmarks.load.neighbour PORT` reads and writes twenty times a second on one connection, and once a
second on a new one; when its stdin ends it prints a `Report` as JSON. Started by `__main__`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

import uvloop
from benchmarks.apiserver.connection import Connection
from benchmarks.apiserver.served import ADMIN

_PATH = "/api/v1/namespaces/default/configmaps/neighbour"
_PAUSE_SECONDS = 0.05
_GIVEN_UP_AFTER_SECONDS = 60.0


@dataclass
class Report:
    """Seconds and counts. `longest` is of a request on the kept connection, `longest_new` of one with its handshake."""

    served: int = 0
    failed: int = 0
    longest: float = 0.0
    longest_new: float = 0.0

    def note(self, waited: float, good: bool, is_new: bool) -> None:
        """One request more."""
        self.served, self.failed = self.served + good, self.failed + (not good)
        if is_new:
            self.longest_new = max(self.longest_new, waited)
        else:
            self.longest = max(self.longest, waited)


async def ask(connection: Connection, number: int) -> bool:
    """A write for every other read."""
    body = {"metadata": {"name": "neighbour"}, "data": {"n": str(number)}}
    method = "PUT" if number % 2 else "GET"
    async with asyncio.timeout(_GIVEN_UP_AFTER_SECONDS):
        status, _ = await connection.request(method, _PATH, json.dumps(body).encode() if number % 2 else None)
    return status == 200


async def keep_asking(port: int, report: Report, is_new: bool) -> None:
    """Asks until cancelled, on the same connection or on a new one every time."""
    connection: Connection | None = None
    number = 0
    try:
        while True:
            number += 1
            began = time.monotonic()
            try:
                async with asyncio.timeout(_GIVEN_UP_AFTER_SECONDS):
                    connection = connection or await Connection.open(port, ADMIN)
                good = await ask(connection, number)
            except (OSError, TimeoutError):
                good, connection = False, None
            report.note(time.monotonic() - began, good, is_new)
            if is_new and connection is not None:
                connection.close()
                connection = None
            await asyncio.sleep(1.0 if is_new else _PAUSE_SECONDS)
    finally:
        if connection is not None:
            connection.close()


async def main(port: int) -> None:
    report = Report()
    first = await Connection.open(port, ADMIN)
    await first.request("POST", _PATH.rpartition("/")[0], b'{"metadata":{"name":"neighbour"}}')
    first.close()
    asking = [asyncio.create_task(keep_asking(port, report, is_new)) for is_new in (False, True)]
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    print(json.dumps(asdict(report)))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
