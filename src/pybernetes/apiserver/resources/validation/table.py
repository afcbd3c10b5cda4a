"""Finds the rules of a kind: one table from struct to rules, joined with those for metadata that all kinds obey."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pybernetes.api.ip_addresses import ip_address
from pybernetes.api.kind import Kind
from pybernetes.api.names import dns1123_label, path_segment_name
from pybernetes.api.status import FieldError
from pybernetes.api.types import (
    admissionregistration_v1,
    apiextensions_v1,
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
from pybernetes.apiserver.resources.validation.metadata import validate_metadata, validate_metadata_update
from pybernetes.apiserver.resources.validation.rules import Rules, always
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.custom import definition_validation
    from pybernetes.apiserver.resources.validation import (
        access,
        admission_policies,
        api_services,
        certificate_requests,
        claims,
        configuration,
        csi,
        device_allocations,
        device_claims,
        device_slices,
        endpoints,
        events,
        flow_control,
        ingresses,
        job_status,
        jobs,
        leases,
        limits,
        mutating_policies,
        namespaces,
        networking,
        nodes,
        persistent_volumes,
        pod,
        pod_status,
        priority_classes,
        quotas,
        runtime_classes,
        scaling,
        service,
        stateful_sets,
        webhooks,
        workload_status,
        workloads,
    )

# Made when the first object of the kind is written: that imports the rules.
_RULES: Mapping[type, Callable[[], Rules]] = {
    core_v1.ConfigMap: lambda: Rules(configuration.validate_config_map, configuration.validate_config_map_update),
    core_v1.Namespace: lambda: Rules(
        namespaces.validate_namespace,
        status=namespaces.validate_namespace_status,
        name=dns1123_label,
    ),
    core_v1.Node: lambda: Rules(nodes.validate_node, nodes.validate_node_update, nodes.validate_node_status),
    core_v1.Pod: lambda: Rules(pod.validate_create, pod.validate_update, pod_status.validate_status),
    core_v1.PodTemplate: lambda: always(workloads.validate_pod_template),
    core_v1.ReplicationController: lambda: always(
        workloads.validate_replication_controller, status=workload_status.validate_replica_status
    ),
    core_v1.Secret: lambda: Rules(configuration.validate_secret, configuration.validate_secret_update),
    core_v1.Service: lambda: Rules(
        service.validate_create, service.validate_update, service.validate_status, name=dns1123_label
    ),
    apps_v1.ControllerRevision: lambda: Rules(
        workloads.validate_controller_revision, workloads.validate_controller_revision_update
    ),
    apps_v1.DaemonSet: lambda: Rules(
        workloads.validate_daemon_set,
        workloads.validate_daemon_set_update,
        workload_status.validate_daemon_set_status,
    ),
    apps_v1.Deployment: lambda: Rules(
        workloads.validate_deployment,
        workloads.validate_deployment_update,
        workload_status.validate_deployment_status,
    ),
    apps_v1.ReplicaSet: lambda: Rules(
        workloads.validate_replica_set,
        workloads.validate_replica_set_update,
        workload_status.validate_replica_status,
    ),
    apps_v1.StatefulSet: lambda: Rules(
        stateful_sets.validate_stateful_set,
        stateful_sets.validate_stateful_set_update,
        workload_status.validate_stateful_set_status,
        name=dns1123_label,
    ),
    batch_v1.CronJob: lambda: Rules(jobs.validate_cron_job, jobs.validate_cron_job_update),
    batch_v1.Job: lambda: Rules(jobs.validate_create, jobs.validate_update, job_status.validate_job_status),
    # Names such as `system:node` are paths' segments, no DNS names.
    core_v1.Endpoints: lambda: always(endpoints.validate_endpoints),
    core_v1.Event: lambda: always(events.validate_core_event, path_segment_name),
    core_v1.LimitRange: lambda: always(limits.validate_limit_range),
    core_v1.PersistentVolume: lambda: Rules(
        persistent_volumes.validate_volume, persistent_volumes.validate_volume_update
    ),
    core_v1.PersistentVolumeClaim: lambda: Rules(
        claims.validate_claim, claims.validate_claim_update, claims.validate_claim_status
    ),
    core_v1.ResourceQuota: lambda: Rules(
        quotas.validate_quota, quotas.validate_quota_update, quotas.validate_quota_status
    ),
    admissionregistration_v1.MutatingAdmissionPolicy: lambda: Rules(
        mutating_policies.validate_policy, mutating_policies.validate_policy_update
    ),
    admissionregistration_v1.MutatingAdmissionPolicyBinding: lambda: always(mutating_policies.validate_binding),
    admissionregistration_v1.ValidatingAdmissionPolicy: lambda: Rules(
        admission_policies.validate_policy,
        admission_policies.validate_policy_update,
        admission_policies.validate_policy_status,
    ),
    admissionregistration_v1.ValidatingAdmissionPolicyBinding: lambda: always(admission_policies.validate_binding),
    admissionregistration_v1.MutatingWebhookConfiguration: lambda: Rules(
        webhooks.validate_webhooks, webhooks.validate_webhooks_update
    ),
    admissionregistration_v1.ValidatingWebhookConfiguration: lambda: Rules(
        webhooks.validate_webhooks, webhooks.validate_webhooks_update
    ),
    apiextensions_v1.CustomResourceDefinition: lambda: Rules(
        definition_validation.validate_definition,
        definition_validation.validate_definition_update,
        definition_validation.validate_definition_status,
    ),
    apiregistration_v1.APIService: lambda: always(api_services.validate_api_service, path_segment_name),
    autoscaling_v1.HorizontalPodAutoscaler: lambda: Rules(
        scaling.validate_v1, scaling.validate_v1, scaling.validate_autoscaler_status
    ),
    autoscaling_v2.HorizontalPodAutoscaler: lambda: Rules(
        scaling.validate_v2, scaling.validate_v2, scaling.validate_autoscaler_status
    ),
    certificates_v1.CertificateSigningRequest: lambda: Rules(
        certificate_requests.validate_request, status=certificate_requests.validate_status, name=path_segment_name
    ),
    coordination_v1.Lease: lambda: always(leases.validate_lease),
    discovery_v1.EndpointSlice: lambda: Rules(endpoints.validate_slice, endpoints.validate_slice_update),
    events_v1.Event: lambda: Rules(events.validate_event, events.validate_event_update),
    flowcontrol_v1.FlowSchema: lambda: always(
        flow_control.validate_flow_schema, status=flow_control.validate_flow_schema_status
    ),
    flowcontrol_v1.PriorityLevelConfiguration: lambda: always(
        flow_control.validate_priority_level, status=flow_control.validate_flow_schema_status
    ),
    networking_v1.Ingress: lambda: Rules(
        ingresses.validate_ingress, ingresses.validate_ingress_update, ingresses.validate_ingress_status
    ),
    networking_v1.IngressClass: lambda: Rules(
        ingresses.validate_ingress_class, ingresses.validate_ingress_class_update
    ),
    networking_v1.IPAddress: lambda: Rules(
        networking.validate_ip_address, networking.validate_ip_address_update, name=ip_address
    ),
    networking_v1.NetworkPolicy: lambda: always(networking.validate_network_policy),
    networking_v1.ServiceCIDR: lambda: Rules(networking.validate_service_cidr, networking.validate_service_cidr_update),
    node_v1.RuntimeClass: lambda: Rules(
        runtime_classes.validate_runtime_class, runtime_classes.validate_runtime_class_update
    ),
    policy_v1.PodDisruptionBudget: lambda: always(scaling.validate_budget, status=scaling.validate_budget_status),
    rbac_v1.ClusterRole: lambda: always(access.validate_cluster_role, path_segment_name),
    rbac_v1.ClusterRoleBinding: lambda: Rules(
        access.validate_binding, access.validate_binding_update, name=path_segment_name
    ),
    rbac_v1.Role: lambda: always(access.validate_role, path_segment_name),
    rbac_v1.RoleBinding: lambda: Rules(access.validate_binding, access.validate_binding_update, name=path_segment_name),
    resource_v1.DeviceClass: lambda: Rules(
        device_claims.validate_device_class, device_claims.validate_device_class_update
    ),
    resource_v1.ResourceClaim: lambda: Rules(
        device_claims.validate_claim, device_claims.validate_claim_update, device_allocations.validate_status
    ),
    resource_v1.ResourceClaimTemplate: lambda: Rules(
        device_claims.validate_claim_template, device_claims.validate_claim_template_update
    ),
    resource_v1.ResourceSlice: lambda: Rules(device_slices.validate_slice, device_slices.validate_slice_update),
    scheduling_v1.PriorityClass: lambda: Rules(
        priority_classes.validate_priority_class, priority_classes.validate_priority_class_update
    ),
    storage_v1.CSIDriver: lambda: Rules(csi.validate_driver, csi.validate_driver_update),
    storage_v1.CSINode: lambda: Rules(csi.validate_node, csi.validate_node_update),
    storage_v1.CSIStorageCapacity: lambda: Rules(csi.validate_storage_capacity, csi.validate_storage_capacity_update),
    storage_v1.StorageClass: lambda: Rules(csi.validate_storage_class, csi.validate_storage_class_update),
    storage_v1.VolumeAttachment: lambda: Rules(
        csi.validate_attachment, csi.validate_attachment_update, csi.validate_attachment_update
    ),
    storage_v1.VolumeAttributesClass: lambda: Rules(
        csi.validate_attributes_class, csi.validate_attributes_class_update
    ),
}


def rules_of(kind: Kind) -> Rules:
    """The complete rules of a kind, those for its metadata first."""
    type_, namespaced = kind.type, kind.namespaced

    def create(obj: Any) -> list[FieldError]:
        own = _own(type_)
        return validate_metadata(obj.metadata, namespaced=namespaced, rule=own.name) + own.create(obj)

    def update(new: Any, old: Any) -> list[FieldError]:
        errors = validate_metadata_update(new.metadata, old.metadata, namespaced=namespaced)
        return errors + _own(type_).update(new, old)

    def status(new: Any, old: Any) -> list[FieldError]:
        errors = validate_metadata_update(new.metadata, old.metadata, namespaced=namespaced)
        return errors + _own(type_).status(new, old)

    return Rules(create, update, status)


@cache
def _own(type_: type) -> Rules:
    return _RULES.get(type_, Rules)()
