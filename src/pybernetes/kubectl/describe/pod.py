"""`describe pod`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pybernetes.api.types.core_v1 import Container, EnvVar, EphemeralContainer, Event, Pod
from pybernetes.kubectl.describe.containers import write_containers
from pybernetes.kubectl.describe.template import write_tolerations
from pybernetes.kubectl.describe.volumes import write_volumes
from pybernetes.kubectl.describe.writing import (
    Writing,
    controller,
    moment,
    write_annotations,
    write_events,
    write_map,
)
from pybernetes.kubectl.durations import age


def describe_pod(writing: Writing, pod: Pod, events: Sequence[Event], now: datetime) -> None:
    """The whole description."""
    spec, status = pod.spec, pod.status
    _write_head(writing, pod, now)

    def resolve(variable: EnvVar, _container: Container | EphemeralContainer) -> str:
        return field_value(pod, variable)

    if spec.init_containers:
        write_containers(
            writing, "Init Containers", spec.init_containers, status.init_container_statuses, resolve=resolve
        )
    write_containers(writing, "Containers", spec.containers, status.container_statuses, resolve=resolve)
    if spec.ephemeral_containers:
        statuses = status.ephemeral_container_statuses
        write_containers(writing, "Ephemeral Containers", spec.ephemeral_containers, statuses, resolve=resolve)
    if status.conditions:
        writing.line("Conditions:")
        writing.line("Type\tStatus", 1)
        for condition in status.conditions:
            writing.line(f"{condition.type} \t{condition.status} ", 1)
    write_volumes(writing, spec.volumes)
    writing.pair("QoS Class", status.qos_class or "")
    write_map(writing, "Node-Selectors", spec.node_selector)
    write_tolerations(writing, spec.tolerations, "Tolerations")
    write_events(writing, events, now)


def _write_head(writing: Writing, pod: Pod, now: datetime) -> None:
    metadata, spec, status = pod.metadata, pod.spec, pod.status
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    if spec.priority is not None:
        writing.pair("Priority", spec.priority)
    if spec.priority_class_name:
        writing.pair("Priority Class Name", spec.priority_class_name)
    if spec.runtime_class_name:
        writing.pair("Runtime Class Name", spec.runtime_class_name)
    writing.pair("Service Account", spec.service_account_name or "")
    writing.pair("Node", f"{spec.node_name}/{status.host_ip or ''}" if spec.node_name else "<none>")
    if status.start_time:
        writing.pair("Start Time", moment(status.start_time))
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    if metadata.deletion_timestamp and status.phase not in ("Failed", "Succeeded"):
        writing.pair("Status", f"Terminating (lasts {age(metadata.deletion_timestamp, now)})")
        writing.pair("Termination Grace Period", f"{metadata.deletion_grace_period_seconds or 0}s")
    else:
        writing.pair("Status", status.phase or "")
    for name, value in (("Reason", status.reason), ("Message", status.message)):
        if value:
            writing.pair(name, value)
    writing.pair("IP", status.pod_ip or "")
    _write_addresses(writing, [address.ip for address in status.pod_ips])
    if owner := controller(metadata.owner_references):
        writing.pair("Controlled By", owner)
    if status.nominated_node_name:
        writing.pair("NominatedNodeName", status.nominated_node_name)


def _write_addresses(writing: Writing, addresses: Sequence[str]) -> None:
    if not addresses:
        writing.line("IPs:\t<none>")
        return
    writing.line("IPs:")
    for address in addresses:
        writing.pair("IP", address, 1)


def field_value(pod: Pod, variable: EnvVar) -> str:
    """What a variable taken from the pod's own fields or resources is."""
    source = variable.value_from
    if source is None or source.field_ref is None:
        return ""
    path = source.field_ref.field_path
    metadata, spec, status = pod.metadata, pod.spec, pod.status
    for prefix, values in (("metadata.labels", metadata.labels), ("metadata.annotations", metadata.annotations)):
        if path.startswith(f"{prefix}["):
            return values.get(path[len(prefix) + 1 : -1].strip("'\""), "")
    found = {
        "metadata.name": metadata.name,
        "metadata.namespace": metadata.namespace,
        "metadata.uid": metadata.uid,
        "spec.nodeName": spec.node_name,
        "spec.serviceAccountName": spec.service_account_name,
        "status.hostIP": status.host_ip,
        "status.podIP": status.pod_ip,
        "status.podIPs": ",".join(address.ip for address in status.pod_ips),
    }.get(path)
    return found or ""
