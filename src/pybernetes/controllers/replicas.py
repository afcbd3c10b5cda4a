"""Keeping a number of pods: what ReplicaSets and ReplicationControllers have in common.

`decide` and `count` are pure. `ReplicasController` observes pods through informers, lets `decide` say how many to
create and
which to delete, acts through `PodControl`, and writes the status. Expectations keep a stale cache from doubling pods.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from pybernetes.api import time as api_time
from pybernetes.api.objects import ApiObject, Object, copy
from pybernetes.api.types.core_v1 import Pod, PodTemplateSpec
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.ownership import Matches, claim, controller_of, decide_claims, is_alive
from pybernetes.controllers.pod_control import Failure, PodControl, pod_from
from pybernetes.controllers.pod_index import controlled_by, index_by_controller, orphans_in
from pybernetes.reconcile import Expectations, Informer, key_of, split_key

# So many pods are created or deleted in one go; the rest follows when these have been seen.
BURST = 500


@dataclass(frozen=True)
class Decision:
    """How many pods to create, and which to delete."""

    create: int = 0
    delete: tuple[Pod, ...] = ()


def decide(desired: int, active: Sequence[Pod], related: Sequence[Pod], now: datetime) -> Decision:
    """Pods to add or to take away; `related` are the pods of sibling owners, so that crowded nodes lose pods first."""
    missing = desired - len(active)
    if missing >= 0:
        return Decision(create=min(missing, BURST))
    ranked = pod_facts.first_to_go(active, related, now)
    return Decision(delete=tuple(ranked[: min(-missing, BURST)]))


@dataclass(frozen=True)
class Counts:
    """The numbers of a status."""

    replicas: int
    fully_labeled: int
    ready: int
    available: int
    terminating: int


def count(owned: Sequence[Pod], labels: dict[str, str], min_ready_seconds: int, now: datetime) -> Counts:
    """`labels` are the template's: pods that still carry all of them are fully labelled."""
    active = [pod for pod in owned if pod_facts.is_active(pod)]
    return Counts(
        replicas=len(active),
        fully_labeled=sum(labels.items() <= pod.metadata.labels.items() for pod in active),
        ready=sum(pod_facts.is_ready(pod) for pod in active),
        available=sum(pod_facts.is_available(pod, min_ready_seconds, now) for pod in active),
        terminating=sum(pod_facts.is_terminating(pod) for pod in owned),
    )


