"""TaintToleration: NoSchedule and NoExecute taints keep pods away, PreferNoSchedule makes nodes less welcome."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Toleration
from pybernetes.scheduler.decide.plugin import Case, Filter, Rejection, normalized
from pybernetes.scheduler.decide.tolerations import tolerates, untolerated
from pybernetes.scheduler.node_info import NodeInfo, TaintKey

NAME = "TaintToleration"
_REJECTION = Rejection(NAME, ("node(s) had untolerated taint(s)",))


class TaintToleration(Filter):
    name = NAME

    def __init__(self, tolerations: list[Toleration]) -> None:
        self._tolerations = tolerations
        # Nodes of a cluster share a few sets of taints.
        self._verdicts: dict[tuple[TaintKey, ...], bool] = {(): True}

    def explain(self, node: NodeInfo) -> Rejection | None:
        return None if self._tolerable(node.taints) else _REJECTION

    def keep(self, nodes: list[NodeInfo]) -> list[NodeInfo]:
        return [node for node in nodes if not node.taints or self._tolerable(node.taints)]

    def _tolerable(self, taints: tuple[TaintKey, ...]) -> bool:
        verdict = self._verdicts.get(taints)
        if verdict is None:
            verdict = self._verdicts[taints] = untolerated(self._tolerations, taints) is None
        return verdict


def prepare(case: Case) -> Filter | None:
    pod = case.pod
    return TaintToleration(pod.pod.spec.tolerations)


def score(case: Case, nodes: list[NodeInfo]) -> list[int] | None:
    """The fewer PreferNoSchedule taints the pod would have to put up with, the better."""
    pod = case.pod
    if not any(node.soft_taints for node in nodes):
        return None
    tolerations = [item for item in pod.pod.spec.tolerations if item.effect in (None, "", "PreferNoSchedule")]
    counts = [
        sum(not any(tolerates(toleration, taint) for toleration in tolerations) for taint in node.soft_taints)
        for node in nodes
    ]
    return normalized(counts, reverse=True)
