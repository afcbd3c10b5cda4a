"""How many pods on each node meet a condition, for the conditions asked for lately; kept up to date pod by pod.

Spreading and affinity ask for the same few conditions again and again: counting anew would look at every pod each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pybernetes.api.labels import Selector
from pybernetes.scheduler.pod_info import PodInfo

REMEMBERED = 256


class Condition(NamedTuple):
    """Pods of these namespaces (None: of all) that all selectors match."""

    namespaces: frozenset[str] | None
    selectors: tuple[Selector, ...]
    without_terminating: bool = False

    def holds(self, info: PodInfo) -> bool:
        if self.namespaces is not None and info.namespace not in self.namespaces:
            return False
        if self.without_terminating and info.terminating:
            return False
        labels = info.labels
        for selector in self.selectors:  # noqa: SIM110 - a loop is twice as fast as all() here
            if not selector.matches(labels):
                return False
        return True


class Matches:
    """Counts by node name; nodes without a match are absent."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Condition, dict[str, int]] = OrderedDict()

    def of(self, condition: Condition, pods: Iterable[tuple[str, PodInfo]]) -> Mapping[str, int]:
        """The counts; `pods` (node name, pod) is looked at only when the condition is new."""
        counts = self._kept.get(condition)
        if counts is not None:
            self._kept.move_to_end(condition)
            return counts
        counts = {}
        for node, info in pods:
            if condition.holds(info):
                counts[node] = counts.get(node, 0) + 1
        self._kept[condition] = counts
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return counts

    def added(self, info: PodInfo, node: str) -> None:
        for condition, counts in self._kept.items():
            if condition.holds(info):
                counts[node] = counts.get(node, 0) + 1

    def removed(self, info: PodInfo, node: str) -> None:
        for condition, counts in self._kept.items():
            if condition.holds(info):
                left = counts[node] - 1
                if left:
                    counts[node] = left
                else:
                    del counts[node]
