"""DefaultPreemption: which less important pods to take away so that a pod fits, and where that hurts least.

`preempt` is asked when no node took the pod; it supposes pods away in the snapshot and puts them back. The caller acts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pybernetes.api.labels import Selector, from_label_selector
from pybernetes.scheduler.decide.diagnosis import Unschedulable, histogram
from pybernetes.scheduler.decide.place import rejection
from pybernetes.scheduler.decide.plugin import Case
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.pod_info import PodInfo

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NEVER = "not eligible due to preemptionPolicy=Never."
STILL_LEAVING = "not eligible due to a terminating pod on the nominated node."
# Upstream looks at a tenth of the nodes, and at a hundred at least.
LEAST_CANDIDATES = 100
_LOWEST_PRIORITY = -(2**31)


@dataclass(frozen=True)
class Nomination:
    """The node to make room on, and the pods that must go."""

    node: str
    victims: tuple[PodInfo, ...]


@dataclass(frozen=True)
class NoPreemption:
    """Taking pods away does not help, or is not allowed. `keeps_nomination`: room is being made already."""

    message: str
    keeps_nomination: bool = False


@dataclass(frozen=True)
class _Candidate:
    node: str
    victims: tuple[PodInfo, ...]
    violations: int

    @property
    def cost(self) -> tuple[int, int, int, int]:
        """Smaller is better, in upstream's order of criteria."""
        priorities = [victim.priority for victim in self.victims]
        total = sum(priority - _LOWEST_PRIORITY for priority in priorities)
        return self.violations, max(priorities), total, len(priorities)

    @property
    def started(self) -> str:
        """When the oldest of the most important victims started: the later, the less is lost."""
        highest = max(victim.priority for victim in self.victims)
        return min(_started(victim) for victim in self.victims if victim.priority == highest)


def preempt(case: Case, unschedulable: Unschedulable, offset: int = 0) -> Nomination | NoPreemption:
    """The least harmful node to make room on. `offset` is where among the candidates to begin."""
    pod, snapshot, _ = case
    if problem := _ineligible(case, unschedulable):
        return problem
    hopeful = [name for name, why in unschedulable.rejections.items() if not why.final]
    why_not = Counter({NOT_HELPFUL: unschedulable.total - len(hopeful)})
    offset = offset % len(hopeful) if hopeful else 0
    enough = max(len(hopeful) // 10, LEAST_CANDIDATES)
    candidates: list[_Candidate] = []
    for name in hopeful[offset:] + hopeful[:offset]:
        node = snapshot.node(name)
        found = _victims(case, node) if node is not None else NO_VICTIMS
        if isinstance(found, _Candidate):
            candidates.append(found)
            if len(candidates) >= enough and found.violations == 0:
                break
        else:
            why_not[found] += 1
    if not candidates:
        counts = {reason: count for reason, count in why_not.items() if count}
        return NoPreemption(f"0/{unschedulable.total} nodes are available: {histogram(counts)}.")
    best = min(candidate.cost for candidate in candidates)
    chosen = max((item for item in candidates if item.cost == best), key=lambda item: item.started)
    return Nomination(chosen.node, chosen.victims)


def _ineligible(case: Case, unschedulable: Unschedulable) -> NoPreemption | None:
    pod, snapshot, _ = case
    if pod.pod.spec.preemption_policy == "Never":
        return NoPreemption(NEVER)
    nominated = snapshot.nomination(pod.uid) or pod.pod.status.nominated_node_name or ""
    node = snapshot.node(nominated)
    why = unschedulable.rejections.get(nominated)
    if node is None or (why is not None and why.final):
        return None
    if any(other.priority < pod.priority and _leaving(other) for other in node.pods.values()):
        return NoPreemption(STILL_LEAVING, keeps_nomination=True)
    return None


def _leaving(other: PodInfo) -> bool:
    """Whether a preemption has made the pod go, and it has not gone yet."""
    return other.terminating and any(
        condition.type == "DisruptionTarget"
        and condition.status == "True"
        and condition.reason == "PreemptionByScheduler"
        for condition in other.pod.status.conditions
    )


def _victims(case: Case, node: NodeInfo) -> _Candidate | str:
    """The fewest pods that must go from a node, or why that does not help."""
    pod, snapshot, facts = case
    lower = sorted((other for other in node.pods.values() if other.priority < pod.priority), key=_importance)
    if not lower:
        return NO_VICTIMS
    with snapshot.supposing(node.name, without=lower):
        why = rejection(case, node)
    if why is not None:
        return why.reasons[0]
    protected, free = _by_budget(lower, facts)
    victims: list[PodInfo] = []
    violations = 0
    staying: list[PodInfo] = []
    # The most important get the first chance to stay, those under a budget before all others.
    for other in (*protected, *free):
        gone = [item for item in lower if item is not other and item not in staying]
        with snapshot.supposing(node.name, without=gone):
            fits = rejection(case, node) is None
        if fits:
            staying.append(other)
        else:
            victims.append(other)
            violations += other in protected
    if not victims:
        return NO_VICTIMS
    return _Candidate(node.name, tuple(sorted(victims, key=_importance)), violations)


def _importance(info: PodInfo) -> tuple[int, str]:
    """Sorts the most important first: the highest priority, then the longest running."""
    return -info.priority, _started(info)


def _started(info: PodInfo) -> str:
    # RFC 3339 in UTC sorts as text; a pod that has not started yet is the youngest.
    return info.pod.status.start_time or "9"


def _by_budget(pods: list[PodInfo], facts: Facts) -> tuple[list[PodInfo], list[PodInfo]]:
    """(pods whose disruption no budget allows any more, the others), in their order."""
    budgets: list[tuple[str, Selector, list[int], frozenset[str]]] = []
    for budget in facts.budgets.list():
        selector = from_label_selector(budget.spec.selector)
        if selector.nothing or selector.is_empty:
            continue
        allowed = [budget.status.disruptions_allowed or 0]
        budgets.append((budget.metadata.namespace or "", selector, allowed, frozenset(budget.status.disrupted_pods)))
    protected: list[PodInfo] = []
    free: list[PodInfo] = []
    for info in pods:
        violates = False
        for namespace, selector, allowed, disrupted in budgets:
            if namespace != info.namespace or not info.labels or not selector.matches(info.labels):
                continue
            if info.pod.metadata.name in disrupted:
                continue
            allowed[0] -= 1
            violates = violates or allowed[0] < 0
        (protected if violates else free).append(info)
    return protected, free
