"""The pod garbage collector: removes pods whose node is gone, pods that were deleted before they had one, and too
many old ones.

`excess` is the pure part. Nothing is polled: pod and node events queue the pods that are worth a look.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pybernetes.api import time as api_time
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.client import PatchType
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.pod_index import index_by_node, pods_on
from pybernetes.reconcile import key_of, split_key

log = logging.getLogger(__name__)

# A node that has just gone may come back under its name; its pods wait so long.
QUARANTINE = 40.0


def excess(finished: Iterable[Pod], threshold: int) -> list[Pod]:
    """The oldest finished pods beyond the threshold; 0 or less keeps all."""
    ordered = sorted(finished, key=lambda pod: (pod.metadata.creation_timestamp or "", pod.metadata.name or ""))
    return ordered[: max(len(ordered) - threshold, 0)] if threshold > 0 else []


class PodGarbageCollector(KeyedController):
    """`pod-garbage-collector-controller`; keys are pods."""

    name = "pod-garbage-collector-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._pods = self.informer(Pod)
        self._nodes = self.informer(Node)
        index_by_node(self._pods)
        self._finished: dict[str, Pod] = {}
        self._pods.on_change(self._pod_changed)
        self._nodes.on_change(self._node_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            if old is not None:
                self._finished.pop(key_of(old), None)
            return
        if pod_facts.is_finished(new):
            self._finished[key_of(new)] = new
            threshold = self.context.options.terminated_pod_gc_threshold
            if 0 < threshold < len(self._finished):
                for pod in excess(self._finished.values(), threshold):
                    self.enqueue(pod)
        if new.metadata.deletion_timestamp is not None and not new.spec.node_name:
            self.enqueue(new)
        is_placed = (old.spec.node_name if old else None) != new.spec.node_name
        if is_placed and new.spec.node_name and self._nodes.cache.get("", new.spec.node_name) is None:
            self.queue.add_after(key_of(new), QUARANTINE)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None and old is not None:
            for pod in pods_on(self._pods, old.metadata.name or ""):
                self.queue.add_after(key_of(pod), QUARANTINE)

    async def reconcile(self, key: str) -> float | None:
        pod = self._pods.cache.get(*split_key(key))
        if pod is None:
            self._finished.pop(key, None)
            return None
        if pod.metadata.deletion_timestamp is not None and not pod.spec.node_name:
            await self._delete(pod)
        elif pod.spec.node_name and await self._node_is_gone(pod.spec.node_name):
            await self._mark_failed(pod)
            await self._delete(pod)
        elif any(pod is item for item in excess(self._finished.values(), self._threshold)):
            await self._delete(pod)
        return None

    @property
    def _threshold(self) -> int:
        return self.context.options.terminated_pod_gc_threshold

    async def _node_is_gone(self, name: str) -> bool:
        if self._nodes.cache.get("", name) is not None:
            return False
        try:
            await self.client.get(Node, name)
        except StatusError as error:
            if error.code == 404:
                return True
            raise
        return False

    async def _mark_failed(self, pod: Pod) -> None:
        """Owners must count it as failed, not as gone, whatever they see first."""
        if pod_facts.is_finished(pod):
            return
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": api_time.format(self.clock.now()),
        }
        patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"phase": "Failed", "conditions": [condition]}}
        namespace, name = pod.metadata.namespace or "", pod.metadata.name or ""
        try:
            await self.client.patch(Pod, name, namespace, patch, PatchType.STRATEGIC, "status")
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    async def _delete(self, pod: Pod) -> None:
        log.info("removing pod %s by force", key_of(pod))
        options = DeleteOptions(grace_period_seconds=0, preconditions=Preconditions(uid=pod.metadata.uid))
        try:
            await self.client.delete(Pod, pod.metadata.name or "", pod.metadata.namespace or "", options)
        except StatusError as error:
            if error.code not in (404, 409):
                raise
