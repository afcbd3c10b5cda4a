"""NodeResourcesFit: a node must have room for what the pod requests; the emptiest is liked best (LeastAllocated)."""

from __future__ import annotations

from pybernetes.scheduler.decide.plugin import MAX_SCORE, Case, Filter, Rejection
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.resources import Request

NAME = "NodeResourcesFit"


class NodeResourcesFit(Filter):
    name = NAME

    def __init__(self, request: Request) -> None:
        self._request = request

    def explain(self, node: NodeInfo) -> Rejection | None:
        """All that is short, not only the first."""
        request = self._request
        amounts = [
            ("cpu", request.cpu, node.free_cpu, node.cpu),
            ("memory", request.memory, node.free_memory, node.memory),
            ("ephemeral-storage", request.ephemeral, node.free_ephemeral, node.ephemeral),
        ]
        for name, wanted in request.scalars:
            amounts.append((name, wanted, node.free_scalars.get(name, 0), node.scalars.get(name, 0)))
        # What is not asked for cannot be short, even on a node that has given away too much.
        short = [(name, wanted > all_) for name, wanted, free, all_ in amounts if wanted > 0 and wanted > free]
        reasons = ["Too many pods"] if node.free_pods < 1 else []
        reasons += [f"Insufficient {name}" for name, _ in short]
        if not reasons:
            return None
        return Rejection(NAME, tuple(reasons), final=any(hopeless for _, hopeless in short))

    def keep(self, nodes: list[NodeInfo]) -> list[NodeInfo]:
        cpu, memory, ephemeral, scalars, _, _ = self._request
        nodes = [
            node
            for node in nodes
            if node.free_pods > 0 and (not cpu or node.free_cpu >= cpu) and (not memory or node.free_memory >= memory)
        ]
        if ephemeral:
            nodes = [node for node in nodes if node.free_ephemeral >= ephemeral]
        for name, wanted in scalars:
            nodes = [node for node in nodes if node.free_scalars.get(name, 0) >= wanted]
        return nodes


def prepare(case: Case) -> Filter | None:
    pod = case.pod
    return NodeResourcesFit(pod.request)


def score(case: Case, nodes: list[NodeInfo]) -> list[int] | None:
    """LeastAllocated: the part of CPU and memory that would stay free, in percent; the mean of both."""
    pod = case.pod
    cpu, memory = pod.request.scored_cpu, pod.request.scored_memory
    # No calls in here: this runs for every feasible node of every pod.
    return [
        (
            (left if (left := node.cpu - node.scored_cpu - cpu) > 0 else 0) * MAX_SCORE // node.cpu
            + (left if (left := node.memory - node.scored_memory - memory) > 0 else 0) * MAX_SCORE // node.memory
        )
        // 2
        if node.cpu and node.memory
        else _with_one_missing(node, cpu, memory)
        for node in nodes
    ]


def _with_one_missing(node: NodeInfo, cpu: int, memory: int) -> int:
    """A resource that the node does not have is left out of the mean."""
    if node.cpu:
        return max(node.cpu - node.scored_cpu - cpu, 0) * MAX_SCORE // node.cpu
    if node.memory:
        return max(node.memory - node.scored_memory - memory, 0) * MAX_SCORE // node.memory
    return 0
