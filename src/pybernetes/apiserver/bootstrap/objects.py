"""All objects that an API server makes sure of when it starts, and what it does when one exists already.

Options go in; objects come out, defaulted, without uid and revision. Pure functions; the API server writes the result
through its own write path, namespaces first.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

import msgspec

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.core_v1 import (
    ConfigMap,
    Endpoints,
    Namespace,
    NamespaceStatus,
    Service,
)
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.api.types.flowcontrol_v1 import FlowSchema, PriorityLevelConfiguration
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.types.rbac_v1 import AggregationRule, ClusterRole, ClusterRoleBinding, Role, RoleBinding
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.apiserver.bootstrap.default_rbac import AUTO_UPDATE, default_rbac
from pybernetes.apiserver.bootstrap.default_service_cidr import default_service_cidr
from pybernetes.apiserver.bootstrap.flow_control import AUTO_UPDATE_SPEC, MANDATORY, flow_control
from pybernetes.apiserver.bootstrap.kubernetes_service import kubernetes_service
from pybernetes.apiserver.stages.rbac_escalation import missing_rules

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


@dataclass(frozen=True, slots=True)
class BootstrapOptions:
    """What the start-up objects depend on."""

    # The default family's first.
    service_cluster_ip_ranges: tuple[str, ...] = ("10.96.0.0/16",)
    advertise_address: str = "127.0.0.1"
    secure_port: int = 6443
    # PEM of the authority that signs client certificates, shown to extension API servers.
    client_ca: str = ""
    rbac: bool = True

    @property
    def kubernetes_address(self) -> str:
        """The ClusterIP of the Service `kubernetes`: the first address of the range."""
        return str(ipaddress.ip_network(self.service_cluster_ip_ranges[0])[1])


def bootstrap_objects(options: BootstrapOptions) -> list[ApiObject]:
    """Everything, in an order in which it can be written."""
    objects: list[ApiObject] = [
        *(_namespace(name) for name in NAMESPACES),
        *_priority_classes(),
        *flow_control(),
        default_service_cidr(options.service_cluster_ip_ranges),
    ]
    if options.rbac:
        objects += default_rbac()
    if options.client_ca:
        objects.append(_client_ca(options.client_ca))
    service = kubernetes_service(options.kubernetes_address, options.advertise_address, options.secure_port)
    return objects + service


def _namespace(name: str) -> Namespace:
    return Namespace(
        metadata=ObjectMeta(name=name, labels={"kubernetes.io/metadata.name": name}),
        status=NamespaceStatus(phase="Active"),
    )


def _priority_classes() -> list[ApiObject]:
    node = "Used for system critical pods that must not be moved from their current node."
    cluster = (
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
    )
    rows = (("system-node-critical", 2_000_001_000, node), ("system-cluster-critical", 2_000_000_000, cluster))
    return [
        PriorityClass(
            metadata=ObjectMeta(name=name, generation=1),
            value=value,
            description=description,
            preemption_policy="PreemptLowerPriority",
        )
        for name, value, description in rows
    ]


def _client_ca(pem: str) -> ConfigMap:
    meta = ObjectMeta(name="extension-apiserver-authentication", namespace="kube-system")
    return ConfigMap(metadata=meta, data={"client-ca-file": pem})


def reconciled(existing: ApiObject | None, wanted: ApiObject) -> ApiObject | None:
    """What to write so that `wanted` holds: a new object, a changed copy of the existing one, or None for nothing.

    What people have added stays: RBAC only regains missing rules and subjects; namespaces, priority classes and the
    service range are left as they are; objects with the annotation auto-update "false" are not touched. `wanted` itself
    is to be made anew: what is there can only be deleted.
    """
    if existing is None:
        return wanted
    if isinstance(wanted, Service | Endpoints | EndpointSlice | ConfigMap):
        return _replaced(existing, wanted)
    if isinstance(wanted, FlowSchema | PriorityLevelConfiguration):
        touch = existing.metadata.annotations.get(AUTO_UPDATE_SPEC) == "true" or wanted.metadata.name in MANDATORY
        return _replaced(existing, wanted) if touch else None
    if isinstance(wanted, ClusterRole | Role | ClusterRoleBinding | RoleBinding):
        if existing.metadata.annotations.get(AUTO_UPDATE) == "false":
            return None
        return _extended(existing, wanted)
    return None


def _body(obj: ApiObject) -> dict[str, Any]:
    fields = (field for field in obj.__struct_fields__ if field not in ("kind", "api_version", "metadata", "status"))
    return {field: getattr(obj, field) for field in fields}


def _replaced(existing: ApiObject, wanted: ApiObject) -> ApiObject | None:
    body = _body(wanted)
    if body == _body(existing) and wanted.metadata.labels.items() <= existing.metadata.labels.items():
        return None
    return msgspec.structs.replace(existing, metadata=_labelled(existing, wanted, existing.metadata), **body)


def _labelled(first: ApiObject, then: ApiObject, meta: ObjectMeta) -> ObjectMeta:
    """`meta` with the labels and annotations of both; the second one's word is the last."""
    return msgspec.structs.replace(
        meta,
        labels={**first.metadata.labels, **then.metadata.labels},
        annotations={**first.metadata.annotations, **then.metadata.annotations},
    )


def _extended(existing: ApiObject, wanted: ApiObject) -> ApiObject | None:
    if isinstance(wanted, ClusterRoleBinding | RoleBinding) and isinstance(existing, ClusterRoleBinding | RoleBinding):
        if existing.role_ref != wanted.role_ref:
            # A binding's role cannot be changed.
            return wanted
        added = [subject for subject in wanted.subjects if subject not in existing.subjects]
        changes: dict[str, Any] = {"subjects": existing.subjects + added} if added else {}
    elif isinstance(wanted, ClusterRole) and wanted.aggregation_rule is not None:
        rule: AggregationRule | None = getattr(existing, "aggregation_rule", None)
        held = rule.cluster_role_selectors if rule is not None else []
        lacking = [each for each in wanted.aggregation_rule.cluster_role_selectors if each not in held]
        changes = {"aggregation_rule": AggregationRule(cluster_role_selectors=held + lacking)} if lacking else {}
    else:
        rules = getattr(existing, "rules", [])
        # What is there word for word, as nearly always, need not be taken apart.
        unsaid = [rule for rule in getattr(wanted, "rules", []) if rule not in rules]
        missing = [rule for rule in unsaid if missing_rules(rules, [rule])]
        changes = {"rules": rules + missing} if missing else {}
    meta = _labelled(wanted, existing, existing.metadata)
    if not changes and meta == existing.metadata:
        return None
    return msgspec.structs.replace(existing, metadata=meta, **changes)
