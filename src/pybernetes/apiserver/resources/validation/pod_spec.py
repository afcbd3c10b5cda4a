"""Rules for the spec of a pod, in a Pod and in the templates of the kinds that make pods."""

from __future__ import annotations

from pybernetes.api.ip_addresses import ip_address
from pybernetes.api.names import dns1123_label, dns1123_subdomain, dns1123_subdomain_with_underscore, qualified_name
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import PodDNSConfig, PodSpec, PodTemplateSpec
from pybernetes.apiserver.resources.validation.affinity import validate_affinity, validate_spreading
from pybernetes.apiserver.resources.validation.containers import Surroundings, validate_containers
from pybernetes.apiserver.resources.validation.environment import validate_file_volumes
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.metadata import validate_annotations, validate_labels
from pybernetes.apiserver.resources.validation.numbers import in_range, requirements
from pybernetes.apiserver.resources.validation.operating_systems import (
    validate_host_process,
    validate_system,
    visit_containers,
)
from pybernetes.apiserver.resources.validation.pod_annotations import (
    validate_matching_profiles,
    validate_pod_annotations,
)
from pybernetes.apiserver.resources.validation.pod_resources import validate_claims, validate_pod_resources
from pybernetes.apiserver.resources.validation.security import validate_pod_security
from pybernetes.apiserver.resources.validation.selectors import validate_tolerations
from pybernetes.apiserver.resources.validation.texts import (
    each_obeys,
    empty_or_obeys,
    no_longer,
    none_or_one_of,
    obeys,
    one_of,
)
from pybernetes.apiserver.resources.validation.volumes import validate_volumes

_MAX_INT32 = 2**31 - 1
_SEARCH_LIMIT = 2048
_HOSTNAME_LIMIT = 64
_RESTARTS = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_OWN_USERS = "when `hostUsers` is false"


def validate_pod_spec(spec: PodSpec, path: str, *, in_pod: bool = False) -> list[FieldError]:
    """All complaints about a spec that has been defaulted; templates (not `in_pod`) may leave a little open."""
    volumes, errors = validate_volumes(spec.volumes, f"{path}.volumes", in_pod=in_pod)
    if spec.resource_claims:
        errors += validate_claims(spec.resource_claims, f"{path}.resourceClaims")
    errors += validate_containers(spec, Surroundings.of(spec, volumes), path)
    errors += validate_pod_resources(spec, f"{path}.resources")
    if spec.host_network:
        errors += _validate_host_ports(spec, path, in_pod=in_pod)
    errors += _validate_policies(spec, path)
    if spec.node_selector:
        errors += validate_labels(spec.node_selector, f"{path}.nodeSelector")
    errors += validate_pod_security(spec, f"{path}.securityContext")
    if spec.affinity is not None:
        errors += validate_affinity(spec.affinity, f"{path}.affinity")
    errors += _validate_dns(spec.dns_config, spec.dns_policy, f"{path}.dnsConfig")
    if spec.readiness_gates or spec.scheduling_gates:
        errors += _validate_gates(spec, path)
    if spec.topology_spread_constraints:
        errors += validate_spreading(spec.topology_spread_constraints, f"{path}.topologySpreadConstraints")
    errors += validate_host_process(spec, path)
    if spec.host_users is False:
        errors += _validate_own_users(spec, path)
    return errors + _validate_plain_fields(spec, path)


def _validate_plain_fields(spec: PodSpec, path: str) -> list[FieldError]:
    """Names, times, tolerations, overhead and the operating system, with which upstream ends."""
    errors = _validate_hostname(spec, path)
    errors += _validate_names(spec, path)
    if spec.preemption_policy == "":
        errors.append(required(f"{path}.preemptionPolicy"))
    else:
        errors += none_or_one_of(spec.preemption_policy, _PREEMPTION, f"{path}.preemptionPolicy")
    if spec.overhead:
        errors += requirements(spec.overhead, {}, f"{path}.overhead")
    errors += validate_system(spec, path)
    volumes = {volume.name: volume for volume in spec.volumes}
    for container, where in visit_containers(spec, path):
        if container.env:
            errors += validate_file_volumes(container, volumes, where)
    return errors


def _validate_host_ports(spec: PodSpec, path: str, *, in_pod: bool) -> list[FieldError]:
    """In the host's network a container's port is the host's; templates may leave that to defaulting."""
    detail = "must match `containerPort` when `hostNetwork` is true"
    errors: list[FieldError] = []
    for index, container in enumerate(spec.containers):
        for number, port in enumerate(container.ports):
            given = port.host_port or 0
            if (in_pod or given) and given != port.container_port:
                errors.append(invalid(f"{path}.containers[{index}].ports[{number}].hostPort", given, detail))
    return errors


def _validate_policies(spec: PodSpec, path: str) -> list[FieldError]:
    errors = one_of(spec.restart_policy, _RESTARTS, f"{path}.restartPolicy")
    return errors + one_of(spec.dns_policy, _DNS, f"{path}.dnsPolicy")


