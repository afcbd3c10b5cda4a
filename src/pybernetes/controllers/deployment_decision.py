"""One step of a Deployment: from its ReplicaSets and pods to what must be created, scaled, deleted and told.

Pure: `decide` gets values and gives a `Plan`; `deployment.DeploymentController` observes and acts. Every step is
safe to repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from pybernetes.api.objects import copy
from pybernetes.api.types.apps_v1 import Deployment, DeploymentStatus, ReplicaSet, ReplicaSetSpec
from pybernetes.api.types.meta_v1 import LabelSelector, ObjectMeta
from pybernetes.controllers import deployment_status as states
from pybernetes.controllers import surge
from pybernetes.controllers.ownership import owner_reference
from pybernetes.controllers.revisions import (
    REVISION,
    TEMPLATE_HASH,
    find_new,
    new_annotations,
    next_revision,
    revision_of,
    size_annotations,
    without_hash,
)
from pybernetes.controllers.surge import replicas_of
from pybernetes.controllers.template_hash import template_hash


@dataclass
class Plan:
    """What to do now. `update` holds changed copies by name; `events` are messages of reason ScalingReplicaSet."""

    create: ReplicaSet | None = None
    update: dict[str, ReplicaSet] = field(default_factory=dict)
    delete: list[ReplicaSet] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)
    status: DeploymentStatus = field(default_factory=DeploymentStatus)
    again_after: float | None = None


def decide(deployment: Deployment, replica_sets: Sequence[ReplicaSet], busy: frozenset[str], now: datetime) -> Plan:
    """`replica_sets` are those that the Deployment controls, `busy` the uids of those that still have unfinished
    pods.
    """
    step = _Step(deployment, list(replica_sets), busy, now)
    if deployment.metadata.deletion_timestamp is not None:
        step.new = find_new(deployment, replica_sets)
        step.plan.status = step.counted()
        return step.plan
    step.note_pause()
    if deployment.spec.paused or step.was_scaled():
        step.sync()
    elif surge.is_rolling(deployment):
        step.roll()
    else:
        step.recreate()
    step.plan.again_after = states.seconds_to_deadline(deployment, step.plan.status, now)
    return step.plan


class _Step:
    """The state of one decision: ReplicaSets as they will be once the plan so far is carried out."""

    def __init__(
        self, deployment: Deployment, replica_sets: list[ReplicaSet], busy: frozenset[str], now: datetime
    ) -> None:
        self.deployment = copy(deployment)
        self.replica_sets = replica_sets
        self.busy = busy
        self.now = now
        self.new: ReplicaSet | None = None
        self.plan = Plan()

    @property
    def old(self) -> list[ReplicaSet]:
        return [item for item in self.replica_sets if item is not self.new]

    @property
    def active(self) -> list[ReplicaSet]:
        return [item for item in self.replica_sets if replicas_of(item) > 0]

    def counted(self) -> DeploymentStatus:
        return states.counts(self.deployment, self.replica_sets, self.new, self.now)

    def note_pause(self) -> None:
        """Pausing stops the deadline's clock, resuming starts it anew; the Progressing condition says so."""
        if not states.has_deadline(self.deployment):
            return
        conditions = self.deployment.status.conditions
        progressing = states.find(conditions, "Progressing")
        if progressing is not None and progressing.reason == states.TIMED_OUT:
            return
        noted = progressing is not None and progressing.reason == "DeploymentPaused"
        if self.deployment.spec.paused and not noted:
            self.add_condition("Unknown", "DeploymentPaused", "Deployment is paused")
        elif noted and not self.deployment.spec.paused:
            self.add_condition("Unknown", "DeploymentResumed", "Deployment is resumed")

    def add_condition(self, status: str, reason: str, message: str) -> None:
        new = states.make("Progressing", status, reason, message, self.now)
        self.deployment.status.conditions = states.with_condition(self.deployment.status.conditions, new)

    def was_scaled(self) -> bool:
        """Some ReplicaSet was sized for another number of replicas than the Deployment wants now."""
        desired = replicas_of(self.deployment)
        wanted = (surge.annotated(item, surge.DESIRED_REPLICAS) for item in self.active)
        return any(count is not None and count != desired for count in wanted)

    def sync(self) -> None:
        """Scales without moving the roll-out on: for paused and for just scaled Deployments."""
        self.find_or_make_new(create=False)
        self.scale_all()
        if self.deployment.spec.paused:
            self.clean_up()
        self.plan.status = self.counted()

    def roll(self) -> None:
        self.find_or_make_new(create=True)
        if not self.grow_new() and not self.shrink_old():
            self.clean_up_if_complete()
        self.finish()

    def recreate(self) -> None:
        """No new pod before the last old one has ended."""
        self.find_or_make_new(create=False)
        shrinking = [item for item in self.old if replicas_of(item) > 0]
        for item in shrinking:
            self.scale(item, 0)
        if not shrinking and not self.old_pods_running():
            if self.new is None:
                self.find_or_make_new(create=True)
            self.grow_new()
            self.clean_up_if_complete()
        self.finish()

    def old_pods_running(self) -> bool:
        return any(item.metadata.uid in self.busy for item in self.old)

    def finish(self) -> None:
        self.plan.status = states.rollout_status(self.deployment, self.replica_sets, self.new, self.now)

    def clean_up_if_complete(self) -> None:
        if states.is_complete(self.deployment, self.counted()):
            self.clean_up()

    def find_or_make_new(self, *, create: bool) -> None:
        self.new = find_new(self.deployment, self.replica_sets)
        old = self.old
        revision = next_revision(old)
        if self.new is not None:
            self.adopt_revision(self.new, revision)
        elif create:
            self.make_new(revision)

    def adopt_revision(self, new: ReplicaSet, revision: int) -> None:
        wanted = new_annotations(self.deployment, new.metadata.annotations, revision, exists=True)
        if wanted != new.metadata.annotations or new.spec.min_ready_seconds != self.deployment.spec.min_ready_seconds:
            changed = self.changed(new)
            changed.metadata.annotations = wanted
            changed.spec.min_ready_seconds = self.deployment.spec.min_ready_seconds
            self.new = changed
        self.set_revision(wanted[REVISION])
        if (
            states.has_deadline(self.deployment)
            and states.find(self.deployment.status.conditions, "Progressing") is None
        ):
            self.add_condition("True", "FoundNewReplicaSet", f'Found new replica set "{new.metadata.name}"')

    def make_new(self, revision: int) -> None:
        new = new_replica_set(self.deployment, revision)
        new.spec.replicas = surge.new_size(self.deployment, self.replica_sets, None)
        self.plan.create = self.new = new
        self.replica_sets = [*self.replica_sets, new]
        if new.spec.replicas:
            self.plan.events.append(f"Scaled up replica set {new.metadata.name} from 0 to {new.spec.replicas}")
        self.set_revision(str(revision))
        if states.has_deadline(self.deployment):
            self.add_condition("True", "NewReplicaSetCreated", f'Created new replica set "{new.metadata.name}"')

    def set_revision(self, revision: str) -> None:
        if self.deployment.metadata.annotations.get(REVISION) != revision:
            self.plan.annotations[REVISION] = revision

    def changed(self, item: ReplicaSet) -> ReplicaSet:
        """A copy that may be changed, standing in for the original from here on."""
        name = item.metadata.name or ""
        if item is self.plan.create or item is self.plan.update.get(name):
            return item
        duplicate = copy(item)
        self.plan.update[name] = duplicate
        self.replica_sets = [duplicate if other is item else other for other in self.replica_sets]
        if item is self.new:
            self.new = duplicate
        return duplicate

    def scale(self, item: ReplicaSet, size: int) -> bool:
        """Sets size and size annotations; tells whether the size changed."""
        before = replicas_of(item)
        annotations = item.metadata.annotations | size_annotations(self.deployment)
        if size == before and annotations == item.metadata.annotations:
            return False
        changed = self.changed(item)
        changed.spec.replicas = size
        changed.metadata.annotations = annotations
        if size == before:
            return False
        way = "up" if size > before else "down"
        self.plan.events.append(f"Scaled {way} replica set {item.metadata.name} from {before} to {size}")
        return True

    def grow_new(self) -> bool:
        if self.new is None or replicas_of(self.new) == replicas_of(self.deployment):
            return False
        if replicas_of(self.new) > replicas_of(self.deployment):
            return self.scale(self.new, replicas_of(self.deployment))
        return self.scale(self.new, surge.new_size(self.deployment, self.replica_sets, self.new))

    def shrink_old(self) -> bool:
        assert self.new is not None
        sizes = surge.shrink_old(self.deployment, self.old, self.new)
        for item in self.old:
            name = item.metadata.name or ""
            if name in sizes:
                self.scale(item, sizes[name])
        return bool(sizes)

    def scale_all(self) -> None:
        desired = replicas_of(self.deployment)
        only = self.only_one()
        if only is not None:
            if replicas_of(only) != desired:
                self.scale(only, desired)
            return
        if self.is_saturated():
            for item in [item for item in self.old if replicas_of(item) > 0]:
                self.scale(item, 0)
            return
        if surge.is_rolling(self.deployment):
            sizes = surge.proportional(self.deployment, self.active)
            for item in self.active:
                self.scale(item, sizes[item.metadata.name or ""])

    def only_one(self) -> ReplicaSet | None:
        """The single ReplicaSet with pods, or when there is none the newest one."""
        active = self.active
        if len(active) == 1:
            return active[0]
        if active:
            return None
        return self.new or next(reversed(surge.oldest_first(self.old)), None)

    def is_saturated(self) -> bool:
        desired = replicas_of(self.deployment)
        return (
            self.new is not None
            and surge.annotated(self.new, surge.DESIRED_REPLICAS) == desired
            and replicas_of(self.new) == desired
            and (self.new.status.available_replicas or 0) == desired
        )

    def clean_up(self) -> None:
        """Deletes the oldest empty ReplicaSets beyond revisionHistoryLimit."""
        limit = self.deployment.spec.revision_history_limit
        if limit is None or limit == states.NO_DEADLINE:
            return
        alive = sorted((item for item in self.old if item.metadata.deletion_timestamp is None), key=revision_of)
        for item in alive[: max(len(alive) - limit, 0)]:
            settled = (item.status.observed_generation or 0) >= (item.metadata.generation or 0)
            if item.status.replicas == 0 and replicas_of(item) == 0 and settled:
                self.plan.delete.append(item)


def new_replica_set(deployment: Deployment, revision: int) -> ReplicaSet:
    """The ReplicaSet of the Deployment's present template, still without a size."""
    template = copy(without_hash(deployment.spec.template))
    suffix = template_hash(template, deployment.status.collision_count)
    template.metadata.labels = template.metadata.labels | {TEMPLATE_HASH: suffix}
    selector = deployment.spec.selector or LabelSelector()
    return ReplicaSet(
        metadata=ObjectMeta(
            name=f"{deployment.metadata.name}-{suffix}",
            namespace=deployment.metadata.namespace,
            labels=dict(template.metadata.labels),
            annotations=new_annotations(deployment, {}, revision, exists=False),
            owner_references=[owner_reference(deployment)],
        ),
        spec=ReplicaSetSpec(
            min_ready_seconds=deployment.spec.min_ready_seconds,
            selector=msgspec.structs.replace(selector, match_labels=selector.match_labels | {TEMPLATE_HASH: suffix}),
            template=template,
        ),
    )
