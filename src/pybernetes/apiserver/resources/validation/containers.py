"""Rules for the containers of a pod: names, images, ports, resources, life cycle. All sorts of containers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pybernetes.api.names import dns1123_label, port_name, port_number
from pybernetes.api.status import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid,
    not_found_field,
    required,
)
from pybernetes.api.types.core_v1 import (
    Container,
    ContainerPort,
    ContainerResizePolicy,
    ContainerRestartRule,
    EphemeralContainer,
    PodSpec,
    Probe,
    ResourceClaim,
    Volume,
)
from pybernetes.apiserver.resources.validation.environment import validate_variables, validate_variables_from
from pybernetes.apiserver.resources.validation.lists import at_most, each, repeated
from pybernetes.apiserver.resources.validation.mounts import validate_devices, validate_mounts
from pybernetes.apiserver.resources.validation.numbers import requirements
from pybernetes.apiserver.resources.validation.ports import PROTOCOLS
from pybernetes.apiserver.resources.validation.probes import validate_lifecycle, validate_probe
from pybernetes.apiserver.resources.validation.security import validate_container_security
from pybernetes.apiserver.resources.validation.texts import (
    empty_or_obeys,
    none_or_one_of,
    obeys,
    one_of,
    required_one_of,
    required_text,
)
from pybernetes.apiserver.resources.validation.volumes import pull_policy

AnyContainer = Container | EphemeralContainer

_RESTARTS = ("Always", "Never", "OnFailure")
_ACTIONS = ("Restart", "RestartAllContainers")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESIZES = ("NotRequired", "RestartContainer")
_RULES_MAX, _EXIT_CODES_MAX = 20, 255
_NOT_EPHEMERAL = (
    ("ports", "ports"),
    ("resources", "resources"),
    ("resize_policy", "resizePolicy"),
    ("restart_policy", "restartPolicy"),
    ("restart_policy_rules", "restartPolicyRules"),
    ("liveness_probe", "livenessProbe"),
    ("readiness_probe", "readinessProbe"),
    ("startup_probe", "startupProbe"),
    ("lifecycle", "lifecycle"),
)
_BARE = EphemeralContainer()


@dataclass(frozen=True)
class Surroundings:
    """What the rules for a container need to know of its pod."""

    volumes: Mapping[str, Volume]
    claims: frozenset[str]
    host_users: bool
    restart_policy: str
    grace_seconds: int

    @staticmethod
    def of(spec: PodSpec, volumes: Mapping[str, Volume]) -> Surroundings:
        """`volumes` are the sound ones by name."""
        return Surroundings(
            volumes=volumes,
            claims=frozenset(claim.name for claim in spec.resource_claims if claim.name),
            host_users=spec.host_users is not False,
            restart_policy=spec.restart_policy or "",
            grace_seconds=spec.termination_grace_period_seconds or 0,
        )


def validate_containers(spec: PodSpec, around: Surroundings, path: str) -> list[FieldError]:
    """All containers of a pod; names are unique among all of them."""
    errors: list[FieldError] = []
    if not spec.containers:
        errors.append(required(f"{path}.containers"))
    names: set[str] = set()
    for index, container in enumerate(spec.containers):
        where = f"{path}.containers[{index}]"
        errors += _validate_container(container, around, where)
        if container.name in names:
            errors.append(duplicate(f"{where}.name", container.name))
        names.add(container.name)
        errors += _validate_running(container, around, where)
        errors += _validate_restarts(container.restart_policy, container.restart_policy_rules, where)
    errors += _duplicate_host_ports(spec.containers, f"{path}.containers")
    for index, container in enumerate(spec.init_containers):
        where = f"{path}.initContainers[{index}]"
        errors += _validate_container(container, around, where)
        errors += _validate_restarts(container.restart_policy, container.restart_policy_rules, where)
        if container.name in names:
            errors.append(duplicate(f"{where}.name", container.name))
        elif container.name:
            names.add(container.name)
        errors += _duplicate_host_ports([container], f"{path}.initContainers")
        errors += _validate_init(container, around, where)
    if spec.ephemeral_containers:
        errors += _validate_ephemeral(spec.ephemeral_containers, names, around, f"{path}.ephemeralContainers")
    return errors


def _validate_running(container: Container, around: Surroundings, path: str) -> list[FieldError]:
    """Probes and hooks, which need a container that keeps running."""
    errors: list[FieldError] = []
    if container.lifecycle is not None:
        errors += validate_lifecycle(container.lifecycle, f"{path}.lifecycle", around.grace_seconds)
    for name, probe in _probes(container):
        if probe is not None:
            errors += validate_probe(probe, f"{path}.{name}", kind=name)
    return errors


def _probes(container: Container) -> tuple[tuple[str, Probe | None], ...]:
    return (
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
        ("startupProbe", container.startup_probe),
    )


def _validate_init(container: Container, around: Surroundings, path: str) -> list[FieldError]:
    if container.restart_policy == "Always":
        return _validate_running(container, around, path)
    detail = "may not be set for init containers without restartPolicy=Always"
    given = (("lifecycle", container.lifecycle), *_probes(container))
    return [forbidden_field(f"{path}.{name}", detail) for name, value in given if value is not None]


def _validate_restarts(policy: str | None, rules: Sequence[ContainerRestartRule], path: str) -> list[FieldError]:
    if policy is None and not rules:
        return []
    errors = none_or_one_of(policy, _RESTARTS, f"{path}.restartPolicy")
    if policy is None:
        errors.append(required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used"))
    where = f"{path}.restartPolicyRules"
    return errors + at_most(rules, _RULES_MAX, where) + each(rules, _validate_restart_rule, where)


def _validate_restart_rule(rule: ContainerRestartRule, path: str) -> list[FieldError]:
    errors = one_of(rule.action, _ACTIONS, f"{path}.action")
    codes = rule.exit_codes
    if codes is None:
        return [*errors, required(f"{path}.exitCodes", "must be specified")]
    errors += one_of(codes.operator, ("In", "NotIn"), f"{path}.exitCodes.operator")
    return errors + at_most(codes.values, _EXIT_CODES_MAX, f"{path}.exitCodes.values")


def _validate_ephemeral(
    containers: Sequence[EphemeralContainer], others: set[str], around: Surroundings, path: str
) -> list[FieldError]:
    """Containers for debugging: no part of the pod's service, and so without what serves."""
    errors: list[FieldError] = []
    names = set(others)
    detail = "cannot be set for an Ephemeral Container"
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        errors += _validate_container(container, around, where)
        errors += validate_trimmed_image(container, where)
        if container.name in names:
            errors.append(duplicate(f"{where}.name", container.name))
        names.add(container.name)
        if container.target_container_name and container.target_container_name not in others:
            errors.append(not_found_field(f"{where}.targetContainerName", container.target_container_name))
        for attribute, name in _NOT_EPHEMERAL:
            if getattr(container, attribute) != getattr(_BARE, attribute):
                errors.append(forbidden_field(f"{where}.{name}", detail))
        for number, mount in enumerate(container.volume_mounts):
            for name, part in (("subPath", mount.sub_path), ("subPathExpr", mount.sub_path_expr)):
                if part:
                    errors.append(forbidden_field(f"{where}.volumeMounts[{number}].{name}", detail))
    return errors


