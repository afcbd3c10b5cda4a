"""How many pods a budget lets go, and roles that are made of others."""

from __future__ import annotations

from pybernetes.api.status import StatusError
from pybernetes.api.types.apps_v1 import ReplicaSet
from pybernetes.api.types.policy_v1 import PodDisruptionBudget, PodDisruptionBudgetStatus
from pybernetes.api.types.rbac_v1 import ClusterRole, PolicyRule
from pybernetes.controllers.disruption import Numbers, count
from tests.controllers.world import World, made, play


def budget(**spec: int | str) -> PodDisruptionBudget:
    return made(PodDisruptionBudget, "pdb", spec={"selector": {"matchLabels": {"a": "b"}}} | spec)


def test_percentages_are_of_what_the_controllers_want() -> None:
    assert count(budget(maxUnavailable="34%"), 3, 3) == Numbers(3, 1)
    assert count(budget(minAvailable=2), 3, 3) == Numbers(3, 2)
    assert count(budget(minAvailable="50%"), 1, 3) == Numbers(3, 2)


def test_an_eviction_uses_up_what_the_budget_allows() -> None:
    async def scenario(world: World) -> None:
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
        spec = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        await world.client.create(made(ReplicaSet, "rs", spec=spec))
        await world.client.create(budget(minAvailable=2))

        async def allowed(number: int) -> PodDisruptionBudgetStatus | None:
            status = (await world.client.get(PodDisruptionBudget, "pdb", "default")).status
            return status if status.expected_pods == 3 and status.disruptions_allowed == number else None

        status = await world.until(lambda: allowed(1))
        assert (status.current_healthy, status.desired_healthy) == (3, 2)
        assert [(item.status, item.reason) for item in status.conditions] == [("True", "SufficientPods")]
        world.agent.silent |= {"n1", "n2"}
        first, second, _ = await world.pods(a="b")
        await world.client.evict(first)
        await world.until(lambda: allowed(0))
        try:
            await world.client.evict(second)
        except StatusError as error:
            assert error.code == 429
        else:
            raise AssertionError("the budget did not hold")

    play(scenario)


def test_a_role_collects_the_rules_of_those_that_it_selects() -> None:
    async def scenario(world: World) -> None:
        rule = PolicyRule(api_groups=["x"], resources=["y"], verbs=["get"])
        part = made(ClusterRole, "part", "", metadata={"labels": {"to": "agg"}})
        part.rules = [rule]
        whole = {"clusterRoleSelectors": [{"matchLabels": {"to": "agg"}}]}
        await world.client.create(made(ClusterRole, "agg", "", aggregationRule=whole))
        await world.client.create(part)

        async def collected() -> bool:
            return (await world.client.get(ClusterRole, "agg")).rules == [rule]

        await world.until(collected)

    play(scenario)
