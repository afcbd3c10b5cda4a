"""The taint eviction controller: deletes pods from nodes with NoExecute taints when their tolerations have run out."""

from __future__ import annotations

import logging

from pybernetes.api import time as api_time
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node, ObjectReference, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.client import PatchType
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.pod_index import index_by_node, pods_on
from pybernetes.controllers.tolerations import seconds_to_eviction
from pybernetes.reconcile import key_of, split_key

log = logging.getLogger(__name__)


def has_noexecute(node: Node) -> bool:
    return any(taint.effect == "NoExecute" for taint in node.spec.taints)


class TaintEvictionController(KeyedController):
    """`taint-eviction-controller`; keys are pods."""

    name = "taint-eviction-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of(self.name)
        self._nodes = self.informer(Node)
        self._pods = self.informer(Pod)
        index_by_node(self._pods)
        self._nodes.on_change(self._node_changed)
        self._pods.on_change(self._pod_changed)
        self._waiting: set[str] = set()

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None or (old is not None and old.spec.taints == new.spec.taints):
            return
        if has_noexecute(new) or (old is not None and has_noexecute(old)):
            for pod in pods_on(self._pods, new.metadata.name or ""):
                self.enqueue(pod)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None or not new.spec.node_name:
            return
        same = old is not None and (old.spec.node_name, old.spec.tolerations) == (
            new.spec.node_name,
            new.spec.tolerations,
        )
        node = self._nodes.cache.get("", new.spec.node_name)
        if not same and node is not None and has_noexecute(node):
            self.enqueue(new)

    async def reconcile(self, key: str) -> float | None:
        pod = self._pods.cache.get(*split_key(key))
        if pod is None or pod.metadata.deletion_timestamp is not None:
            self._waiting.discard(key)
            return None
        node = self._nodes.cache.get("", pod.spec.node_name or "")
        left = self._seconds_left(pod, node) if node is not None else None
        if left is None:
            if key in self._waiting:
                self._waiting.discard(key)
                self._tell(pod, f"Cancelling deletion of Pod {key_of(pod)}")
            return None
        if left > 0:
            self._waiting.add(key)
            return left
        self._waiting.discard(key)
        await self._evict(pod)
        return None

    def _seconds_left(self, pod: Pod, node: Node) -> float | None:
        since = api_time.parse(pod.status.start_time or pod.metadata.creation_timestamp or "1970-01-01T00:00:00Z")
        return seconds_to_eviction(node.spec.taints, pod.spec.tolerations, since, self.clock.now())

    def _tell(self, pod: Pod, message: str) -> None:
        where = pod.metadata
        about = ObjectReference(kind="Pod", api_version="v1", name=where.name, namespace=where.namespace)
        self._recorder.event(about, "Normal", "TaintManagerEviction", message)

    async def _evict(self, pod: Pod) -> None:
        log.info("deleting pod %s from tainted node %s", key_of(pod), pod.spec.node_name)
        self._tell(pod, f"Marking for deletion Pod {key_of(pod)}")
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": api_time.format(self.clock.now()),
            "observedGeneration": pod.metadata.generation,
        }
        patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}}
        namespace, name = pod.metadata.namespace or "", pod.metadata.name or ""
        options = DeleteOptions(preconditions=Preconditions(uid=pod.metadata.uid))
        try:
            await self.client.patch(Pod, name, namespace, patch, PatchType.STRATEGIC, "status")
            await self.client.delete(Pod, name, namespace, options)
        except StatusError as error:
            if error.code not in (404, 409):
                raise
