"""Which volume suits a claim: class, size, access modes, mode, selector and node. Pure functions of values.

The volume binder asks; wording as upstream's.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.labels import from_label_selector
from pybernetes.api.quantity import compare
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim
from pybernetes.controllers.node_match import matches

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def class_of(obj: PersistentVolume | PersistentVolumeClaim) -> str:
    """The storage class by name; empty for none."""
    return obj.metadata.annotations.get(_CLASS_ANNOTATION, obj.spec.storage_class_name or "")


def is_reserved_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume's claimRef means this claim: by name, and by uid where it says one."""
    reference = volume.spec.claim_ref
    if reference is None:
        return False
    named = (reference.namespace, reference.name) == (claim.metadata.namespace, claim.metadata.name)
    return named and reference.uid in (None, "", claim.metadata.uid)


def mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """Why a volume that a claim asks for by name does not satisfy it; empty when it does."""
    if compare(_size(volume), _wanted(claim)) < 0:
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if not _same_mode(volume, claim):
        return "incompatible volumeMode"
    return "" if _has_modes(volume, claim) else "incompatible accessMode"


def best_match(
    claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume], node: Node | None, *, delayed: bool
) -> PersistentVolume | None:
    """The volume reserved for the claim, else the smallest that suits it. `delayed`: only a reserved one will do, since
    nobody knows yet where the claim is used; `node`: where it will be.
    """
    found: PersistentVolume | None = None
    for volume in sorted(volumes, key=lambda item: item.metadata.name or ""):
        reserved = is_reserved_for(volume, claim)
        if volume.spec.claim_ref is not None and not reserved:
            continue
        if volume.metadata.deletion_timestamp is not None or not _holds(volume, claim):
            continue
        if reserved:
            return volume if _reachable(volume, node) else None
        if delayed or not _suits(volume, claim) or not _reachable(volume, node):
            continue
        if found is None or compare(_size(volume), _size(found)) < 0:
            found = volume
    return found


def _holds(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    return compare(_size(volume), _wanted(claim)) >= 0 and _same_mode(volume, claim)


def _suits(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    if volume.status.phase != "Available" or class_of(volume) != class_of(claim):
        return False
    attributes = volume.spec.volume_attributes_class_name or "", claim.spec.volume_attributes_class_name or ""
    if attributes[0] != attributes[1] or not _has_modes(volume, claim):
        return False
    selector = claim.spec.selector
    return selector is None or from_label_selector(selector).matches(volume.metadata.labels)


def _reachable(volume: PersistentVolume, node: Node | None) -> bool:
    affinity = volume.spec.node_affinity
    return node is None or affinity is None or affinity.required is None or matches(affinity.required, node)


def _has_modes(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    return set(claim.spec.access_modes) <= set(volume.spec.access_modes)


def _same_mode(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    return (volume.spec.volume_mode or "Filesystem") == (claim.spec.volume_mode or "Filesystem")


def _size(volume: PersistentVolume) -> Quantity:
    return volume.spec.capacity.get("storage", 0)


def _wanted(claim: PersistentVolumeClaim) -> Quantity:
    return claim.spec.resources.requests.get("storage", 0)
