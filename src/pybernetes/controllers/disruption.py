"""The disruption controller: how many pods of a PodDisruptionBudget may be evicted now. The eviction sub-resource
reads it.

`count` and `status_of` are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pybernetes.api import time as api_time
from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.types.apps_v1 import Deployment, ReplicaSet, StatefulSet
from pybernetes.api.types.core_v1 import Pod, ReplicationController
from pybernetes.api.types.meta_v1 import Condition
from pybernetes.api.types.policy_v1 import PodDisruptionBudget, PodDisruptionBudgetStatus
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.ownership import controller_of
from pybernetes.controllers.surge import scaled
from pybernetes.reconcile import Informer, split_key

# An evicted pod that is still there after so long was not deleted after all.
DELETION_TIMEOUT = 120.0


@dataclass(frozen=True)
class Numbers:
    """Pods that there should be, and that must stay."""

    expected: int
    desired_healthy: int


def count(budget: PodDisruptionBudget, pods: int, scale: int) -> Numbers:
    """`pods` are those that match, `scale` is what their controllers want together."""
    spec = budget.spec
    if spec.max_unavailable is not None:
        allowed = scaled(spec.max_unavailable, scale, round_up=True)
        return Numbers(scale, max(scale - allowed, 0))
    if isinstance(spec.min_available, int):
        return Numbers(pods, spec.min_available)
    if spec.min_available is not None:
        return Numbers(scale, scaled(spec.min_available, scale, round_up=True))
    return Numbers(pods, 0)


def still_disrupted(
    budget: PodDisruptionBudget, pods: Iterable[Pod], now: datetime
) -> tuple[dict[str, str], float | None]:
    """Evicted pods that have not gone yet, and the seconds until the next of them is given up."""
    present = {pod.metadata.name: pod for pod in pods}
    kept: dict[str, str] = {}
    waits = []
    for name, since in budget.status.disrupted_pods.items():
        pod = present.get(name)
        if pod is None or pod.metadata.deletion_timestamp is not None:
            continue
        left = (api_time.parse(since) + timedelta(seconds=DELETION_TIMEOUT) - now).total_seconds()
        if left > 0:
            kept[name] = since
            waits.append(left)
    return kept, min(waits, default=None)


def status_of(
    budget: PodDisruptionBudget, pods: Sequence[Pod], numbers: Numbers, disrupted: dict[str, str], now: datetime
) -> PodDisruptionBudgetStatus:
    healthy = sum(
        pod_facts.is_ready(pod) and pod.metadata.deletion_timestamp is None and pod.metadata.name not in disrupted
        for pod in pods
    )
    allowed = max(healthy - numbers.desired_healthy, 0) if numbers.expected > 0 else 0
    return PodDisruptionBudgetStatus(
        observed_generation=budget.metadata.generation,
        disruptions_allowed=allowed,
        current_healthy=healthy,
        desired_healthy=numbers.desired_healthy,
        expected_pods=numbers.expected,
        disrupted_pods=disrupted,
        conditions=_conditions(budget, allowed > 0, now),
    )


def _conditions(budget: PodDisruptionBudget, allowed: bool, now: datetime) -> list[Condition]:
    status, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    old = next((item for item in budget.status.conditions if item.type == "DisruptionAllowed"), None)
    others = [item for item in budget.status.conditions if item.type != "DisruptionAllowed"]
    since = old.last_transition_time if old is not None and old.status == status else api_time.format(now)
    condition = Condition(
        type="DisruptionAllowed",
        status=status,
        reason=reason,
        observed_generation=budget.metadata.generation,
        last_transition_time=since,
    )
    return [*others, condition]


class DisruptionController(KeyedController):
    """`disruption-controller`."""

    name = "disruption-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        # Upstream's events call the component by this name.
        self._recorder = context.recorders.of("controllermanager")
        self._budgets = self.watch_own(PodDisruptionBudget)
        self._pods = self.informer(Pod)
        self._scaled: dict[str, Informer[Any]] = {
            "ReplicaSet": self.informer(ReplicaSet),
            "ReplicationController": self.informer(ReplicationController),
            "StatefulSet": self.informer(StatefulSet),
            "Deployment": self.informer(Deployment),
        }
        self._pods.on_change(self._pod_changed)
        for informer in self._scaled.values():
            informer.on_change(self._scale_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for pod in (old, new):
            if pod is None:
                continue
            for budget in self._budgets.cache.list(pod.metadata.namespace or ""):
                if from_label_selector(budget.spec.selector).matches(pod.metadata.labels):
                    self.enqueue(budget)

    def _scale_changed(self, old: ApiObject | None, new: ApiObject | None) -> None:
        obj = new or old
        if obj is None or (old is not None and new is not None and _replicas(old) == _replicas(new)):
            return
        for budget in self._budgets.cache.list(obj.metadata.namespace or ""):
            self.enqueue(budget)

    async def reconcile(self, key: str) -> float | None:
        namespace, name = split_key(key)
        budget = self._budgets.cache.get(namespace, name)
        if budget is None:
            return None
        selector = from_label_selector(budget.spec.selector)
        matching = [pod for pod in self._pods.cache.list(namespace) if selector.matches(pod.metadata.labels)]
        pods = [pod for pod in matching if not pod_facts.is_finished(pod)]
        if not pods:
            self._recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        now = self.clock.now()
        disrupted, again = still_disrupted(budget, pods, now)
        status = status_of(budget, pods, count(budget, len(pods), self._scale(pods)), disrupted, now)
        if status != budget.status:
            changed = copy(budget)
            changed.status = status
            await self.client.update_status(changed)
        return again

    def _scale(self, pods: Iterable[Pod]) -> int:
        """What the controllers of these pods want together; a pod without one counts for nothing."""
        scales: dict[str, int] = {}
        for pod in pods:
            owner = controller_of(pod)
            informer = self._scaled.get(owner.kind) if owner is not None else None
            if owner is None or informer is None:
                continue
            obj = informer.cache.get(pod.metadata.namespace or "", owner.name)
            if obj is not None and obj.metadata.uid == owner.uid:
                top = self._top(obj)
                scales[top.metadata.uid or ""] = _replicas(top)
        return sum(scales.values())

    def _top(self, obj: ApiObject) -> ApiObject:
        """The Deployment of a ReplicaSet, else the object itself: during a roll-out its scale is what counts."""
        owner = controller_of(obj)
        if owner is None or owner.kind != "Deployment":
            return obj
        found: ApiObject | None = self._scaled["Deployment"].cache.get(obj.metadata.namespace or "", owner.name)
        return found if found is not None and found.metadata.uid == owner.uid else obj


def _replicas(obj: ApiObject) -> int:
    replicas: int | None = obj.spec.replicas  # type: ignore[attr-defined]
    return 1 if replicas is None else replicas
