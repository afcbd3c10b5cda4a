"""PodTopologySpread: alike pods are spread over hosts, zones or any other domain that a node label tells."""

from __future__ import annotations

from math import log

from pybernetes.scheduler.decide.node_selection import RequiredNodes, required
from pybernetes.scheduler.decide.plugin import MAX_SCORE, Case, Filter, Rejection
from pybernetes.scheduler.decide.spread_constraints import (
    HARD,
    HOSTNAME,
    SOFT,
    Constraint,
    default_constraints,
    own_constraints,
)
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.snapshot import Snapshot

NAME = "PodTopologySpread"
_UNEVEN = "node(s) didn't match pod topology spread constraints"
_REJECTION = Rejection(NAME, (_UNEVEN,), final=False)
_NO_LABEL = Rejection(NAME, (f"{_UNEVEN} (missing required label)",))


class PodTopologySpread(Filter):
    name = NAME

    def __init__(self, limits: list[tuple[str, dict[str, int], int]]) -> None:
        # Label, pods by the label's value, and how many a domain may have before the pod comes.
        self._limits = limits

    def explain(self, node: NodeInfo) -> Rejection | None:
        for key, pods, most in self._limits:
            value = node.labels.get(key)
            if value is None:
                return _NO_LABEL
            if pods.get(value, 0) > most:
                return _REJECTION
        return None

    def keep(self, nodes: list[NodeInfo]) -> list[NodeInfo]:
        for key, pods, most in self._limits:
            open_ = {value for value, count in pods.items() if count <= most}
            if most >= 0:
                # A domain that does not count has no pods that count.
                nodes = [
                    node
                    for node in nodes
                    if (value := node.labels.get(key)) in open_ or (value is not None and value not in pods)
                ]
            else:
                nodes = [node for node in nodes if node.labels.get(key) in open_]
        return nodes


def prepare(case: Case) -> Filter | None:
    pod, snapshot, _ = case
    if not pod.pod.spec.topology_spread_constraints:
        return None
    constraints = own_constraints(pod, HARD)
    if not constraints:
        return None
    wanted, labelled = required(pod.pod), snapshot.nodes
    for key in {constraint.key for constraint in constraints}:
        labelled = [node for node in labelled if key in node.labels]
    limits: list[tuple[str, dict[str, int], int]] = []
    for constraint in constraints:
        domains = _domains(snapshot, constraint, _counted(case, constraint, wanted, labelled))
        itself = int(constraint.condition.selectors[0].matches(pod.labels))
        fewest = 0 if len(domains) < constraint.min_domains else min(domains.values())
        limits.append((constraint.key, domains, constraint.max_skew + fewest - itself))
    return PodTopologySpread(limits)


def _counted(case: Case, constraint: Constraint, wanted: RequiredNodes, nodes: list[NodeInfo]) -> list[NodeInfo]:
    """The nodes whose domains and pods count."""
    if not constraint.honor_taints and (wanted.everywhere or not constraint.honor_affinity):
        return nodes
    return [node for node in nodes if constraint.counts_node(case.pod, wanted, node)]


def _domains(snapshot: Snapshot, constraint: Constraint, nodes: list[NodeInfo]) -> dict[str, int]:
    """Pods to be spread, by the value of the label on the nodes they are on."""
    counts, key = snapshot.count(constraint.condition), constraint.key
    domains = dict.fromkeys([node.labels[key] for node in nodes], 0)
    if len(counts) < len(nodes):
        counted = {node.name for node in nodes} if len(nodes) < len(snapshot.nodes) else None
        for name, count in counts.items():
            node = snapshot.node(name)
            if node is not None and key in node.labels and (counted is None or name in counted):
                domains[node.labels[key]] += count
        return domains
    for node in nodes:
        domains[node.labels[key]] += counts.get(node.name, 0)
    return domains


def score(case: Case, nodes: list[NodeInfo]) -> list[int] | None:
    """The fewer alike pods there are in a node's domains, the better; rarer domains weigh less than many small ones."""
    pod, snapshot, facts = case
    strict = bool(pod.pod.spec.topology_spread_constraints)
    constraints = own_constraints(pod, SOFT) if strict else default_constraints(pod, facts)
    if not constraints:
        return None
    # With the defaults, a node without a zone is still spread over by host.
    keys = [constraint.key for constraint in constraints] if strict else []
    ignored = {node.name for node in nodes if not all(key in node.labels for key in keys)} if strict else set()
    judged = [node for node in nodes if node.name not in ignored] if ignored else nodes
    sums = [0.0] * len(judged)
    for constraint in constraints:
        costs = _costs(pod, snapshot, constraint, keys, judged)
        if costs is not None:
            sums = [have + more for have, more in zip(sums, costs, strict=True)]
    return _normalized([int(total + 0.5) for total in sums], nodes, ignored)


def _costs(
    pod: PodInfo, snapshot: Snapshot, constraint: Constraint, keys: list[str], nodes: list[NodeInfo]
) -> list[float] | None:
    """What one constraint adds to each node; None when it adds nothing."""
    key, base = constraint.key, constraint.max_skew - 1
    counts = snapshot.count(constraint.condition)
    if key == HOSTNAME:
        weight = log(len(nodes) + 2)
        return [counts.get(node.name, 0) * weight + base if key in node.labels else 0.0 for node in nodes]
    places = [node.labels.get(key) for node in nodes]
    domains = {value: 0 for value in places if value is not None}
    if not domains:
        return None
    wanted = required(pod.pod)
    all_count = wanted.everywhere and not constraint.honor_taints
    others = [other for other in keys if other != key]
    for name, count in counts.items():
        node = snapshot.node(name)
        if node is None or (value := node.labels.get(key)) not in domains:
            continue
        if others and not all(other in node.labels for other in others):
            continue
        if all_count or constraint.counts_node(pod, wanted, node):
            domains[value] += count
    # A node without the label is one more domain, although it is not judged by it.
    weight = log(len(domains) + (None in places) + 2)
    return [domains[value] * weight + base if value is not None else 0.0 for value in places]


def _normalized(costs: list[int], nodes: list[NodeInfo], ignored: set[str]) -> list[int]:
    lowest, highest = min(costs, default=0), max(costs, default=0)
    if highest == 0:
        scores = [MAX_SCORE] * len(costs)
    else:
        scores = [MAX_SCORE * (highest + lowest - cost) // highest for cost in costs]
    if not ignored:
        return scores
    rest = iter(scores)
    return [0 if node.name in ignored else next(rest) for node in nodes]