def _validate_own_users(spec: PodSpec, path: str) -> list[FieldError]:
    """Users of its own exclude the namespaces of the host, and raw devices, whose owners cannot be mapped."""
    used = (("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc))
    errors = [forbidden_field(f"{path}.{name}", _OWN_USERS) for name, value in used if value]
    for container, where in visit_containers(spec, path):
        if container.volume_devices:
            errors.append(forbidden_field(f"{where}.volumeDevices", _OWN_USERS))
    return errors


def _validate_hostname(spec: PodSpec, path: str) -> list[FieldError]:
    name, where = spec.hostname_override, f"{path}.hostnameOverride"
    if name is None:
        return []
    errors: list[FieldError] = []
    if spec.set_hostname_as_fqdn:
        errors.append(forbidden_field(where, "may not be specified when setHostnameAsFQDN is true"))
    if spec.host_network:
        errors.append(forbidden_field(where, "may not be specified when hostNetwork is true"))
    return errors + no_longer(name, _HOSTNAME_LIMIT, where) + obeys(name, dns1123_subdomain, where)


def _validate_names(spec: PodSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, value in (("serviceAccountName", spec.service_account_name), ("nodeName", spec.node_name)):
        errors += empty_or_obeys(value, dns1123_subdomain, f"{path}.{name}")
    deadline = spec.active_deadline_seconds
    if deadline is not None:
        where = f"{path}.activeDeadlineSeconds"
        errors += in_range(deadline, 1, _MAX_INT32, where)
    for name, value in (("hostname", spec.hostname), ("subdomain", spec.subdomain)):
        errors += empty_or_obeys(value, dns1123_label, f"{path}.{name}")
    if spec.tolerations:
        errors += validate_tolerations(spec.tolerations, f"{path}.tolerations")
    for index, alias in enumerate(spec.host_aliases):
        where = f"{path}.hostAliases[{index}]"
        errors += obeys(alias.ip, ip_address, f"{where}.ip")
        errors += each_obeys(alias.hostnames, dns1123_subdomain, f"{where}.hostnames")
    classes = (("priorityClassName", spec.priority_class_name), ("runtimeClassName", spec.runtime_class_name))
    for name, value in classes:
        if value or (value is not None and name == "runtimeClassName"):
            errors += obeys(value, dns1123_subdomain, f"{path}.{name}")
    return errors


def _validate_dns(config: PodDNSConfig | None, policy: str | None, path: str) -> list[FieldError]:
    servers = config.nameservers if config is not None else []
    errors: list[FieldError] = []
    if policy == "None":
        if config is None:
            return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not servers:
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [required(f"{path}.nameservers", detail)]
    if config is None:
        return errors
    if len(servers) > 3:
        errors.append(invalid(f"{path}.nameservers", servers, "must not have more than 3 nameservers"))
    errors += each_obeys(servers, ip_address, f"{path}.nameservers")
    if len(config.searches) > 32:
        errors.append(invalid(f"{path}.searches", config.searches, "must not have more than 32 search paths"))
    if len(" ".join(config.searches)) > _SEARCH_LIMIT:
        detail = f"must not have more than {_SEARCH_LIMIT} characters (including spaces) in the search list"
        errors.append(invalid(f"{path}.searches", config.searches, detail))
    for index, search in enumerate(config.searches):
        if search == ".":
            continue
        name = search.removesuffix(".")
        errors += obeys(name, dns1123_subdomain_with_underscore, f"{path}.searches[{index}]")
    for index, option in enumerate(config.options):
        if not option.name:
            errors.append(required(f"{path}.options[{index}]", "must not be empty"))
    return errors


def _validate_gates(spec: PodSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, readiness in enumerate(spec.readiness_gates):
        errors += obeys(readiness.condition_type, qualified_name, f"{path}.readinessGates[{index}].conditionType")
    again = repeated(gate.name for gate in spec.scheduling_gates)
    for index, gate in enumerate(spec.scheduling_gates):
        where = f"{path}.schedulingGates[{index}]"
        errors += obeys(gate.name, qualified_name, where)
        if index in again:
            errors.append(duplicate(where, gate.name))
    return errors


def validate_template(template: PodTemplateSpec, path: str) -> list[FieldError]:
    """Labels, annotations and spec of a template; it may not bind or gate what it makes by name."""
    annotations = template.metadata.annotations
    errors = validate_labels(template.metadata.labels, f"{path}.labels")
    if annotations:
        errors += validate_annotations(annotations, f"{path}.annotations")
        errors += validate_pod_annotations(annotations, template.spec, f"{path}.annotations")
    errors += validate_pod_spec(template.spec, f"{path}.spec")
    if annotations:
        errors += validate_matching_profiles(annotations, template.spec, f"{path}.spec")
    if template.spec.ephemeral_containers:
        detail = "ephemeral containers not allowed in pod template"
        errors.append(forbidden_field(f"{path}.spec.ephemeralContainers", detail))
    return errors
