"""Rules for what a kubelet reports of a pod: what has ended stays so, addresses and names are sound."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pybernetes.api.ip_addresses import ip_address
from pybernetes.api.names import dns1123_label, dns1123_subdomain, qualified_name
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import (
    Container,
    ContainerRestartRule,
    ContainerStatus,
    HostIP,
    Pod,
    PodExtendedResourceClaimStatus,
    PodIP,
    PodSpec,
    PodStatus,
    ResourceStatus,
)
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.numbers import in_range
from pybernetes.apiserver.resources.validation.pod import validate_annotations_update
from pybernetes.apiserver.resources.validation.texts import each_obeys, none_or_obeys, obeys

_MAX_ID = 2**31 - 1
_SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})
_HEALTHS = ("Healthy", "Unhealthy", "Unknown")
_NOT_NEGATIVE = "must be a non-negative integer"
_RESTARTED = "may not be transitioned to non-terminated state"
_ONE_PER_FAMILY = "may specify no more than one IP for each IP family"


def validate_status(new: Pod, old: Pod) -> list[FieldError]:
    status, before, spec = new.status, old.status, new.spec
    errors = validate_annotations_update(new, old)
    for index, condition in enumerate(status.conditions):
        path = f"status.conditions[{index}]"
        if (condition.observed_generation or 0) < 0:
            errors.append(invalid(f"{path}.observedGeneration", condition.observed_generation, _NOT_NEGATIVE))
        if condition.type not in _SYSTEM_CONDITIONS:
            errors += obeys(condition.type, qualified_name, f"{path}.Type")
    errors += _validate_nomination(new, old)
    if (status.observed_generation or 0) < 0:
        errors.append(invalid("status.observedGeneration", status.observed_generation, _NOT_NEGATIVE))
    errors += immutable(status.qos_class or "", before.qos_class or "", "status.qosClass")
    errors += _validate_transitions(status, before, old.spec)
    if status.resource_claim_statuses:
        errors += _validate_claims(status, spec)
    if status.extended_resource_claim_status is not None:
        errors += _validate_extended_claim(status.extended_resource_claim_status, spec)
    errors += _validate_addresses(_texts(status.pod_ips), _texts(before.pod_ips), "status.podIPs")
    if status.host_ips:
        if status.host_ip != status.host_ips[0].ip:
            errors.append(invalid("status.hostIPs[0].ip", status.host_ips[0].ip, "must be equal to `hostIP`"))
        errors += _validate_addresses(_texts(status.host_ips), _texts(before.host_ips), "status.hostIPs")
    return errors + _validate_reports(status, spec)


def _validate_nomination(new: Pod, old: Pod) -> list[FieldError]:
    name, path = new.status.nominated_node_name, "status.nominatedNodeName"
    if not name or name == old.status.nominated_node_name:
        return []
    errors = obeys(name, dns1123_subdomain, path)
    if old.spec.node_name:
        errors.append(forbidden_field(path, "may not be set on pods that are already bound to a node"))
    return errors


def _reports(status: PodStatus) -> tuple[tuple[str, Sequence[ContainerStatus]], ...]:
    return (
        ("containerStatuses", status.container_statuses),
        ("initContainerStatuses", status.init_container_statuses),
        ("ephemeralContainerStatuses", status.ephemeral_container_statuses),
    )


def _validate_transitions(new: PodStatus, old: PodStatus, spec: PodSpec) -> list[FieldError]:
    """What has ended for good does not run again."""
    errors: list[FieldError] = []
    for (name, after), (_, before) in zip(_reports(new), _reports(old), strict=True):
        for index, ended in enumerate(before):
            if ended.state.terminated is None:
                continue
            code = ended.state.terminated.exit_code
            alive = any(one.name == ended.name and one.state.terminated is None for one in after)
            if alive and not _may_restart(name, ended.name, code, spec):
                errors.append(forbidden_field(f"status.{name}[{index}].state", _RESTARTED))
    return errors


def _may_restart(sort: str, name: str, code: int, spec: PodSpec) -> bool:
    """Whether a container that has ended with a code may run again; those for debugging never do."""
    if sort == "ephemeralContainerStatuses":
        return False
    if _may_all_restart(spec):
        return True
    containers = spec.init_containers if sort == "initContainerStatuses" else spec.containers
    container = next((one for one in containers if one.name == name), None)
    if container is None:
        return False
    if container.restart_policy is None:
        return _restarts(spec.restart_policy, code)
    ruled = any(_applies(rule, code) for rule in container.restart_policy_rules)
    return ruled or _restarts(container.restart_policy, code)


def _may_all_restart(spec: PodSpec) -> bool:
    """Whether the end of one container can have the whole pod begin anew."""
    return any(
        rule.action == "RestartAllContainers"
        for container in (*spec.init_containers, *spec.containers)
        for rule in container.restart_policy_rules
    )


def _restarts(policy: str | None, code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def _applies(rule: ContainerRestartRule, code: int) -> bool:
    codes = rule.exit_codes
    return codes is not None and (code in codes.values) == (codes.operator == "In")


def _validate_claims(status: PodStatus, spec: PodSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    known = {claim.name for claim in spec.resource_claims}
    again = repeated(claim.name for claim in status.resource_claim_statuses)
    for index, claim in enumerate(status.resource_claim_statuses):
        path = f"status.resourceClaimStatuses[{index}].name"
        if claim.name not in known:
            errors.append(invalid(path, claim.name, "must match the name of an entry in `spec.resourceClaims`"))
        if index in again:
            errors.append(duplicate(path, claim.name))
        made = claim.resource_claim_name
        errors += none_or_obeys(made, dns1123_subdomain, path)
    return errors


def _validate_extended_claim(claim: PodExtendedResourceClaimStatus, spec: PodSpec) -> list[FieldError]:
    """The claim that was made for extended resources: which device is for which container's request."""
    path = "status.extendedResourceClaimStatus"
    errors: list[FieldError] = []
    if not claim.request_mappings:
        errors.append(required(f"{path}.requestMappings", "at least one request mapping is required"))
    containers = {container.name: container for container in (*spec.init_containers, *spec.containers)}
    seen: set[tuple[str, str]] = set()
    for index, mapping in enumerate(claim.request_mappings):
        where = f"{path}.requestMappings[{index}]"
        name, resource = mapping.container_name, mapping.resource_name
        container = containers.get(name)
        if container is None:
            detail = "must match the name of an entry in spec.initContainers.name or spec.containers.name"
            errors.append(invalid(f"{where}.containerName", name, detail))
        elif resource not in container.resources.requests:
            detail = "must match the extended resource name of an entry in "
            detail += "spec.initContainers.resources.requests or spec.containers.resources.requests"
            errors.append(invalid(f"{where}.resourceName", resource, detail))
        request = mapping.request_name
        errors += obeys(request, dns1123_label, f"{path}.requestName")
        if (name, resource) in seen:
            errors += [duplicate(f"{where}.containerName", name), duplicate(f"{where}.resourceName", resource)]
        seen.add((name, resource))
    name = claim.resource_claim_name
    if not name:
        return [*errors, required(f"{path}.resourceClaimName")]
    return errors + obeys(name, dns1123_subdomain, f"{path}.resourceClaimName")


