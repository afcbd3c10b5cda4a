"""Strategies of PersistentVolumes and PersistentVolumeClaims."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import (
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimStatus,
    PersistentVolumeStatus,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from pybernetes.apiserver.resources.amounts import canonicalize
from pybernetes.apiserver.resources.prepare import keep_status, only_status
from pybernetes.apiserver.resources.strategy import Asker, Strategy
from pybernetes.apiserver.resources.volumes import default_claim_spec, default_network_disks


def _default_volume(volume: PersistentVolume) -> None:
    spec = volume.spec
    canonicalize(spec.capacity)
    spec.persistent_volume_reclaim_policy = spec.persistent_volume_reclaim_policy or "Retain"
    spec.volume_mode = spec.volume_mode or "Filesystem"
    spec.storage_class_name = spec.storage_class_name or None
    if spec.host_path is not None:
        spec.host_path.type = spec.host_path.type or ""
    default_network_disks(spec)
    volume.status.phase = volume.status.phase or "Pending"


def _prepare_volume(volume: PersistentVolume) -> None:
    now = volume.metadata.creation_timestamp
    volume.status = PersistentVolumeStatus(phase="Pending", last_phase_transition_time=now)


def _stamp_volume(new: PersistentVolume, old: PersistentVolume | None, _asker: Asker, now: str) -> None:
    """When the phase last changed."""
    if old is None:
        return
    before, after = old.status.last_phase_transition_time, new.status.last_phase_transition_time
    if new.status.phase == old.status.phase:
        new.status.last_phase_transition_time = after or before
    elif after in (None, before):
        new.status.last_phase_transition_time = now


def _default_claim(claim: PersistentVolumeClaim) -> None:
    default_claim_spec(claim.spec)
    claim.status.phase = claim.status.phase or "Pending"
    canonicalize(claim.status.capacity)
    canonicalize(claim.status.allocated_resources)


def _prepare_claim(claim: PersistentVolumeClaim) -> None:
    claim.status = PersistentVolumeClaimStatus(phase="Pending")
    _settle_data_source(claim.spec, None)


def _prepare_claim_update(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> None:
    """Clients that know only one of both fields leave the other out, which is filled in again."""
    keep_status(new, old)
    _settle_data_source(new.spec, old.spec)


def _settle_data_source(spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec | None) -> None:
    """`dataSource` and `dataSourceRef` name the same source; what no volume can be filled from is dropped."""
    ref = spec.data_source_ref
    if ref is not None and ref.namespace and (old is None or old.data_source_ref is None):
        # Sources in other namespaces belong to a feature that is off by default.
        spec.data_source_ref = ref = None
    source = spec.data_source
    was_empty = old is None or (old.data_source is None and old.data_source_ref is None)
    if source is not None and ref is None and was_empty and not _can_fill(source):
        spec.data_source = source = None
    if source is not None and ref is None:
        spec.data_source_ref = TypedObjectReference(api_group=source.api_group, kind=source.kind, name=source.name)
    elif ref is not None and source is None and not ref.namespace:
        spec.data_source = TypedLocalObjectReference(api_group=ref.api_group, kind=ref.kind, name=ref.name)


def _can_fill(source: TypedLocalObjectReference) -> bool:
    group = source.api_group or ""
    return (group, source.kind) in (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


PERSISTENT_VOLUME = Strategy(
    default=_default_volume,
    prepare_create=_prepare_volume,
    stamp=_stamp_volume,
    prepare_update=keep_status,
    prepare_status=only_status,
    returns_deleted=True,
)
PERSISTENT_VOLUME_CLAIM = Strategy(
    default=_default_claim,
    prepare_create=_prepare_claim,
    prepare_update=_prepare_claim_update,
    prepare_status=only_status,
    returns_deleted=True,
)
