"""Strategies of PersistentVolumes and PersistentVolumeClaims."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import (
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimStatus,
    PersistentVolumeStatus,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from pybernetes.apiserver.resources.amounts import canonicalize
from pybernetes.apiserver.resources.prepare import keep_status, only_status
from pybernetes.apiserver.resources.strategy import Asker, Strategy
from pybernetes.apiserver.resources.volumes import default_claim_spec, default_network_disks


def default_volume(volume: PersistentVolume) -> None:
    spec = volume.spec
    canonicalize(spec.capacity)
    spec.persistent_volume_reclaim_policy = spec.persistent_volume_reclaim_policy or "Retain"
    spec.volume_mode = spec.volume_mode or "Filesystem"
    spec.storage_class_name = spec.storage_class_name or None
    if spec.host_path is not None:
        spec.host_path.type = spec.host_path.type or ""
    default_network_disks(spec)
    volume.status.phase = volume.status.phase or "Pending"


def prepare_volume(volume: PersistentVolume) -> None:
    now = volume.metadata.creation_timestamp
    volume.status = PersistentVolumeStatus(phase="Pending", last_phase_transition_time=now)


def stamp_volume(new: PersistentVolume, old: PersistentVolume | None, _asker: Asker, now: str) -> None:
    """When the phase last changed."""
    if old is None or new.status.phase == old.status.phase:
        return
    if new.status.last_phase_transition_time in (None, old.status.last_phase_transition_time):
        new.status.last_phase_transition_time = now


def default_claim(claim: PersistentVolumeClaim) -> None:
    default_claim_spec(claim.spec)
    claim.status.phase = claim.status.phase or "Pending"
    canonicalize(claim.status.capacity)
    canonicalize(claim.status.allocated_resources)


def prepare_claim(claim: PersistentVolumeClaim) -> None:
    claim.status = PersistentVolumeClaimStatus(phase="Pending")
    _one_data_source(claim)


def prepare_claim_update(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> None:
    keep_status(new, old)
    if new.spec.data_source is not None and new.spec.data_source_ref is None and old.spec.data_source_ref is not None:
        new.spec.data_source_ref = old.spec.data_source_ref


def _one_data_source(claim: PersistentVolumeClaim) -> None:
    """`dataSource` and `dataSourceRef` name the same source unless it lies in another namespace."""
    spec = claim.spec
    if spec.data_source is not None and spec.data_source_ref is None:
        source = spec.data_source
        spec.data_source_ref = TypedObjectReference(api_group=source.api_group, kind=source.kind, name=source.name)
    elif spec.data_source_ref is not None and spec.data_source is None and not spec.data_source_ref.namespace:
        ref = spec.data_source_ref
        spec.data_source = TypedLocalObjectReference(api_group=ref.api_group, kind=ref.kind, name=ref.name)


PERSISTENT_VOLUME = Strategy(
    default=default_volume,
    prepare_create=prepare_volume,
    stamp=stamp_volume,
    prepare_update=keep_status,
    prepare_status=only_status,
    returns_deleted=True,
)
PERSISTENT_VOLUME_CLAIM = Strategy(
    default=default_claim,
    prepare_create=prepare_claim,
    prepare_update=prepare_claim_update,
    prepare_status=only_status,
    returns_deleted=True,
)
