"""Finds the node for a pod: filters a fair sample of the nodes, scores what is left, and gives the best.

`place(Case(pod, snapshot, facts), start)` is called by the scheduler for every pod. It changes nothing; equally good
nodes are all given, for the caller to draw.
"""

from __future__ import annotations

from dataclasses import dataclass

from pybernetes.scheduler.decide import (
    balanced_allocation,
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_name,
    node_ports,
    node_resources_fit,
    node_unschedulable,
    pod_topology_spread,
    taint_toleration,
    volume_binding,
)
from pybernetes.scheduler.decide.diagnosis import Unschedulable
from pybernetes.scheduler.decide.plugin import Case, Filter, Impossible, PrepareFilter, Rejection, Score
from pybernetes.scheduler.node_info import NodeInfo

# Upstream's order: the first filter that says no names the reason.
FILTERS: tuple[PrepareFilter, ...] = (
    node_unschedulable.prepare,
    node_name.prepare,
    taint_toleration.prepare,
    node_affinity.prepare,
    node_ports.prepare,
    node_resources_fit.prepare,
    volume_binding.prepare,
    pod_topology_spread.prepare,
    inter_pod_affinity.prepare,
)
SCORES: tuple[tuple[int, Score], ...] = (
    (3, taint_toleration.score),
    (2, node_affinity.score),
    (1, node_resources_fit.score),
    (2, pod_topology_spread.score),
    (2, inter_pod_affinity.score),
    (1, balanced_allocation.score),
    (1, image_locality.score),
)
# Of fewer feasible nodes, all are scored.
LEAST_SAMPLE = 100
LEAST_PERCENTAGE = 5
# Filters work on at least so many nodes at once.
_CHUNK = 64


@dataclass(frozen=True)
class Placement:
    """The nodes that are equally best, and how many nodes were looked at to find them."""

    nodes: tuple[str, ...]
    evaluated: int


def place(case: Case, start: int = 0, percentage: int = 0) -> Placement | Unschedulable:
    """Where the pod shall go. `start` is where in the list of nodes to begin; `percentage` 0 adapts to its length."""
    pod, snapshot, _ = case
    nodes = snapshot.nodes
    filters = prepare(case)
    if isinstance(filters, Impossible):
        return Unschedulable(len(nodes), impossible=filters)
    nominated = snapshot.node(snapshot.nomination(pod.uid) or pod.pod.status.nominated_node_name or "")
    if nominated is not None and _feasible([nominated], filters, case):
        return Placement((nominated.name,), 0)
    candidates = _candidates(nodes, filters, start)
    wanted = sample_size(len(candidates), percentage)
    feasible: list[NodeInfo] = []
    evaluated = 0
    while evaluated < len(candidates) and len(feasible) < wanted:
        chunk = candidates[evaluated : evaluated + max(wanted - len(feasible), _CHUNK)]
        evaluated += len(chunk)
        feasible += _feasible(chunk, filters, case)
    if not feasible:
        return _diagnosis(case, filters, candidates)
    return Placement(best(case, feasible), evaluated)


def sample_size(nodes: int, percentage: int = 0) -> int:
    """How many feasible nodes are enough: all of a hundred, then a part that shrinks with the size of the cluster."""
    if nodes < LEAST_SAMPLE or percentage >= 100:
        return nodes
    percentage = percentage or max(50 - nodes // 125, LEAST_PERCENTAGE)
    return max(nodes * percentage // 100, LEAST_SAMPLE)


def prepare(case: Case) -> list[Filter] | Impossible:
    """The filters that have something to say about this pod, in order."""
    filters: list[Filter] = []
    for prepare_filter in FILTERS:
        made = prepare_filter(case)
        if isinstance(made, Impossible):
            return made
        if made is not None:
            filters.append(made)
    return filters


def explain(filters: list[Filter], node: NodeInfo) -> Rejection | None:
    """The first filter's word against the node."""
    for item in filters:
        rejection = item.explain(node)
        if rejection is not None:
            return rejection
    return None


def rejection(case: Case, node: NodeInfo) -> Rejection | None:
    """Why the pod cannot be on the node as things are, nominated pods that come before it included."""
    filters = prepare(case)
    if isinstance(filters, Impossible):
        return Rejection(filters.plugin, (filters.message,))
    return explain(filters, node) or _crowded(case, node)


def best(case: Case, nodes: list[NodeInfo]) -> tuple[str, ...]:
    """The nodes with the highest weighted sum of scores."""
    if len(nodes) == 1:
        return (nodes[0].name,)
    totals = [0] * len(nodes)
    for weight, score in SCORES:
        scores = score(case, nodes)
        if scores is not None:
            totals = [total + weight * points for total, points in zip(totals, scores, strict=True)]
    highest = max(totals)
    return tuple(node.name for node, total in zip(nodes, totals, strict=True) if total == highest)


def _candidates(nodes: list[NodeInfo], filters: list[Filter], start: int) -> list[NodeInfo]:
    """The nodes worth looking at, beginning at `start`."""
    for item in filters:
        if item.only is not None:
            return [node for node in nodes if node.name in item.only]
    start = start % len(nodes) if nodes else 0
    return nodes[start:] + nodes[:start] if start else nodes


def _feasible(nodes: list[NodeInfo], filters: list[Filter], case: Case) -> list[NodeInfo]:
    for item in filters:
        nodes = item.keep(nodes)
        if not nodes:
            return nodes
    if case.snapshot.nominated:
        nodes = [node for node in nodes if _crowded(case, node) is None]
    return nodes


def _crowded(case: Case, node: NodeInfo) -> Rejection | None:
    """What is in the way once the pods are there that room is being made for, if they are as important as this one."""
    pod, snapshot, _ = case
    nominated = snapshot.nominated.get(node.name, {}).values()
    others = [other for other in nominated if other.priority >= pod.priority and other.uid != pod.uid]
    if not others:
        return None
    with snapshot.supposing(node.name, also=others):
        filters = prepare(case)
        if isinstance(filters, Impossible):
            return Rejection(filters.plugin, (filters.message,))
        return explain(filters, node)


def _diagnosis(case: Case, filters: list[Filter], nodes: list[NodeInfo]) -> Unschedulable:
    rejections: dict[str, Rejection] = {}
    for node in nodes:
        found = explain(filters, node) or _crowded(case, node)
        if found is not None:
            rejections[node.name] = found
    total = len(case.snapshot.nodes)
    namers = tuple(sorted(item.name for item in filters if item.only is not None))
    return Unschedulable(total, rejections, None, total - len(nodes), namers, len(nodes))
