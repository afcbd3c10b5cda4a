"""Texts for `Warning` headers: what is accepted and yet probably not what the client wants. Asked once per write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pybernetes.api.ip_addresses import address_warnings, network_warnings
from pybernetes.api.names import dns1123_label
from pybernetes.api.types import (
    apiextensions_v1,
    apps_v1,
    batch_v1,
    core_v1,
    discovery_v1,
    networking_v1,
    node_v1,
    storage_v1,
)
from pybernetes.api.types.core_v1 import (
    Endpoints,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    Secret,
    Service,
    ServiceAccount,
)
from pybernetes.apiserver.resources.label_warnings import warn_of_capacity, warn_of_runtime_class, warn_of_storage_class
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.custom import definition_validation
    from pybernetes.apiserver.resources import pod_warnings

_POD_NAMES = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
    "a DNS label is recommended: "
)
_HOSTNAME = (
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
    "a DNS label is recommended: "
)
_TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_NO_RECYCLING = (
    "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."
)
_TOO_MANY_INDEXES = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
    "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
)
_ENFORCED = "kubernetes.io/enforce-mountable-secrets"
_INGRESS_CLASS = "kubernetes.io/ingress.class"
_ENDPOINTS_MANAGED_BY = "endpoints.kubernetes.io/managed-by"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_SLICE_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")


def _pod(new: Pod, old: Pod | None) -> list[str]:
    """Pods are updated by controllers, whom nobody reads; only their makers are warned, and who reports addresses."""
    if old is None:
        return _hostname(new) + pod_warnings.warn_of_pod(new.spec, new.metadata, "")
    status, before = new.status, old.status
    if status.pod_ips == before.pod_ips and status.host_ips == before.host_ips:
        return []
    texts: list[str] = []
    for index, pod_ip in enumerate(status.pod_ips):
        texts += address_warnings(pod_ip.ip, f"status.podIPs[{index}].ip")
    for index, host_ip in enumerate(status.host_ips):
        texts += address_warnings(host_ip.ip, f"status.hostIPs[{index}].ip")
    return texts


def _hostname(pod: Pod) -> list[str]:
    problems = dns1123_label(pod.metadata.name) if pod.metadata.name else []
    return [f"{_HOSTNAME}[{' '.join(problems)}]"] if problems else []


def _name(new: Any, old: Any | None) -> list[str]:
    if old is not None or not new.metadata.name:
        return []
    problems = dns1123_label(new.metadata.name)
    return [f"{_POD_NAMES}[{' '.join(problems)}]"] if problems else []


def _workload(new: Any, old: Any | None) -> list[str]:
    return _name(new, old) + _daemon(new, old)


def _daemon(new: Any, old: Any | None) -> list[str]:
    changed = old is None or new.spec != old.spec
    return _template(new.spec.template, "spec.template.") if changed else []


def _pod_template(new: core_v1.PodTemplate, old: core_v1.PodTemplate | None) -> list[str]:
    return _template(new.template, "template.") if old is None or new.template != old.template else []


def _template(template: core_v1.PodTemplateSpec | None, prefix: str) -> list[str]:
    return pod_warnings.warn_of_pod(template.spec, template.metadata, prefix) if template is not None else []


def _stateful_set(new: apps_v1.StatefulSet, old: apps_v1.StatefulSet | None) -> list[str]:
    texts = _workload(new, old)
    if old is not None and new.spec == old.spec:
        return texts
    for index, claim in enumerate(new.spec.volume_claim_templates):
        texts += pod_warnings.claim_spec(claim.spec, f"spec.volumeClaimTemplates[{index}].spec")
    if (new.spec.revision_history_limit or 0) < 0:
        detail = "a negative value retains all historical revisions; a value >= 0 is recommended"
        texts.append(f"spec.revisionHistoryLimit: {detail}")
    return texts


def _job(new: batch_v1.Job, old: batch_v1.Job | None) -> list[str]:
    texts, spec = _name(new, old), new.spec
    many = (spec.completions or 0) > 100_000 and (spec.parallelism or 0) > 10_000
    if spec.completion_mode == "Indexed" and many:
        texts.append(_TOO_MANY_INDEXES)
    return texts + _daemon(new, old)


def _cron_job(new: batch_v1.CronJob, old: batch_v1.CronJob | None) -> list[str]:
    if old is not None and new.spec == old.spec:
        return []
    return _name(new, old) + _template(new.spec.job_template.spec.template, "spec.jobTemplate.spec.template.")


def _service(new: Service, old: Service | None) -> list[str]:
    spec = new.spec
    if old is not None and new.status != old.status and spec == old.spec:
        return _ingress_addresses(new)
    texts: list[str] = []
    if _TOPOLOGY_HINTS in new.metadata.annotations:
        texts.append(
            f"annotation {_TOPOLOGY_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        )
    if spec.external_ips and (old is None or not old.spec.external_ips):
        texts.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if spec.type != "ExternalName" and spec.cluster_ip != "None":
        texts += _each_address(spec.cluster_ips, "spec.clusterIPs")
    if spec.cluster_ip == "None":
        ignored = (
            ("loadBalancerIP", spec.load_balancer_ip),
            ("externalIPs", spec.external_ips),
            ("SessionAffinity", spec.session_affinity not in (None, "None")),
        )
        texts += [f"spec.{name} is ignored for headless services" for name, given in ignored if given]
    texts += _each_address(spec.external_ips, "spec.externalIPs")
    texts += address_warnings(spec.load_balancer_ip or "", "spec.loadBalancerIP")
    for index, text in enumerate(spec.load_balancer_source_ranges):
        texts += network_warnings(text, f"spec.loadBalancerSourceRanges[{index}]")
    if spec.type == "ExternalName" and spec.external_ips:
        texts.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if spec.type != "ExternalName" and spec.external_name:
        texts.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.traffic_distribution == "PreferClose":
        texts.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return texts


def _ingress_addresses(service: Service) -> list[str]:
    """What who reports a Service's status hears: nothing about what others wished for."""
    texts: list[str] = []
    for index, each in enumerate(service.status.load_balancer.ingress):
        if each.ip:
            texts += address_warnings(each.ip, f"status.loadBalancer.ingress[{index}]")
    return texts


