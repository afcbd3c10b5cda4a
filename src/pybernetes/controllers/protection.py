"""The volume protection controllers: claims in use by pods, volumes bound to claims, and classes of attributes that
claims or volumes have are not removed under them.
"""

from __future__ import annotations

from typing import Any

from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod
from pybernetes.api.types.storage_v1 import VolumeAttributesClass
from pybernetes.client import Client
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.reconcile import split_key

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"
ATTRIBUTES_FINALIZER = "kubernetes.io/vac-protection"
_BY_CLAIM = "claim"
_BY_ATTRIBUTES = "attributes"


def claims_of(pod: Pod) -> list[str]:
    """The keys of the claims that a pod uses."""
    names = [item.persistent_volume_claim.claim_name for item in pod.spec.volumes if item.persistent_volume_claim]
    names += [f"{pod.metadata.name}-{item.name}" for item in pod.spec.volumes if item.ephemeral is not None]
    return [f"{pod.metadata.namespace}/{name}" for name in names]


def attributes_of(obj: PersistentVolumeClaim | PersistentVolume) -> list[str]:
    """The classes of attributes that a volume has, or that a claim has, had last or is being given."""
    names = {obj.spec.volume_attributes_class_name}
    if isinstance(obj, PersistentVolumeClaim):
        names.add(obj.status.current_volume_attributes_class_name)
        if obj.status.modify_volume_status is not None:
            names.add(obj.status.modify_volume_status.target_volume_attributes_class_name)
    return sorted(name for name in names if name)


async def set_finalizer(client: Client, obj: ApiObject, finalizer: str, wanted: bool) -> None:
    """Adds or removes one finalizer; nothing is written when it is as wanted."""
    present = finalizer in obj.metadata.finalizers
    if present == wanted:
        return
    kept = [item for item in obj.metadata.finalizers if item != finalizer]
    finalizers = [*kept, finalizer] if wanted else kept
    metadata: dict[str, Any] = {"resourceVersion": obj.metadata.resource_version, "finalizers": finalizers or None}
    try:
        await client.patch(type(obj), obj.metadata.name or "", obj.metadata.namespace or "", {"metadata": metadata})
    except StatusError as error:
        if error.code != 404:
            raise


class ClaimProtectionController(KeyedController):
    """`persistentvolumeclaim-protection-controller`."""

    name = "persistentvolumeclaim-protection-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._claims = self.watch_own(PersistentVolumeClaim)
        self._pods = self.informer(Pod)
        self._pods.add_index(_BY_CLAIM, claims_of)
        self._pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is not None and (new is None or pod_facts.is_finished(new)):
            for key in claims_of(old):
                self.queue.add(key)

    async def reconcile(self, key: str) -> float | None:
        claim = self._claims.cache.get(*split_key(key))
        if claim is None:
            return None
        if claim.metadata.deletion_timestamp is None:
            await set_finalizer(self.client, claim, CLAIM_FINALIZER, wanted=True)
            return None
        users = [pod for pod in self._pods.cache.by_index(_BY_CLAIM, key) if not pod_facts.is_finished(pod)]
        if not any(pod.spec.node_name for pod in users):
            await set_finalizer(self.client, claim, CLAIM_FINALIZER, wanted=False)
        return None


class VolumeProtectionController(KeyedController):
    """`persistentvolume-protection-controller`."""

    name = "persistentvolume-protection-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._volumes = self.watch_own(PersistentVolume)

    async def reconcile(self, key: str) -> float | None:
        volume = self._volumes.cache.get("", key)
        if volume is None:
            return None
        wanted = volume.metadata.deletion_timestamp is None or volume.status.phase == "Bound"
        if wanted and volume.metadata.deletion_timestamp is not None:
            return None
        await set_finalizer(self.client, volume, VOLUME_FINALIZER, wanted)
        return None


class AttributesProtectionController(KeyedController):
    """`volumeattributesclass-protection-controller`."""

    name = "volumeattributesclass-protection-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._classes = self.watch_own(VolumeAttributesClass)
        self._claims = self.informer(PersistentVolumeClaim)
        self._volumes = self.informer(PersistentVolume)
        for users in (self._claims, self._volumes):
            users.add_index(_BY_ATTRIBUTES, attributes_of)
            users.on_change(self._user_changed)

    def _user_changed(
        self, old: PersistentVolumeClaim | PersistentVolume | None, new: PersistentVolumeClaim | PersistentVolume | None
    ) -> None:
        kept = attributes_of(new) if new is not None else []
        for name in attributes_of(old) if old is not None else ():
            if name not in kept:
                self.queue.add(name)

    async def reconcile(self, key: str) -> float | None:
        found = self._classes.cache.get("", key)
        if found is None:
            return None
        is_used = any(self._claims.cache.by_index(_BY_ATTRIBUTES, key)) or any(
            self._volumes.cache.by_index(_BY_ATTRIBUTES, key)
        )
        if found.metadata.deletion_timestamp is None:
            await set_finalizer(self.client, found, ATTRIBUTES_FINALIZER, wanted=True)
        elif not is_used:
            await set_finalizer(self.client, found, ATTRIBUTES_FINALIZER, wanted=False)
        return None
