"""The Deployment controller: observes ReplicaSets and pods, lets `deployment_decision` decide, and carries the plan
out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.apps_v1 import Deployment, ReplicaSet
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, LabelSelector, Preconditions
from pybernetes.client import Unreachable
from pybernetes.controllers import deployment_status
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.deployment_decision import Plan, decide
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.ownership import claim, controller_of, decide_claims, is_alive, is_controlled_by
from pybernetes.controllers.pod_control import namespace_is_going
from pybernetes.controllers.pod_index import controlled_by, index_by_controller, orphans_in
from pybernetes.controllers.revisions import find_new
from pybernetes.reconcile import split_key

log = logging.getLogger(__name__)


class DeploymentController(KeyedController):
    """`deployment-controller`."""

    name = "deployment-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of(self.name)
        self._deployments = self.watch_own(Deployment)
        self._replica_sets = self.informer(ReplicaSet)
        self._pods = self.informer(Pod)
        index_by_controller(self._replica_sets)
        index_by_controller(self._pods)
        self._replica_sets.on_change(self._replica_set_changed)
        self._pods.on_change(self._pod_changed)

    def _replica_set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        for side in (old, new):
            if side is not None:
                self._enqueue_owner(side)
        if new is None or controller_of(new) is not None:
            return
        for deployment in self._deployments.cache.list(new.metadata.namespace or ""):
            if from_label_selector(deployment.spec.selector or LabelSelector()).matches(new.metadata.labels):
                self.enqueue(deployment)

    def _enqueue_owner(self, child: ReplicaSet) -> None:
        owner = controller_of(child)
        if owner is not None and owner.kind == "Deployment":
            self.queue.add(f"{child.metadata.namespace}/{owner.name}")

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """Only the end of a pod matters here: Recreate waits for the last old one."""
        if old is None or (new is not None and not pod_facts.is_finished(new)):
            return
        owner = controller_of(old)
        if owner is None or owner.kind != "ReplicaSet":
            return
        replica_set = self._replica_sets.cache.get(old.metadata.namespace or "", owner.name)
        if replica_set is not None:
            self._enqueue_owner(replica_set)

    async def reconcile(self, key: str) -> float | None:
        deployment = self._deployments.cache.get(*split_key(key))
        if deployment is None:
            return None
        if _selects_everything(deployment):
            await self._refuse(deployment)
            return None
        replica_sets = await self._claim(deployment)
        plan = decide(deployment, replica_sets, self._busy(replica_sets), self.clock.now())
        await self._carry_out(deployment, plan)
        return plan.again_after

    async def _refuse(self, deployment: Deployment) -> None:
        message = "This deployment is selecting all pods. A non-empty selector is required."
        self._recorder.event(deployment, "Warning", "SelectingAll", message)
        if (deployment.status.observed_generation or 0) < (deployment.metadata.generation or 0):
            changed = copy(deployment)
            changed.status.observed_generation = deployment.metadata.generation
            await self.client.update_status(changed)

    async def _claim(self, deployment: Deployment) -> list[ReplicaSet]:
        selector = from_label_selector(deployment.spec.selector or LabelSelector())
        children = [
            *controlled_by(self._replica_sets, deployment.metadata.uid),
            *orphans_in(self._replica_sets, deployment.metadata.namespace),
        ]
        claims = decide_claims(deployment, selector.matches, children)
        return await claim(self.client, deployment, claims, lambda: is_alive(self.client, deployment))

    def _busy(self, replica_sets: Iterable[ReplicaSet]) -> frozenset[str]:
        uids = (item.metadata.uid or "" for item in replica_sets)
        return frozenset(
            uid for uid in uids if any(not pod_facts.is_finished(pod) for pod in controlled_by(self._pods, uid))
        )

    async def _carry_out(self, deployment: Deployment, plan: Plan) -> None:
        events = plan.events
        if plan.create is not None and not await self._create(deployment, plan.create):
            events = []
        for changed in plan.update.values():
            await self.client.update(changed)
        for message in events:
            self._recorder.event(deployment, "Normal", "ScalingReplicaSet", message)
        for old in plan.delete:
            await self._delete(old)
        await self._write_status(deployment, plan)

    async def _create(self, deployment: Deployment, new: ReplicaSet) -> bool:
        """Tells whether it is new; an earlier try of ours that the cache does not show yet is no failure."""
        try:
            await self.client.create(new)
        except (StatusError, Unreachable) as error:
            if isinstance(error, StatusError) and error.code == 409:
                if not await self._is_ours(deployment, new):
                    raise
            elif not namespace_is_going(error):
                await self._tell_failure(deployment, new, error)
                raise
            return False
        return True

    async def _is_ours(self, deployment: Deployment, new: ReplicaSet) -> bool:
        """Who has the name? Another template with the same hash is counted as a collision: the next try gets another
        name.
        """
        taken = await self.client.get(ReplicaSet, new.metadata.name or "", new.metadata.namespace or "")
        if is_controlled_by(taken, deployment) and find_new(deployment, [taken]) is not None:
            return True
        log.info("%s: the name %s is taken, trying another hash", deployment.metadata.name, new.metadata.name)
        changed = copy(deployment)
        changed.status.collision_count = (deployment.status.collision_count or 0) + 1
        await self.client.update_status(changed)
        return False

    async def _tell_failure(self, deployment: Deployment, new: ReplicaSet, error: Exception) -> None:
        message = f'Failed to create new replica set "{new.metadata.name}": {error}'
        self._recorder.event(deployment, "Warning", "FailedCreate", message)
        if not deployment_status.has_deadline(deployment):
            return
        now = self.clock.now()
        condition = deployment_status.make("Progressing", "False", "ReplicaSetCreateError", message, now)
        changed = copy(deployment)
        changed.status.conditions = deployment_status.with_condition(changed.status.conditions, condition)
        if changed.status != deployment.status:
            await self.client.update_status(changed)

    async def _delete(self, old: ReplicaSet) -> None:
        options = DeleteOptions(propagation_policy="Background", preconditions=Preconditions(uid=old.metadata.uid))
        try:
            await self.client.delete(ReplicaSet, old.metadata.name or "", old.metadata.namespace or "", options)
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    async def _write_status(self, deployment: Deployment, plan: Plan) -> None:
        if plan.status == deployment.status and not plan.annotations:
            return
        changed = copy(deployment)
        changed.status = plan.status
        changed.metadata.annotations |= plan.annotations
        await self.client.update_status(changed)


def _selects_everything(deployment: Deployment) -> bool:
    selector = deployment.spec.selector
    return selector is not None and not selector.match_labels and not selector.match_expressions