class ReplicasController(KeyedController, Generic[Object]):
    """One kind of owner with `spec.replicas`; subclasses say where its parts are."""

    kind_type: type[Object]

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        recorder = context.recorders.of(self.name)
        self._pod_control = PodControl(context.client, recorder)
        self._expectations = Expectations()
        self.owners: Informer[Object] = self.watch_own(self.kind_type)
        self.pods = self.informer(Pod)
        index_by_controller(self.pods)
        self.pods.on_change(self._pod_changed)

    @abstractmethod
    def matcher(self, owner: Object) -> Matches:
        """Which labels belong to the owner."""

    @abstractmethod
    def template(self, owner: Object) -> PodTemplateSpec: ...

    @abstractmethod
    def desired(self, owner: Object) -> int: ...

    @abstractmethod
    def min_ready_seconds(self, owner: Object) -> int: ...

    @abstractmethod
    def status(self, owner: Object, counts: Counts, conditions: list[Any]) -> Any: ...

    @abstractmethod
    def failure_condition(self, reason: str, message: str, stamp: str) -> Any: ...

    def related(self, owner: Object, owned: list[Pod]) -> list[Pod]:
        """The pods that share the owner's purpose."""
        return owned

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        for side in (old, new):
            owner = self._owner_of(side) if side is not None else None
            if owner is None:
                continue
            key = key_of(owner)
            if side is new and old is None:
                self._expectations.creation_observed(key)
            if new is None or new.metadata.deletion_timestamp is not None:
                self._expectations.deletion_observed(key, pod.metadata.uid or "")
            self.queue.add(key)
        if new is not None and controller_of(new) is None:
            self._enqueue_adopters(new)

    def _owner_of(self, pod: Pod) -> Object | None:
        reference = controller_of(pod)
        if reference is None or reference.kind != self.kind_type.__name__:
            return None
        owner = self.owners.cache.get(pod.metadata.namespace or "", reference.name)
        return owner if owner is not None and owner.metadata.uid == reference.uid else None

    def _enqueue_adopters(self, pod: Pod) -> None:
        """An orphan may be wanted by somebody."""
        if pod.metadata.deletion_timestamp is not None:
            return
        for owner in self.owners.cache.list(pod.metadata.namespace or ""):
            if self.matcher(owner)(pod.metadata.labels):
                self.enqueue(owner)

    async def reconcile(self, key: str) -> float | None:
        owner = self.owners.cache.get(*split_key(key))
        if owner is None:
            self._expectations.forget(key)
            return None
        # Asked before the pods are read: what is expected may arrive in between, and then the pods show it.
        settled = self._expectations.satisfied(key, self.clock.monotonic())
        owned = await self._claim(owner)
        # One moment for all: a pod that is not counted as available yet must be one that is waited for.
        now = self.clock.now()
        failure: Failure | None = None
        decision = Decision()
        if settled and owner.metadata.deletion_timestamp is None:
            active = [pod for pod in owned if pod_facts.is_active(pod)]
            decision = decide(self.desired(owner), active, self.related(owner, owned), now)
            failure = await self._carry_out(key, owner, decision)
        await self._write_status(owner, owned, (decision, failure), now)
        if failure is not None:
            raise failure
        return pod_facts.seconds_until_available(owned, self.min_ready_seconds(owner), now)

    async def _claim(self, owner: Object) -> list[Pod]:
        children = [*controlled_by(self.pods, owner.metadata.uid), *self._candidates(owner)]
        claims = decide_claims(owner, self.matcher(owner), children)
        if not claims.adopt and not claims.release:
            return claims.owned
        return await claim(self.client, owner, claims, lambda: is_alive(self.client, owner))

    def _candidates(self, owner: ApiObject) -> list[Pod]:
        """Orphans worth adopting; a finished one stays on its own, as upstream leaves it."""
        orphans = orphans_in(self.pods, owner.metadata.namespace)
        return [pod for pod in orphans if pod_facts.is_active(pod)]

    async def _carry_out(self, key: str, owner: Object, decision: Decision) -> Failure | None:
        now = self.clock.monotonic()
        if decision.create:
            self._expectations.expect_creations(key, decision.create, now)
            new = [pod_from(self.template(owner), owner) for _ in range(decision.create)]
            return await self._pod_control.create_all(owner, new, lambda: self._expectations.creation_observed(key))
        if decision.delete:
            self._expectations.expect_deletions(key, [pod.metadata.uid or "" for pod in decision.delete], now)
            return await self._pod_control.delete_all(
                owner,
                decision.delete,
                lambda pod: self._expectations.deletion_observed(key, pod.metadata.uid or ""),
            )
        return None

    async def _write_status(
        self, owner: Object, owned: list[Pod], outcome: tuple[Decision, Failure | None], now: datetime
    ) -> None:
        decision, failure = outcome
        labels = self.template(owner).metadata.labels
        counts = count(owned, labels, self.min_ready_seconds(owner), now)
        before: Any = owner.status  # type: ignore[attr-defined]
        conditions = [item for item in before.conditions if item.type != "ReplicaFailure"]
        if failure is not None:
            reason = "FailedCreate" if decision.create else "FailedDelete"
            told = next((item for item in before.conditions if item.type == "ReplicaFailure"), None)
            conditions.append(told or self.failure_condition(reason, str(failure), api_time.format(now)))
        after = self.status(owner, counts, conditions)
        if after == before:
            return
        changed: Any = copy(owner)
        changed.status = after
        await self.client.update_status(changed)
