"""Rules for the spec of a pod, in a Pod and in the templates of the kinds that make pods."""

from __future__ import annotations

from pybernetes.api.names import dns1123_label, dns1123_subdomain, dns1123_subdomain_with_underscore, ip_address
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import PodDNSConfig, PodSpec, PodTemplateSpec
from pybernetes.apiserver.resources.validation.affinity import validate_affinity, validate_spreading
from pybernetes.apiserver.resources.validation.containers import validate_containers
from pybernetes.apiserver.resources.validation.metadata import validate_annotations, validate_labels
from pybernetes.apiserver.resources.validation.numbers import in_range, not_negative_quantity, requirements
from pybernetes.apiserver.resources.validation.probes import validate_gate
from pybernetes.apiserver.resources.validation.security import validate_host_users, validate_pod_security
from pybernetes.apiserver.resources.validation.selectors import validate_tolerations
from pybernetes.apiserver.resources.validation.volumes import validate_volumes

_MAX_INT32 = 2**31 - 1
_RESTARTS = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")


def validate_pod_spec(spec: PodSpec, path: str) -> list[FieldError]:
    """All complaints about a spec that has been defaulted."""
    errors = validate_volumes(spec.volumes, f"{path}.volumes") if spec.volumes else []
    errors += validate_containers(spec, path)
    if spec.resources is not None:
        errors += requirements(spec.resources.limits, spec.resources.requests, f"{path}.resources", names=False)
    errors += _validate_policies(spec, path)
    if spec.node_selector:
        errors += validate_labels(spec.node_selector, f"{path}.nodeSelector")
    errors += validate_pod_security(spec, f"{path}.securityContext")
    errors += validate_host_users(spec, path)
    if spec.affinity is not None:
        errors += validate_affinity(spec.affinity, f"{path}.affinity")
    errors += _validate_dns(spec.dns_config, spec.dns_policy, f"{path}.dnsConfig")
    errors += _validate_gates(spec, path)
    if spec.topology_spread_constraints:
        errors += validate_spreading(spec.topology_spread_constraints, f"{path}.topologySpreadConstraints")
    errors += _validate_names(spec, path)
    deadline = spec.active_deadline_seconds
    if deadline is not None:
        where = f"{path}.activeDeadlineSeconds"
        errors += [invalid(where, deadline, text) for text in in_range(deadline, 1, _MAX_INT32)]
    if spec.tolerations:
        errors += validate_tolerations(spec.tolerations, f"{path}.tolerations")
    for name, quantity in spec.overhead.items():
        errors += not_negative_quantity(quantity, f"{path}.overhead[{name}]")
    return errors


def _validate_policies(spec: PodSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if spec.restart_policy not in _RESTARTS:
        errors.append(not_supported(f"{path}.restartPolicy", spec.restart_policy, _RESTARTS))
    if spec.dns_policy not in _DNS:
        errors.append(not_supported(f"{path}.dnsPolicy", spec.dns_policy, _DNS))
    if spec.preemption_policy is not None and spec.preemption_policy not in _PREEMPTION:
        errors.append(not_supported(f"{path}.preemptionPolicy", spec.preemption_policy, _PREEMPTION))
    if spec.os is not None:
        if not spec.os.name:
            errors.append(required(f"{path}.os.name", "cannot be empty"))
        elif spec.os.name not in ("linux", "windows"):
            errors.append(not_supported(f"{path}.os", spec.os.name, ("linux", "windows")))
    return errors


def _validate_names(spec: PodSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, value, rule in (
        ("serviceAccountName", spec.service_account_name, dns1123_subdomain),
        ("nodeName", spec.node_name, dns1123_subdomain),
        ("hostname", spec.hostname, dns1123_label),
        ("subdomain", spec.subdomain, dns1123_label),
        ("priorityClassName", spec.priority_class_name, dns1123_subdomain),
        ("runtimeClassName", spec.runtime_class_name, dns1123_subdomain),
    ):
        if value:
            errors += [invalid(f"{path}.{name}", value, text) for text in rule(value)]
    for index, alias in enumerate(spec.host_aliases):
        where = f"{path}.hostAliases[{index}]"
        errors += [invalid(f"{where}.ip", alias.ip, text) for text in ip_address(alias.ip)]
        for number, hostname in enumerate(alias.hostnames):
            texts = dns1123_subdomain(hostname)
            errors += [invalid(f"{where}.hostnames[{number}]", hostname, text) for text in texts]
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
    for index, server in enumerate(servers):
        errors += [invalid(f"{path}.nameservers[{index}]", server, text) for text in ip_address(server)]
    if len(config.searches) > 32:
        errors.append(invalid(f"{path}.searches", config.searches, "must not have more than 32 search paths"))
    for index, search in enumerate(config.searches):
        if search == ".":
            continue
        texts = dns1123_subdomain_with_underscore(search.removesuffix("."))
        errors += [invalid(f"{path}.searches[{index}]", search, text) for text in texts]
    for index, option in enumerate(config.options):
        if not option.name:
            errors.append(required(f"{path}.options[{index}]", "must not be empty"))
    return errors


def _validate_gates(spec: PodSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, readiness in enumerate(spec.readiness_gates):
        errors += validate_gate(readiness.condition_type, f"{path}.readinessGates[{index}].conditionType")
    seen: set[str] = set()
    for index, gate in enumerate(spec.scheduling_gates):
        where = f"{path}.schedulingGates[{index}]"
        errors += validate_gate(gate.name, where)
        if gate.name in seen:
            errors.append(duplicate(where, gate.name))
        seen.add(gate.name)
    return errors


def validate_template(template: PodTemplateSpec, path: str) -> list[FieldError]:
    """Labels, annotations and spec of a template; it may not bind or gate what it makes by name."""
    errors = validate_labels(template.metadata.labels, f"{path}.labels")
    errors += validate_annotations(template.metadata.annotations, f"{path}.annotations")
    errors += validate_pod_spec(template.spec, f"{path}.spec")
    if template.spec.ephemeral_containers:
        detail = "ephemeral containers not allowed in pod template"
        errors.append(forbidden_field(f"{path}.spec.ephemeralContainers", detail))
    return errors
