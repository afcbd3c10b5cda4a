"""The DaemonSet controller: observes nodes, pods and revisions, lets `daemonset_decision` decide, and acts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import copy
from pybernetes.api.types.apps_v1 import ControllerRevision, DaemonSet
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers import history
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.daemonset_decision import (
    REVISION_HASH,
    Decision,
    decide,
    decide_update,
    should_run,
    status_of,
    template_for,
)
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.owned_pods import observe_owned
from pybernetes.controllers.ownership import claim, decide_claims, is_alive
from pybernetes.controllers.pod_control import Failure, PodControl, pod_from
from pybernetes.controllers.pod_index import controlled_by, index_by_controller, orphans_in
from pybernetes.controllers.template_hash import template_hash
from pybernetes.reconcile import Expectations, split_key

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
POD_GENERATION = "pod-template-generation"


class DaemonSetController(KeyedController):
    """`daemonset-controller`."""

    name = "daemonset-controller"
    workers = 2

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of(self.name)
        self._pod_control = PodControl(context.client, self._recorder)
        self._expectations = Expectations()
        self._daemon_sets = self.watch_own(DaemonSet)
        self._revisions = self.informer(ControllerRevision)
        self._pods = self.informer(Pod)
        self._nodes = self.informer(Node)
        index_by_controller(self._revisions)
        index_by_controller(self._pods)
        self._pods.on_change(self._pod_changed)
        self._nodes.on_change(self._node_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for key in observe_owned(self._expectations, "DaemonSet", old, new):
            self.queue.add(key)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        """Only DaemonSets for which the node has become another one are looked at."""
        for daemon_set in self._daemon_sets.cache.list():
            spec = daemon_set.spec.template.spec
            before = should_run(spec, old) if old is not None else None
            after = should_run(spec, new) if new is not None else None
            if before != after:
                self.enqueue(daemon_set)

    async def reconcile(self, key: str) -> float | None:
        daemon_set = self._daemon_sets.cache.get(*split_key(key))
        if daemon_set is None:
            self._expectations.forget(key)
            return None
        if daemon_set.metadata.deletion_timestamp is not None or _selects_everything(daemon_set):
            return None
        settled = self._expectations.satisfied(key, self.clock.monotonic())
        revision = await self._revision(daemon_set)
        hash_ = revision.metadata.labels.get(REVISION_HASH, "")
        pods = await self._claim(daemon_set)
        # One moment for all: a pod that is not counted as available yet must be one that is waited for.
        now = self.clock.now()
        failure = await self._manage(key, daemon_set, pods, hash_, now) if settled else None
        await self._write_status(daemon_set, pods, hash_, now)
        await self._clean_up(daemon_set, pods, hash_)
        if failure is not None:
            raise failure
        seconds = daemon_set.spec.min_ready_seconds or 0
        return pod_facts.seconds_until_available(pods, seconds, now) if seconds else None

    async def _revision(self, daemon_set: DaemonSet) -> ControllerRevision:
        template = daemon_set.spec.template
        hash_ = template_hash(template, daemon_set.status.collision_count)
        labels = template.metadata.labels | {REVISION_HASH: hash_}
        marks = ObjectMeta(labels=labels, annotations=dict(daemon_set.metadata.annotations))
        known = controlled_by(self._revisions, daemon_set.metadata.uid)
        try:
            decision = history.decide(daemon_set, template, known, hash_, marks)
            return await history.keep(self.client, daemon_set, decision)
        except history.NameTaken:
            changed = copy(daemon_set)
            changed.status.collision_count = (daemon_set.status.collision_count or 0) + 1
            await self.client.update_status(changed)
            raise

    async def _claim(self, daemon_set: DaemonSet) -> list[Pod]:
        selector = from_label_selector(daemon_set.spec.selector)
        orphans = orphans_in(self._pods, daemon_set.metadata.namespace)
        children = [*controlled_by(self._pods, daemon_set.metadata.uid), *orphans]
        claims = decide_claims(daemon_set, selector.matches, children)
        return await claim(self.client, daemon_set, claims, lambda: is_alive(self.client, daemon_set))

    async def _manage(
        self, key: str, daemon_set: DaemonSet, pods: Sequence[Pod], hash_: str, now: datetime
    ) -> Failure | None:
        nodes = self._nodes.cache.list()
        decision = decide(daemon_set, nodes, pods)
        if not decision.create and not decision.delete:
            decision = decide_update(daemon_set, nodes, pods, hash_, now)
        for type_, reason, message in decision.tell:
            self._recorder.event(daemon_set, type_, reason, message)
        return await self._carry_out(key, daemon_set, decision, hash_)

    async def _carry_out(self, key: str, daemon_set: DaemonSet, decision: Decision, hash_: str) -> Failure | None:
        now = self.clock.monotonic()
        uids = [pod.metadata.uid or "" for pod in decision.delete]
        if decision.create:
            self._expectations.expect_creations(key, len(decision.create), now)
        if uids:
            self._expectations.expect_deletions(key, uids, now)
        new = [self._pod_for(daemon_set, name, hash_) for name in decision.create]
        created = await self._pod_control.create_all(daemon_set, new, lambda: self._expectations.creation_observed(key))
        deleted = await self._pod_control.delete_all(
            daemon_set,
            decision.delete,
            lambda pod: self._expectations.deletion_observed(key, pod.metadata.uid or ""),
        )
        return created or deleted

    def _pod_for(self, daemon_set: DaemonSet, node: str, hash_: str) -> Pod:
        pod = pod_from(template_for(daemon_set.spec.template, node), daemon_set)
        pod.metadata.labels[REVISION_HASH] = hash_
        generation = daemon_set.metadata.annotations.get(TEMPLATE_GENERATION)
        if generation:
            pod.metadata.labels[POD_GENERATION] = generation
        return pod

    async def _write_status(self, daemon_set: DaemonSet, pods: Sequence[Pod], hash_: str, now: datetime) -> None:
        status = status_of(daemon_set, self._nodes.cache.list(), pods, hash_, now)
        if status != daemon_set.status:
            changed = copy(daemon_set)
            changed.status = status
            await self.client.update_status(changed)

    async def _clean_up(self, daemon_set: DaemonSet, pods: Sequence[Pod], hash_: str) -> None:
        known = sorted(controlled_by(self._revisions, daemon_set.metadata.uid), key=lambda item: item.revision)
        live = {pod.metadata.labels.get(REVISION_HASH, "") for pod in pods} | {hash_}
        used = {item.metadata.name or "" for item in known if item.metadata.labels.get(REVISION_HASH) in live}
        await history.drop(self.client, history.superfluous(known, used, daemon_set.spec.revision_history_limit))


def _selects_everything(daemon_set: DaemonSet) -> bool:
    selector = daemon_set.spec.selector
    return selector is not None and not selector.match_labels and not selector.match_expressions
