"""Rows of volumes and of what provides them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pybernetes.api import quantity
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim
from pybernetes.api.types.storage_v1 import CSIDriver, CSINode, StorageClass, VolumeAttachment, VolumeAttributesClass
from pybernetes.apiserver.printing.cells import UNSET, age, columns, name

VOLUME_COLUMNS = columns(
    "Name",
    "Capacity",
    "Access Modes",
    "Reclaim Policy",
    "Status",
    "Claim",
    "StorageClass",
    "VolumeAttributesClass",
    "Reason",
    "Age",
    "*VolumeMode",
)
CLAIM_COLUMNS = columns(
    "Name",
    "Status",
    "Volume",
    "Capacity",
    "Access Modes",
    "StorageClass",
    "VolumeAttributesClass",
    "Age",
    "*VolumeMode",
)
STORAGE_CLASS_COLUMNS = columns(
    "Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"
)
ATTACHMENT_COLUMNS = columns("Name", "Attacher", "PV", "Node", "Attached:boolean", "Age")
ATTACHMENT_COLUMNS[1]["format"] = "name"
ATTRIBUTES_CLASS_COLUMNS = columns("Name", "DriverName", "Age")
CSI_DRIVER_COLUMNS = columns(
    "Name",
    "AttachRequired:boolean",
    "PodInfoOnMount:boolean",
    "StorageCapacity:boolean",
    "TokenRequests",
    "RequiresRepublish:boolean",
    "Modes",
    "Age",
)
CSI_NODE_COLUMNS = columns("Name", "Drivers:integer", "Age")
_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULTS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def volume_row(volume: PersistentVolume, now: datetime) -> list[Any]:
    """The cells of a PersistentVolume."""
    spec, claim = volume.spec, volume.spec.claim_ref
    return [
        name(volume),
        _storage(spec.capacity),
        _modes(spec.access_modes),
        spec.persistent_volume_reclaim_policy or "",
        "Terminating" if volume.metadata.deletion_timestamp else volume.status.phase or "",
        f"{claim.namespace or ''}/{claim.name or ''}" if claim is not None else "",
        volume.metadata.annotations.get(_CLASS, spec.storage_class_name or ""),
        UNSET if spec.volume_attributes_class_name is None else spec.volume_attributes_class_name,
        volume.status.reason or "",
        age(volume, now),
        UNSET if spec.volume_mode is None else spec.volume_mode,
    ]


def claim_row(claim: PersistentVolumeClaim, now: datetime) -> list[Any]:
    """The cells of a PersistentVolumeClaim."""
    spec, bound = claim.spec, bool(claim.spec.volume_name)
    return [
        name(claim),
        "Terminating" if claim.metadata.deletion_timestamp else claim.status.phase or "",
        spec.volume_name or "",
        _storage(claim.status.capacity) if bound else "",
        _modes(claim.status.access_modes) if bound else "",
        claim.metadata.annotations.get(_CLASS, spec.storage_class_name or ""),
        UNSET if spec.volume_attributes_class_name is None else spec.volume_attributes_class_name,
        age(claim, now),
        UNSET if spec.volume_mode is None else spec.volume_mode,
    ]


def _storage(amounts: Mapping[str, Quantity]) -> str:
    return quantity.canonical(amounts.get("storage", "0"))


def _modes(modes: list[str]) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in modes)


def storage_class_row(storage_class: StorageClass, now: datetime) -> list[Any]:
    """The cells of a StorageClass."""
    annotations = storage_class.metadata.annotations
    default = any(annotations.get(key) == "true" for key in _DEFAULTS)
    return [
        f"{name(storage_class)} (default)" if default else name(storage_class),
        storage_class.provisioner,
        storage_class.reclaim_policy or "Delete",
        storage_class.volume_binding_mode or "Immediate",
        bool(storage_class.allow_volume_expansion),
        age(storage_class, now),
    ]


def attachment_row(attachment: VolumeAttachment, now: datetime) -> list[Any]:
    """The cells of a VolumeAttachment."""
    spec = attachment.spec
    volume = spec.source.persistent_volume_name or ""
    attached = attachment.status.attached
    return [name(attachment), spec.attacher, volume, spec.node_name, attached, age(attachment, now)]


def attributes_class_row(attributes: VolumeAttributesClass, now: datetime) -> list[Any]:
    """The cells of a VolumeAttributesClass."""
    return [name(attributes), attributes.driver_name, age(attributes, now)]


def csi_driver_row(driver: CSIDriver, now: datetime) -> list[Any]:
    """The cells of a CSIDriver."""
    spec = driver.spec
    return [
        name(driver),
        True if spec.attach_required is None else spec.attach_required,
        bool(spec.pod_info_on_mount),
        bool(spec.storage_capacity),
        ",".join(request.audience for request in spec.token_requests) or UNSET,
        bool(spec.requires_republish),
        ",".join(spec.volume_lifecycle_modes) or "<none>",
        age(driver, now),
    ]


def csi_node_row(node: CSINode, now: datetime) -> list[Any]:
    """The cells of a CSINode."""
    return [name(node), len(node.spec.drivers), age(node, now)]
