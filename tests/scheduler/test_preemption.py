"""Who must go so that a more important pod fits."""

from __future__ import annotations

from typing import Any

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.types.policy_v1 import PodDisruptionBudget
from pybernetes.scheduler.decide.diagnosis import Unschedulable
from pybernetes.scheduler.decide.place import place
from pybernetes.scheduler.decide.preemption import Nomination, NoPreemption, preempt
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.snapshot import Snapshot
from tests.scheduler.builders import cache_of, case_of, make_node, make_pod, snapshot_of


def answer(pod: Pod, snapshot: Snapshot, facts: Facts | None = None) -> tuple[str, list[str]] | str:
    """(node, victims), or the message."""
    case = case_of(pod, snapshot, facts)
    outcome = place(case)
    assert isinstance(outcome, Unschedulable)
    found = preempt(case, outcome)
    if isinstance(found, Nomination):
        return found.node, [victim.pod.metadata.name or "" for victim in found.victims]
    return found.message


def lowly(name: str, cpu: str, priority: int = 0, **more: Any) -> Pod:
    return make_pod(name, {"cpu": cpu}, priority=priority, **more)


VITAL = make_pod("vital", {"cpu": "2"}, priority=100, schedulerName="default-scheduler")


def test_fewest_and_least_important_go() -> None:
    on_a = [lowly("a1", "1", 5), lowly("a2", "1", 1), lowly("a3", "2", 3)]
    assert answer(VITAL, snapshot_of(make_node("a"), a=on_a)) == ("a", ["a3"])
    # Of nodes, the one whose most important victim is the least.
    snapshot = snapshot_of(make_node("a"), make_node("b"), a=on_a, b=[lowly("b1", "4", 2)])
    assert answer(VITAL, snapshot) == ("b", ["b1"])


def test_nothing_is_changed_by_asking() -> None:
    snapshot = snapshot_of(make_node("a"), a=[lowly("a1", "4")])
    before = snapshot.nodes[0].free_cpu, [*snapshot.nodes[0].pods]
    answer(VITAL, snapshot)
    assert (snapshot.nodes[0].free_cpu, [*snapshot.nodes[0].pods]) == before


def test_equals_are_not_touched() -> None:
    snapshot = snapshot_of(make_node("a"), make_node("b", unschedulable=True), a=[lowly("a1", "4", 100)])
    assert answer(VITAL, snapshot) == (
        "0/2 nodes are available: 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )


def test_pods_may_renounce() -> None:
    polite = make_pod("p", {"cpu": "2"}, priority=100, preemptionPolicy="Never")
    snapshot = snapshot_of(make_node("a"), a=[lowly("a1", "4")])
    assert answer(polite, snapshot) == "not eligible due to preemptionPolicy=Never."


def test_budgets_are_respected_where_another_node_will_do() -> None:
    budget = from_builtins(
        {
            "metadata": {"name": "b", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}},
            "status": {"disruptionsAllowed": 0},
        },
        PodDisruptionBudget,
    )
    guarded = lowly("a1", "4", 0, labels={"app": "web"})
    snapshot = snapshot_of(make_node("a"), make_node("b"), a=[guarded], b=[lowly("b1", "4", 50)])
    assert answer(VITAL, snapshot, Facts(budgets=cache_of(budget))) == ("b", ["b1"])
    assert answer(VITAL, snapshot) == ("a", ["a1"])


def test_latest_started_goes_when_all_else_is_equal() -> None:
    def started(name: str, at: str) -> Pod:
        return lowly(name, "4", 0, status={"startTime": at})

    snapshot = snapshot_of(
        make_node("a"),
        make_node("b"),
        a=[started("old", "2025-01-01T00:00:00Z")],
        b=[started("new", "2025-01-02T00:00:00Z")],
    )
    assert answer(VITAL, snapshot) == ("b", ["new"])


def test_no_second_preemption_while_the_first_victims_leave() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    leaving = lowly("a1", "4", 0, status={"conditions": [condition]})
    leaving.metadata.deletion_timestamp = "2025-01-01T00:00:00Z"
    snapshot = snapshot_of(make_node("a"), make_node("b"), a=[leaving], b=[lowly("b1", "4")])
    vital = make_pod("vital", {"cpu": "2"}, priority=100, status={"nominatedNodeName": "a"})
    case = case_of(vital, snapshot)
    outcome = place(case)
    assert isinstance(outcome, Unschedulable)
    assert preempt(case, outcome) == NoPreemption(
        "not eligible due to a terminating pod on the nominated node.", keeps_nomination=True
    )
