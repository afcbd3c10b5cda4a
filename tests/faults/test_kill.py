"""`kill -9` of the API server under load: nothing acknowledged is lost, no event is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.history import Change, History, problems
from tests.faults.process import ApiServerProcess, Connection

PATH = "/api/v1/namespaces/default/configmaps"
SELECTED = "labelSelector=kind%3Dload"
WRITERS, NAMES, WATCHES, KILLS = 8, 6, 3, 4
# Acknowledged writes between two kills, at most.
BETWEEN = 400
# What a client meets when the server dies.
BROKEN = (ConnectionError, asyncio.IncompleteReadError, OSError)


async def test_nothing_is_lost_when_the_server_is_killed_again_and_again(tmp_path: Path) -> None:
    chance, history = random.Random(3), History()
    async with ApiServerProcess(tmp_path) as server:
        stop, more = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            since = await revision(server)
            for _ in range(WATCHES):
                seen: list[Change] = []
                history.watched.append((since, seen))
                tasks.create_task(watch(server, since, seen, lambda: last(history) if stop.is_set() else None))
            load = [tasks.create_task(write(server, n, history, stop, more)) for n in range(WRITERS)]
            for _ in range(KILLS):
                await grown(history, more, chance.randrange(50, BETWEEN))
                await server.kill()
                await server.start()
            await grown(history, more, 50)
            stop.set()
            await asyncio.wait(load)
        # A watch that begins at the start hears the same story as those that lived through it.
        late: list[Change] = []
        await watch(server, since, late, lambda: last(history))
        history.watched.append((since, late))
        final = {change.name: change for change in await listed(server)}
    assert problems(history, final) == []
    assert len(history.acknowledged) > KILLS * 50


async def grown(history: History, more: asyncio.Event, by: int) -> None:
    """Returns when that many more writes have been acknowledged."""
    goal = len(history.acknowledged) + by
    async with asyncio.timeout(60):
        while len(history.acknowledged) < goal:
            more.clear()
            await more.wait()


def last(history: History) -> int:
    return max(change.revision for change in history.acknowledged)


async def write(
    server: ApiServerProcess, number: int, history: History, stop: asyncio.Event, more: asyncio.Event
) -> None:
    """Creates, replaces and deletes objects of its own; what is broken off is tried no more."""
    chance, values = random.Random(number), itertools.count()
    connection: Connection | None = None
    while not stop.is_set():
        name, value = f"w{number}-{chance.randrange(NAMES)}", f"{number}.{next(values)}"
        history.attempted.add(value)
        body = {"metadata": {"name": name, "labels": {"kind": "load"}}, "data": {"value": value}}
        method, path = chance.choice([("POST", PATH), ("PUT", f"{PATH}/{name}"), ("PUT", f"{PATH}/{name}")])
        try:
            connection = connection or await server.connect()
            if chance.random() < 0.1:
                # Its answer does not carry the revision; the watches tell it.
                await connection.call("DELETE", f"{PATH}/{name}")
                continue
            status, _, answer = await connection.call(method, path, body)
        except BROKEN:
            connection = None
            continue
        if status in (200, 201):
            history.acknowledged.append(change_of(msgspec.json.decode(answer), deleted=False))
            more.set()
        else:
            assert status in (404, 409), answer


def change_of(obj: Any, deleted: bool) -> Change:
    metadata = obj["metadata"]
    return Change(int(metadata["resourceVersion"]), metadata["name"], obj["data"]["value"], deleted)


async def watch(server: ApiServerProcess, since: int, seen: list[Change], until: Callable[[], int | None]) -> None:
    """Watches, goes on where it was after every break, and ends when it has seen the revision `until`."""
    while True:
        at = seen[-1].revision if seen else since
        end = until()
        if end is not None and at >= end:
            return
        try:
            connection = await server.connect()
            # A short watch, so that `until` is asked now and then.
            connection.request("GET", f"{PATH}?watch=true&timeoutSeconds=1&{SELECTED}&resourceVersion={at}")
            await connection.answer_head()
            text = b""
            async for chunk in connection.chunks():
                *lines, text = (text + chunk).split(b"\n")
                seen.extend(event(line) for line in lines)
        except BROKEN:
            continue


def event(line: bytes) -> Change:
    found = msgspec.json.decode(line)
    assert found["type"] in ("ADDED", "MODIFIED", "DELETED"), found
    return change_of(found["object"], found["type"] == "DELETED")


async def revision(server: ApiServerProcess) -> int:
    _, found = await server.call("GET", f"{PATH}?limit=1")
    return int(found["metadata"]["resourceVersion"])


async def listed(server: ApiServerProcess) -> list[Change]:
    _, found = await server.call("GET", f"{PATH}?{SELECTED}")
    return [change_of(item, deleted=False) for item in found["items"]]
