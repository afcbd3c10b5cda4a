"""A disk that fails: what was refused does not come back, and what was acknowledged stays, whenever the power goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.disk import AVAILABLE, Disk
from tests.faults.process import ApiServerProcess, health

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="needs Linux's seccomp")
PATH = "/api/v1/namespaces/default/configmaps"


async def create(server: ApiServerProcess, name: str) -> tuple[int, Any]:
    return await server.call("POST", PATH, {"metadata": {"name": name, "labels": {"a": "b"}}})


async def names(server: ApiServerProcess) -> set[str]:
    _, found = await server.call("GET", f"{PATH}?labelSelector=a")
    return {item["metadata"]["name"] for item in found["items"]}


@pytest.mark.parametrize("later", ["killed", "written", "ended"])
async def test_a_write_that_was_refused_does_not_come_back(tmp_path: Path, later: str) -> None:
    disk = Disk()
    async with ApiServerProcess(tmp_path, disk=disk) as server:
        assert (await create(server, "before"))[0] == 201
        disk.fail(1)
        status, answer = await create(server, "refused")
        assert status == 500 and "could not be made durable" in answer["message"]
        assert await names(server) == {"before"}
        expected = {"before"}
        if later == "written":
            assert (await create(server, "after"))[0] == 201
            expected.add("after")
        if later == "ended":
            server.process.terminate()
            await server.process.wait()
        else:
            await server.kill()
        await server.start()
        assert await names(server) == expected
        assert (await create(server, "refused"))[0] == 201
        assert "Traceback" not in server.log


async def test_a_disk_that_goes_on_failing_says_so_until_it_recovers(tmp_path: Path) -> None:
    disk = Disk()
    async with ApiServerProcess(tmp_path, disk=disk) as server:
        assert (await create(server, "before"))[0] == 201
        disk.fail(1000)
        status, answer = await create(server, "doubtful")
        assert status == 500 and "it is not known whether the write is durable" in answer["message"]
        # Only the first one is in doubt: as long as that is so, none is tried.
        status, answer = await create(server, "refused")
        assert status == 500 and "could not be made durable" in answer["message"]
        assert await names(server) == {"before"}
        assert await health(server, "/livez") == 500
        disk.recover()
        assert await health(server, "/livez") == 200
        assert (await create(server, "after"))[0] == 201
        assert await names(server) == {"before", "after"}
        await server.kill()
        await server.start()
        assert await names(server) == {"before", "after"}
        assert "Traceback" not in server.log
