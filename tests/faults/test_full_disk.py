"""No room for another byte: writes are refused in etcd's words, nothing is lost, and with room again all goes on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pybernetes.environment.process import run
from tests.faults.process import ApiServerProcess

PATH = "/api/v1/namespaces/default/configmaps"
# Bytes that the operating system lets the store have.
ROOM = 3_000_000


async def filled(server: ApiServerProcess) -> tuple[dict[str, str], list[tuple[int, dict[str, str]]]]:
    """Writes until three writes in a row are refused; what was acknowledged, and the refusals."""
    held: dict[str, str] = {}
    refused: list[tuple[int, dict[str, str]]] = []
    for n in range(1000):
        value = f"{n}-" + "x" * 100_000
        status, answer = await server.call("POST", PATH, {"metadata": {"name": f"f{n}"}, "data": {"v": value}})
        if status == 201:
            held[f"f{n}"] = value
        else:
            refused.append((status, answer))
        if len(refused) == 3:
            return held, refused
    raise AssertionError("the disk never became full")


async def state(server: ApiServerProcess) -> dict[str, str]:
    _, found = await server.call("GET", PATH)
    items = [item for item in found["items"] if item["metadata"]["name"] != "kube-root-ca.crt"]
    return {item["metadata"]["name"]: item["data"]["v"] for item in items}


@asynccontextmanager
async def limited_files(folder: Path) -> AsyncIterator[tuple[ApiServerProcess, Callable[[], Awaitable[None]]]]:
    """A server whose files may not grow beyond ROOM, and what gives them room again."""
    async with ApiServerProcess(folder, limits=[f"--fsize={ROOM}:unlimited"]) as server:

        async def give_room() -> None:
            await run(["prlimit", "--fsize=unlimited", f"--pid={server.process.pid}"])
            server.limits = []

        yield server, give_room


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[tuple[ApiServerProcess, Callable[[], Awaitable[None]]]]:
    """A server on a file system of its own that is full at ROOM, and what makes that larger."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    data = folder / "data"
    data.mkdir()
    await run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(data)])
    try:
        async with ApiServerProcess(folder) as server:
            yield server, lambda: grow(data)
    finally:
        await run(["umount", str(data)])


async def grow(data: Path) -> None:
    await run(["mount", "-o", "remount,size=100m", str(data)])


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("place", "message"),
    [(limited_files, "disk I/O error"), (small_disk, "etcdserver: mvcc: database space exceeded")],
)
async def test_a_full_disk_refuses_writes_and_loses_nothing(
    tmp_path: Path, place: Any, message: str, restarted: bool
) -> None:
    async with place(tmp_path) as (server, give_room):
        held, refused = await filled(server)
        for status, answer in refused:
            assert status == 500 and answer["message"].endswith(message)
        assert await state(server) == held
        assert (await server.call("GET", f"{PATH}/f0"))[0] == 200
        if restarted:
            await server.kill()
            server.limits = []
            if place is small_disk:
                await give_room()
            await server.start()
        else:
            await give_room()
        assert await state(server) == held
        status, _ = await server.call("POST", PATH, {"metadata": {"name": "after"}, "data": {"v": "1"}})
        assert status == 201
        assert await state(server) == held | {"after": "1"}
        assert (await server.call("DELETE", f"{PATH}/f0"))[0] == 200
        assert "Traceback" not in server.log
