"""What pods and persistent volumes refer to: the objects by name that a kubelet needs for them. Pure.

The Node authorizer lets kubelets read what is referred to; the plug-ins NodeRestriction and ServiceAccount forbid
mirror pods, which kubelets make themselves, to refer to anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pybernetes.api.types.core_v1 import Container, EphemeralContainer, PersistentVolume, Pod, Volume

MIRROR = "kubernetes.io/config.mirror"
# Drivers whose credentials are a `secretRef`, in pods as in persistent volumes.
_WITH_SECRET = ("cephfs", "cinder", "flex_volume", "rbd", "scale_io", "iscsi", "storageos")
# Of what a CSI volume refers to, kubelets need these; the others are for controllers.
_OF_NODES = ("node_publish_secret_ref", "node_stage_secret_ref", "node_expand_secret_ref")
_VOLUMES = (
    ("config_map", "configmaps (via configmap volumes)"),
    ("secret", "secrets (via secret volumes)"),
    ("csi", "csidrivers (via CSI volumes)"),
    ("glusterfs", "endpoints (via glusterFS volumes)"),
    ("persistent_volume_claim", "persistentvolumeclaims"),
    ("ephemeral", "persistentvolumeclaims (via ephemeral volumes)"),
    ("azure_file", "secrets (via azureFile volumes)"),
)
_PROJECTED = (
    ("config_map", "configmaps (via projected volumes)"),
    ("secret", "secrets (via projected volumes)"),
    ("service_account_token", "serviceaccounts (via projected volumes)"),
    ("cluster_trust_bundle", "clustertrustbundles"),
    ("pod_certificate", "podcertificates"),
)


def referenced(pod: Pod, resource: str) -> set[str]:
    """The names of all objects of a resource that a pod refers to."""
    readers: dict[str, Callable[[Pod], Iterator[str | None]]] = {
        "secrets": _secrets,
        "configmaps": _config_maps,
        "persistentvolumeclaims": _claims,
        "resourceclaims": _resource_claims,
        "serviceaccounts": _accounts,
    }
    return {name for name in readers[resource](pod) if name}


def first_reference(pod: Pod) -> str:
    """What of the API a pod refers to, in words; empty when it refers to nothing."""
    for resource in ("serviceaccounts", "secrets", "configmaps"):
        if referenced(pod, resource):
            return resource
    if pod.spec.resource_claims:
        return "resourceclaims"
    for volume in pod.spec.volumes:
        for source, text in _VOLUMES:
            if getattr(volume, source) is not None:
                return text
        for each in volume.projected.sources if volume.projected else []:
            for source, text in _PROJECTED:
                if getattr(each, source) is not None:
                    return text
    return ""


def volume_secrets(volume: PersistentVolume) -> set[tuple[str, str]]:
    """Namespace and name of the secrets with which a node mounts a persistent volume."""
    spec = volume.spec
    claimed = (spec.claim_ref.namespace if spec.claim_ref else "") or ""
    found: set[tuple[str | None, str | None]] = set()
    if spec.azure_file is not None:
        found.add((spec.azure_file.secret_namespace, spec.azure_file.secret_name))
    references = [getattr(getattr(spec, driver), "secret_ref", None) for driver in _WITH_SECRET]
    references += [getattr(spec.csi, field, None) for field in _OF_NODES]
    found |= {(reference.namespace, reference.name) for reference in references if reference is not None}
    return {(namespace or claimed, name) for namespace, name in found if name}


def _containers(pod: Pod) -> Iterator[Container | EphemeralContainer]:
    yield from pod.spec.init_containers
    yield from pod.spec.containers
    yield from pod.spec.ephemeral_containers


def _secrets(pod: Pod) -> Iterator[str | None]:
    yield from (item.name for item in pod.spec.image_pull_secrets)
    for container in _containers(pod):
        yield from (source.secret_ref.name for source in container.env_from if source.secret_ref)
        for variable in container.env:
            if variable.value_from and variable.value_from.secret_key_ref:
                yield variable.value_from.secret_key_ref.name
    for volume in pod.spec.volumes:
        yield from _secrets_of(volume)


def _secrets_of(volume: Volume) -> Iterator[str | None]:
    if volume.secret:
        yield volume.secret.secret_name
    if volume.projected:
        yield from (source.secret.name for source in volume.projected.sources if source.secret)
    if volume.csi and volume.csi.node_publish_secret_ref:
        yield volume.csi.node_publish_secret_ref.name
    if volume.azure_file:
        yield volume.azure_file.secret_name
    for driver in _WITH_SECRET:
        reference = getattr(getattr(volume, driver), "secret_ref", None)
        if reference is not None:
            yield reference.name


def _config_maps(pod: Pod) -> Iterator[str | None]:
    for container in _containers(pod):
        yield from (source.config_map_ref.name for source in container.env_from if source.config_map_ref)
        for variable in container.env:
            if variable.value_from and variable.value_from.config_map_key_ref:
                yield variable.value_from.config_map_key_ref.name
    for volume in pod.spec.volumes:
        if volume.config_map:
            yield volume.config_map.name
        if volume.projected:
            yield from (source.config_map.name for source in volume.projected.sources if source.config_map)


def _claims(pod: Pod) -> Iterator[str | None]:
    for volume in pod.spec.volumes:
        if volume.persistent_volume_claim:
            yield volume.persistent_volume_claim.claim_name
        if volume.ephemeral:
            yield f"{pod.metadata.name}-{volume.name}"


def _resource_claims(pod: Pod) -> Iterator[str | None]:
    yield from (claim.resource_claim_name for claim in pod.spec.resource_claims)
    yield from (status.resource_claim_name for status in pod.status.resource_claim_statuses)
    if pod.status.extended_resource_claim_status is not None:
        yield pod.status.extended_resource_claim_status.resource_claim_name


def _accounts(pod: Pod) -> Iterator[str | None]:
    yield pod.spec.service_account_name
