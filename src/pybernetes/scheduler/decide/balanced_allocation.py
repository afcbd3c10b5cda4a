"""NodeResourcesBalancedAllocation: CPU and memory should be used up evenly."""

from __future__ import annotations

from pybernetes.scheduler.decide.plugin import MAX_SCORE, Case
from pybernetes.scheduler.node_info import NodeInfo

NAME = "NodeResourcesBalancedAllocation"


def score(case: Case, nodes: list[NodeInfo]) -> list[int] | None:
    """100 less the standard deviation of the used parts, in percent; a pod that requests nothing does not care."""
    pod = case.pod
    cpu, memory = pod.request.cpu, pod.request.memory
    if not cpu and not memory:
        return None
    scores: list[int] = []
    for node in nodes:
        if not node.cpu or not node.memory:
            scores.append(MAX_SCORE)
            continue
        # No calls in here: this runs for every feasible node of every pod.
        used_cpu = (node.cpu - node.free_cpu + cpu) / node.cpu
        used_memory = (node.memory - node.free_memory + memory) / node.memory
        if used_cpu > 1.0:
            used_cpu = 1.0
        if used_memory > 1.0:
            used_memory = 1.0
        apart = used_cpu - used_memory if used_cpu > used_memory else used_memory - used_cpu
        scores.append(int((1 - apart / 2) * MAX_SCORE))
    return scores
