"""Who leads, and for how long; in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from pybernetes.api.types.coordination_v1 import LeaseSpec
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import LoopClock
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.reconcile.leader_election import LeaderElector, LostLeadership, Sighting, may_take, next_spec

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/scheduler"


def elector(api: Any, identity: str) -> LeaderElector:
    clock = LoopClock(datetime(2026, 1, 1, tzinfo=UTC))
    return LeaderElector(api.client, clock, Chance(1), "scheduler", identity)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_one_leads_and_the_next_takes_over_when_it_ends(api: Any) -> None:
    async def scenario() -> list[str]:
        trace: list[str] = []

        async def lead(identity: str, seconds: float) -> None:
            trace.append(f"{identity} begins")
            await asyncio.sleep(seconds)
            trace.append(f"{identity} ends")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(elector(api, "a").run(lambda: lead("a", 100)))
            await asyncio.sleep(1)
            tasks.create_task(elector(api, "b").run(lambda: lead("b", 1)))
        assert 101 < now() < 107  # the lease was released, not run out
        return trace

    assert run_virtual(scenario()) == ["a begins", "a ends", "b begins", "b ends"]
    assert api.objects[LEASE]["spec"]["leaseTransitions"] == 1


def test_a_dead_leader_is_followed_when_its_lease_runs_out(api: Any) -> None:
    dead = {"holderIdentity": "dead", "leaseDurationSeconds": 15, "renewTime": "2020-01-01T00:00:00.000000Z"}

    async def scenario() -> float:
        await api.put(LEASE, {"metadata": {"name": "scheduler", "namespace": "kube-system"}, "spec": dead})
        began: list[float] = []

        async def lead() -> None:
            began.append(now())

        await elector(api, "a").run(lead)
        return began[0]

    assert 15 <= run_virtual(scenario()) < 20


@pytest.mark.parametrize("cause", ["cut", "stolen"])
def test_a_leader_that_cannot_renew_stops(api: Any, cause: str) -> None:
    async def scenario() -> float:
        worker = elector(api, "a")

        async def lead() -> None:
            await asyncio.sleep(20)
            if cause == "cut":
                api.transport.cut()
            else:
                stolen = {"holderIdentity": "b", "leaseDurationSeconds": 15}
                await api.put(LEASE, {**api.objects[LEASE], "spec": stolen})
            await asyncio.Event().wait()

        with pytest.raises(LostLeadership):
            await worker.run(lead)
        assert not worker.leading
        return now()

    assert 20 < run_virtual(scenario()) <= 33


def test_a_lease_may_be_taken_when_it_is_ours_free_or_silent() -> None:
    held = LeaseSpec(holder_identity="b", lease_duration_seconds=15)
    assert not may_take(Sighting(held, at=100), "a", now=114, lease=15)
    assert may_take(Sighting(held, at=100), "a", now=115, lease=15)
    assert may_take(Sighting(held, at=100), "b", now=100, lease=15)
    assert may_take(Sighting(LeaseSpec(holder_identity=""), at=100), "a", now=100, lease=15)


def test_renewing_keeps_the_time_of_acquiring() -> None:
    first = next_spec(None, "a", "t1", 15)
    assert next_spec(first, "a", "t2", 15) == LeaseSpec(
        holder_identity="a", acquire_time="t1", renew_time="t2", lease_duration_seconds=15, lease_transitions=0
    )
    assert next_spec(first, "b", "t2", 15).lease_transitions == 1
