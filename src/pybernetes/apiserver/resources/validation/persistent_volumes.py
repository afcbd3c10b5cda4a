"""Rules for PersistentVolumes."""

from __future__ import annotations

import posixpath
from typing import Any

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import (
    CSIPersistentVolumeSource,
    LocalVolumeSource,
    NodeSelectorRequirement,
    PersistentVolume,
    PersistentVolumeSpec,
    SecretReference,
    VolumeNodeAffinity,
)
from pybernetes.apiserver.resources.validation import volume_sources as sources
from pybernetes.apiserver.resources.validation.claims import sound_quantity, validate_class_and_mode, validate_modes
from pybernetes.apiserver.resources.validation.internal_form import difference
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, immutable
from pybernetes.apiserver.resources.validation.numbers import positive_quantity
from pybernetes.apiserver.resources.validation.paths import no_backsteps
from pybernetes.apiserver.resources.validation.selectors import shown_node_selector, validate_node_selector
from pybernetes.apiserver.resources.validation.texts import obeys, required_text

_POLICIES = ("Delete", "Recycle", "Retain")
# Labels of nodes that have been renamed; a volume's affinity may follow.
_RENAMED = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}
_INLINE = "in the context of inline volumes"
_NOT_INLINE = f"may not be specified {_INLINE}"
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_MOUNTED_WITH_OPTIONS = (
    "gce_persistent_disk",
    "aws_elastic_block_store",
    "glusterfs",
    "nfs",
    "rbd",
    "quobyte",
    "iscsi",
    "cinder",
    "cephfs",
    "azure_file",
    "vsphere_volume",
    "azure_disk",
    "photon_persistent_disk",
)


def validate_volume(volume: PersistentVolume) -> list[FieldError]:
    spec = volume.spec
    errors: list[FieldError] = []
    if not spec.access_modes:
        errors.append(required("spec.accessModes"))
    errors += validate_modes(spec.access_modes, "spec.accessModes")
    errors += _validate_capacity(spec)
    policy = spec.persistent_volume_reclaim_policy
    if policy and policy not in _POLICIES:
        errors.append(not_supported("spec.persistentVolumeReclaimPolicy", policy, _POLICIES))
    errors += _validate_affinity(spec.node_affinity)
    errors += sources.validate_sources(spec, _ROWS, "spec", found=False)
    errors += _validate_with_neighbours(spec, volume.metadata.name or "")
    errors += validate_class_and_mode(spec.storage_class_name, spec.volume_mode, "spec")
    return errors + _validate_attributes_class(spec) + _validate_mount_options(volume)


def _validate_mount_options(volume: PersistentVolume) -> list[FieldError]:
    """The annotation of old was looked at for drivers of old only."""
    takes = any(getattr(volume.spec, attribute) is not None for attribute in _MOUNTED_WITH_OPTIONS)
    if takes or _MOUNT_OPTIONS not in volume.metadata.annotations:
        return []
    detail = "may not specify mount options for this volume type"
    return [forbidden_field(f"metadata.annotations.{_MOUNT_OPTIONS}", detail)]


def validate_inline_volume(spec: PersistentVolumeSpec, path: str) -> list[FieldError]:
    """A volume within the request to attach it: of a driver, bound to nothing."""
    errors: list[FieldError] = []
    if spec.claim_ref is not None:
        errors.append(forbidden_field(f"{path}.claimRef", _NOT_INLINE))
    if spec.capacity:
        errors.append(forbidden_field(f"{path}.capacity", _NOT_INLINE))
    if spec.csi is None:
        errors.append(required(f"{path}.csi", "has to be specified in the context of inline volumes"))
    if not spec.access_modes:
        errors.append(required(f"{path}.accessModes"))
    errors += validate_modes(spec.access_modes, f"{path}.accessModes")
    for name, value, only, detail in (
        ("persistentVolumeReclaimPolicy", spec.persistent_volume_reclaim_policy, "Retain", "may only be Retain"),
        ("nodeAffinity", spec.node_affinity, None, "may not be specified"),
    ):
        if value and value != only:
            errors.append(forbidden_field(f"{path}.{name}", f"{detail} {_INLINE}"))
    errors += sources.validate_sources(spec, _ROWS, path, found=False)
    if spec.storage_class_name:
        errors.append(forbidden_field(f"{path}.storageClassName", _NOT_INLINE))
    if spec.volume_mode not in (None, "Filesystem"):
        detail = f"may not specify volumeMode other than Filesystem {_INLINE}"
        errors.append(forbidden_field(f"{path}.volumeMode", detail))
    return errors + _validate_attributes_class(spec, path)


