"""Why a pod has no node, in upstream's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pybernetes.scheduler.decide.plugin import Impossible, Rejection

NO_NODES = "no nodes available to schedule pods"
# DynamicResources speaks before DefaultPreemption: about nothing when there are no claims, and, since it was never
# prepared, with a bare "not found" when another plug-in had called the pod impossible.
_NO_CLAIMS = "no new claims to deallocate"
_NOT_PREPARED = "not found"


@dataclass(frozen=True)
class Unschedulable:
    """No node takes the pod. `rejections` has every node that was looked at."""

    total: int  # nodes there are
    rejections: Mapping[str, Rejection] = field(default_factory=dict)
    impossible: Impossible | None = None
    # How many nodes were not looked at because these plug-ins named the only ones that could do.
    passed_over: int = 0
    passed_over_by: tuple[str, ...] = ()
    evaluated: int = 0

    @property
    def reasons(self) -> Counter[str]:
        """Reasons, each with the number of nodes."""
        counts: Counter[str] = Counter(reason for rejection in self.rejections.values() for reason in rejection.reasons)
        if self.passed_over:
            counts[f"node(s) didn't satisfy plugin(s) [{' '.join(self.passed_over_by)}]"] += self.passed_over
        return counts

    @property
    def plugins(self) -> frozenset[str]:
        """The plug-ins that said no; what changes for none of them cannot help."""
        names = {rejection.plugin for rejection in self.rejections.values()} | set(self.passed_over_by)
        return frozenset(names | ({self.impossible.plugin} if self.impossible else set()))

    @property
    def opening(self) -> str:
        """The message without what preemption has to say."""
        if self.total == 0:
            return NO_NODES
        start = f"0/{self.total} nodes are available:"
        if self.impossible is not None:
            return f"{start} {self.impossible.message}."
        counts = self.reasons
        return f"{start} {histogram(counts)}." if counts else start

    def message(self, preemption: str = "") -> str:
        """The whole message; `preemption` says why that did not help, and is empty when it did."""
        if self.total == 0:
            return NO_NODES
        if self.impossible is not None:
            return f"{self.opening} {_NOT_PREPARED}"
        return f"{self.opening} {_NO_CLAIMS}, preemption: {preemption}" if preemption else self.opening


def histogram(counts: Mapping[str, int]) -> str:
    """`1 Insufficient cpu, 2 Too many pods`, sorted as text."""
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
