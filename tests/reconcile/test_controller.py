"""What a controller does with the keys of its queue; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pybernetes.environment.virtual_time import run_virtual
from pybernetes.reconcile import Controller, WorkQueue

Reconcile = Callable[[str], Awaitable[float | None]]


def run(reconcile: Reconcile, *keys: str, workers: int = 1, seconds: float = 100) -> Controller:
    """Runs a controller for a while."""

    async def main() -> Controller:
        queue = WorkQueue()
        controller = Controller("test", reconcile, queue, workers)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(controller.run())
            for key in keys:
                queue.add(key)
            await asyncio.sleep(seconds)
            running.cancel()
        return controller

    return run_virtual(main())


def test_it_looks_again_when_it_wants() -> None:
    times: list[float] = []

    async def reconcile(key: str) -> float | None:
        times.append(asyncio.get_running_loop().time())
        return 30 if len(times) < 3 else None

    controller = run(reconcile, "a")
    assert times == [0.0, 30.0, 60.0]
    assert (controller.reconciled, controller.failed) == (3, 0)


def test_a_failure_is_tried_again_and_harms_no_other_key() -> None:
    seen: list[str] = []

    async def reconcile(key: str) -> float | None:
        seen.append(key)
        if key == "bad" and seen.count("bad") < 3:
            raise ValueError("not yet")
        return None

    controller = run(reconcile, "bad", "good")
    assert seen == ["bad", "good", "bad", "bad"]
    assert controller.failed == 2


def test_workers_share_keys_but_never_one_key() -> None:
    busy: set[str] = set()
    most = 0

    async def reconcile(key: str) -> float | None:
        nonlocal most
        assert key not in busy
        busy.add(key)
        most = max(most, len(busy))
        await asyncio.sleep(1)
        busy.discard(key)
        return 0

    controller = run(reconcile, "a", "b", "c", workers=2, seconds=9.5)
    assert most == 2
    assert controller.reconciled == 18
    assert controller.failed == 0
