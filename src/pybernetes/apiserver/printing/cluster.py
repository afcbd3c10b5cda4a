"""Rows of the cluster's own kinds: Nodes, Namespaces, Events, Leases, quotas, configuration and devices. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pybernetes.api import quantity
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.api.types.core_v1 import (
    ComponentStatus,
    ConfigMap,
    Event,
    Namespace,
    Node,
    ResourceQuota,
    Secret,
    ServiceAccount,
)
from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.api.types.resource_v1 import DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.apiserver.printing.cells import NONE, UNKNOWN, age, columns, name, since

NODE_COLUMNS = columns(
    "Name",
    "Status",
    "Roles",
    "Age",
    "Version",
    "*Internal-IP",
    "*External-IP",
    "*OS-Image",
    "*Kernel-Version",
    "*Container-Runtime",
)
NAMESPACE_COLUMNS = columns("Name", "Status", "Age")
EVENT_COLUMNS = columns(
    "Last Seen",
    "Type",
    "Reason",
    "Object",
    "*Subobject",
    "*Source",
    "Message",
    "*First Seen",
    "*Count",
    "*Name",
)
LEASE_COLUMNS = columns("Name", "Holder", "Age")
QUOTA_COLUMNS = columns("Name", "Request", "Limit", "Age")
CONFIG_MAP_COLUMNS = columns("Name", "Data", "Age")
SECRET_COLUMNS = columns("Name", "Type", "Data", "Age")
AGE_COLUMNS = columns("Name", "Age")
COMPONENT_STATUS_COLUMNS = columns("Name", "Status", "Message", "Error")
PRIORITY_CLASS_COLUMNS = columns("Name", "Value:integer", "Global-Default:boolean", "Age", "PreemptionPolicy")
RUNTIME_CLASS_COLUMNS = columns("Name", "Handler", "Age")
RESOURCE_CLAIM_COLUMNS = columns("Name", "State", "Age")
RESOURCE_SLICE_COLUMNS = columns("Name", "Node", "Driver", "Pool", "Age")
_ROLE = "node-role.kubernetes.io/"


def node_row(node: Node, now: datetime) -> list[Any]:
    """The cells of a Node."""
    info = node.status.node_info
    kernel = f"{info.kernel_version} ({info.architecture})" if info.architecture else info.kernel_version
    return [
        name(node),
        _node_status(node),
        _roles(node),
        age(node, now),
        info.kubelet_version,
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.os_image or UNKNOWN,
        kernel if info.kernel_version else UNKNOWN,
        info.container_runtime_version or UNKNOWN,
    ]


def _node_status(node: Node) -> str:
    ready = next((item.status for item in node.status.conditions if item.type == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if node.spec.unschedulable else word


def _roles(node: Node) -> str:
    labels = node.metadata.labels
    roles = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)} | {
        labels.get("kubernetes.io/role", "")
    }
    return ",".join(sorted(roles - {""})) or NONE


def _address(node: Node, type_: str) -> str:
    return next((item.address for item in node.status.addresses if item.type == type_), NONE)


def namespace_row(namespace: Namespace, now: datetime) -> list[Any]:
    """The cells of a Namespace."""
    return [name(namespace), namespace.status.phase or "", age(namespace, now)]


def event_row(event: Event, now: datetime) -> list[Any]:
    """The cells of an Event, which is stored as core/v1."""
    first = since(event.first_timestamp or event.event_time, now)
    last = since(event.last_timestamp, now) if event.last_timestamp else first
    count = event.count or 1
    if event.series is not None:
        last, count = since(event.series.last_observed_time, now), event.series.count or 0
    about = event.involved_object
    kind = (about.kind or "").lower()
    source = [event.source.component or event.reporting_component, event.source.host or event.reporting_instance]
    return [
        last,
        event.type or "",
        event.reason or "",
        f"{kind}/{about.name}" if about.name else kind,
        about.field_path or "",
        f"{source[0] or ''}, {source[1]}" if source[1] else source[0] or "",
        (event.message or "").strip(),
        first,
        count,
        name(event),
    ]


def lease_row(lease: Lease, now: datetime) -> list[Any]:
    """The cells of a Lease."""
    return [name(lease), lease.spec.holder_identity or "", age(lease, now)]


def quota_row(quota: ResourceQuota, now: datetime) -> list[Any]:
    """The cells of a ResourceQuota."""
    requests: list[str] = []
    limits: list[str] = []
    for resource in sorted(quota.status.hard):
        used = quantity.canonical(quota.status.used.get(resource, "0"))
        text = f"{resource}: {used}/{quantity.canonical(quota.status.hard[resource])}"
        (limits if resource.startswith("limits.") else requests).append(text)
    return [name(quota), ", ".join(requests), ", ".join(limits), age(quota, now)]


def config_map_row(config: ConfigMap, now: datetime) -> list[Any]:
    """The cells of a ConfigMap."""
    return [name(config), len(config.data) + len(config.binary_data), age(config, now)]


def secret_row(secret: Secret, now: datetime) -> list[Any]:
    """The cells of a Secret; never what is in it."""
    return [name(secret), secret.type or "", len(secret.data), age(secret, now)]


def age_row(obj: ServiceAccount | DeviceClass | ResourceClaimTemplate, now: datetime) -> list[Any]:
    """The cells of a kind that shows its name and age alone."""
    return [name(obj), age(obj, now)]


def component_status_row(component: ComponentStatus, _now: datetime) -> list[Any]:
    """The cells of a ComponentStatus."""
    healthy = next((item for item in component.conditions if item.type == "Healthy"), None)
    if healthy is None:
        return [name(component), "Unknown", "", ""]
    word = {"True": "Healthy", "False": "Unhealthy"}.get(healthy.status, "Unknown")
    return [name(component), word, healthy.message or "", healthy.error or ""]


def priority_class_row(kind: PriorityClass, now: datetime) -> list[Any]:
    """The cells of a PriorityClass."""
    return [name(kind), kind.value or 0, bool(kind.global_default), age(kind, now), kind.preemption_policy or ""]


def runtime_class_row(kind: RuntimeClass, now: datetime) -> list[Any]:
    """The cells of a RuntimeClass."""
    return [name(kind), kind.handler, age(kind, now)]


def resource_claim_row(claim: ResourceClaim, now: datetime) -> list[Any]:
    """The cells of a ResourceClaim."""
    words = []
    if claim.metadata.deletion_timestamp:
        words.append("deleted")
    if claim.status.allocation is None:
        words += [] if words else ["pending"]
    else:
        words.append("allocated")
        words += ["reserved"] if claim.status.reserved_for else []
    return [name(claim), ",".join(words), age(claim, now)]


def resource_slice_row(piece: ResourceSlice, now: datetime) -> list[Any]:
    """The cells of a ResourceSlice."""
    spec = piece.spec
    return [name(piece), spec.node_name or "", spec.driver, spec.pool.name, age(piece, now)]
