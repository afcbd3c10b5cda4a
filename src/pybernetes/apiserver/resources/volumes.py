"""Defaults of the volumes of a pod and of persistent volumes. Called by the pod template and the volume kinds."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import (
    EmptyDirVolumeSource,
    PersistentVolumeClaimSpec,
    PersistentVolumeSpec,
    ProjectedVolumeSource,
    Volume,
)
from pybernetes.apiserver.resources.amounts import canonical_or_none, canonicalize_requirements
from pybernetes.apiserver.resources.containers import default_references, pull_policy_of

_FILE_MODE = 0o644
_SOURCES = tuple(name for name in Volume.__struct_fields__ if name != "name")


def default_volume(volume: Volume) -> None:
    """Fills one volume of a pod in place."""
    if volume.config_map is not None:
        volume.config_map.default_mode = _mode(volume.config_map.default_mode)
    elif volume.secret is not None:
        volume.secret.default_mode = _mode(volume.secret.default_mode)
    elif volume.projected is not None:
        _default_projected(volume.projected)
    elif volume.empty_dir is not None:
        volume.empty_dir.size_limit = canonical_or_none(volume.empty_dir.size_limit)
    elif volume.downward_api is not None:
        volume.downward_api.default_mode = _mode(volume.downward_api.default_mode)
        for file in volume.downward_api.items:
            default_references(file)
    else:
        _default_other(volume)


def _default_other(volume: Volume) -> None:
    if volume.host_path is not None:
        volume.host_path.type = volume.host_path.type or ""
    elif volume.ephemeral is not None:
        if volume.ephemeral.volume_claim_template is not None:
            default_claim_spec(volume.ephemeral.volume_claim_template.spec)
    elif volume.image is not None:
        if not volume.image.pull_policy:
            volume.image.pull_policy = pull_policy_of(volume.image.reference or "")
    elif all(getattr(volume, name) is None for name in _SOURCES):
        volume.empty_dir = EmptyDirVolumeSource()
    else:
        default_network_disks(volume)


def default_network_disks(source: Volume | PersistentVolumeSpec) -> None:
    """The drivers of old that have defaults of their own."""
    if source.iscsi is not None:
        source.iscsi.iscsi_interface = source.iscsi.iscsi_interface or "default"
    if source.rbd is not None:
        source.rbd.pool = source.rbd.pool or "rbd"
        source.rbd.user = source.rbd.user or "admin"
        source.rbd.keyring = source.rbd.keyring or "/etc/ceph/keyring"
    if source.scale_io is not None:
        source.scale_io.storage_mode = source.scale_io.storage_mode or "ThinProvisioned"
        source.scale_io.fs_type = source.scale_io.fs_type or "xfs"
    disk = source.azure_disk
    if disk is not None:
        disk.caching_mode = disk.caching_mode or "ReadWrite"
        disk.kind = disk.kind or "Shared"
        disk.fs_type = "ext4" if disk.fs_type is None else disk.fs_type
        disk.read_only = bool(disk.read_only)


def _default_projected(projected: ProjectedVolumeSource) -> None:
    projected.default_mode = _mode(projected.default_mode)
    for source in projected.sources:
        # Both belong to features that are off by default, whose fields the API server drops.
        source.cluster_trust_bundle = None
        source.pod_certificate = None
        if source.service_account_token is not None:
            token = source.service_account_token
            token.expiration_seconds = 3600 if token.expiration_seconds is None else token.expiration_seconds
        if source.downward_api is not None:
            for file in source.downward_api.items:
                default_references(file)


def default_claim_spec(spec: PersistentVolumeClaimSpec) -> None:
    """Fills the spec of a claim, also of a template for claims."""
    canonicalize_requirements(spec.resources)
    if not spec.volume_mode:
        spec.volume_mode = "Filesystem"


def _mode(mode: int | None) -> int:
    return _FILE_MODE if mode is None else mode
