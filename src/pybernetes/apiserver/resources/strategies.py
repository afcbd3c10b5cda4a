"""Finds the strategy of a kind: one table from struct to strategy. The pipeline asks once per request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject
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
from pybernetes.apiserver.resources import (
    access,
    admission_webhooks,
    configuration,
    devices,
    endpoints,
    events,
    extensions,
    flow_control,
    jobs,
    limits,
    namespace,
    networking,
    node,
    persistent_volumes,
    pod,
    scaling,
    service,
    storage,
    workloads,
)
from pybernetes.apiserver.resources.prepare import keep_generation
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.apiserver.resources.validation.table import rules_of
from pybernetes.apiserver.resources.warnings import WARNINGS, no_warnings

_PLAIN = Strategy(prepare_update=keep_generation)

_STRATEGIES: Mapping[type, Strategy] = {
    core_v1.ConfigMap: configuration.CONFIG_MAP,
    core_v1.Endpoints: endpoints.ENDPOINTS,
    core_v1.Event: events.CORE_EVENT,
    core_v1.LimitRange: limits.LIMIT_RANGE,
    core_v1.Namespace: namespace.NAMESPACE,
    core_v1.Node: node.NODE,
    core_v1.PersistentVolume: persistent_volumes.PERSISTENT_VOLUME,
    core_v1.PersistentVolumeClaim: persistent_volumes.PERSISTENT_VOLUME_CLAIM,
    core_v1.Pod: pod.POD,
    core_v1.PodTemplate: workloads.POD_TEMPLATE,
    core_v1.ReplicationController: workloads.REPLICATION_CONTROLLER,
    core_v1.ResourceQuota: limits.RESOURCE_QUOTA,
    core_v1.Secret: configuration.SECRET,
    core_v1.Service: service.SERVICE,
    core_v1.ServiceAccount: configuration.SERVICE_ACCOUNT,
    admissionregistration_v1.MutatingAdmissionPolicy: admission_webhooks.MUTATING_ADMISSION_POLICY,
    admissionregistration_v1.MutatingAdmissionPolicyBinding: admission_webhooks.ADMISSION_POLICY_BINDING,
    admissionregistration_v1.MutatingWebhookConfiguration: admission_webhooks.MUTATING_WEBHOOK_CONFIGURATION,
    admissionregistration_v1.ValidatingAdmissionPolicy: admission_webhooks.VALIDATING_ADMISSION_POLICY,
    admissionregistration_v1.ValidatingAdmissionPolicyBinding: admission_webhooks.ADMISSION_POLICY_BINDING,
    admissionregistration_v1.ValidatingWebhookConfiguration: admission_webhooks.VALIDATING_WEBHOOK_CONFIGURATION,
    apiextensions_v1.CustomResourceDefinition: extensions.CUSTOM_RESOURCE_DEFINITION,
    apiregistration_v1.APIService: extensions.API_SERVICE,
    apps_v1.DaemonSet: workloads.DAEMON_SET,
    apps_v1.Deployment: workloads.DEPLOYMENT,
    apps_v1.ReplicaSet: workloads.REPLICA_SET,
    apps_v1.StatefulSet: workloads.STATEFUL_SET,
    autoscaling_v1.HorizontalPodAutoscaler: scaling.AUTOSCALER_V1,
    autoscaling_v2.HorizontalPodAutoscaler: scaling.AUTOSCALER_V2,
    batch_v1.CronJob: jobs.CRON_JOB,
    batch_v1.Job: jobs.JOB,
    certificates_v1.CertificateSigningRequest: access.CERTIFICATE_SIGNING_REQUEST,
    coordination_v1.Lease: access.LEASE,
    discovery_v1.EndpointSlice: endpoints.ENDPOINT_SLICE,
    events_v1.Event: events.EVENT,
    flowcontrol_v1.FlowSchema: flow_control.FLOW_SCHEMA,
    flowcontrol_v1.PriorityLevelConfiguration: flow_control.PRIORITY_LEVEL_CONFIGURATION,
    networking_v1.Ingress: networking.INGRESS,
    networking_v1.IngressClass: networking.INGRESS_CLASS,
    networking_v1.IPAddress: networking.IP_ADDRESS,
    networking_v1.NetworkPolicy: networking.NETWORK_POLICY,
    networking_v1.ServiceCIDR: networking.SERVICE_CIDR,
    node_v1.RuntimeClass: storage.RUNTIME_CLASS,
    policy_v1.PodDisruptionBudget: scaling.POD_DISRUPTION_BUDGET,
    rbac_v1.ClusterRole: access.ROLE,
    rbac_v1.ClusterRoleBinding: access.BINDING,
    rbac_v1.Role: access.ROLE,
    rbac_v1.RoleBinding: access.BINDING,
    resource_v1.DeviceClass: devices.DEVICE_CLASS,
    resource_v1.ResourceClaim: devices.RESOURCE_CLAIM,
    resource_v1.ResourceClaimTemplate: devices.RESOURCE_CLAIM_TEMPLATE,
    resource_v1.ResourceSlice: devices.RESOURCE_SLICE,
    scheduling_v1.PriorityClass: storage.PRIORITY_CLASS,
    storage_v1.CSIDriver: storage.CSI_DRIVER,
    storage_v1.CSINode: storage.CSI_NODE,
    storage_v1.CSIStorageCapacity: storage.CSI_STORAGE_CAPACITY,
    storage_v1.StorageClass: storage.STORAGE_CLASS,
    storage_v1.VolumeAttachment: storage.VOLUME_ATTACHMENT,
    storage_v1.VolumeAttributesClass: storage.VOLUME_ATTRIBUTES_CLASS,
}


def strategy_of(kind: Kind) -> Strategy:
    """The strategy of a kind with its validation; kinds with nothing particular build on a plain one."""
    if issubclass(kind.type, CustomObject):
        custom: Strategy = kind.type.rules.strategy
        return custom
    return _built_in(kind)


@cache
def _built_in(kind: Kind) -> Strategy:
    rules = rules_of(kind)
    return replace(
        _STRATEGIES.get(kind.type, _PLAIN),
        validate_create=rules.create,
        validate_update=rules.update,
        validate_status=rules.status,
        warnings=WARNINGS.get(kind.type, no_warnings),
    )
