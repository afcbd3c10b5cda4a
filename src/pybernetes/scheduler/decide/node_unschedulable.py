"""NodeUnschedulable: a cordoned node takes only pods that tolerate it."""

from __future__ import annotations

from pybernetes.scheduler.decide.plugin import Case, Filter, Rejection
from pybernetes.scheduler.decide.tolerations import tolerates
from pybernetes.scheduler.node_info import NodeInfo, TaintKey

NAME = "NodeUnschedulable"
_TAINT = TaintKey("node.kubernetes.io/unschedulable", "", "NoSchedule")
_REJECTION = Rejection(NAME, ("node(s) were unschedulable",))


class NodeUnschedulable(Filter):
    name = NAME

    def explain(self, node: NodeInfo) -> Rejection | None:
        return _REJECTION if node.unschedulable else None

    def keep(self, nodes: list[NodeInfo]) -> list[NodeInfo]:
        return [node for node in nodes if not node.unschedulable]


def prepare(case: Case) -> Filter | None:
    pod = case.pod
    if any(tolerates(toleration, _TAINT) for toleration in pod.pod.spec.tolerations):
        return None
    return NodeUnschedulable()
