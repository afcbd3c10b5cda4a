"""NodeName: a pod that names its node goes to no other."""

from __future__ import annotations

from pybernetes.scheduler.decide.plugin import Case, Filter, Rejection
from pybernetes.scheduler.node_info import NodeInfo

NAME = "NodeName"
_REJECTION = Rejection(NAME, ("node(s) didn't match the requested node name",))


class NodeName(Filter):
    name = NAME

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def explain(self, node: NodeInfo) -> Rejection | None:
        return None if node.name == self._wanted else _REJECTION


def prepare(case: Case) -> Filter | None:
    pod = case.pod
    wanted = pod.pod.spec.node_name
    return NodeName(wanted) if wanted else None
