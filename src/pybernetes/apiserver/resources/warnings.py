"""Texts for `Warning` headers: what is accepted and yet probably not what the client wants. Asked once per write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from pybernetes.api.names import dns1123_label
from pybernetes.api.quantity import amount
from pybernetes.api.types import apiextensions_v1, apps_v1, batch_v1, core_v1, networking_v1, storage_v1
from pybernetes.api.types.core_v1 import Container, PersistentVolume, Pod, PodSpec, Secret, Service, Volume
from pybernetes.apiserver.custom.definition_validation import definition_warnings

_GONE = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "photon_persistent_disk": "deprecated in v1.11, non-functional in v1.16+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "scale_io": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
}
_WIRE_NAMES = dict(zip(Volume.__struct_fields__, Volume.__struct_encode_fields__, strict=True))
_NANO = 10**9
_POD_NAMES = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
    "a DNS label is recommended: "
)
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_INGRESS_CLASS = "kubernetes.io/ingress.class"


def _pod_spec(spec: PodSpec, path: str) -> list[str]:
    texts: list[str] = []
    for index, constraint in enumerate(spec.topology_spread_constraints):
        if constraint.label_selector is None:
            where = f"{path}.topologySpreadConstraints[{index}].labelSelector"
            texts.append(f"{where}: a null labelSelector results in matching no pod")
    for index, secret in enumerate(spec.image_pull_secrets):
        if not secret.name:
            texts.append(f'{path}.imagePullSecrets[{index}].name: invalid empty name ""')
    for index, volume in enumerate(spec.volumes):
        texts += _gone(volume, f"{path}.volumes[{index}]")
        if volume.projected is not None and not any(_has_source(source) for source in volume.projected.sources):
            texts.append(f'volume "{volume.name}" (Projected) has no sources provided')
    for kind, containers in (("initContainers", spec.init_containers), ("containers", spec.containers)):
        for index, container in enumerate(containers):
            texts += _container(container, f"{path}.{kind}[{index}]")
    return texts


_GONE_SOURCES = attrgetter(*_GONE)
_NONE_GONE = (None,) * len(_GONE)


def _gone(source: Any, path: str) -> list[str]:
    if _GONE_SOURCES(source) == _NONE_GONE:
        return []
    return [f"{path}.{_WIRE_NAMES[name]}: {text}" for name, text in _GONE.items() if getattr(source, name) is not None]


_SOURCES = attrgetter(*core_v1.VolumeProjection.__struct_fields__)
_NO_SOURCE = _SOURCES(core_v1.VolumeProjection())


def _has_source(source: core_v1.VolumeProjection) -> bool:
    return bool(_SOURCES(source) != _NO_SOURCE)


def _container(container: Container, path: str) -> list[str]:
    texts: list[str] = []
    seen: dict[tuple[Any, ...], int] = {}
    for index, port in enumerate(container.ports):
        key = (port.container_port, port.protocol, port.host_port, port.host_ip)
        if key in seen:
            texts.append(f"{path}.ports[{index}]: duplicate port definition with {path}.ports[{seen[key]}]")
        seen.setdefault(key, index)
    names: set[str] = set()
    for index, variable in enumerate(container.env):
        if variable.name in names:
            hidden = f'hides previous definition of "{variable.name}", which may be dropped when using apply'
            texts.append(f"{path}.env[{index}]: {hidden}")
        names.add(variable.name)
    for kind, amounts in (("limits", container.resources.limits), ("requests", container.resources.requests)):
        for name in ("memory", "ephemeral-storage"):
            quantity = amounts.get(name)
            if quantity is not None and amount(quantity).nano % _NANO:
                where = f"{path}.resources.{kind}[{name}]"
                texts.append(f'{where}: fractional byte value "{quantity}" is invalid, must be an integer')
    return texts


def _pod(new: Pod, old: Pod | None) -> list[str]:
    """Pods are updated by controllers, whom nobody reads; only their makers are warned."""
    if old is not None:
        return []
    gone = [
        f'metadata.annotations[{name}]: deprecated since v1.30; use the "appArmorProfile" field instead'
        for name in new.metadata.annotations
        if name.startswith(_APP_ARMOR)
    ]
    return gone + _pod_spec(new.spec, "spec")


def _workload(new: Any, old: Any | None) -> list[str]:
    texts: list[str] = []
    if old is None and new.metadata.name:
        problems = dns1123_label(new.metadata.name)
        texts = [f"{_POD_NAMES}[{' '.join(problems)}]"] if problems else []
    return texts + _daemon(new, old)


def _daemon(new: Any, old: Any | None) -> list[str]:
    changed = old is None or new.spec != old.spec
    return _template(new.spec.template, "spec.template.spec") if changed else []


def _template(template: core_v1.PodTemplateSpec | None, path: str) -> list[str]:
    return _pod_spec(template.spec, path) if template is not None else []


def _cron_job(new: batch_v1.CronJob, old: batch_v1.CronJob | None) -> list[str]:
    if old is not None and new.spec == old.spec:
        return []
    return _template(new.spec.job_template.spec.template, "spec.jobTemplate.spec.template.spec")


def _service(new: Service, old: Service | None) -> list[str]:
    texts: list[str] = []
    if new.spec.external_ips and (old is None or not old.spec.external_ips):
        texts.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if new.spec.traffic_distribution == "PreferClose":
        texts.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return texts


def _persistent_volume(new: PersistentVolume, _old: PersistentVolume | None) -> list[str]:
    return _gone(new.spec, "spec")


def _secret(new: Secret, _old: Secret | None) -> list[str]:
    if new.type == "kubernetes.io/tls" and b"-----BEGIN" not in new.data.get("tls.crt", b""):
        return ["tls: failed to find any PEM data in certificate input"]
    return []


def _ingress(new: networking_v1.Ingress, old: networking_v1.Ingress | None) -> list[str]:
    if old is None and _INGRESS_CLASS in new.metadata.annotations:
        return [f"annotation \"{_INGRESS_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"]
    return []


def _driver(new: storage_v1.CSIDriver, _old: storage_v1.CSIDriver | None) -> list[str]:
    if new.spec.token_requests and new.spec.service_account_token_in_secrets is None:
        return [
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent "
            "possible logging of tokens in volume attributes"
        ]
    return []


def no_warnings(_new: Any, _old: Any | None) -> list[str]:
    return []


WARNINGS: Mapping[type, Callable[[Any, Any], list[str]]] = {
    core_v1.Pod: _pod,
    core_v1.PersistentVolume: _persistent_volume,
    core_v1.ReplicationController: _workload,
    core_v1.Secret: _secret,
    core_v1.Service: _service,
    apiextensions_v1.CustomResourceDefinition: definition_warnings,
    apps_v1.DaemonSet: _daemon,
    apps_v1.Deployment: _workload,
    apps_v1.ReplicaSet: _workload,
    apps_v1.StatefulSet: _workload,
    batch_v1.CronJob: _cron_job,
    batch_v1.Job: _daemon,
    networking_v1.Ingress: _ingress,
    storage_v1.CSIDriver: _driver,
}
