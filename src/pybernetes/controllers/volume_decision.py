"""What is to be done about a claim or a volume: pure decisions of the volume binder.

`decide_claim` and `decide_volume` take what is known and return a value; `persistentvolume` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from pybernetes.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim
from pybernetes.api.types.storage_v1 import StorageClass
from pybernetes.controllers.volume_match import best_match, class_of, is_reserved_for, mismatch

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
_WAIT = "WaitForFirstConsumer"
_LOST = "Data on the volume is lost!"
_DELAYED = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system"
    " administrator. If volume creation is delayed, please verify that the provisioner is running and correctly"
    " registered."
)


@dataclass(frozen=True)
class Told:
    """An event."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True)
class ClaimPlan:
    """Bind to a volume, or say in which phase the claim is and why; `provisioner`: who is asked for a volume."""

    volume: PersistentVolume | None = None
    phase: str = "Pending"
    event: Told | None = None
    provisioner: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What a decision on a claim needs besides the claim."""

    volumes: dict[str, PersistentVolume]
    storage_class: StorageClass | None = None
    node: Node | None = None  # of the annotation; None too when it is gone
    waiting_pods: tuple[str, ...] = ()  # pods without a node that use the claim


def decide_claim(claim: PersistentVolumeClaim, around: Surroundings) -> ClaimPlan:
    """What to do about a claim."""
    if BIND_COMPLETED in claim.metadata.annotations:
        return _bound(claim, around)
    return _named(claim, around) if claim.spec.volume_name else _unbound(claim, around)


def _bound(claim: PersistentVolumeClaim, around: Surroundings) -> ClaimPlan:
    """A claim that was bound is bound or lost, never pending again."""
    if not claim.spec.volume_name:
        message = f"Bound claim has lost reference to PersistentVolume. {_LOST}"
        return ClaimPlan(phase="Lost", event=Told("Warning", "ClaimLost", message))
    volume = around.volumes.get(claim.spec.volume_name)
    if volume is None:
        message = f"Bound claim has lost its PersistentVolume. {_LOST}"
        return ClaimPlan(phase="Lost", event=Told("Warning", "ClaimLost", message))
    if volume.spec.claim_ref is None or volume.spec.claim_ref.uid == claim.metadata.uid:
        return ClaimPlan(volume)
    message = "Two claims are bound to the same volume, this one is bound incorrectly"
    return ClaimPlan(phase="Lost", event=Told("Warning", "ClaimMisbound", message))


def _named(claim: PersistentVolumeClaim, around: Surroundings) -> ClaimPlan:
    volume = around.volumes.get(claim.spec.volume_name or "")
    if volume is None or is_reserved_for(volume, claim):
        return ClaimPlan(volume)
    if volume.spec.claim_ref is not None:
        message = f'volume "{volume.metadata.name}" already bound to a different claim.'
        return ClaimPlan(event=Told("Warning", "FailedBinding", message))
    reason = mismatch(volume, claim)
    if not reason:
        return ClaimPlan(volume)
    message = f'Cannot bind to requested volume "{volume.metadata.name}": {reason}'
    return ClaimPlan(event=Told("Warning", "VolumeMismatch", message))


def _unbound(claim: PersistentVolumeClaim, around: Surroundings) -> ClaimPlan:
    name, chosen = class_of(claim), around.storage_class
    waits = chosen is not None and chosen.volume_binding_mode == _WAIT
    delayed = waits and SELECTED_NODE not in claim.metadata.annotations
    node = around.node if waits else None
    volume = best_match(claim, around.volumes.values(), node, delayed=delayed)
    if volume is not None:
        return ClaimPlan(volume)
    if delayed:
        return ClaimPlan(event=_waiting(around.waiting_pods))
    if not name:
        message = "no persistent volumes available for this claim and no storage class is set"
        return ClaimPlan(event=Told("Normal", "FailedBinding", message))
    return _provisioned(name, chosen)


def _waiting(pods: tuple[str, ...]) -> Told:
    if not pods:
        return Told("Normal", _WAIT, "waiting for first consumer to be created before binding")
    named = f"pod {pods[0]}" if len(pods) == 1 else f"pods {','.join(pods)}"
    return Told("Normal", "WaitForPodScheduled", f"waiting for {named} to be scheduled")


def _provisioned(name: str, chosen: StorageClass | None) -> ClaimPlan:
    if chosen is None:
        message = f'storageclass.storage.k8s.io "{name}" not found'
        return ClaimPlan(event=Told("Warning", "ProvisioningFailed", message))
    if chosen.provisioner.startswith("kubernetes.io/"):
        message = f"no volume plugin matched name: {chosen.provisioner}"
        return ClaimPlan(event=Told("Warning", "ProvisioningFailed", message))
    event = Told("Normal", "ExternalProvisioning", _DELAYED.format(chosen.provisioner))
    return ClaimPlan(event=event, provisioner=chosen.provisioner)


class Reclaim(Enum):
    """What becomes of a volume whose claim has gone."""

    KEEP = auto()
    DELETE_HOST_PATH = auto()
    FAIL = auto()  # there is nothing here that could delete it


@dataclass(frozen=True)
class VolumePlan:
    """The phase, and what to do; `unbind`: the claimRef is to go, or only its uid where a person had written it."""

    phase: str
    unbind: bool = False
    ask_claim: bool = False
    reclaim: Reclaim = Reclaim.KEEP


def decide_volume(volume: PersistentVolume, claim: PersistentVolumeClaim | None) -> VolumePlan:
    """What to do about a volume; `claim`: the one that its claimRef names, if it exists."""
    reference = volume.spec.claim_ref
    if reference is None or not reference.uid:
        return VolumePlan("Available")
    if claim is None or claim.metadata.uid != reference.uid:
        phase = volume.status.phase if volume.status.phase == "Failed" else "Released"
        return VolumePlan(phase, reclaim=reclaim_of(volume))
    if not claim.spec.volume_name:
        return VolumePlan(volume.status.phase or "Pending", ask_claim=True)
    if claim.spec.volume_name == volume.metadata.name:
        return VolumePlan("Bound")
    if PROVISIONED_BY in volume.metadata.annotations and volume.spec.persistent_volume_reclaim_policy == "Delete":
        return VolumePlan("Released", reclaim=reclaim_of(volume))
    return VolumePlan("Available", unbind=True)


def reclaim_of(volume: PersistentVolume) -> Reclaim:
    """What the reclaim policy means for this kind of volume."""
    if volume.spec.persistent_volume_reclaim_policy not in ("Delete", "Recycle"):
        return Reclaim.KEEP
    provisioner = volume.metadata.annotations.get(PROVISIONED_BY, "")
    if volume.spec.csi is not None or (provisioner and not provisioner.startswith("kubernetes.io/")):
        # Its provisioner deletes it.
        return Reclaim.KEEP
    if volume.spec.host_path is not None and volume.spec.persistent_volume_reclaim_policy == "Delete":
        return Reclaim.DELETE_HOST_PATH
    return Reclaim.FAIL
