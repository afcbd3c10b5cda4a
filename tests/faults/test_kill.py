"""`kill -9` of the API server under load: nothing acknowledged is lost, no event is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from tests.faults.clients import PATH, SELECTED, Client, Run, change_of, watch
from tests.faults.history import Change, problems
from tests.faults.process import ApiServerProcess

WATCHES, KILLS = 4, 6
# Acknowledged writes between two kills, at most.
BETWEEN = 300


async def test_nothing_is_lost_when_the_server_is_killed_again_and_again(tmp_path: Path) -> None:
    chance = random.Random(3)
    async with ApiServerProcess(tmp_path) as server:
        run = Run(server)
        since = (await listed(server))[0]
        async with asyncio.TaskGroup() as tasks:
            for number in range(WATCHES):
                run.history.watched.append((since, seen := []))
                tasks.create_task(watch(run, since, seen, bookmarks=number % 2 == 1))
            for number in range(12):
                client = Client(run, number)
                acts = (client.replace, client.apply, client.tell_status, client.batch, client.list, client.replace)
                tasks.create_task(client.until_stopped(acts[number % len(acts)]))
            for _ in range(KILLS):
                await run.grown(chance.randrange(50, BETWEEN))
                await server.kill()
                await server.start()
            await run.grown(50)
            run.stop.set()
        # A watch that begins at the start hears the same story as those that lived through it.
        late: list[Change] = []
        await watch(run, since, late)
        run.history.watched.append((since, late))
        _, final = await listed(server)
        assert "Traceback" not in server.log
    assert problems(run.history, final) == []
    assert len(run.history.acknowledged) > KILLS * 50
    assert len(run.history.lists) > KILLS and len(run.history.deleted) > KILLS


async def listed(server: ApiServerProcess) -> tuple[int, dict[str, Change]]:
    """The present revision and state."""
    _, found = await server.call("GET", f"{PATH}?{SELECTED}")
    changes = [change_of(item, deleted=False) for item in found["items"]]
    return int(found["metadata"]["resourceVersion"]), {change.name: change for change in changes}
