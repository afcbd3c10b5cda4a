"""A disk that does not answer: writes are given up in time, reads go on, and when it answers again nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.faults.disk import AVAILABLE, Disk
from tests.faults.process import ApiServerProcess, Connection, health

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="needs Linux's seccomp")
PATH = "/api/v1/namespaces/default/configmaps"
WRITERS = 20


def body(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"a": "b"}}}


async def state(server: ApiServerProcess) -> dict[str, str]:
    """The names and their revisions."""
    _, found = await server.call("GET", f"{PATH}?labelSelector=a")
    return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in found["items"]}


async def heard(watch: Connection, count: int) -> list[tuple[str, str]]:
    """The next events of a watch: names and revisions."""
    found: list[tuple[str, str]] = []
    text = b""
    async for chunk in watch.chunks():
        *lines, text = (text + chunk).split(b"\n")
        told = (msgspec.json.decode(line)["object"]["metadata"] for line in lines)
        found += [(metadata["name"], metadata["resourceVersion"]) for metadata in told]
        if len(found) >= count:
            break
    return found


async def test_writes_time_out_and_reads_go_on(tmp_path: Path) -> None:
    disk = Disk()
    async with ApiServerProcess(tmp_path, disk=disk) as server:
        assert (await server.call("POST", PATH, body("before")))[0] == 201
        watch = await server.connect()
        watch.request("GET", f"{PATH}?watch=true&labelSelector=a")
        await watch.answer_head()
        disk.stall()
        patient = asyncio.create_task(server.call("POST", PATH, body("patient")))
        await disk.asked.wait()
        given_up = [server.call("POST", f"{PATH}?timeout=1s", body(f"given-up-{n}")) for n in range(WRITERS)]
        for status, answer in await asyncio.gather(*given_up):
            assert (status, answer["reason"]) == (504, "Timeout")
        before = await state(server)
        assert set(before) == {"before"}
        assert (await server.call("GET", f"{PATH}/before"))[0] == 200
        assert (await server.call("GET", "/api/v1/namespaces"))[0] == 200
        assert await health(server, "/livez") == 500
        assert not patient.done()
        disk.recover()
        assert (await patient)[0] == 201
        assert await health(server, "/livez") == 200
        assert (await server.call("POST", PATH, body("after")))[0] == 201
        # What was given up was not taken back: it came after all, once.
        after = await state(server)
        assert set(after) == {"before", "patient", "after", *(f"given-up-{n}" for n in range(WRITERS))}
        assert sorted(await heard(watch, len(after)), key=lambda pair: int(pair[1])) == sorted(
            after.items(), key=lambda pair: int(pair[1])
        )
        await server.kill()
        await server.start()
        assert await state(server) == after
        assert "Traceback" not in server.log


async def test_what_waits_for_the_disk_when_the_power_goes_was_promised_to_nobody(tmp_path: Path) -> None:
    disk = Disk()
    async with ApiServerProcess(tmp_path, disk=disk) as server:
        assert (await server.call("POST", PATH, body("before")))[0] == 201
        disk.stall()
        waiting = asyncio.create_task(server.call("POST", PATH, body("waiting")))
        await disk.asked.wait()
        await server.kill()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await waiting
        disk.recover()
        await server.start()
        found = await state(server)
        assert set(found) - {"waiting"} == {"before"}
        assert (await server.call("POST", PATH, body("after")))[0] == 201
        assert "Traceback" not in server.log