def _validate_container(container: AnyContainer, around: Surroundings, path: str) -> list[FieldError]:
    """The rules that containers of all sorts have in common."""
    errors = required_text(container.name, dns1123_label, f"{path}.name")
    if not container.image:
        errors.append(required(f"{path}.image"))
    policy = container.termination_message_policy
    errors += one_of(policy, _MESSAGE_POLICIES, f"{path}.terminationMessagePolicy")
    if container.ports:
        errors += _validate_ports(container.ports, f"{path}.ports")
    if container.env:
        errors += validate_variables(container.env, f"{path}.env")
    if container.env_from:
        errors += validate_variables_from(container.env_from, f"{path}.envFrom")
    if container.volume_mounts:
        errors += validate_mounts(container, around.volumes, f"{path}.volumeMounts")
    if container.volume_devices:
        errors += validate_devices(container, around.volumes, f"{path}.volumeDevices")
    errors += pull_policy(container.image_pull_policy, f"{path}.imagePullPolicy")
    errors += requirements(container.resources.limits, container.resources.requests, f"{path}.resources")
    if container.resources.claims:
        errors += validate_claim_names(container.resources.claims, around.claims, f"{path}.resources.claims")
    if container.resize_policy:
        errors += _validate_resizes(container.resize_policy, around.restart_policy, f"{path}.resizePolicy")
    if container.security_context is not None:
        where = f"{path}.securityContext"
        errors += validate_container_security(container.security_context, where, host_users=around.host_users)
    return errors


