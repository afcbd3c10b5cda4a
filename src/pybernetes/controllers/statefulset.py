"""The StatefulSet controller: observes pods, claims and revisions, lets `statefulset_decision` decide, and acts in
order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.apps_v1 import ControllerRevision, StatefulSet
from pybernetes.api.types.core_v1 import PersistentVolumeClaim, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta, OwnerReference, Preconditions
from pybernetes.controllers import history
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.ownership import claim, controller_of, decide_claims, is_alive, owner_reference
from pybernetes.controllers.pod_control import namespace_is_going
from pybernetes.controllers.pod_index import controlled_by, index_by_controller, orphans_in
from pybernetes.controllers.statefulset_decision import (
    REVISION,
    Decision,
    Revision,
    claim_name,
    claims_for,
    decide,
    ordinal_of,
    replicas_of,
    start_of,
    status_of,
)
from pybernetes.reconcile import split_key

REVISION_HASH = "controller.kubernetes.io/hash"


class StatefulSetController(KeyedController):
    """`statefulset-controller`."""

    name = "statefulset-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of(self.name)
        self._sets = self.watch_own(StatefulSet)
        self._revisions = self.informer(ControllerRevision)
        self._pods = self.informer(Pod)
        self._claims = self.informer(PersistentVolumeClaim)
        index_by_controller(self._revisions)
        index_by_controller(self._pods)
        self._pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for side in (old, new):
            owner = controller_of(side) if side is not None else None
            if side is not None and owner is not None and owner.kind == "StatefulSet":
                self.queue.add(f"{side.metadata.namespace}/{owner.name}")
        if new is not None and controller_of(new) is None:
            for item in self._sets.cache.list(new.metadata.namespace or ""):
                if ordinal_of(item, new) is not None:
                    self.enqueue(item)

    async def reconcile(self, key: str) -> float | None:
        owner = self._sets.cache.get(*split_key(key))
        if owner is None or owner.metadata.deletion_timestamp is not None:
            return None
        pods = await self._claim(owner)
        current, update = await self._revisions_of(owner)
        # One moment for all: a pod that is not counted as available yet must be one that is waited for.
        now = self.clock.now()
        decision = decide(owner, pods, current, update, now)
        await self._write_status(owner, pods, current, update, now)
        await self._carry_out(owner, decision)
        await self._keep_claims(owner, pods)
        await self._clean_up(owner, pods, {current.name, update.name})
        seconds = owner.spec.min_ready_seconds or 0
        return pod_facts.seconds_until_available(pods, seconds, now) if seconds else None

    async def _claim(self, owner: StatefulSet) -> list[Pod]:
        """A pod is ours only when its name is, too."""
        selector = from_label_selector(owner.spec.selector)
        orphans = orphans_in(self._pods, owner.metadata.namespace)
        children = [*controlled_by(self._pods, owner.metadata.uid), *orphans]
        named = [pod for pod in children if ordinal_of(owner, pod) is not None]
        claims = decide_claims(owner, selector.matches, named)
        return await claim(self.client, owner, claims, lambda: is_alive(self.client, owner))

    async def _revisions_of(self, owner: StatefulSet) -> tuple[Revision, Revision]:
        """(the one that pods are at, the one that they shall be at)."""
        collisions = owner.status.collision_count or 0
        hash_ = history.data_hash(history.data_of(owner.spec.template), collisions)
        labels = owner.spec.selector.match_labels if owner.spec.selector is not None else {}
        marks = ObjectMeta(labels=labels | {REVISION_HASH: hash_}, annotations=dict(owner.metadata.annotations))
        known = controlled_by(self._revisions, owner.metadata.uid)
        try:
            decision = history.decide(owner, owner.spec.template, known, hash_, marks)
            update = await history.keep(self.client, owner, decision)
        except history.NameTaken:
            changed = copy(owner)
            changed.status.collision_count = collisions + 1
            await self.client.update_status(changed)
            raise
        named = {item.metadata.name: item for item in known}
        current = named.get(owner.status.current_revision) or update
        return _revision(current), _revision(update)

    async def _write_status(
        self, owner: StatefulSet, pods: Sequence[Pod], current: Revision, update: Revision, now: datetime
    ) -> None:
        status = status_of(owner, pods, current, update, now)
        if status != owner.status:
            changed = copy(owner)
            changed.status = status
            await self.client.update_status(changed)

    async def _carry_out(self, owner: StatefulSet, decision: Decision) -> None:
        for pod in decision.create:
            await self._create(owner, pod)
        for pod in decision.delete:
            await self._delete(owner, pod)

    async def _create(self, owner: StatefulSet, pod: Pod) -> None:
        """The pod's claims come first. A pod of the name that is there already is the cache's lag, no failure."""
        for volume in claims_for(owner, ordinal_of(owner, pod) or 0):
            await self._create_claim(owner, pod, volume)
        what = f"Pod {pod.metadata.name} in StatefulSet {owner.metadata.name}"
        try:
            await self.client.create(pod)
        except StatusError as error:
            if error.code == 409 or namespace_is_going(error):
                return
            self._recorder.event(owner, "Warning", "FailedCreate", f"create {what} failed error: {error}")
            raise
        self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Create {what} successful")

    async def _create_claim(self, owner: StatefulSet, pod: Pod, volume: PersistentVolumeClaim) -> None:
        namespace, name = volume.metadata.namespace or "", volume.metadata.name or ""
        if self._claims.cache.get(namespace, name) is not None:
            return
        what = f"Claim {name} Pod {pod.metadata.name} in StatefulSet {owner.metadata.name}"
        try:
            await self.client.create(volume)
        except StatusError as error:
            if error.code == 409:
                return
            self._recorder.event(owner, "Warning", "FailedCreate", f"create {what} failed error: {error}")
            raise
        self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Create {what} success")

    async def _delete(self, owner: StatefulSet, pod: Pod) -> None:
        what = f"Pod {pod.metadata.name} in StatefulSet {owner.metadata.name}"
        options = DeleteOptions(preconditions=Preconditions(uid=pod.metadata.uid))
        try:
            await self.client.delete(Pod, pod.metadata.name or "", pod.metadata.namespace, options)
        except StatusError as error:
            if error.code in (404, 409):
                return
            self._recorder.event(owner, "Warning", "FailedDelete", f"delete {what} failed error: {error}")
            raise
        self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Delete {what} successful")

    async def _keep_claims(self, owner: StatefulSet, pods: Sequence[Pod]) -> None:
        """Who owns a claim says when it goes: with the set, with the pod that is scaled away, or never."""
        policy = owner.spec.persistent_volume_claim_retention_policy
        if policy is None or not owner.spec.volume_claim_templates:
            return
        wanted = range(start_of(owner), start_of(owner) + replicas_of(owner))
        by_ordinal = {ordinal_of(owner, pod): pod for pod in pods}
        for ordinal in {*wanted, *(number for number in by_ordinal if number is not None)}:
            pod = by_ordinal.get(ordinal)
            owners: list[OwnerReference] = []
            if ordinal not in wanted and policy.when_scaled == "Delete" and pod is not None:
                owners = [_plain_reference(pod)]
            elif policy.when_deleted == "Delete":
                owners = [owner_reference(owner)]
            for template in owner.spec.volume_claim_templates:
                await self._set_owners(owner, claim_name(template, owner, ordinal), owners)

    async def _set_owners(self, owner: StatefulSet, name: str, owners: list[OwnerReference]) -> None:
        found = self._claims.cache.get(owner.metadata.namespace or "", name)
        if found is None:
            return
        references = found.metadata.owner_references
        mine = [item for item in references if item.kind in ("StatefulSet", "Pod")]
        if [item.uid for item in mine] == [item.uid for item in owners]:
            return
        changed = copy(found)
        changed.metadata.owner_references = [*(item for item in references if item not in mine), *owners]
        await self.client.update(changed)

    async def _clean_up(self, owner: StatefulSet, pods: Sequence[Pod], used: set[str]) -> None:
        known = sorted(controlled_by(self._revisions, owner.metadata.uid), key=lambda item: item.revision)
        live = used | {pod.metadata.labels.get(REVISION, "") for pod in pods}
        await history.drop(self.client, history.superfluous(known, live, owner.spec.revision_history_limit))


def _revision(item: ControllerRevision) -> Revision:
    return Revision(item.metadata.name or "", history.template_of(item))


def _plain_reference(pod: Pod) -> OwnerReference:
    return OwnerReference(api_version="v1", kind="Pod", name=pod.metadata.name or "", uid=pod.metadata.uid or "")
