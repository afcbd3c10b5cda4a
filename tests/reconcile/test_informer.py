"""What an informer knows and tells, whatever becomes of its watch; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.wire import Response
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import LoopClock
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.reconcile import Informer, Informers

PODS = "/api/v1/namespaces/shop/pods"


class Told:
    """The changes in words: `+web`, `~web`, `-web`."""

    def __init__(self) -> None:
        self.changes: list[str] = []

    def __call__(self, old: Pod | None, new: Pod | None) -> None:
        sign = "+" if old is None else "-" if new is None else "~"
        obj = new or old
        assert obj is not None
        self.changes.append(f"{sign}{obj.metadata.name}")


async def settle() -> None:
    """Lets everything happen that needs no time (virtual time stands still until all wait)."""
    await asyncio.sleep(0.001)


def following(api: Any, scenario: Callable[[Informer[Pod], Told], Awaitable[None]]) -> None:
    """Runs a scenario beside a synced informer of pods."""

    async def main() -> None:
        informers = Informers(api.client, LoopClock(datetime(2026, 1, 1, tzinfo=UTC)), Chance(1))
        informer, told = informers.of(Pod), Told()
        informer.on_change(told)
        informer.add_index("app", lambda pod: [pod.metadata.labels.get("app", "")])
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(informers.run())
            await informer.wait_synced()
            await scenario(informer, told)
            running.cancel()

    run_virtual(main())


def test_the_cache_follows(api: Any) -> None:
    async def scenario(informer: Informer[Pod], told: Told) -> None:
        await settle()
        await api.pod("a", app="x")
        await api.pod("b", app="y")
        await api.pod("b", app="x")
        await api.delete(f"{PODS}/a")
        await settle()
        assert told.changes == ["+a", "+b", "~b", "-a"]
        assert [pod.metadata.name for pod in informer.cache.by_index("app", "x")] == ["b"]
        assert informer.cache.by_index("app", "y") == []
        assert informer.cache.get("shop", "a") is None
        assert api.requests == ["GET /api/v1/pods", "WATCH /api/v1/pods"]

    following(api, scenario)


def test_what_was_there_is_told_first(api: Any) -> None:
    async def scenario(informer: Informer[Pod], told: Told) -> None:
        late = Told()
        informer.on_change(late)
        assert told.changes == late.changes == ["+old"]

    asyncio.run(api.pod("old"))
    following(api, scenario)


def test_a_lost_watch_goes_on_where_it_ended(api: Any) -> None:
    async def scenario(informer: Informer[Pod], told: Told) -> None:
        await settle()
        await api.lose_watches()
        await api.pod("a")
        await asyncio.sleep(2)
        assert told.changes == ["+a"]
        assert api.requests.count("GET /api/v1/pods") == 1

    following(api, scenario)


def test_after_compaction_the_differences_are_told(api: Any) -> None:
    async def scenario(informer: Informer[Pod], told: Told) -> None:
        await settle()
        for name in ("kept", "changed", "gone", "replaced"):
            await api.pod(name)
        await settle()
        told.changes.clear()
        api.transport.cut()
        await api.lose_watches()
        await settle()
        await api.delete(f"{PODS}/gone")
        await api.pod("changed", app="x")
        await api.pod("new")
        await api.put(f"{PODS}/replaced", {"metadata": {"name": "replaced", "namespace": "shop"}}, uid="other")
        await api.lose_watches(forget=True)
        await api.pod("later")
        api.transport.mend()
        await asyncio.sleep(60)
        assert sorted(told.changes) == sorted(["-gone", "~changed", "+new", "-replaced", "+replaced", "+later"])
        assert len(informer.cache) == 5

    following(api, scenario)


def test_an_unreachable_server_is_asked_ever_more_seldom(api: Any) -> None:
    async def scenario(informer: Informer[Pod], told: Told) -> None:
        await settle()
        before = len(api.requests)
        api.refuse = [Response(500, {}, b"broken")] * 1000
        await api.lose_watches()
        await asyncio.sleep(600)
        assert 15 < len(api.requests) - before < 40
        api.refuse = []
        await api.pod("a")
        await asyncio.sleep(31)
        assert told.changes == ["+a"]

    following(api, scenario)


def test_a_callback_that_fails_keeps_no_news_from_others(api: Any) -> None:
    async def scenario(informer: Informer[Pod], told: Told) -> None:
        def broken(old: Pod | None, new: Pod | None) -> None:
            raise ValueError("mistake")

        later = Told()
        informer.on_change(broken)
        informer.on_change(later)
        await api.pod("a")
        await settle()
        assert told.changes == later.changes == ["+a"]

    following(api, scenario)


def test_informers_are_shared_by_kind_and_selection(api: Any) -> None:
    informers = Informers(api.client, LoopClock(datetime(2026, 1, 1, tzinfo=UTC)), Chance(1))
    assert informers.of(Pod) is informers.of(Pod)
    assert informers.of(Pod) is not informers.of(Pod, field_selector="spec.nodeName=n1")
