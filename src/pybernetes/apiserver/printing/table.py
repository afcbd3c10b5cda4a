"""Which printer each kind has: its columns and how an object becomes a row.

`rendering` asks `printer_of(kind)` once a request and `Printer.row` for every object. A kind without columns of its own
shows its name and when it was created.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, to_builtins
from pybernetes.api.types import (
    admissionregistration_v1,
    apiregistration_v1,
    apps_v1,
    autoscaling_v1,
    autoscaling_v2,
    batch_v1,
    certificates_v1,
    coordination_v1,
    core_v1,
    discovery_v1,
    events_v1,
    flowcontrol_v1,
    networking_v1,
    node_v1,
    policy_v1,
    rbac_v1,
    resource_v1,
    scheduling_v1,
    storage_v1,
)
from pybernetes.apiserver.printing import autoscaling, cluster, pods, policies, services, storage, workloads
from pybernetes.apiserver.printing.cells import columns
from pybernetes.apiserver.printing.column_descriptions import described


def _no_conditions(_obj: Any) -> list[dict[str, str]]:
    return []


@dataclass(frozen=True)
class Printer:
    """Writes objects of one kind as rows; objects come in the kind they are stored as."""

    columns: list[dict[str, Any]]
    cells: Callable[[Any, datetime], list[Any]]
    conditions: Callable[[Any], list[dict[str, str]]] = _no_conditions
    # By what the rows of a list are sorted, where that is not by their keys.
    order: Callable[[Any], Any] | None = None

    def row(self, obj: ApiObject, now: datetime) -> dict[str, Any]:
        """`{"cells": [...]}`, one cell a column, and `conditions` where the kind has any."""
        row: dict[str, Any] = {"cells": self.cells(obj, now)}
        if conditions := self.conditions(obj):
            row["conditions"] = conditions
        return row


def _default_cells(obj: ApiObject, _now: datetime) -> list[Any]:
    return [obj.metadata.name or "", obj.metadata.creation_timestamp or ""]


DEFAULT = Printer(columns("Name", "Created At:date"), _default_cells)
_EVENTS = Printer(cluster.EVENT_COLUMNS, cluster.event_row)
_AUTOSCALERS = Printer(autoscaling.AUTOSCALER_COLUMNS, autoscaling.autoscaler_row)
_BINDINGS = Printer(policies.BINDING_COLUMNS, policies.binding_row)
_WEBHOOKS = Printer(policies.WEBHOOKS_COLUMNS, policies.webhooks_row)
_POLICY_BINDINGS = Printer(policies.POLICY_BINDING_COLUMNS, policies.policy_binding_row)
_AGE = Printer(cluster.AGE_COLUMNS, cluster.age_row)

_PRINTERS: dict[type[ApiObject], Printer] = {
    core_v1.ComponentStatus: Printer(cluster.COMPONENT_STATUS_COLUMNS, cluster.component_status_row),
    core_v1.ConfigMap: Printer(cluster.CONFIG_MAP_COLUMNS, cluster.config_map_row),
    core_v1.Endpoints: Printer(services.ENDPOINTS_COLUMNS, services.endpoints_row),
    core_v1.Event: _EVENTS,
    core_v1.Namespace: Printer(cluster.NAMESPACE_COLUMNS, cluster.namespace_row),
    core_v1.Node: Printer(cluster.NODE_COLUMNS, cluster.node_row),
    core_v1.PersistentVolume: Printer(storage.VOLUME_COLUMNS, storage.volume_row),
    core_v1.PersistentVolumeClaim: Printer(storage.CLAIM_COLUMNS, storage.claim_row),
    core_v1.Pod: Printer(pods.POD_COLUMNS, pods.pod_row, pods.pod_conditions),
    core_v1.PodTemplate: Printer(pods.POD_TEMPLATE_COLUMNS, pods.pod_template_row),
    core_v1.ReplicationController: Printer(workloads.REPLICA_SET_COLUMNS, workloads.replication_controller_row),
    core_v1.ResourceQuota: Printer(cluster.QUOTA_COLUMNS, cluster.quota_row),
    core_v1.Secret: Printer(cluster.SECRET_COLUMNS, cluster.secret_row),
    core_v1.Service: Printer(services.SERVICE_COLUMNS, services.service_row),
    core_v1.ServiceAccount: _AGE,
    events_v1.Event: _EVENTS,
    apps_v1.ControllerRevision: Printer(workloads.CONTROLLER_REVISION_COLUMNS, workloads.controller_revision_row),
    apps_v1.DaemonSet: Printer(workloads.DAEMON_SET_COLUMNS, workloads.daemon_set_row),
    apps_v1.Deployment: Printer(workloads.DEPLOYMENT_COLUMNS, workloads.deployment_row),
    apps_v1.ReplicaSet: Printer(workloads.REPLICA_SET_COLUMNS, workloads.replica_set_row),
    apps_v1.StatefulSet: Printer(workloads.STATEFUL_SET_COLUMNS, workloads.stateful_set_row),
    autoscaling_v1.HorizontalPodAutoscaler: _AUTOSCALERS,
    autoscaling_v2.HorizontalPodAutoscaler: _AUTOSCALERS,
    autoscaling_v1.Scale: Printer(workloads.SCALE_COLUMNS, workloads.scale_row),
    batch_v1.CronJob: Printer(workloads.CRON_JOB_COLUMNS, workloads.cron_job_row),
    batch_v1.Job: Printer(workloads.JOB_COLUMNS, workloads.job_row),
    policy_v1.PodDisruptionBudget: Printer(autoscaling.DISRUPTION_BUDGET_COLUMNS, autoscaling.disruption_budget_row),
    coordination_v1.Lease: Printer(cluster.LEASE_COLUMNS, cluster.lease_row),
    discovery_v1.EndpointSlice: Printer(services.ENDPOINT_SLICE_COLUMNS, services.endpoint_slice_row),
    networking_v1.Ingress: Printer(services.INGRESS_COLUMNS, services.ingress_row),
    networking_v1.IngressClass: Printer(services.INGRESS_CLASS_COLUMNS, services.ingress_class_row),
    networking_v1.NetworkPolicy: Printer(services.NETWORK_POLICY_COLUMNS, services.network_policy_row),
    networking_v1.ServiceCIDR: Printer(services.SERVICE_CIDR_COLUMNS, services.service_cidr_row),
    networking_v1.IPAddress: Printer(services.IP_ADDRESS_COLUMNS, services.ip_address_row),
    storage_v1.CSIDriver: Printer(storage.CSI_DRIVER_COLUMNS, storage.csi_driver_row),
    storage_v1.CSINode: Printer(storage.CSI_NODE_COLUMNS, storage.csi_node_row),
    storage_v1.StorageClass: Printer(storage.STORAGE_CLASS_COLUMNS, storage.storage_class_row),
    storage_v1.VolumeAttachment: Printer(storage.ATTACHMENT_COLUMNS, storage.attachment_row),
    storage_v1.VolumeAttributesClass: Printer(storage.ATTRIBUTES_CLASS_COLUMNS, storage.attributes_class_row),
    node_v1.RuntimeClass: Printer(cluster.RUNTIME_CLASS_COLUMNS, cluster.runtime_class_row),
    scheduling_v1.PriorityClass: Printer(cluster.PRIORITY_CLASS_COLUMNS, cluster.priority_class_row),
    resource_v1.DeviceClass: _AGE,
    resource_v1.ResourceClaimTemplate: _AGE,
    resource_v1.ResourceClaim: Printer(cluster.RESOURCE_CLAIM_COLUMNS, cluster.resource_claim_row),
    resource_v1.ResourceSlice: Printer(cluster.RESOURCE_SLICE_COLUMNS, cluster.resource_slice_row),
    rbac_v1.ClusterRoleBinding: _BINDINGS,
    rbac_v1.RoleBinding: _BINDINGS,
    certificates_v1.CertificateSigningRequest: Printer(policies.SIGNING_REQUEST_COLUMNS, policies.signing_request_row),
    apiregistration_v1.APIService: Printer(policies.API_SERVICE_COLUMNS, policies.api_service_row),
    admissionregistration_v1.MutatingWebhookConfiguration: _WEBHOOKS,
    admissionregistration_v1.ValidatingWebhookConfiguration: _WEBHOOKS,
    admissionregistration_v1.ValidatingAdmissionPolicy: Printer(
        policies.VALIDATING_POLICY_COLUMNS, policies.validating_policy_row
    ),
    admissionregistration_v1.MutatingAdmissionPolicy: Printer(
        policies.MUTATING_POLICY_COLUMNS, policies.mutating_policy_row
    ),
    admissionregistration_v1.ValidatingAdmissionPolicyBinding: _POLICY_BINDINGS,
    admissionregistration_v1.MutatingAdmissionPolicyBinding: _POLICY_BINDINGS,
    flowcontrol_v1.FlowSchema: Printer(
        policies.FLOW_SCHEMA_COLUMNS, policies.flow_schema_row, order=policies.flow_schema_order
    ),
    flowcontrol_v1.PriorityLevelConfiguration: Printer(policies.PRIORITY_LEVEL_COLUMNS, policies.priority_level_row),
}


def printer_of(kind: Kind) -> Printer:
    """The printer of a kind."""
    if issubclass(kind.type, CustomObject):
        custom: Printer = kind.type.rules.printer
        return custom
    return _described(kind.type)


def scale_table(scale: autoscaling_v1.Scale, version: str, now: datetime) -> dict[str, Any]:
    """A Scale, which is never stored, as a table of one row."""
    printer = _described(autoscaling_v1.Scale)
    metadata = to_builtins(scale.metadata)
    shown = {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": metadata}
    revision = {"resourceVersion": scale.metadata.resource_version}
    head = {"kind": "Table", "apiVersion": version, "metadata": revision, "columnDefinitions": printer.columns}
    return {**head, "rows": [{**printer.row(scale, now), "object": shown}]}


@cache
def _described(type_: type[ApiObject]) -> Printer:
    printer = _PRINTERS.get(type_, DEFAULT)
    return replace(printer, columns=described(type_.__name__, printer.columns))
