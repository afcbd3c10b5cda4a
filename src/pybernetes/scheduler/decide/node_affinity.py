"""NodeAffinity: `nodeSelector` and node affinity, required and preferred."""

from __future__ import annotations

from pybernetes.scheduler.decide.node_selection import RequiredNodes, required, term
from pybernetes.scheduler.decide.plugin import Case, Filter, Impossible, Rejection, normalized
from pybernetes.scheduler.node_info import NodeInfo

NAME = "NodeAffinity"
_REJECTION = Rejection(NAME, ("node(s) didn't match Pod's node affinity/selector",))


class NodeAffinity(Filter):
    name = NAME

    def __init__(self, wanted: RequiredNodes, only: frozenset[str] | None) -> None:
        self._wanted = wanted
        self.only = only

    def explain(self, node: NodeInfo) -> Rejection | None:
        return None if self._wanted.matches(node) else _REJECTION

    def keep(self, nodes: list[NodeInfo]) -> list[NodeInfo]:
        matches = self._wanted.matches
        return [node for node in nodes if matches(node)]


def prepare(case: Case) -> Filter | Impossible | None:
    pod = case.pod
    wanted = required(pod.pod)
    if wanted.everywhere:
        return None
    only = _named(wanted)
    if only is not None and not only:
        return Impossible(NAME, "pod affinity terms conflict")
    return NodeAffinity(wanted, only)


def _named(wanted: RequiredNodes) -> frozenset[str] | None:
    """The only nodes that can do, when every term names nodes (as the pods of DaemonSets do)."""
    names: set[str] = set()
    if not wanted.terms:
        return None
    for item in wanted.terms:
        allowed = item.names
        if allowed is None:
            return None
        names |= allowed
    return frozenset(names)


def score(case: Case, nodes: list[NodeInfo]) -> list[int] | None:
    """The sum of the weights of the preferences that a node meets."""
    pod = case.pod
    affinity = pod.pod.spec.affinity
    if affinity is None or affinity.node_affinity is None:
        return None
    preferred = affinity.node_affinity.preferred_during_scheduling_ignored_during_execution
    if not preferred:
        return None
    weighted = [(item.weight, term(item.preference)) for item in preferred if item.weight]
    return normalized([sum(weight for weight, wish in weighted if wish.matches(node)) for node in nodes])