def _endpoints(new: Endpoints, _old: Endpoints | None) -> list[str]:
    """The server's own controller writes addresses well."""
    if new.metadata.labels.get(_ENDPOINTS_MANAGED_BY) == "endpoint-controller":
        return []
    texts: list[str] = []
    for index, subset in enumerate(new.subsets):
        for name, addresses in (("addresses", subset.addresses), ("notReadyAddresses", subset.not_ready_addresses)):
            for number, each in enumerate(addresses):
                texts += address_warnings(each.ip, f"subsets[{index}].{name}[{number}].ip")
    return texts


def _each_address(addresses: Sequence[str], path: str) -> list[str]:
    return [text for index, each in enumerate(addresses) for text in address_warnings(each, f"{path}[{index}]")]


def _service_account(new: ServiceAccount, old: ServiceAccount | None) -> list[str]:
    if _ENFORCED not in new.metadata.annotations or (old is not None and _ENFORCED in old.metadata.annotations):
        return []
    advice = "prefer separate namespaces to isolate access to mounted secrets"
    return [f"metadata.annotations[{_ENFORCED}]: deprecated in v1.32+; {advice}"]


def _node(new: Node, old: Node | None) -> list[str]:
    if old is not None and new.spec == old.spec:
        return []
    texts: list[str] = []
    if new.spec.external_id:
        texts.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    for index, text in enumerate(new.spec.pod_cidrs):
        texts += network_warnings(text, f"spec.podCIDRs[{index}]")
    return texts


def _persistent_volume(new: PersistentVolume, _old: PersistentVolume | None) -> list[str]:
    notes, spec = new.metadata.annotations, new.spec
    texts = _old_class(new)
    if _MOUNT_OPTIONS in notes:
        texts.append(
            f'metadata.annotations[{_MOUNT_OPTIONS}]: deprecated since v1.31; use "mountOptions" attribute instead'
        )
    if spec.persistent_volume_reclaim_policy == "Recycle":
        texts.append(f"spec.persistentVolumeReclaimPolicy: {_NO_RECYCLING}")
    affinity = spec.node_affinity
    if affinity is not None and affinity.required is not None:
        for index, term in enumerate(affinity.required.node_selector_terms):
            texts += pod_warnings.old_labels(term, f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]")
    return texts + pod_warnings.gone(spec, "spec")


