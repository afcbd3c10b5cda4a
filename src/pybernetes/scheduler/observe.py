"""What the scheduler learns: informers' callbacks become changes of the snapshot, of the queue, and of the facts.

Nothing is asked of the API server here but through informers.
"""

from __future__ import annotations

from typing import Any

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.apps_v1 import ReplicaSet, StatefulSet
from pybernetes.api.types.core_v1 import (
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    ReplicationController,
    Service,
)
from pybernetes.api.types.policy_v1 import PodDisruptionBudget
from pybernetes.api.types.storage_v1 import StorageClass
from pybernetes.reconcile import Informer, Informers
from pybernetes.scheduler.decide.scheduling_gates import gated
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.hints import Change, node_changes
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.queue import SchedulingQueue
from pybernetes.scheduler.snapshot import Snapshot

_FINISHED = ("Succeeded", "Failed")


class Observer:
    """Keeps one scheduler's snapshot and queue as the API server tells."""

    def __init__(self, informers: Informers, snapshot: Snapshot, queue: SchedulingQueue, scheduler_name: str) -> None:
        self._snapshot = snapshot
        self._queue = queue
        self._scheduler_name = scheduler_name
        self._nodes: Informer[Node] = informers.of(Node)
        self._pods: Informer[Pod] = informers.of(Pod)
        self._claims = informers.of(PersistentVolumeClaim)
        self._volumes = informers.of(PersistentVolume)
        self._classes = informers.of(StorageClass)
        others = (
            namespaces := informers.of(Namespace),
            services := informers.of(Service),
            replication_controllers := informers.of(ReplicationController),
            replica_sets := informers.of(ReplicaSet),
            stateful_sets := informers.of(StatefulSet),
            budgets := informers.of(PodDisruptionBudget),
        )
        self._all: tuple[Informer[Any], ...] = (
            self._nodes,
            self._pods,
            self._claims,
            self._volumes,
            self._classes,
            *others,
        )
        self.facts = Facts(
            namespaces=namespaces.cache,
            services=services.cache,
            replication_controllers=replication_controllers.cache,
            replica_sets=replica_sets.cache,
            stateful_sets=stateful_sets.cache,
            claims=self._claims.cache,
            volumes=self._volumes.cache,
            storage_classes=self._classes.cache,
            budgets=budgets.cache,
        )

    def start(self) -> None:
        """Takes over what is known and what comes; a loop must be running."""
        self._nodes.on_change(self._node_changed)
        self._pods.on_change(self._pod_changed)
        for informer in (self._claims, self._volumes, self._classes):
            informer.on_change(self._volumes_changed)

    async def wait_synced(self) -> None:
        """Returns when all informers know the first state: deciding earlier would be deciding blindly."""
        for informer in self._all:
            await informer.wait_synced()

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            if old is not None:
                self._snapshot.remove_node(old.metadata.name or "")
            return
        self._snapshot.set_node(new)
        changes = {Change.NODE_ADDED} if old is None else node_changes(old, new)
        if changes:
            self._queue.changed(changes)

    def _volumes_changed(self, old: ApiObject | None, new: ApiObject | None) -> None:
        self._queue.changed({Change.VOLUMES})

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            if old is not None:
                self._gone(old)
        elif new.status.phase in _FINISHED:
            self._gone(new)
        elif new.spec.node_name:
            self._assigned(old, new, new.spec.node_name)
        elif (new.spec.scheduler_name or "default-scheduler") == self._scheduler_name:
            self._pending(old, new)

    def _gone(self, pod: Pod) -> None:
        uid = PodInfo.uid_of(pod)
        self._queue.remove(uid)
        freed = bool(pod.spec.node_name) or self._snapshot.is_assumed(uid) or bool(self._snapshot.nomination(uid))
        self._snapshot.remove_pod(uid)
        if freed:
            self._queue.changed({Change.POD_GONE})

    def _assigned(self, old: Pod | None, new: Pod, node: str) -> None:
        if old is not None and old.spec.node_name == node and not _matters(old, new):
            self._snapshot.refresh(PodInfo.uid_of(new), new)
            return
        info = PodInfo(new)
        self._queue.remove(info.uid)
        self._snapshot.set_pod(info, node)
        changes = {Change.POD_ARRIVED}
        if old is not None and old.spec.node_name and old.spec != new.spec:
            # Resized in place: it may use less.
            changes.add(Change.POD_GONE)
        self._queue.changed(changes)

    def _pending(self, old: Pod | None, new: Pod) -> None:
        info = PodInfo(new)
        if self._snapshot.is_assumed(info.uid):
            return
        if new.status.nominated_node_name and old is None:
            # After a restart: the room that another scheduler has made is still this pod's.
            self._snapshot.nominate(info, new.status.nominated_node_name)
        if info.uid in self._queue and not gated(new):
            self._queue.update(info, helpful=old is not None and _matters(old, new))
        self._queue.add(info, gated=gated(new))


def _matters(old: Pod, new: Pod) -> bool:
    """Whether more than the status has changed; DisruptionTarget is of interest only with the deletion."""
    was, is_ = old.metadata, new.metadata
    return old.spec != new.spec or was.labels != is_.labels or was.deletion_timestamp != is_.deletion_timestamp
