"""Old tokens that nobody uses are marked first and removed a year later."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from pybernetes.api.legacy_tokens import INVALID_SINCE, LAST_USED, TRACKING
from pybernetes.api.types.core_v1 import ConfigMap, Secret, ServiceAccount
from pybernetes.controllers.legacy_token_cleaner import Fate, decide
from pybernetes.controllers.main import make_context, run_controllers
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import LoopClock
from tests.controllers.world import World, made, play

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = made(ServiceAccount, "robot", secrets=[{"name": "tok"}])


@pytest.mark.parametrize(
    ("created", "labels", "mounted", "expected"),
    [
        ("2024-01-01T00:00:00Z", {}, (), Fate.MARK),
        ("2025-06-01T00:00:00Z", {}, (), Fate.KEEP),
        ("2024-01-01T00:00:00Z", {LAST_USED: "2025-12-01"}, (), Fate.KEEP),
        ("2024-01-01T00:00:00Z", {LAST_USED: "2024-06-01"}, (), Fate.MARK),
        ("2024-01-01T00:00:00Z", {}, ("tok",), Fate.KEEP),
        ("2024-01-01T00:00:00Z", {INVALID_SINCE: "2025-12-01"}, (), Fate.KEEP),
        ("2024-01-01T00:00:00Z", {INVALID_SINCE: "2024-12-01"}, (), Fate.DELETE),
    ],
)
def test_tokens_go_when_they_are_old_and_unused(
    created: str, labels: dict[str, str], mounted: Any, expected: Fate
) -> None:
    secret = made(Secret, "tok", metadata={"creationTimestamp": created, "labels": labels})
    assert decide(secret, ACCOUNT, mounted, NOW) is expected


def test_tokens_that_people_made_stay() -> None:
    secret = made(Secret, "own", metadata={"creationTimestamp": "2020-01-01T00:00:00Z"})
    assert decide(secret, ACCOUNT, (), NOW) is Fate.KEEP


async def years_later(world: World, years: int) -> None:
    """Lets the cleaner look at the world as it would be then."""
    later = make_context(world.client, LoopClock(NOW.replace(year=NOW.year + years)), Chance(1))
    running = asyncio.create_task(run_controllers(later, ["legacy-serviceaccount-token-cleaner-controller"]))
    await asyncio.sleep(5)
    running.cancel()


async def old_token(world: World) -> None:
    await world.client.create(made(ServiceAccount, "robot", secrets=[{"name": "tok"}]))
    annotations = {"kubernetes.io/service-account.name": "robot"}
    kind = "kubernetes.io/service-account-token"
    await world.client.create(made(Secret, "tok", metadata={"annotations": annotations}, type=kind))


def test_a_forgotten_token_is_marked_and_removed_a_year_later() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(made(ConfigMap, TRACKING, "kube-system", data={"since": "2020-01-01"}))
        await old_token(world)
        await years_later(world, 2)
        found = await world.client.get(Secret, "tok", "default")
        assert found.metadata.labels[INVALID_SINCE].startswith("2028-01-01")
        await years_later(world, 4)
        assert await world.gone(Secret, "tok")

    play(scenario, names=("serviceaccount-controller",), nodes=())


def test_nothing_is_marked_where_use_is_not_tracked() -> None:
    async def scenario(world: World) -> None:
        await old_token(world)
        await years_later(world, 2)
        assert (await world.client.get(Secret, "tok", "default")).metadata.labels == {}

    play(scenario, names=("serviceaccount-controller",), nodes=())
