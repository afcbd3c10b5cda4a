"""The order of waiting pods, and when failed ones come back; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from pybernetes.environment.virtual_time import run_virtual
from pybernetes.scheduler.hints import Change
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.queue import SchedulingQueue
from tests.scheduler.builders import make_pod

FIT = frozenset({"NodeResourcesFit"})


def info(name: str, priority: int = 0) -> PodInfo:
    return PodInfo(make_pod(name, priority=priority))


def played(play: Callable[[SchedulingQueue], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        queue = SchedulingQueue()
        try:
            return await play(queue)
        finally:
            queue.close()

    return run_virtual(main())


async def next_names(queue: SchedulingQueue, count: int) -> list[str]:
    return [(await queue.pop()).pod.metadata.name or "" for _ in range(count)]


def test_important_pods_first_then_in_order() -> None:
    async def play(queue: SchedulingQueue) -> list[str]:
        for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
            queue.add(info(name, priority))
        return await next_names(queue, 4)

    assert played(play) == ["b", "d", "a", "c"]


def test_failed_pods_come_back_when_something_helps_after_a_growing_pause() -> None:
    async def play(queue: SchedulingQueue) -> list[float]:
        pod, times = info("a"), []
        queue.add(pod)
        for _ in range(6):
            await queue.pop()
            times.append(asyncio.get_running_loop().time())
            queue.failed(pod, FIT)
            queue.changed({Change.POD_GONE})
        return [round(later - sooner, 1) for sooner, later in zip(times, times[1:], strict=False)]

    assert played(play) == [1, 2, 4, 8, 10]


def test_changes_that_cannot_help_wake_nobody_but_time_does() -> None:
    async def play(queue: SchedulingQueue) -> float:
        pod = info("a")
        queue.add(pod)
        await queue.pop()
        queue.failed(pod, FIT)
        queue.changed({Change.NODE_TAINTS, Change.NODE_LABELS, Change.POD_ARRIVED, Change.VOLUMES})
        assert queue.depths()["pool"] == 1
        await queue.pop()
        return asyncio.get_running_loop().time()

    assert round(played(play)) == 300


def test_after_a_long_wait_there_is_no_pause() -> None:
    async def play(queue: SchedulingQueue) -> float:
        pod = info("a")
        queue.add(pod)
        await queue.pop()
        queue.failed(pod, FIT)
        await asyncio.sleep(20)
        queue.changed({Change.NODE_ADDED})
        await queue.pop()
        return asyncio.get_running_loop().time()

    assert round(played(play)) == 20


def test_gates_hold_pods_back() -> None:
    async def play(queue: SchedulingQueue) -> list[str]:
        queue.add(info("gated"), gated=True)
        queue.add(info("other"))
        queue.changed({Change.NODE_ADDED})
        names = await next_names(queue, 1)
        assert queue.depths()["gated"] == 1
        queue.add(info("gated"))
        return names + await next_names(queue, 1)

    assert played(play) == ["other", "gated"]


def test_removed_pods_do_not_come() -> None:
    async def play(queue: SchedulingQueue) -> list[str]:
        for name in "abc":
            queue.add(info(name))
        failing = await queue.pop()
        queue.failed(failing, FIT, retry=True)
        queue.remove("uid-b")
        queue.remove("uid-a")
        names = await next_names(queue, 1)
        assert len(queue) == 1
        return names

    assert played(play) == ["c"]


def test_new_version_is_what_comes() -> None:
    async def play(queue: SchedulingQueue) -> tuple[list[str], int]:
        queue.add(info("a"))
        queue.add(info("b"))
        queue.update(info("b", 7), helpful=False)
        first = await queue.pop()
        return [first.pod.metadata.name or ""], first.priority

    assert played(play) == (["b"], 7)