def validate_trimmed_image(container: AnyContainer, path: str) -> list[FieldError]:
    """Only pods insist on it; templates may hold a place for what is filled in later."""
    image = container.image or ""
    if image == image.strip():
        return []
    return [invalid(f"{path}.image", image, "must not have leading or trailing whitespace")]


def _validate_ports(ports: Sequence[ContainerPort], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        if port.name:
            problems = port_name(port.name)
            errors += [invalid(f"{where}.name", port.name, text) for text in problems]
            if not problems and port.name in names:
                errors.append(duplicate(f"{where}.name", port.name))
            names.add(port.name)
        if port.container_port == 0:
            errors.append(required(f"{where}.containerPort"))
        else:
            errors += obeys(port.container_port, port_number, f"{where}.containerPort")
        errors += empty_or_obeys(port.host_port, port_number, f"{where}.hostPort")
        errors += required_one_of(port.protocol, PROTOCOLS, f"{where}.protocol")
    return errors


def _duplicate_host_ports(containers: Sequence[Container], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    taken: set[str] = set()
    for number, container in enumerate(containers):
        for index, port in enumerate(container.ports):
            if not port.host_port:
                continue
            text = f"{port.protocol}/{port.host_ip or ''}/{port.host_port}"
            if text in taken:
                errors.append(duplicate(f"{path}[{number}].ports[{index}].hostPort", text))
            taken.add(text)
    return errors


def validate_claim_names(claims: Sequence[ResourceClaim], known: frozenset[str], path: str) -> list[FieldError]:
    """Devices of a container come from claims of its pod, each claim or request of one named once."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    # How many requests of a claim are named.
    requested: Counter[str] = Counter()
    # Made once, since it may be long.
    unknown = "must be one of the names in pod.spec.resourceClaims"
    unknown += f": {', '.join(sorted(known))}" if known else " which is empty"
    for index, claim in enumerate(claims):
        where = f"{path}[{index}]"
        name, request = claim.name, claim.request or ""
        if not name:
            errors.append(required(where))
            continue
        key = f"{name}/{request}" if request else name
        if request and name not in seen:
            errors += obeys(request, dns1123_label, f"{where}.request")
        if name in seen:
            errors.append(duplicate(where, name))
        elif key in seen:
            errors.append(duplicate(where, key))
        elif not request:
            errors += [duplicate(where, name)] * requested[name]
        if name not in seen and key not in seen:
            seen.add(key)
            requested[name] += 1
        if name not in known:
            errors.append(FieldError("FieldValueNotFound", where, unknown, name))
    return errors


def _validate_resizes(policies: Sequence[ContainerResizePolicy], restarts: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated(policy.resource_name for policy in policies)
    for index, policy in enumerate(policies):
        if index in again:
            errors.append(duplicate(f"{path}[{index}]", policy.resource_name))
        for value, choices in ((policy.resource_name, ("cpu", "memory")), (policy.restart_policy, _RESIZES)):
            errors += required_one_of(value, choices, path)
        if restarts == "Never" and policy.restart_policy != "NotRequired":
            detail = "must be 'NotRequired' when `restartPolicy` is 'Never'"
            errors.append(invalid(path, policy.restart_policy, detail))
    return errors
