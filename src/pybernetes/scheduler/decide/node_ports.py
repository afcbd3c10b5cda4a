"""NodePorts: host ports can be had once a node (and address, and protocol)."""

from __future__ import annotations

from pybernetes.scheduler.decide.plugin import Case, Filter, Rejection
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.pod_info import HostPort

NAME = "NodePorts"
_REJECTION = Rejection(NAME, ("node(s) didn't have free ports for the requested pod ports",), final=False)


class NodePorts(Filter):
    name = NAME

    def __init__(self, wanted: tuple[HostPort, ...]) -> None:
        self._wanted = wanted

    def explain(self, node: NodeInfo) -> Rejection | None:
        return _REJECTION if any(node.port_taken(port) for port in self._wanted) else None


def prepare(case: Case) -> Filter | None:
    pod = case.pod
    return NodePorts(pod.ports) if pod.ports else None
