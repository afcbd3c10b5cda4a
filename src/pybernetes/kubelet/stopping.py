"""Ends containers: pre-stop hook, SIGTERM, grace, SIGKILL; main containers first, then sidecars, the last first.

Called by the pod's worker round by round; every kill is a task that wakes the worker when its container has ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from pybernetes.api.types.core_v1 import Pod
from pybernetes.kubelet.decide.actions import Kill
from pybernetes.kubelet.decide.observed import AnyContainer, all_containers, is_running, is_sidecar
from pybernetes.kubelet.decide.times import SECOND, nanoseconds
from pybernetes.kubelet.kit import Kit, Target
from pybernetes.kubelet.runtime import ContainerRecord, NotFound, RuntimeFailure, RuntimePod

log = logging.getLogger(__name__)

# A container always gets this long after SIGTERM, even when its pre-stop hook has used up the grace.
LEAST_GRACE = 2


class Stopper:
    """Ends what runs of one pod."""

    def __init__(self, kit: Kit, group: asyncio.TaskGroup, wake: Callable[[], None]) -> None:
        self._kit = kit
        self._group = group
        self._wake = wake
        self._kills: dict[str, asyncio.Task[None]] = {}
        self._grace: int | None = None
        self._began = 0

    def stop_running(self, pod: Pod, runtime: RuntimePod, removed: bool) -> bool:
        """Sees to it that everything that runs is being ended; False when nothing runs."""
        running = [record for record in runtime.containers if is_running(record)]
        if not running:
            return False
        now = nanoseconds(self._kit.clock.now())
        grace = grace_seconds(pod)
        if self._grace is None or grace < self._grace:
            self._began = now if self._grace is None else self._began
            self._grace = grace
            for task in self._kills.values():
                task.cancel()  # it waits for too long; the next one starts below
            self._kills.clear()
        left = max(grace - (now - self._began) // SECOND, 0)
        for record in next_to_stop(pod, running):
            if record.id not in self._kills or self._kills[record.id].done():
                work = self._stop(pod, runtime, record, left)
                self._kills[record.id] = self._group.create_task(work, name=f"stop {record.name}")
        return True

    async def kill(self, pod: Pod, runtime: RuntimePod, kill: Kill) -> None:
        """Ends one container of a pod that goes on; it comes back by its restart policy."""
        record = next((each for each in runtime.containers if each.id == kill.container_id), None)
        if record is None:
            return
        self._kit.tell(pod, kill.name, ("Normal", "Killing", kill.message))
        await self._end(pod, runtime, record, grace_seconds(pod) if kill.grace is None else kill.grace)

    async def clear_sandboxes(self, pod: Pod, runtime: RuntimePod) -> None:
        """Ends everything in sandboxes that are no good any more, before a new one is made."""
        for record in runtime.containers:
            if is_running(record):
                await self._end(pod, runtime, record, grace_seconds(pod))
        for box in runtime.sandboxes[:1]:
            await self._kit.runtime.stop_sandbox(box.id)

    async def stop_sandboxes(self, runtime: RuntimePod) -> None:
        for box in runtime.sandboxes:
            if box.ready:
                await self._kit.runtime.stop_sandbox(box.id)

    async def remove_all(self, runtime: RuntimePod) -> None:
        """Removes containers and sandboxes that have ended."""
        for record in runtime.containers:
            try:
                await self._kit.runtime.remove_container(record.id)
            except NotFound:
                continue
        for box in runtime.sandboxes:
            try:
                await self._kit.runtime.stop_sandbox(box.id)
                await self._kit.runtime.remove_sandbox(box.id)
            except NotFound:
                continue

    async def _stop(self, pod: Pod, runtime: RuntimePod, record: ContainerRecord, grace: int) -> None:
        self._kit.tell(pod, record.name, ("Normal", "Killing", f"Stopping container {record.name}"))
        try:
            await self._end(pod, runtime, record, grace)
        except (RuntimeFailure, OSError) as error:
            log.warning("container %s of pod %s not stopped: %s", record.name, pod.metadata.name, error)
            await asyncio.sleep(1)
        self._wake()

    async def _end(self, pod: Pod, runtime: RuntimePod, record: ContainerRecord, grace: int) -> None:
        container = _find(pod, record.name)
        hook = container.lifecycle.pre_stop if container and container.lifecycle else None
        if hook is not None and container is not None and grace > 0:
            before = self._kit.clock.monotonic()
            ips = runtime.sandboxes[0].ips if runtime.sandboxes else ()
            target = Target(pod, container, record.id, ips[0] if ips else self._kit.options.node_ip)
            try:
                async with asyncio.timeout(grace):
                    outcome = await self._kit.hooks.run(target, hook)
                if not outcome.success:
                    self._kit.tell(pod, record.name, ("Warning", "FailedPreStopHook", "PreStopHook failed"))
            except TimeoutError:
                log.info("pre-stop hook of %s in pod %s used up the grace period", record.name, pod.metadata.name)
            grace = max(grace - int(self._kit.clock.monotonic() - before), LEAST_GRACE)
        try:
            await self._kit.runtime.stop_container(record.id, grace)
        except NotFound:
            return


def grace_seconds(pod: Pod) -> int:
    """What the deletion says, else what the pod says."""
    asked = pod.metadata.deletion_grace_period_seconds
    if pod.metadata.deletion_timestamp is not None and asked is not None:
        return max(asked, 1)
    own = pod.spec.termination_grace_period_seconds
    return max(30 if own is None else own, 1)


def next_to_stop(pod: Pod, running: list[ContainerRecord]) -> list[ContainerRecord]:
    """Those whose turn it is: all that are no sidecars at once, then the sidecars from the last to the first."""
    order = [container.name for container in pod.spec.init_containers if is_sidecar(container)]
    others = [record for record in running if record.name not in order]
    if others:
        return others
    return sorted(running, key=lambda record: order.index(record.name))[-1:]


def _find(pod: Pod, name: str) -> AnyContainer | None:
    return next((container for container in all_containers(pod) if container.name == name), None)
