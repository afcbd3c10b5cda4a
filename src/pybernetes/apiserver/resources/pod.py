"""The strategy of Pods: defaults, first status, what updates may change, selectable fields."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.names import dns1123_subdomain
from pybernetes.api.types.core_v1 import Pod, PodCondition, PodIP, PodStatus, ResourceRequirements
from pybernetes.apiserver.resources.amounts import canonicalize, canonicalize_requirements
from pybernetes.apiserver.resources.pod_affinity import merge_label_keys
from pybernetes.apiserver.resources.pod_resources import default_pod_resources
from pybernetes.apiserver.resources.pod_template import default_pod_spec, drop_old_annotations
from pybernetes.apiserver.resources.prepare import next_generation
from pybernetes.apiserver.resources.quality_of_service import qos_class
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.resources import app_armor

_GATED = "Scheduling is blocked due to non-empty scheduling gates"


def default_pod(pod: Pod) -> None:
    """Fills a pod in place."""
    spec = pod.spec
    default_pod_spec(spec)
    if spec.enable_service_links is None:
        spec.enable_service_links = True
    for container in (*spec.containers, *spec.init_containers):
        _request_what_is_limited(container.resources)
    if spec.resources is not None:
        default_pod_resources(spec, spec.resources)
    if (spec.termination_grace_period_seconds or 0) < 0:
        spec.termination_grace_period_seconds = 1
    if pod.metadata.annotations:
        drop_old_annotations(pod.metadata.annotations)
    if spec.host_network:
        for container in (*spec.containers, *spec.init_containers):
            for port in container.ports:
                port.host_port = port.host_port or port.container_port
    _default_status(pod.status)


def _default_status(status: PodStatus) -> None:
    for report in (*status.container_statuses, *status.init_container_statuses, *status.ephemeral_container_statuses):
        canonicalize(report.allocated_resources)
        if report.resources is not None:
            canonicalize_requirements(report.resources)
    canonicalize(status.allocated_resources)
    if status.resources is not None:
        canonicalize_requirements(status.resources)


def _request_what_is_limited(resources: ResourceRequirements) -> None:
    if resources.limits:
        resources.requests = {**resources.limits, **resources.requests}


def prepare_create(pod: Pod) -> list[str]:
    """A new pod is Pending, has its class and, when gated, says why it is not scheduled. Tells of old annotations."""
    pod.metadata.generation = 1
    pod.status = PodStatus(phase="Pending", qos_class=qos_class(pod.spec))
    if pod.spec.scheduling_gates:
        now = pod.metadata.creation_timestamp
        condition = PodCondition(type="PodScheduled", status="False", reason="SchedulingGated", message=_GATED)
        condition.last_transition_time = now
        pod.status.conditions = [condition]
    merge_label_keys(pod)
    return app_armor.follow_annotations(pod) if pod.metadata.annotations else []


def _prepare_update(new: Pod, old: Pod) -> None:
    new.status = old.status
    new.metadata.generation = next_generation(old, changed=new.spec != old.spec)


def _same_addresses(status: PodStatus) -> None:
    """`podIP` is the first of `podIPs`; where the two differ, it alone counts, as older kubelets know only that."""
    if not status.pod_ip:
        status.pod_ip = status.pod_ips[0].ip if status.pod_ips else None
    elif not status.pod_ips or status.pod_ips[0].ip != status.pod_ip:
        status.pod_ips = [PodIP(ip=status.pod_ip)]


def prepare_status(new: Pod, old: Pod) -> None:
    """The kubelet reports the status; spec, owners and deletion stay; the class never changes."""
    new.spec = old.spec
    new.metadata.generation = old.metadata.generation
    new.metadata.owner_references = old.metadata.owner_references
    new.metadata.deletion_timestamp = old.metadata.deletion_timestamp
    new.status.qos_class = new.status.qos_class or old.status.qos_class
    _keep_observed_generations(new.status, old.status)
    _drop_unknown(new.status)
    _same_addresses(new.status)


def _drop_unknown(status: PodStatus) -> None:
    """Takes out what belongs to features that are off by default, whose fields the API server drops."""
    status.node_allocatable_resource_claim_statuses = []
    for report in (*status.container_statuses, *status.init_container_statuses, *status.ephemeral_container_statuses):
        for mount in report.volume_mounts:
            mount.volume_status = None


def _keep_observed_generations(new: PodStatus, old: PodStatus) -> None:
    """Reporters of before these fields do not clear them."""
    new.observed_generation = new.observed_generation or old.observed_generation
    known: dict[str, list[int | None]] = {}
    for condition in old.conditions:
        known.setdefault(condition.type, []).append(condition.observed_generation)
    for condition in new.conditions:
        of_old = known.get(condition.type)
        before = of_old.pop(0) if of_old else None
        condition.observed_generation = condition.observed_generation or before


def _fields(pod: Pod) -> Mapping[str, str]:
    """What field selectors see."""
    spec, status = pod.spec, pod.status
    pod_ip = status.pod_ips[0].ip if status.pod_ips else status.pod_ip
    return {
        "spec.nodeName": spec.node_name or "",
        "spec.restartPolicy": spec.restart_policy or "",
        "spec.schedulerName": spec.scheduler_name or "",
        "spec.serviceAccountName": spec.service_account_name or "",
        "spec.hostNetwork": "true" if spec.host_network else "false",
        "status.phase": status.phase or "",
        "status.podIP": pod_ip or "",
        # A field that may be asked for and that no pod has.
        "status.podIPs": "",
        "status.nominatedNodeName": status.nominated_node_name or "",
    }


POD = Strategy(
    default=default_pod,
    prepare_create=prepare_create,
    prepare_update=_prepare_update,
    prepare_status=prepare_status,
    fields=_fields,
    field_names=frozenset(_fields(Pod())),
    repeats=lambda name: not dns1123_subdomain(name),
    returns_deleted=True,
)
