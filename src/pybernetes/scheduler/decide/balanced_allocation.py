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
    return [
        int(
            (
                1
                - abs(
                    min((node.cpu - node.free_cpu + cpu) / node.cpu, 1.0)
                    - min((node.memory - node.free_memory + memory) / node.memory, 1.0)
                )
                / 2
            )
            * MAX_SCORE
        )
        if node.cpu and node.memory
        else MAX_SCORE
        for node in nodes
    ]
