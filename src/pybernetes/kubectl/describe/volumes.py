"""Volumes in a description: what each is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pybernetes.api.types.core_v1 import ProjectedVolumeSource, Volume
from pybernetes.kubectl.describe.writing import Writing

_TYPES = {
    "emptyDir": "EmptyDir (a temporary directory that shares a pod's lifetime)",
    "hostPath": "HostPath (bare host directory volume)",
    "configMap": "ConfigMap (a volume populated by a ConfigMap)",
    "secret": "Secret (a volume populated by a Secret)",
    "persistentVolumeClaim": ("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"),
    "nfs": "NFS (an NFS mount that lasts the lifetime of a pod)",
    "csi": "CSI (a Container Storage Interface (CSI) volume source)",
    "projected": "Projected (a volume that contains injected data from multiple sources)",
    "downwardAPI": "DownwardAPI (a volume populated by information about the pod)",
    "image": "Image (a container image or OCI artifact)",
    "ephemeral": "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
}


def write_volumes(writing: Writing, volumes: Sequence[Volume], space: str = "") -> None:
    """All volumes; `space` indents those of a template."""
    if not volumes:
        writing.line(f"{space}Volumes:\t<none>")
        return
    writing.line(f"{space}Volumes:")
    for volume in volumes:
        writing.line(f"{' ' if space else ''}{volume.name}:", 1)
        _write_source(writing, volume)


def _write_source(writing: Writing, volume: Volume) -> None:
    plain: dict[str, Any] = {key: value for key, value in msgspec.to_builtins(volume).items() if key != "name"}
    kind, source = next(iter(plain.items()), ("emptyDir", {}))
    writing.pair("Type", _TYPES.get(kind, kind), 2)
    if volume.projected is not None:
        return _write_projected(writing, volume.projected)
    for name, value in _details(kind, source or {}):
        writing.pair(name, value, 2)
    return None


def _details(kind: str, source: dict[str, Any]) -> list[tuple[str, Any]]:
    optional = str(bool(source.get("optional"))).lower()
    read_only = str(bool(source.get("readOnly"))).lower()
    table: dict[str, list[tuple[str, Any]]] = {
        "emptyDir": [("Medium", source.get("medium", "")), ("SizeLimit", source.get("sizeLimit") or "<unset>")],
        "hostPath": [("Path", source.get("path", "")), ("HostPathType", source.get("type") or "")],
        "configMap": [("Name", source.get("name", "")), ("Optional", optional)],
        "secret": [("SecretName", source.get("secretName", "")), ("Optional", optional)],
        "persistentVolumeClaim": [("ClaimName", source.get("claimName", "")), ("ReadOnly", read_only)],
        "nfs": [("Server", source.get("server", "")), ("Path", source.get("path", "")), ("ReadOnly", read_only)],
        "csi": [("Driver", source.get("driver", "")), ("ReadOnly", read_only)],
        "image": [("Reference", source.get("reference", "")), ("PullPolicy", source.get("pullPolicy", ""))],
    }
    return table.get(kind, [])


def _write_projected(writing: Writing, projected: ProjectedVolumeSource) -> None:
    for source in projected.sources:
        if (secret := source.secret) is not None:
            writing.pair("SecretName", secret.name, 2)
            writing.pair("SecretOptionalName", _optional(secret.optional), 2)
        elif (config := source.config_map) is not None:
            writing.pair("ConfigMapName", config.name, 2)
            writing.pair("ConfigMapOptional", _optional(config.optional), 2)
        elif source.downward_api is not None:
            writing.pair("DownwardAPI", "true", 2)
        elif (token := source.service_account_token) is not None:
            writing.pair("TokenExpirationSeconds", token.expiration_seconds, 2)


def _optional(value: bool | None) -> str:
    return "<nil>" if value is None else str(value).lower()
