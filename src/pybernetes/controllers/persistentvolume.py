"""The volume binder: gives claims their volumes, keeps the phases of both true, and reclaims volumes whose claims went.

Claims, volumes, storage classes and pods flow in; keys are `claim/<namespace>/<name>` and `volume/<name>`. One worker
and resourceVersions in every write keep two claims from getting one volume.
"""

from __future__ import annotations

import logging

from pybernetes.api import time as api_time
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node, ObjectReference, PersistentVolume, PersistentVolumeClaim, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.api.types.storage_v1 import StorageClass
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.host_path_removal import refusal
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.protection import claims_of
from pybernetes.controllers.volume_decision import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    ClaimPlan,
    Reclaim,
    Surroundings,
    VolumePlan,
    decide_claim,
    decide_volume,
)
from pybernetes.controllers.volume_match import class_of, is_reserved_for
from pybernetes.reconcile import key_of, split_key

log = logging.getLogger(__name__)

# As often as upstream a claim that waits is looked at, and what it waits for is told.
PENDING_SECONDS = 15.0
_PROVISIONER = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
_CLAIM, _VOLUME = "claim/", "volume/"
_BY_CLAIM = "claim"


class VolumeBinder(KeyedController):
    """`persistentvolume-binder-controller`."""

    name = "persistentvolume-binder-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._recorder = context.recorders.of("persistentvolume-controller")
        self._volumes = self.informer(PersistentVolume)
        self._claims = self.informer(PersistentVolumeClaim)
        self._classes = self.informer(StorageClass)
        self._nodes = self.informer(Node)
        self._pods = self.informer(Pod)
        self._pods.add_index(_BY_CLAIM, claims_of)
        self._volumes.on_change(self._volume_changed)
        self._claims.on_change(self._claim_changed)
        self._classes.on_change(self._class_changed)

    def _volume_changed(self, old: PersistentVolume | None, new: PersistentVolume | None) -> None:
        obj = new or old
        if obj is None:
            return
        self.queue.add(_VOLUME + (obj.metadata.name or ""))
        if obj.spec.claim_ref is not None:
            self.queue.add(f"{_CLAIM}{obj.spec.claim_ref.namespace}/{obj.spec.claim_ref.name}")
        else:
            self._look_at_waiting()

    def _claim_changed(self, old: ApiObject | None, new: ApiObject | None) -> None:
        for claim in (old, new):
            if isinstance(claim, PersistentVolumeClaim):
                self.queue.add(_CLAIM + key_of(claim))
                if claim.spec.volume_name:
                    self.queue.add(_VOLUME + claim.spec.volume_name)

    def _class_changed(self, old: StorageClass | None, new: StorageClass | None) -> None:
        if new is not None:
            self._look_at_waiting()

    def _look_at_waiting(self) -> None:
        """A new volume or class may be what claims wait for."""
        for claim in self._claims.cache.list():
            if BIND_COMPLETED not in claim.metadata.annotations:
                self.queue.add(_CLAIM + key_of(claim))

    async def reconcile(self, key: str) -> float | None:
        if key.startswith(_VOLUME):
            volume = self._volumes.cache.get("", key.removeprefix(_VOLUME))
            return await self._settle_volume(volume) if volume is not None else None
        claim = self._claims.cache.get(*split_key(key.removeprefix(_CLAIM)))
        return await self._settle_claim(claim) if claim is not None else None

    async def _settle_claim(self, claim: PersistentVolumeClaim) -> float | None:
        plan = decide_claim(claim, self._around(claim))
        if plan.volume is not None:
            volume = await self._reserve(plan.volume, claim)
            await self._take(claim, volume)
            return None
        if claim.metadata.deletion_timestamp is not None:
            return None
        return await self._wait(claim, plan)

    def _around(self, claim: PersistentVolumeClaim) -> Surroundings:
        chosen = claim.metadata.annotations.get(SELECTED_NODE, "")
        users = [pod for pod in self._pods.cache.by_index(_BY_CLAIM, key_of(claim)) if not pod.spec.node_name]
        return Surroundings(
            volumes={item.metadata.name or "": item for item in self._volumes.cache.list()},
            storage_class=self._classes.cache.get("", class_of(claim)) if class_of(claim) else None,
            node=self._nodes.cache.get("", chosen) if chosen else None,
            waiting_pods=tuple(sorted(pod.metadata.name or "" for pod in users)),
        )

    async def _wait(self, claim: PersistentVolumeClaim, plan: ClaimPlan) -> float | None:
        """Says in which phase a claim without a volume is, and why."""
        annotations = dict.fromkeys(_PROVISIONER, plan.provisioner) if plan.provisioner else {}
        if not annotations.items() <= claim.metadata.annotations.items():
            claim = copy(claim)
            claim.metadata.annotations |= annotations
            claim = await self.client.update(claim)
        if plan.event is not None and (plan.phase == "Pending" or claim.status.phase != plan.phase):
            self._recorder.event(claim, plan.event.type, plan.event.reason, plan.event.message)
        if claim.status.phase != plan.phase:
            claim = copy(claim)
            claim.status.phase = plan.phase
            claim.status.access_modes, claim.status.capacity = [], {}
            await self.client.update_status(claim)
        return PENDING_SECONDS if plan.phase == "Pending" else None

    async def _reserve(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
        """Writes the claim into the volume, and that it is bound."""
        reference = volume.spec.claim_ref
        if reference is None or reference.uid != claim.metadata.uid:
            changed = copy(volume)
            if not is_reserved_for(volume, claim):
                changed.metadata.annotations[BOUND_BY_CONTROLLER] = "yes"
            where = claim.metadata
            changed.spec.claim_ref = ObjectReference(
                kind="PersistentVolumeClaim",
                api_version="v1",
                namespace=where.namespace,
                name=where.name,
                uid=where.uid,
                resource_version=where.resource_version,
            )
            volume = await self.client.update(changed)
            log.info("volume %s is for claim %s", volume.metadata.name, key_of(claim))
        return await self._tell_phase(volume, "Bound")

    async def _take(self, claim: PersistentVolumeClaim, volume: PersistentVolume) -> None:
        """Writes the volume into the claim, and that it is bound."""
        annotations, name = claim.metadata.annotations, volume.metadata.name
        if claim.spec.volume_name != name or BIND_COMPLETED not in annotations:
            changed = copy(claim)
            if claim.spec.volume_name != name:
                changed.spec.volume_name = name
                changed.metadata.annotations[BOUND_BY_CONTROLLER] = "yes"
            changed.metadata.annotations[BIND_COMPLETED] = "yes"
            claim = await self.client.update(changed)
        if claim.status.phase == "Bound":
            return
        changed = copy(claim)
        changed.status.phase = "Bound"
        changed.status.access_modes = list(volume.spec.access_modes)
        changed.status.capacity = dict(volume.spec.capacity)
        await self.client.update_status(changed)

    async def _settle_volume(self, volume: PersistentVolume) -> float | None:
        plan = decide_volume(volume, await self._claim_of(volume))
        if plan.ask_claim and volume.spec.claim_ref is not None:
            self.queue.add(f"{_CLAIM}{volume.spec.claim_ref.namespace}/{volume.spec.claim_ref.name}")
            return None
        if plan.unbind:
            volume = await self._unbind(volume)
        volume = await self._tell_phase(volume, plan.phase)
        if plan.phase == "Released" and volume.metadata.deletion_timestamp is None:
            await self._reclaim(volume, plan)
        return None

    async def _claim_of(self, volume: PersistentVolume) -> PersistentVolumeClaim | None:
        """The claim that a volume names; the server is asked before a volume is taken to be without one."""
        reference = volume.spec.claim_ref
        if reference is None or not reference.uid:
            return None
        claim = self._claims.cache.get(reference.namespace or "", reference.name or "")
        if claim is not None and claim.metadata.uid == reference.uid:
            return claim
        if volume.status.phase in ("Released", "Failed"):
            return None
        try:
            return await self.client.get(PersistentVolumeClaim, reference.name or "", reference.namespace)
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    async def _tell_phase(self, volume: PersistentVolume, phase: str, message: str = "") -> PersistentVolume:
        if volume.status.phase == phase:
            return volume
        changed = copy(volume)
        changed.status.phase, changed.status.message = phase, message or None
        changed.status.last_phase_transition_time = api_time.format(self.clock.now())
        return await self.client.update_status(changed)

    async def _unbind(self, volume: PersistentVolume) -> PersistentVolume:
        changed = copy(volume)
        if changed.metadata.annotations.pop(BOUND_BY_CONTROLLER, None) is not None or changed.spec.claim_ref is None:
            changed.spec.claim_ref = None
        else:
            # A person wrote who the volume is for; it stays theirs.
            changed.spec.claim_ref.uid = None
        return await self.client.update(changed)

    async def _reclaim(self, volume: PersistentVolume, plan: VolumePlan) -> None:
        if plan.reclaim is Reclaim.KEEP:
            return
        failure = "no deletable volume plugin matched"
        if plan.reclaim is Reclaim.DELETE_HOST_PATH and volume.spec.host_path is not None:
            failure = self._remove(volume.spec.host_path.path)
        if failure:
            failed = await self._tell_phase(volume, "Failed", failure)
            self._recorder.event(failed, "Warning", "VolumeFailedDelete", failure)
            return
        options = DeleteOptions(preconditions=Preconditions(uid=volume.metadata.uid))
        try:
            await self.client.delete(PersistentVolume, volume.metadata.name or "", None, options)
        except StatusError as error:
            if error.code != 404:
                raise

    def _remove(self, path: str) -> str:
        """Deletes what the volume held; why it could not be, or nothing. Without hands only the object goes."""
        remove = self.context.options.remove_host_path
        failure = refusal(path)
        if failure or remove is None:
            return failure
        try:
            remove(path)
        except OSError as error:
            return str(error)
        return ""