def _texts(addresses: Sequence[PodIP] | Sequence[HostIP]) -> list[str]:
    return [address.ip for address in addresses]


def _validate_addresses(new: list[str], old: list[str], path: str) -> list[FieldError]:
    if new == old:
        return []
    errors = each_obeys(new, ip_address, path)
    if len(new) > 1 and not errors:
        families = [ipaddress.ip_address(address).version for address in new]
        if len(new) > 2 or families[0] == families[1]:
            errors.append(invalid(path, [{"IP": address} for address in new], _ONE_PER_FAMILY))
    return errors


def _validate_reports(status: PodStatus, spec: PodSpec) -> list[FieldError]:
    """Users and devices of containers."""
    errors: list[FieldError] = []
    windows = spec.os is not None and spec.os.name == "windows"
    for name, containers in _reports(status):
        for index, report in enumerate(containers):
            if report.user is not None:
                errors += _validate_user(report, f"status.{name}[{index}].user.linux", windows=windows)
    by_name = {container.name: container for container in (*spec.containers, *spec.init_containers)}
    for name, containers in _reports(status):
        for index, report in enumerate(containers):
            if not report.allocated_resources_status:
                continue
            path = f"status.{name}[{index}].allocatedResourcesStatus"
            if name == "ephemeralContainerStatuses":
                errors.append(forbidden_field(path, "must not be specified in container status"))
            else:
                errors += _validate_devices(report, by_name.get(report.name), path)
    return errors


def _validate_user(report: ContainerStatus, path: str, *, windows: bool) -> list[FieldError]:
    user = report.user.linux if report.user is not None else None
    if user is None:
        return []
    if windows:
        return [forbidden_field(path, "cannot be set for a windows pod")]
    errors: list[FieldError] = []
    for name, number in (("uid", user.uid), ("gid", user.gid)):
        errors += in_range(number, 0, _MAX_ID, f"{path}.{name}")
    for index, group in enumerate(user.supplemental_groups):
        errors += in_range(group, 0, _MAX_ID, f"{path}.supplementalGroups[{index}]")
    return errors


def _validate_devices(report: ContainerStatus, container: Container | None, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, allocated in enumerate(report.allocated_resources_status):
        where = f"{path}[{index}]"
        if container is not None and not _is_asked_for(allocated, container):
            detail = "must match one of the container's resource requests"
            if allocated.name.startswith("claim:"):
                detail = (
                    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' "
                    "or 'claim:<claimName>' if request is empty"
                )
            errors.append(invalid(f"{where}.name", allocated.name, detail))
        again = repeated(device.resource_id for device in allocated.resources)
        for number, device in enumerate(allocated.resources):
            if device.health not in _HEALTHS:
                errors.append(not_supported(f"{where}.resources[{number}].health", device.health or "", _HEALTHS))
            if number in again:
                errors.append(duplicate(f"{where}.resources[{number}].resourceID", device.resource_id))
    return errors


def _is_asked_for(allocated: ResourceStatus, container: Container) -> bool:
    if not allocated.name.startswith("claim:"):
        return allocated.name in container.resources.requests
    wanted = allocated.name.removeprefix("claim:")
    claims = container.resources.claims
    return any(wanted == (f"{claim.name}/{claim.request}" if claim.request else claim.name) for claim in claims)
