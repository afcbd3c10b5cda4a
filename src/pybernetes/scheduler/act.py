"""What the scheduler does to the API: binds pods, tells why they wait, and takes others away to make room.

Each function is one request or two; what goes wrong is raised, and told to people as events where upstream does so.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pybernetes.api import time
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import PersistentVolumeClaim, Pod, PodCondition
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.client import Client, PatchType
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import EventRecorder
from pybernetes.scheduler.pod_info import PodInfo

SELECTED_NODE = "volume.kubernetes.io/selected-node"
# Upstream cuts messages that the API would refuse.
_LONGEST_NOTE = 1024
_CUT = " ..."


class Actor:
    """One scheduler's hands."""

    def __init__(self, client: Client, clock: Clock, recorder: EventRecorder) -> None:
        self._client = client
        self._clock = clock
        self._recorder = recorder

    async def bind(self, pod: PodInfo, node: str, claims: list[PersistentVolumeClaim]) -> None:
        """Gives the pod its node; claims that wait for their consumer are told the node first."""
        for claim in claims:
            annotations = {"metadata": {"annotations": {SELECTED_NODE: node}}}
            where = claim.metadata
            await self._client.patch(PersistentVolumeClaim, where.name or "", where.namespace, annotations)
        await self._client.bind(pod.pod, node)
        self._recorder.event(pod.pod, "Normal", "Scheduled", f"Successfully assigned {pod.key} to {node}")

    async def explain(self, pod: PodInfo, reason: str, message: str, nominated: str | None) -> None:
        """Writes PodScheduled=False if that is news; `nominated` None leaves the nominated node as it is."""
        status: dict[str, Any] = {}
        condition = self._condition(pod.pod, "PodScheduled", "False", reason, message)
        if condition is not None:
            status["conditions"] = [condition]
        if nominated is not None and nominated != (pod.pod.status.nominated_node_name or ""):
            status["nominatedNodeName"] = nominated or None
        if status:
            await self._patch_status(pod.pod, status)

    def tell_failure(self, pod: PodInfo, message: str) -> None:
        """The event that says why the pod waits."""
        if len(message) > _LONGEST_NOTE:
            message = message[: _LONGEST_NOTE - len(_CUT)] + _CUT
        self._recorder.event(pod.pod, "Warning", "FailedScheduling", message)

    async def evict(self, victims: tuple[PodInfo, ...], preemptor: PodInfo, node: str) -> None:
        """Takes pods away for a more important one; those that have gone meanwhile are passed over."""
        async with asyncio.TaskGroup() as tasks:
            for victim in victims:
                tasks.create_task(self._evict(victim, preemptor, node))

    async def _evict(self, victim: PodInfo, preemptor: PodInfo, node: str) -> None:
        name = preemptor.pod.spec.scheduler_name
        message = f"{name}: preempting to accommodate a higher priority pod"
        condition = self._condition(victim.pod, "DisruptionTarget", "True", "PreemptionByScheduler", message)
        where = victim.pod.metadata
        try:
            if condition is not None:
                await self._patch_status(victim.pod, {"conditions": [condition]})
            options = DeleteOptions(preconditions=Preconditions(uid=where.uid))
            await self._client.delete(Pod, where.name or "", where.namespace, options)
        except StatusError as error:
            # 409: another pod of that name by now.
            if error.code not in (404, 409):
                raise
            return
        self._recorder.event(victim.pod, "Normal", "Preempted", f"Preempted by pod {preemptor.uid} on node {node}")

    def _condition(self, pod: Pod, type_: str, status: str, reason: str, message: str) -> dict[str, Any] | None:
        """The condition to write, or None when it stands so already."""
        old = next((item for item in pod.status.conditions if item.type == type_), PodCondition())
        generation = pod.metadata.generation
        if (old.status, old.reason, old.message, old.observed_generation) == (status, reason, message, generation):
            return None
        changed_at = old.last_transition_time if old.status == status else None
        condition: dict[str, Any] = {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": message,
            "lastProbeTime": None,
            "lastTransitionTime": changed_at or time.format(self._clock.now()),
        }
        if generation is not None:
            condition["observedGeneration"] = generation
        return condition

    async def _patch_status(self, pod: Pod, status: dict[str, Any]) -> None:
        where = pod.metadata
        # The uid makes the API server refuse it for another pod of that name.
        change = {"metadata": {"uid": where.uid}, "status": status}
        await self._client.patch(Pod, where.name or "", where.namespace, change, PatchType.STRATEGIC, "status")
