"""Makes the claims of pods' ephemeral volumes; each is owned by its pod and goes with it."""

from __future__ import annotations

from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import PersistentVolumeClaim, Pod
from pybernetes.api.types.meta_v1 import ObjectMeta, OwnerReference
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.reconcile import split_key


def claims_for(pod: Pod) -> dict[str, PersistentVolumeClaim]:
    """Volume name -> the claim that it is to have."""
    return {
        volume.name: _claim(pod, volume.name, volume.ephemeral.volume_claim_template.metadata, spec)
        for volume in pod.spec.volumes
        if volume.ephemeral is not None and volume.ephemeral.volume_claim_template is not None
        for spec in [volume.ephemeral.volume_claim_template.spec]
    }


def _claim(pod: Pod, volume: str, template: ObjectMeta, spec: object) -> PersistentVolumeClaim:
    owner = OwnerReference(
        api_version="v1",
        kind="Pod",
        name=pod.metadata.name or "",
        uid=pod.metadata.uid or "",
        controller=True,
        block_owner_deletion=True,
    )
    metadata = ObjectMeta(
        name=f"{pod.metadata.name}-{volume}",
        namespace=pod.metadata.namespace,
        labels=dict(template.labels),
        annotations=dict(template.annotations),
        owner_references=[owner],
    )
    claim = PersistentVolumeClaim(metadata=metadata)
    claim.spec = copy(spec)  # type: ignore[assignment]
    return claim


def foreign(claim: PersistentVolumeClaim, pod: Pod) -> str:
    """Why a claim that exists cannot be the one of the pod's volume; empty when it is."""
    if any(owner.controller and owner.uid == pod.metadata.uid for owner in claim.metadata.owner_references):
        return ""
    namespace = pod.metadata.namespace
    return (
        f"PVC {namespace}/{claim.metadata.name} was not created for pod {namespace}/{pod.metadata.name}"
        " (pod is not owner)"
    )


class EphemeralVolumeController(KeyedController):
    """`ephemeral-volume-controller`."""

    name = "ephemeral-volume-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of("ephemeral_volume")
        self._claims = self.informer(PersistentVolumeClaim)
        self._pods = self.informer(Pod)
        self._pods.on_change(self._pod_changed)
        self._claims.on_change(self._claim_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is not None and old is None and any(volume.ephemeral for volume in new.spec.volumes):
            self.enqueue(new)

    def _claim_changed(self, old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None) -> None:
        if new is None and old is not None:
            for owner in old.metadata.owner_references:
                if owner.kind == "Pod" and owner.controller:
                    self.queue.add(f"{old.metadata.namespace}/{owner.name}")

    async def reconcile(self, key: str) -> float | None:
        pod = self._pods.cache.get(*split_key(key))
        if pod is None or pod.metadata.deletion_timestamp is not None:
            return None
        for volume, claim in claims_for(pod).items():
            present = self._claims.cache.get(pod.metadata.namespace or "", claim.metadata.name or "")
            try:
                if present is None:
                    await self.client.create(claim)
                    continue
            except StatusError as error:
                self._tell(pod, volume, f"create PVC {claim.metadata.name}: {error}")
                raise
            reason = foreign(present, pod)
            if reason:
                self._tell(pod, volume, reason)
                raise ValueError(f"pod {key}, ephemeral volume {volume}: {reason}")
        return None

    def _tell(self, pod: Pod, volume: str, reason: str) -> None:
        self._recorder.event(pod, "Warning", "FailedBinding", f"ephemeral volume {volume}: {reason}")