def _validate_capacity(spec: PersistentVolumeSpec) -> list[FieldError]:
    capacity = spec.capacity
    errors: list[FieldError] = []
    if not capacity:
        errors.append(required("spec.capacity"))
    if set(capacity) != {"storage"}:
        errors.append(not_supported("spec.capacity", dict(sorted(capacity.items())) or None, ("storage",)))
    for name, quantity in capacity.items():
        errors += sound_quantity(quantity, f"spec.capacity[{name}]")
        errors += positive_quantity(quantity, f"spec.capacity[{name}]")
    return errors


def _validate_affinity(affinity: VolumeNodeAffinity | None) -> list[FieldError]:
    if affinity is None:
        return []
    if affinity.required is None:
        return [required("spec.nodeAffinity.required", "must specify required node constraints")]
    return validate_node_selector(affinity.required, "spec.nodeAffinity.required")


def _validate_with_neighbours(spec: PersistentVolumeSpec, name: str) -> list[FieldError]:
    """What of a source depends on the rest of the volume."""
    errors: list[FieldError] = []
    iscsi = spec.iscsi
    if iscsi is not None and sources.portal_is_too_long(iscsi, name):
        errors.append(invalid("spec.iscsi.targetportal", iscsi.target_portal, sources.PORTAL_TOO_LONG))
    if spec.local is not None and spec.node_affinity is None:
        errors.append(required("spec.nodeAffinity", "Local volume requires node affinity"))
    recycled = spec.persistent_volume_reclaim_policy == "Recycle"
    if recycled and spec.host_path is not None and posixpath.normpath(spec.host_path.path) == "/":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        errors.append(forbidden_field("spec.persistentVolumeReclaimPolicy", detail))
    return errors


def _validate_attributes_class(spec: PersistentVolumeSpec, path: str = "spec") -> list[FieldError]:
    name, where = spec.volume_attributes_class_name, f"{path}.volumeAttributesClassName"
    if name is None:
        return []
    errors = obeys(name, dns1123_subdomain, where) if name else [required(where, "an empty string is disallowed")]
    if spec.csi is None:
        errors.append(required(f"{path}.csi", "has to be specified when using volumeAttributesClassName"))
    return errors


def _local(source: LocalVolumeSource, path: str) -> list[FieldError]:
    if not source.path:
        return [required(f"{path}.path")]
    return no_backsteps(source.path, f"{path}.path")


def _csi(source: CSIPersistentVolumeSource, path: str) -> list[FieldError]:
    errors = sources.validate_driver_name(source.driver, f"{path}.driver")
    if not source.volume_handle:
        errors.append(required(f"{path}.volumeHandle"))
    for name, secret in (
        ("controllerPublishSecretRef", source.controller_publish_secret_ref),
        ("controllerExpandSecretRef", source.controller_expand_secret_ref),
        ("nodePublishSecretRef", source.node_publish_secret_ref),
        ("nodeExpandSecretRef", source.node_expand_secret_ref),
    ):
        errors += _secret(secret, f"{path}.{name}")
    return errors


def _secret(secret: SecretReference | None, path: str) -> list[FieldError]:
    if secret is None:
        return []
    errors = required_text(secret.name, dns1123_subdomain, f"{path}.name")
    return errors + required_text(secret.namespace, dns1123_label, f"{path}.namespace")


