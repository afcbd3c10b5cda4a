"""The rest of a simulated node: no files, no sockets. Stands in for preparation, probes, hooks and images in `Kit`."""

from __future__ import annotations

import asyncio

from pybernetes.api.types.core_v1 import LifecycleHandler, Pod, Probe
from pybernetes.kubelet.decide.observed import HASH_ANNOTATION, AnyContainer, Waiting, container_hash
from pybernetes.kubelet.decide.probes import timeout
from pybernetes.kubelet.kit import Outcome, StartFailure, Target
from pybernetes.kubelet.runtime import ContainerRecord, ContainerSpec, Image, LinuxResources, SandboxSpec
from pybernetes.kubelet.simulated import SimulatedRuntime, seconds


class SimulatedPreparation:
    """Specs with nothing in them but what the simulation looks at."""

    async def run(self) -> None:
        return None

    async def prepare(self, pod: Pod) -> None:
        return None

    def changed(self, pod: Pod) -> None:
        return None

    def sandbox(self, pod: Pod, attempt: int) -> SandboxSpec:
        meta = pod.metadata
        return SandboxSpec(
            uid=meta.uid or "",
            namespace=meta.namespace or "",
            name=meta.name or "",
            attempt=attempt,
            annotations=meta.annotations,
            host_network=bool(pod.spec.host_network),
        )

    async def runtime_handler(self, pod: Pod) -> str:
        return ""

    async def container(self, target: Target, attempt: int, image: Image) -> ContainerSpec:
        container = target.container
        return ContainerSpec(
            name=container.name,
            attempt=attempt,
            image=image.id,
            user_image=container.image or "",
            annotations={HASH_ANNOTATION: container_hash(container)},
        )

    def resources(self, pod: Pod, container: AnyContainer) -> LinuxResources:
        return LinuxResources()

    def termination_message(self, pod: Pod, container: AnyContainer, record: ContainerRecord) -> str:
        return ""

    async def clean(self, uid: str) -> None:
        return None

    async def clean_others(self, uids: set[str]) -> None:
        return None


class SimulatedProber:
    """Asks the script. Instead of failing period by period it waits until the script says yes: one timer."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self._runtime = runtime

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        if probe is target.container.liveness_probe:
            return Outcome(True, steady=True)
        wait = self._runtime.ready_in(target.container_id)
        if wait is None:
            await asyncio.sleep(timeout(probe))
            return Outcome(False, "the script says never", steady=True)
        await asyncio.sleep(wait)
        return Outcome(True, steady=True)


class SimulatedHooks:
    """Every hook succeeds; `sleep` really waits."""

    async def run(self, target: Target, handler: LifecycleHandler) -> Outcome:
        if handler.sleep is not None:
            await asyncio.sleep(handler.sleep.seconds)
        return Outcome(True)


class SimulatedImages:
    """Every image is there, except where the script says `pull=fail` or `pull=5s`."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self._runtime = runtime

    async def ensure(self, pod: Pod, container: AnyContainer, sandbox: SandboxSpec) -> Image:
        name = container.image or ""
        pull = self._runtime.pull_of(sandbox, container.name)
        if pull and pull != "fail":
            await asyncio.sleep(seconds(pull))
        if pull == "fail":
            raise StartFailure(Waiting("ErrImagePull", f'failed to pull image "{name}": not found'))
        return Image(id=name, tags=(name,))
