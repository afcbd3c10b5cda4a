"""Makes sure that the node has an image, by pull policy, with back-off. Implements `kit.Images` for real nodes."""

from __future__ import annotations

import logging

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Pod, Secret
from pybernetes.client import Client, Unreachable
from pybernetes.environment.clock import Clock
from pybernetes.kubelet.decide.backoff import BackOff, following
from pybernetes.kubelet.decide.image_names import credentials_for, default_policy, name_problem
from pybernetes.kubelet.decide.observed import AnyContainer, Waiting
from pybernetes.kubelet.decide.times import SECOND, nanoseconds
from pybernetes.kubelet.kit import Recorder, StartFailure, field_path
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.runtime import ContainerRuntime, Credentials, Image, RuntimeFailure, SandboxSpec

log = logging.getLogger(__name__)

# How long users see ErrImagePull before it becomes ImagePullBackOff.
SHOW_ERROR = 3.0


class ImagePuller:
    """The images of this node."""

    def __init__(
        self, options: KubeletOptions, client: Client, runtime: ContainerRuntime, clock: Clock, recorder: Recorder
    ) -> None:
        self._options = options
        self._client = client
        self._runtime = runtime
        self._clock = clock
        self._recorder = recorder
        self._back_offs: dict[tuple[str, str], tuple[BackOff, int, str]] = {}  # ..., failed at, error

    async def ensure(self, pod: Pod, container: AnyContainer, sandbox: SandboxSpec) -> Image:
        name = container.image or ""
        if problem := name_problem(name):
            self._tell(pod, container, "Warning", "InspectFailed", problem)
            raise StartFailure(Waiting("InvalidImageName", problem))
        policy = container.image_pull_policy or default_policy(name)
        try:
            present = await self._runtime.image(name)
        except RuntimeFailure as failure:
            raise StartFailure(Waiting("ImageInspectError", str(failure))) from failure
        if present is not None and (policy != "Always" or self._options.offline):
            text = f'Container image "{name}" already present on machine and can be accessed by the pod'
            self._tell(pod, container, "Normal", "Pulled", text)
            return present
        if policy == "Never":
            text = f'Container image "{name}" is not present with pull policy of Never'
            self._tell(pod, container, "Warning", "ErrImageNeverPull", text)
            raise StartFailure(Waiting("ErrImageNeverPull", text))
        self._hold_back(pod, container, name)
        return await self._pull(pod, container, sandbox)

    def _hold_back(self, pod: Pod, container: AnyContainer, name: str) -> None:
        """Raises while an earlier failure says to wait."""
        known = self._back_offs.get((pod.metadata.uid or "", name))
        now = nanoseconds(self._clock.now())
        if known is None:
            return
        back_off, failed_at, error = known
        until = back_off.holds_until(failed_at)
        if until > now:
            self._tell(pod, container, "Normal", "BackOff", f'Back-off pulling image "{name}"')
            self._tell(pod, container, "Warning", "Failed", "Error: ImagePullBackOff")
            text = f'Back-off pulling image "{name}": ErrImagePull: {error}'
            raise StartFailure(Waiting("ImagePullBackOff", text), (until - now) / SECOND)

    async def _pull(self, pod: Pod, container: AnyContainer, sandbox: SandboxSpec) -> Image:
        name, uid = container.image or "", pod.metadata.uid or ""
        self._tell(pod, container, "Normal", "Pulling", f'Pulling image "{name}"')
        begun = self._clock.monotonic()
        try:
            reference = await self._runtime.pull_image(name, await self._credentials(pod, name), sandbox)
            image = await self._runtime.image(name) or Image(reference)
        except RuntimeFailure as failure:
            now = nanoseconds(self._clock.now())
            known = self._back_offs.get((uid, name))
            self._back_offs[uid, name] = (following(known[0] if known else None, now, now), now, str(failure))
            self._tell(pod, container, "Warning", "Failed", f'Failed to pull image "{name}": {failure}')
            self._tell(pod, container, "Warning", "Failed", "Error: ErrImagePull")
            raise StartFailure(Waiting("ErrImagePull", str(failure)), SHOW_ERROR) from failure
        self._back_offs.pop((uid, name), None)
        took = f"{self._clock.monotonic() - begun:.3f}s"
        text = (
            f'Successfully pulled image "{name}" in {took} ({took} including waiting). Image size: {image.size} bytes.'
        )
        self._tell(pod, container, "Normal", "Pulled", text)
        return image

    async def _credentials(self, pod: Pod, name: str) -> Credentials | None:
        for reference in pod.spec.image_pull_secrets:
            try:
                secret = await self._client.get(Secret, reference.name or "", pod.metadata.namespace or "")
            except (StatusError, Unreachable) as error:
                log.info("pull secret %s of pod %s cannot be read: %s", reference.name, pod.metadata.name, error)
                continue
            found = credentials_for(name, secret)
            if found is not None:
                return found
        return None

    def _tell(self, pod: Pod, container: AnyContainer, sort: str, reason: str, message: str) -> None:
        self._recorder.event(pod, sort, reason, message, field_path=field_path(pod, container.name))
