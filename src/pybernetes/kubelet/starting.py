"""Makes sandboxes and containers. What fails comes back as a `Trouble`: the waiting reason and when to try again.

Called by the pod's worker; calls the preparation (files, environment), the images and the runtime.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Coroutine
from typing import Any, TypeVar

from pybernetes.api.types.core_v1 import EphemeralContainer, Pod
from pybernetes.kubelet.decide.actions import Start
from pybernetes.kubelet.decide.observed import AnyContainer, Trouble, Waiting, all_containers
from pybernetes.kubelet.decide.times import SECOND, nanoseconds
from pybernetes.kubelet.kit import Kit, StartFailure, Target
from pybernetes.kubelet.runtime import RuntimeFailure, RuntimePod

SANDBOX_RETRY = 2


Result = TypeVar("Result")


async def unbroken(work: Coroutine[Any, Any, Result]) -> Result:
    """Awaits to the end what must not be left half-done, even when the caller is cancelled meanwhile.

    A sandbox that comes into being after its pod has been cleaned away would be nobody's.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        # Whoever asked has gone, and with them those who would hear of a failure.
        if not task.cancelled():
            task.exception()
        raise


class Starter:
    """Starts what one pod needs."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def sandbox(self, pod: Pod, attempt: int) -> Trouble | None:
        """Prepares the pod's files and starts its sandbox."""
        kit = self._kit
        try:
            await kit.preparation.prepare(pod)
        except StartFailure as failure:
            kit.recorder.event(pod, "Warning", "FailedMount", failure.waiting.message)
            return self._trouble(Waiting("ContainerCreating"), failure.retry)
        try:
            spec = kit.preparation.sandbox(pod, attempt)
            if pod.spec.runtime_class_name:
                spec = dataclasses.replace(spec, runtime_handler=await kit.preparation.runtime_handler(pod))
            await unbroken(kit.runtime.run_sandbox(spec))
        except RuntimeFailure as failure:
            text = f"Failed to create pod sandbox: {failure}"
            kit.recorder.event(pod, "Warning", "FailedCreatePodSandBox", text)
            return self._trouble(Waiting("ContainerCreating"), SANDBOX_RETRY)
        return None

    async def container(self, pod: Pod, runtime: RuntimePod, start: Start) -> Trouble | None:
        """Pulls, creates and starts one container."""
        try:
            await self._start(pod, runtime, start)
        except StartFailure as failure:
            if failure.waiting.reason == "CreateContainerConfigError":
                self._kit.tell(pod, start.name, ("Warning", "Failed", f"Error: {failure.waiting.message}"))
            return self._trouble(failure.waiting, failure.retry)
        return None

    async def _start(self, pod: Pod, runtime: RuntimePod, start: Start) -> None:
        kit = self._kit
        container = find_container(pod, start.name)
        box = runtime.sandboxes[0]
        sandbox = kit.preparation.sandbox(pod, box.attempt)
        image = await kit.images.ensure(pod, container, sandbox)
        target = Target(pod, container, "", box.ips[0] if box.ips else kit.options.node_ip)
        spec = await kit.preparation.container(target, start.attempt, image)
        wanted = container.target_container_name if isinstance(container, EphemeralContainer) else None
        if wanted and (seen := runtime.newest(wanted)) is not None:
            spec = dataclasses.replace(spec, target_id=seen.id)
        try:
            container_id = await unbroken(kit.runtime.create_container(box.id, spec, sandbox))
        except RuntimeFailure as failure:
            kit.tell(pod, start.name, ("Warning", "Failed", f"Error: {failure}"))
            raise StartFailure(Waiting("CreateContainerError", str(failure))) from failure
        kit.tell(pod, start.name, ("Normal", "Created", f"Created container: {start.name}"))
        try:
            await unbroken(kit.runtime.start_container(container_id))
        except RuntimeFailure as failure:
            kit.tell(pod, start.name, ("Warning", "Failed", f"Error: {failure}"))
            raise StartFailure(Waiting("RunContainerError", str(failure))) from failure
        kit.tell(pod, start.name, ("Normal", "Started", f"Started container {start.name}"))
        await self._post_start(Target(pod, container, container_id, target.pod_ip))

    async def _post_start(self, target: Target) -> None:
        hook = target.container.lifecycle.post_start if target.container.lifecycle else None
        if hook is None:
            return
        outcome = await self._kit.hooks.run(target, hook)
        if outcome.success:
            return
        self._kit.tell(target.pod, target.container.name, ("Warning", "FailedPostStartHook", "PostStartHook failed"))
        own = target.pod.spec.termination_grace_period_seconds
        await self._kit.runtime.stop_container(target.container_id, 30 if own is None else own)
        raise StartFailure(Waiting("PostStartHookError", outcome.message))

    def _trouble(self, waiting: Waiting, seconds: float) -> Trouble:
        return Trouble(waiting, nanoseconds(self._kit.clock.now()) + int(seconds * SECOND))


def find_container(pod: Pod, name: str) -> AnyContainer:
    """The container of that name, of whatever sort."""
    return next(container for container in all_containers(pod) if container.name == name)
