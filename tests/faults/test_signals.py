"""A server that is asked to end: what it still does, how it ends, and that it can be hurried."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.process import ApiServerProcess

MAPS = "/api/v1/namespaces/default/configmaps"


async def test_a_signal_ends_watches_cleanly_and_the_process_well(tmp_path: Path) -> None:
    async with ApiServerProcess(tmp_path) as server:
        watch, idle = await server.connect(), await server.connect()
        watch.request("GET", f"{MAPS}?watch=true")
        assert (await watch.answer_head())[0] == 200
        assert (await idle.call("POST", MAPS, {"metadata": {"name": "kept"}}))[0] == 201
        server.process.send_signal(signal.SIGTERM)
        assert [chunk async for chunk in watch.chunks()][1:] == []
        assert await idle.ended() == b""
        assert await server.process.wait() == 0
        await server.start()
        assert (await server.call("GET", f"{MAPS}/kept"))[0] == 200


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with ApiServerProcess(tmp_path, flags=["--shutdown-delay-duration=1h"]) as server:
        server.process.send_signal(signal.SIGTERM)
        connection = await server.connect()
        while (await connection.call("GET", "/readyz"))[0] == 200:
            continue
        status, _, body = await connection.call("GET", "/readyz?verbose")
        assert (status, b"[-]shutdown failed: reason withheld\n" in body) == (500, True)
        assert (await server.call("POST", MAPS, {"metadata": {"name": "m"}}))[0] == 201
        server.process.send_signal(signal.SIGTERM)
        assert await server.process.wait() == 1
