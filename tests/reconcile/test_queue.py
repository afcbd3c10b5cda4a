"""Keys in and out of the work queue; in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from pybernetes.environment.virtual_time import run_virtual
from pybernetes.reconcile import WorkQueue
from pybernetes.reconcile.queue import backoff


async def drain(queue: WorkQueue) -> list[str]:
    """What can be had at once."""
    keys = []
    while len(queue):
        key = await queue.get()
        queue.done(key)
        keys.append(key)
    return keys


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_key_is_queued_once() -> None:
    queue = WorkQueue()
    for key in ("a", "b", "a"):
        queue.add(key)
    assert await drain(queue) == ["a", "b"]


async def test_a_key_in_work_comes_again_after_it_is_done() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await drain(queue) == ["a"]


def test_the_earliest_of_several_delays_counts() -> None:
    async def scenario() -> list[tuple[str, float]]:
        queue = WorkQueue()
        for key, delay in (("a", 9), ("a", 5), ("a", 7), ("b", 6), ("c", 0)):
            queue.add_after(key, delay)
        seen = [(await queue.get(), now()) for _ in range(3)]
        await asyncio.sleep(10)
        assert len(queue) == 0
        return seen

    assert run_virtual(scenario()) == [("c", 0.0), ("a", 5.0), ("b", 6.0)]


def test_failures_wait_longer_until_they_are_forgotten() -> None:
    async def scenario() -> list[float]:
        queue, waits = WorkQueue(), []
        for _ in range(4):
            start = now()
            queue.add_rate_limited("a")
            queue.done(await queue.get())
            waits.append(round(now() - start, 6))
            if len(waits) == 3:
                assert queue.failures("a") == 3
                queue.forget("a")
        return waits

    assert run_virtual(scenario()) == [0.005, 0.01, 0.02, 0.005]


@pytest.mark.parametrize(("failures", "expected"), [(1, 0.005), (18, 655.36), (19, 1000.0), (5000, 1000.0)])
def test_backoff(failures: int, expected: float) -> None:
    assert backoff(failures) == expected