def _old_class(new: Any) -> list[str]:
    if _OLD_CLASS not in new.metadata.annotations:
        return []
    return [f'metadata.annotations[{_OLD_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead']


def _claim(new: PersistentVolumeClaim, _old: PersistentVolumeClaim | None) -> list[str]:
    return _old_class(new) + pod_warnings.claim_spec(new.spec, "spec")


def _secret(new: Secret, _old: Secret | None) -> list[str]:
    if new.type == "kubernetes.io/tls" and b"-----BEGIN" not in new.data.get("tls.crt", b""):
        return ["tls: failed to find any PEM data in certificate input"]
    return []


def _ingress(new: networking_v1.Ingress, old: networking_v1.Ingress | None) -> list[str]:
    if old is None and _INGRESS_CLASS in new.metadata.annotations:
        return [f"annotation \"{_INGRESS_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"]
    return []


def _network_policy(new: networking_v1.NetworkPolicy, _old: networking_v1.NetworkPolicy | None) -> list[str]:
    rules = [(f"spec.ingress[{index}].from", rule.from_) for index, rule in enumerate(new.spec.ingress)]
    rules += [(f"spec.egress[{index}].to", rule.to) for index, rule in enumerate(new.spec.egress)]
    texts: list[str] = []
    for path, peers in rules:
        for index, peer in enumerate(peers):
            if (block := peer.ip_block) is None:
                continue
            where = f"{path}[{index}].ipBlock"
            texts += network_warnings(block.cidr, f"{where}.cidr")
            for number, text in enumerate(block.except_):
                texts += network_warnings(text, f"{where}.except[{number}]")
    return texts


def _endpoint_slice(new: discovery_v1.EndpointSlice, old: discovery_v1.EndpointSlice | None) -> list[str]:
    """The server's own controllers write addresses well."""
    texts: list[str] = []
    if old is None and new.address_type == "FQDN":
        texts.append("spec.addressType: FQDN endpoints are deprecated")
    if new.metadata.labels.get(_MANAGED_BY) in _SLICE_CONTROLLERS:
        return texts
    for index, endpoint in enumerate(new.endpoints):
        for number, address in enumerate(endpoint.addresses):
            texts += address_warnings(address, f"endpoints[{index}].addresses[{number}]")
    return texts


def _driver(new: storage_v1.CSIDriver, _old: storage_v1.CSIDriver | None) -> list[str]:
    if new.spec.token_requests and new.spec.service_account_token_in_secrets is None:
        return [
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent "
            "possible logging of tokens in volume attributes"
        ]
    return []


def _definition(
    new: apiextensions_v1.CustomResourceDefinition, old: apiextensions_v1.CustomResourceDefinition | None
) -> list[str]:
    return definition_validation.definition_warnings(new, old)


def no_warnings(_new: Any, _old: Any | None) -> list[str]:
    return []


WARNINGS: Mapping[type, Callable[[Any, Any], list[str]]] = {
    core_v1.Endpoints: _endpoints,
    core_v1.Node: _node,
    core_v1.Pod: _pod,
    core_v1.PodTemplate: _pod_template,
    core_v1.PersistentVolume: _persistent_volume,
    core_v1.PersistentVolumeClaim: _claim,
    core_v1.ReplicationController: _workload,
    core_v1.Secret: _secret,
    core_v1.Service: _service,
    core_v1.ServiceAccount: _service_account,
    apiextensions_v1.CustomResourceDefinition: _definition,
    apps_v1.DaemonSet: _daemon,
    apps_v1.Deployment: _workload,
    apps_v1.ReplicaSet: _workload,
    apps_v1.StatefulSet: _stateful_set,
    batch_v1.CronJob: _cron_job,
    batch_v1.Job: _job,
    discovery_v1.EndpointSlice: _endpoint_slice,
    networking_v1.Ingress: _ingress,
    networking_v1.NetworkPolicy: _network_policy,
    node_v1.RuntimeClass: warn_of_runtime_class,
    storage_v1.CSIDriver: _driver,
    storage_v1.CSIStorageCapacity: warn_of_capacity,
    storage_v1.StorageClass: warn_of_storage_class,
}
