"""The cases: each lets a crowd of strangers loose on a server for some seconds, and ends when they have left.

A case takes the `Scene` and returns how many of its strangers the server has closed itself. Called by `__main__`.
"""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.apiserver.connection import Connection, head
from benchmarks.apiserver.served import ADMIN, Served
from benchmarks.load.strangers import HALF_HELLO, Stranger, crowd, every_second

PATH = "/api/v1/namespaces/default/configmaps"
# What is in each of the objects that are listed, and in each version of the one that is watched.
_TEXT = "x" * 5_000
_LONG_TEXT = "x" * 50_000
_FEW_DESCRIPTORS = 200


@dataclass
class Scene:
    """One server, and how hard it is tried: `crowd` strangers for `seconds`; `changes` of what they watch."""

    served: Served
    crowd: int
    seconds: int
    changes: int

    @property
    def port(self) -> int:
        return self.served.port


Case = Callable[[Scene], Awaitable[int]]


def left(strangers: list[Stranger]) -> int:
    """Sends them all away; how many the server had closed before."""
    gone = sum(stranger.gone.is_set() for stranger in strangers)
    for stranger in strangers:
        stranger.leave()
    return gone


async def nobody(scene: Scene) -> int:
    await asyncio.sleep(scene.seconds)
    return 0


def watcher(own_selection: bool) -> Callable[[Stranger, int], None]:
    def begin(stranger: Stranger, number: int) -> None:
        stranger.shut_ears()
        selector = f"&labelSelector=!n{number}" if own_selection else ""
        stranger.say(head("GET", f"{PATH}?watch=true&fieldSelector=metadata.name%3Dwatched{selector}", ADMIN))

    return begin


@asynccontextmanager
async def changing(scene: Scene) -> Any:
    """A watched object that changes all the time, as fast as the server allows."""
    writer = await Connection.open(scene.port, ADMIN)
    await writer.request("POST", PATH, b'{"metadata":{"name":"watched"}}')

    async def change() -> None:
        for number in range(scene.changes):
            body = {"metadata": {"name": "watched"}, "data": {"v": f"{number}{_LONG_TEXT}"}}
            await writer.request("PUT", f"{PATH}/watched", json.dumps(body).encode())

    changes = asyncio.create_task(change())
    try:
        yield
        await changes
    finally:
        changes.cancel()
        writer.close()


def slow_watchers(own_selection: bool) -> Case:
    async def case(scene: Scene) -> int:
        strangers = await crowd(scene.port, scene.crowd, watcher(own_selection))
        async with changing(scene):
            await every_second(scene.seconds, strangers, Stranger.sip)
        return left(strangers)

    return case


async def deaf_watchers(scene: Scene) -> int:
    strangers = await crowd(scene.port, scene.crowd, watcher(own_selection=True))
    async with changing(scene):
        await asyncio.sleep(scene.seconds)
    return left(strangers)


async def filled(scene: Scene) -> None:
    """A thousand objects, 5 MB, for the lists."""
    writer = await Connection.open(scene.port, ADMIN)
    for number in range(1000):
        await writer.create(PATH, {"metadata": {"name": f"listed-{number}"}, "data": {"v": _TEXT}})
    writer.close()


def deaf_lists(own_selection: bool) -> Case:
    async def case(scene: Scene) -> int:
        def begin(stranger: Stranger, number: int) -> None:
            stranger.shut_ears()
            stranger.say(head("GET", f"{PATH}?labelSelector=!n{number if own_selection else ''}", ADMIN))

        strangers = await crowd(scene.port, scene.crowd // 5, begin)
        await asyncio.sleep(scene.seconds)
        return left(strangers)

    return case


async def pipelines(scene: Scene) -> int:
    def begin(stranger: Stranger, _number: int) -> None:
        stranger.shut_ears()
        stranger.say(head("GET", f"{PATH}?limit=100", ADMIN) * 500)

    strangers = await crowd(scene.port, scene.crowd // 5, begin)
    await asyncio.sleep(scene.seconds)
    return left(strangers)


async def half_heads(scene: Scene) -> int:
    strangers = await crowd(scene.port, scene.crowd, lambda s, _: s.say(head("GET", PATH, ADMIN)[:-2]))
    await asyncio.sleep(scene.seconds)
    return left(strangers)


async def half_bodies(scene: Scene) -> int:
    part = head("POST", PATH, ADMIN, 3_000_000) + b"x" * 2_900_000
    strangers = await crowd(scene.port, scene.crowd, lambda s, _: s.say(part))
    await asyncio.sleep(scene.seconds)
    return left(strangers)


async def drop_by_drop(scene: Scene) -> int:
    """A byte a second."""
    text = iter(head("POST", PATH, ADMIN, 1000).decode() * 100)
    strangers = await crowd(scene.port, scene.crowd, lambda _s, _n: None)

    async def drop(stranger: Stranger) -> None:
        stranger.say(byte)

    for _ in range(scene.seconds):
        byte = next(text).encode()
        await every_second(1, strangers, drop)
    return left(strangers)


def flood(tls: bool, words: bytes, times: int) -> Case:
    async def case(scene: Scene) -> int:
        strangers = await crowd(scene.port, scene.crowd * times, lambda s, _: s.say(words), tls)
        await asyncio.sleep(scene.seconds)
        return left(strangers)

    return case


async def no_descriptors(scene: Scene) -> int:
    """The server may open a few files only; far more strangers come and stay."""
    before = resource.prlimit(scene.served.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(scene.served.pid, resource.RLIMIT_NOFILE, (_FEW_DESCRIPTORS, before[1]))
    try:
        strangers = await crowd(scene.port, scene.crowd, lambda _s, _n: None, tls=False)
        await asyncio.sleep(scene.seconds)
        return left(strangers)
    finally:
        resource.prlimit(scene.served.pid, resource.RLIMIT_NOFILE, before)


CASES: dict[str, tuple[str, Case]] = {
    "nobody": ("nobody", nobody),
    "slow": ("slow watchers, a sip a second, all of the same", slow_watchers(own_selection=False)),
    "slow-own": ("slow watchers, each of its own selection", slow_watchers(own_selection=True)),
    "deaf": ("watchers that never read, each of its own selection", deaf_watchers),
    "lists": ("lists of 5 MB never read, a fifth of the crowd", deaf_lists(own_selection=False)),
    "lists-own": ("the same, each of its own selection", deaf_lists(own_selection=True)),
    "pipelines": ("500 lists in a row, never read, a fifth of the crowd", pipelines),
    "heads": ("half a head", half_heads),
    "bodies": ("2.9 of 3.0 MB of a body", half_bodies),
    "drops": ("a byte a second", drop_by_drop),
    "raw": ("connections that say nothing, five crowds", flood(False, b"", 5)),
    "hellos": ("TLS handshakes begun, three crowds", flood(False, HALF_HELLO, 3)),
    "silent": ("TLS, then nothing, two crowds", flood(True, b"", 2)),
    "descriptors": (f"a server of {_FEW_DESCRIPTORS} descriptors, a crowd that says nothing", no_descriptors),
}