_ROWS: tuple[sources.SourceRow, ...] = (
    sources.HOST_PATH,
    sources.GCE_PERSISTENT_DISK,
    sources.AWS_ELASTIC_BLOCK_STORE,
    sources.GLUSTERFS,
    sources.FLOCKER,
    sources.NFS,
    sources.RBD,
    sources.QUOBYTE,
    sources.CEPHFS,
    sources.row("iscsi", "iscsi", sources.iscsi("must be valid format", named_secret=True)),
    sources.row("cinder", "cinder", sources.cinder(with_namespace=True)),
    sources.FC,
    sources.FLEX_VOLUME,
    sources.AZURE_FILE,
    sources.VSPHERE_VOLUME,
    sources.PHOTON_PERSISTENT_DISK,
    sources.PORTWORX_VOLUME,
    sources.AZURE_DISK,
    sources.SCALE_IO,
    sources.row("local", "local", _local),
    sources.row("storageos", "storageos", sources.storageos(with_namespace=True)),
    sources.row("csi", "csi", _csi),
)


def validate_volume_update(new: PersistentVolume, old: PersistentVolume) -> list[FieldError]:
    """Where the data lies never changes; what may be added is a secret for growth and an affinity."""
    errors = validate_volume(new) if new.spec != old.spec else []
    if _sources_of(new.spec, old.spec) != _sources_of(old.spec, old.spec):
        shown = difference(old.spec, new.spec, "io.k8s.api.core.v1.PersistentVolumeSource")
        detail = f"spec.persistentvolumesource is immutable after creation\n{shown}"
        errors.append(forbidden_field("spec.persistentvolumesource", detail))
    errors += immutable(new.spec.volume_mode, old.spec.volume_mode, "volumeMode")
    errors += _same_affinity(new.spec.node_affinity, old.spec.node_affinity)
    if old.spec.volume_attributes_class_name is not None and new.spec.volume_attributes_class_name is None:
        detail = "update from non-nil value to nil is forbidden"
        errors.append(forbidden_field("spec.volumeAttributesClassName", detail))
    return errors


def _sources_of(spec: PersistentVolumeSpec, old: PersistentVolumeSpec) -> list[Any]:
    """The sources of a spec, without what may be added to those of the old one."""
    found = [getattr(spec, attribute) for attribute, _, _, _ in _ROWS]
    added = old.csi is not None and old.csi.controller_expand_secret_ref is None
    if added and spec.csi is not None and spec.csi.controller_expand_secret_ref is not None:
        csi = copy(spec.csi)
        csi.controller_expand_secret_ref = None
        found[-1] = csi
    return found


def _same_affinity(new: VolumeNodeAffinity | None, old: VolumeNodeAffinity | None) -> list[FieldError]:
    if old is None or new == old or _renamed(new, old):
        return []
    shown = None if new is None else {"Required": shown_node_selector(new.required)}
    return [invalid("nodeAffinity", shown, f"{IMMUTABLE}, except for updating from beta label to GA")]


def _renamed(new: VolumeNodeAffinity | None, old: VolumeNodeAffinity) -> bool:
    """Whether affinities are equal once labels of old have the names of today."""
    if new is None or new.required is None or old.required is None:
        return False
    terms = list(zip(new.required.node_selector_terms, old.required.node_selector_terms, strict=False))
    if len(new.required.node_selector_terms) != len(old.required.node_selector_terms):
        return False
    pairs = [
        (after, before)
        for a, b in terms
        for after, before in ((a.match_expressions, b.match_expressions), (a.match_fields, b.match_fields))
    ]
    return all(len(after) == len(before) and all(map(_same_requirement, after, before)) for after, before in pairs)


def _same_requirement(new: NodeSelectorRequirement, old: NodeSelectorRequirement) -> bool:
    key = new.key if _RENAMED.get(old.key) == new.key else old.key
    return (new.key, new.operator, new.values) == (key, old.operator, old.values)
