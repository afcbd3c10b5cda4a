"""Defaults of a pod spec, in a Pod and in the templates of the kinds that make pods."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import PodSecurityContext, PodSpec, PodTemplateSpec
from pybernetes.apiserver.resources.amounts import canonicalize, canonicalize_requirements
from pybernetes.apiserver.resources.containers import default_container
from pybernetes.apiserver.resources.volumes import default_volume

_OLD_ANNOTATIONS = tuple(
    f"pod.{stage}.kubernetes.io/{what}"
    for stage in ("alpha", "beta")
    for what in ("init-containers", "init-container-statuses")
)


def default_pod_spec(spec: PodSpec) -> None:
    """Fills what pods and templates have alike, in place."""
    for container in spec.containers:
        default_container(container)
    for container in spec.init_containers:
        default_container(container)
    for ephemeral in spec.ephemeral_containers:
        default_container(ephemeral)
    for volume in spec.volumes:
        default_volume(volume)
    spec.dns_policy = spec.dns_policy or "ClusterFirst"
    spec.restart_policy = spec.restart_policy or "Always"
    spec.scheduler_name = spec.scheduler_name or "default-scheduler"
    if spec.security_context is None:
        spec.security_context = PodSecurityContext()
    if spec.termination_grace_period_seconds is None:
        spec.termination_grace_period_seconds = 30
    if spec.overhead:
        canonicalize(spec.overhead)
    if spec.resources is not None:
        canonicalize_requirements(spec.resources)
    _one_account(spec)
    # Belongs to a feature that is off by default, whose fields the API server drops.
    spec.scheduling_group = None
    spec.host_network = spec.host_network or None
    spec.host_pid = spec.host_pid or None
    spec.host_ipc = spec.host_ipc or None


def drop_old_annotations(annotations: dict[str, str]) -> None:
    """Takes out, in place, what stood for init containers before there was a field for them."""
    for name in _OLD_ANNOTATIONS:
        annotations.pop(name, None)


def _one_account(spec: PodSpec) -> None:
    """`serviceAccount` is the old name of `serviceAccountName`; both are always written."""
    name = spec.service_account_name or spec.service_account or None
    spec.service_account_name = spec.service_account = name


def default_template(template: PodTemplateSpec) -> None:
    default_pod_spec(template.spec)
    if template.metadata.annotations:
        drop_old_annotations(template.metadata.annotations)
