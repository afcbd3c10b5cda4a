"""What plug-ins give to `place`: filters that keep nodes and can say why not, and scores.

A filter works on whole lists: `keep` is the fast way, `explain` the truth about one node, asked only when no node is
left. For every node, `keep` keeps it exactly if `explain` gives None.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.snapshot import Snapshot

MAX_SCORE = 100


class Case(NamedTuple):
    """One pod, and what is known while its node is looked for."""

    pod: PodInfo
    snapshot: Snapshot
    facts: Facts


class Rejection(NamedTuple):
    """Why a node is no place for a pod. `final`: taking other pods away would not help."""

    plugin: str
    reasons: tuple[str, ...]
    final: bool = True


class Impossible(NamedTuple):
    """The pod can go nowhere, whatever the nodes are like."""

    plugin: str
    message: str


class Filter(ABC):
    """One plug-in's view of the nodes for one pod."""

    name: ClassVar[str]
    # When set, no other nodes need to be looked at.
    only: frozenset[str] | None = None

    @abstractmethod
    def explain(self, node: NodeInfo) -> Rejection | None:
        """Why the node will not do, or None."""

    def keep(self, nodes: list[NodeInfo]) -> list[NodeInfo]:
        """The nodes that will do, in their order."""
        return [node for node in nodes if self.explain(node) is None]


# None: the plug-in has nothing to say about this pod.
PrepareFilter = Callable[[Case], Filter | Impossible | None]
# One number from 0 to 100 a node; None: all nodes are equal.
Score = Callable[[Case, list[NodeInfo]], list[int] | None]


def normalized(scores: list[int], *, reverse: bool = False) -> list[int]:
    """Upstream's default: the greatest becomes 100; reversed, the least is the best."""
    highest = max(scores)
    if highest == 0:
        return [MAX_SCORE] * len(scores) if reverse else scores
    if reverse:
        return [MAX_SCORE - MAX_SCORE * score // highest for score in scores]
    return [MAX_SCORE * score // highest for score in scores]
