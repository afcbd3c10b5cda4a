"""The clients of the fault tests: each writes, lists or watches in its own way, records what it saw, and begins again
where it was when the server dies.

A writer has names of its own, so that what it knows of them can only be changed by itself.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Any

import msgspec

from tests.faults.history import Change, History, Listed
from tests.faults.process import ApiServerProcess, Connection, head

PATH = "/apis/apps/v1/namespaces/default/deployments"
SELECTED = "labelSelector=kind%3Dload"
# What a client meets when the server dies.
BROKEN = (ConnectionError, asyncio.IncompleteReadError, OSError)
_NAMES, _BATCH, _PAGE = 6, 5, 7
_MERGE, _APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


class Run:
    """What the clients of one run share."""

    def __init__(self, server: ApiServerProcess) -> None:
        self.server = server
        self.history = History()
        self.stop = asyncio.Event()
        # Clients that may still write.
        self.writing = 0
        self._more = asyncio.Event()

    def acknowledge(self, change: Change) -> None:
        self.history.acknowledged.append(change)
        self._more.set()

    def last(self) -> int:
        return max((change.revision for change in self.history.acknowledged), default=0)

    async def grown(self, by: int) -> None:
        """Returns when that many more writes have been acknowledged."""
        goal = len(self.history.acknowledged) + by
        async with asyncio.timeout(60):
            while len(self.history.acknowledged) < goal:
                self._more.clear()
                await self._more.wait()


class Client:
    """One client with one connection, made anew when it breaks."""

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.chance = random.Random(number)
        self._number = number
        self._values = itertools.count()
        self._connection: Connection | None = None

    async def until_stopped(self, act: Callable[[], Any]) -> None:
        self.run.writing += 1
        while not self.run.stop.is_set():
            try:
                await act()
            except BROKEN:
                self._connection = None
        self.run.writing -= 1

    async def call(self, method: str, path: str, body: Any = None, media: str = "application/json") -> tuple[int, Any]:
        self._connection = connection = self._connection or await self.run.server.connect()
        content = b"" if body is None else msgspec.json.encode(body)
        lines = (f"content-type: {media}", f"content-length: {len(content)}")
        connection.writer.write(head(method, path, *lines) + content)
        status, _, answer = await connection.answer()
        return status, msgspec.json.decode(answer)

    async def write(self, method: str, path: str, body: Any, media: str = "application/json") -> int:
        """A write whose answer is the object; recorded when it succeeded. Others may have been broken off before."""
        status, answer = await self.call(method, path, body, media)
        if status in (200, 201):
            self.run.acknowledge(change_of(answer, deleted=False))
        else:
            assert status in (404, 409), answer
        return status

    async def delete(self, name: str) -> None:
        since = self.run.last()
        status, answer = await self.call("DELETE", f"{PATH}/{name}")
        if status == 200:
            self.run.history.deleted.append((name, since))
        else:
            assert status == 404, answer

    def name(self, kind: str) -> str:
        return f"{kind}{self._number}-{self.chance.randrange(_NAMES)}"

    def value(self) -> str:
        value = f"{self._number}.{next(self._values)}"
        self.run.history.attempted.add(value)
        return value

    async def replace(self) -> None:
        """Creates, replaces and deletes."""
        name = self.name("r")
        if self.chance.random() < 0.1:
            await self.delete(name)
        elif self.chance.random() < 0.3:
            await self.write("POST", PATH, deployment(name, self.value()))
        else:
            await self.write("PUT", f"{PATH}/{name}", deployment(name, self.value()))

    async def apply(self) -> None:
        """Applies and merges, which both need the stored state, and deletes."""
        name, chance = self.name("a"), self.chance.random()
        if chance < 0.1:
            await self.delete(name)
        elif chance < 0.7:
            body = deployment(name, self.value())
            await self.write("PATCH", f"{PATH}/{name}?fieldManager=load&force=true", body, _APPLY)
        else:
            body = {"metadata": {"annotations": {"value": self.value()}}}
            await self.write("PATCH", f"{PATH}/{name}", body, _MERGE)

    async def tell_status(self) -> None:
        """Writes the status of what it created once."""
        name, told = self.name("s"), self._number * 1_000_000 + next(self._values)
        self.run.history.attempted.add(f"s{told}")
        body = {"status": {"observedGeneration": told}}
        if await self.write("PATCH", f"{PATH}/{name}/status", body, _MERGE) == 404:
            await self.write("POST", PATH, deployment(name, self.value()))

    async def batch(self) -> None:
        """Creates some, and deletes them as a collection: when that was acknowledged, none is left."""
        label = f"b{self._number}"
        for part in range(_BATCH):
            await self.write("POST", PATH, deployment(f"{label}-{part}", self.value(), label))
        since = self.run.last()
        status, answer = await self.call("DELETE", f"{PATH}?labelSelector=batch%3D{label}")
        assert status == 200, answer
        self.run.history.deleted += [(f"{label}-{part}", since) for part in range(_BATCH)]
        _, left = await self.call("GET", f"{PATH}?labelSelector=batch%3D{label}")
        assert left["items"] == []

    async def list(self) -> None:
        """Lists page by page; the pages are those of one moment, whatever happens in between."""
        reached, token = self.run.last(), ""
        found: dict[str, Change] = {}
        while True:
            status, answer = await self.call("GET", f"{PATH}?{SELECTED}&limit={_PAGE}{token}")
            assert status == 200, answer
            changes = [change_of(item, deleted=False) for item in answer["items"]]
            found.update((change.name, change) for change in changes)
            if not (following := answer["metadata"].get("continue")):
                break
            token = f"&continue={following}"
        self.run.history.lists.append(Listed(int(answer["metadata"]["resourceVersion"]), reached, found))


def deployment(name: str, value: str, batch: str = "") -> dict[str, Any]:
    labels = {"kind": "load", **({"batch": batch} if batch else {})}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels, "annotations": {"value": value}},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template},
    }


def change_of(obj: Any, deleted: bool) -> Change:
    metadata = obj["metadata"]
    told = obj["status"].get("observedGeneration")
    value = metadata["annotations"]["value"] + (f"|s{told}" if told else "")
    return Change(int(metadata["resourceVersion"]), metadata["name"], value, deleted)


async def watch(run: Run, since: int, seen: list[Change], bookmarks: bool = False) -> None:
    """Watches, goes on where it was after every break, and ends when it has seen what was acknowledged to all."""
    at, is_last = since, False
    while not (is_last and at >= run.last()):
        # One that begins when nobody writes any more hears of the last deletions, too.
        is_last = run.stop.is_set() and not run.writing
        try:
            connection = await run.server.connect()
            # A short watch, so that the end is looked for now and then.
            words = f"watch=true&timeoutSeconds=1&{SELECTED}&resourceVersion={at}"
            connection.request("GET", f"{PATH}?{words}&allowWatchBookmarks={str(bookmarks).lower()}")
            await connection.answer_head()
            text = b""
            async for chunk in connection.chunks():
                *lines, text = (text + chunk).split(b"\n")
                for line in lines:
                    at = max(at, heard(msgspec.json.decode(line), seen))
        except BROKEN:
            is_last = False


def heard(event: Any, seen: list[Change]) -> int:
    """Records an event; the revision from which the next watch goes on."""
    if event["type"] != "BOOKMARK":
        assert event["type"] in ("ADDED", "MODIFIED", "DELETED"), event
        seen.append(change_of(event["object"], event["type"] == "DELETED"))
    return int(event["object"]["metadata"]["resourceVersion"])
