"""Rules for the volumes of a pod: names, and for each its one source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.quantity import amount
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import (
    CSIVolumeSource,
    EphemeralVolumeSource,
    GitRepoVolumeSource,
    ImageVolumeSource,
    Volume,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.resources.validation import projected_files
from pybernetes.apiserver.resources.validation import volume_sources as sources
from pybernetes.apiserver.resources.validation.claims import validate_claim_spec
from pybernetes.apiserver.resources.validation.metadata import validate_annotations, validate_labels
from pybernetes.apiserver.resources.validation.paths import local_path
from pybernetes.apiserver.resources.validation.texts import obeys, one_of, required_text

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
# Fields of the metadata of a claim's template by their names in complaints; labels and annotations may be set.
_NOT_IN_TEMPLATES = (
    ("name", "name"),
    ("generate_name", "generateName"),
    ("namespace", "namespace"),
    ("self_link", "selfLink"),
    ("uid", "uID"),
    ("resource_version", "resourceVersion"),
    ("generation", "generation"),
    ("creation_timestamp", "creationTimestamp"),
    ("deletion_timestamp", "deletionTimestamp"),
    ("deletion_grace_period_seconds", "deletionGracePeriodSeconds"),
    ("owner_references", "ownerReferences"),
    ("finalizers", "finalizers"),
    ("managed_fields", "managedFields"),
)


def validate_volumes(
    volumes: Sequence[Volume], path: str, *, in_pod: bool
) -> tuple[Mapping[str, Volume], list[FieldError]]:
    """(the sound volumes by name, all complaints); an image may go without a reference where it is no pod yet."""
    sound: dict[str, Volume] = {}
    errors: list[FieldError] = []
    for index, volume in enumerate(volumes):
        where = f"{path}[{index}]"
        complaints = _validate_source(volume, where, in_pod=in_pod)
        complaints += required_text(volume.name, dns1123_label, f"{where}.name")
        if volume.name in sound:
            complaints.append(duplicate(f"{where}.name", volume.name))
        if complaints:
            errors += complaints
        else:
            sound[volume.name] = volume
    return sound, errors


def validate_created_claims(volumes: Sequence[Volume], pod_name: str, path: str) -> list[FieldError]:
    """What depends on the pod's name: claims made for ephemeral volumes are called after pod and volume."""
    errors: list[FieldError] = []
    made = {f"{pod_name}-{volume.name}" for volume in volumes if volume.ephemeral is not None}
    for index, volume in enumerate(volumes):
        where = f"{path}[{index}]"
        if volume.ephemeral is not None and volume.name:
            name = f"{pod_name}-{volume.name}"
            texts = dns1123_subdomain(name)
            errors += [invalid(f"{where}.name", volume.name, f'PVC name "{name}": {text}') for text in texts]
        claim = volume.persistent_volume_claim
        if claim is not None and claim.claim_name in made:
            detail = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(f"{where}.persistentVolumeClaim.claimName", claim.claim_name, detail))
    return errors


def _validate_source(volume: Volume, path: str, *, in_pod: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    if volume.empty_dir is not None:
        limit = volume.empty_dir.size_limit
        if limit is not None and amount(limit).nano < 0:
            detail = "SizeLimit field must be a valid resource quantity"
            errors.append(forbidden_field(f"{path}.emptyDir.sizeLimit", detail))
    errors += sources.validate_sources(volume, _ROWS, path, found=volume.empty_dir is not None)
    if sources.portal_is_too_long(volume.iscsi, volume.name):
        errors.append(invalid(f"{path}.name", volume.name, sources.PORTAL_TOO_LONG))
    if in_pod and volume.image is not None and not volume.image.reference:
        errors.append(required(f"{path}.image.reference"))
    return errors


def _git_repo(source: GitRepoVolumeSource, path: str) -> list[FieldError]:
    errors = [] if source.repository else [required(f"{path}.repository")]
    return errors + local_path(source.directory or "", f"{path}.directory")


def _csi(source: CSIVolumeSource, path: str) -> list[FieldError]:
    errors = sources.validate_driver_name(source.driver, f"{path}.driver")
    secret = source.node_publish_secret_ref
    if secret is not None:
        if not secret.name:
            errors.append(required(f"{path}.nodePublishSecretRef.name"))
        else:
            errors += obeys(secret.name, dns1123_subdomain, f"{path}.name")
    return errors


def _ephemeral(source: EphemeralVolumeSource, path: str) -> list[FieldError]:
    template = source.volume_claim_template
    where = f"{path}.volumeClaimTemplate"
    if template is None:
        return [required(where)]
    errors = validate_template_metadata(template.metadata, f"{where}.metadata")
    return errors + validate_claim_spec(template.spec, f"{where}.spec")


def validate_template_metadata(metadata: ObjectMeta, path: str) -> list[FieldError]:
    """Of what a template makes, only labels and annotations can be said before."""
    errors = validate_annotations(metadata.annotations, f"{path}.annotations")
    errors += validate_labels(metadata.labels, f"{path}.labels")
    given = (name for attribute, name in _NOT_IN_TEMPLATES if getattr(metadata, attribute))
    return errors + [forbidden_field(f"{path}.{name}", "cannot be set") for name in given]


def _image(source: ImageVolumeSource, path: str) -> list[FieldError]:
    return pull_policy(source.pull_policy, f"{path}.pullPolicy")


def pull_policy(policy: str | None, path: str) -> list[FieldError]:
    """When images are fetched."""
    if not policy:
        return [required(path)]
    return one_of(policy, _PULL_POLICIES, path)


_ROWS: tuple[sources.SourceRow, ...] = (
    sources.HOST_PATH,
    sources.row("git_repo", "gitRepo", _git_repo),
    sources.GCE_PERSISTENT_DISK,
    sources.AWS_ELASTIC_BLOCK_STORE,
    sources.row("secret", "secret", projected_files.validate_secret),
    sources.NFS,
    sources.row("iscsi", "iscsi", sources.iscsi("must be valid format starting with iqn, eui, or naa")),
    sources.GLUSTERFS,
    sources.FLOCKER,
    sources.row("persistent_volume_claim", "persistentVolumeClaim", sources.needs(("claim_name", "claimName"))),
    sources.RBD,
    sources.row("cinder", "cinder", sources.cinder()),
    sources.CEPHFS,
    sources.QUOBYTE,
    ("downward_api", "downwarAPI", "downwardAPI", projected_files.validate_downward_api),
    sources.FC,
    sources.FLEX_VOLUME,
    sources.row("config_map", "configMap", projected_files.validate_config_map),
    sources.AZURE_FILE,
    sources.VSPHERE_VOLUME,
    sources.PHOTON_PERSISTENT_DISK,
    sources.PORTWORX_VOLUME,
    sources.AZURE_DISK,
    sources.row("storageos", "storageos", sources.storageos()),
    sources.row("projected", "projected", projected_files.validate_projected),
    sources.SCALE_IO,
    sources.row("csi", "csi", _csi),
    sources.row("ephemeral", "ephemeral", _ephemeral),
    sources.row("image", "image", _image),
)
