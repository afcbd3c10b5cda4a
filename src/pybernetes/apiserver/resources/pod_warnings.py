"""What makers of pods and of templates are warned of: what is deprecated, doubled, without effect, or cannot be whole.

`warnings` asks once per write; whatever a spec does not use costs a look at an empty field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

from pybernetes.api.ip_addresses import address_warnings
from pybernetes.api.names import label_value
from pybernetes.api.quantity import amount
from pybernetes.api.types.core_v1 import (
    Affinity,
    Container,
    ContainerPort,
    EphemeralContainer,
    NodeSelectorTerm,
    PersistentVolumeClaimSpec,
    PodAffinity,
    PodAntiAffinity,
    PodSpec,
    Volume,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.resources.app_armor import OLD
from pybernetes.apiserver.resources.label_warnings import OLD_LABELS
from pybernetes.apiserver.resources.overlapping_paths import overlaps
from pybernetes.apiserver.resources.validation.pod_annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD

_GONE = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "git_repo": "deprecated in v1.11, and disabled by default in v1.33+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "photon_persistent_disk": "deprecated in v1.11, non-functional in v1.16+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "scale_io": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
}
_WIRE_NAMES = {
    **dict(zip(Volume.__struct_fields__, Volume.__struct_encode_fields__, strict=True)),
    "storageos": "storageOS",
}
_OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_SECCOMP_GONE = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_NO_POD = "a null labelSelector results in matching no pod"
_NANO = 10**9
_AnyContainer = Container | EphemeralContainer


def warn_of_pod(spec: PodSpec, metadata: ObjectMeta, prefix: str) -> list[str]:
    """Warnings of a pod, or of a template; `prefix` leads to it and ends with a dot, or is empty."""
    path = f"{prefix}spec"
    texts: list[str] = []
    if spec.node_selector or spec.affinity is not None or spec.topology_spread_constraints:
        texts += _placement(spec, path)
    notes = metadata.annotations
    if notes:
        where = f"{prefix}metadata.annotations"
        texts += [f"{where}[{key}]: {_OLD_ANNOTATIONS[key]}" for key in _OLD_ANNOTATIONS if key in notes]
    if spec.volumes:
        texts += _volumes(spec, path)
    if spec.host_aliases or spec.image_pull_secrets:
        texts += _references(spec, path)
    if spec.overhead:
        texts += _fractions(spec.overhead, f"{path}.overhead")
    if notes:
        texts += _profiles(spec, metadata, prefix)
    containers = list(_containers(spec, path))
    for where, container in containers:
        texts += _container(container, where)
    if any(container.ports for _, container in containers):
        texts += _ports(containers)
    if (spec.termination_grace_period_seconds or 0) < 0:
        detail = "must be >= 0; negative values are invalid and will be treated as 1"
        texts.append(f"{path}.terminationGracePeriodSeconds: {detail}")
    if spec.affinity is not None:
        texts += _neighbours(spec.affinity.pod_affinity, f"{path}.affinity.podAffinity")
        texts += _neighbours(spec.affinity.pod_anti_affinity, f"{path}.affinity.podAntiAffinity")
    if spec.dns_config is not None:
        for index, server in enumerate(spec.dns_config.nameservers):
            texts += address_warnings(server, f"{path}.dnsConfig.nameservers[{index}]")
    for index, alias in enumerate(spec.host_aliases):
        texts += address_warnings(alias.ip, f"{path}.hostAliases[{index}].ip")
    return texts


def _volumes(spec: PodSpec, path: str) -> list[str]:
    texts: list[str] = []
    for index, volume in enumerate(spec.volumes):
        texts += _volume(volume, f"{path}.volumes[{index}]")
    for volume in spec.volumes:
        texts += overlaps(volume)
    return texts


def _references(spec: PodSpec, path: str) -> list[str]:
    texts = _twins((alias.ip for alias in spec.host_aliases), f"{path}.hostAliases", "ip")
    texts += _twins((secret.name for secret in spec.image_pull_secrets), f"{path}.imagePullSecrets", "name")
    for index, secret in enumerate(spec.image_pull_secrets):
        if not secret.name:
            texts.append(f'{path}.imagePullSecrets[{index}].name: invalid empty name ""')
    return texts


def _containers(spec: PodSpec, path: str) -> Iterator[tuple[str, _AnyContainer]]:
    kinds: tuple[tuple[str, Iterable[_AnyContainer]], ...] = (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
        ("ephemeralContainers", spec.ephemeral_containers),
    )
    for kind, containers in kinds:
        for index, container in enumerate(containers):
            yield f"{path}.{kind}[{index}]", container


def _placement(spec: PodSpec, path: str) -> Iterator[str]:
    for key in spec.node_selector:
        if key in OLD_LABELS:
            yield f"{path}.nodeSelector[{key}]: {OLD_LABELS[key]}"
    if spec.affinity is not None:
        yield from _nodes(spec.affinity, f"{path}.affinity.nodeAffinity")
    for index, constraint in enumerate(spec.topology_spread_constraints):
        where, key = f"{path}.topologySpreadConstraints[{index}]", constraint.topology_key
        if key in OLD_LABELS:
            yield f"{where}.topologyKey: {key} is {OLD_LABELS[key]}"
        if constraint.label_selector is None:
            yield f"{where}.labelSelector: {_NO_POD}"


def _nodes(affinity: Affinity, path: str) -> Iterator[str]:
    wanted = affinity.node_affinity
    if wanted is None:
        return
    needed = wanted.required_during_scheduling_ignored_during_execution
    where = f"{path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    for index, term in enumerate(needed.node_selector_terms if needed is not None else ()):
        yield from old_labels(term, f"{where}[{index}]")
    where = f"{path}.preferredDuringSchedulingIgnoredDuringExecution"
    for index, preferred in enumerate(wanted.preferred_during_scheduling_ignored_during_execution):
        place = f"{where}[{index}].preference"
        yield from old_labels(preferred.preference, place)
        for number, expression in enumerate(preferred.preference.match_expressions):
            for position, value in enumerate(expression.values):
                for text in label_value(value):
                    yield f"{place}.matchExpressions[{number}].values[{position}]: {value} is invalid, {text}"


def old_labels(term: NodeSelectorTerm, path: str) -> Iterator[str]:
    """Labels of nodes that have other names by now."""
    for index, expression in enumerate(term.match_expressions):
        if expression.key in OLD_LABELS:
            yield f"{path}.matchExpressions[{index}].key: {expression.key} is {OLD_LABELS[expression.key]}"


def _neighbours(affinity: PodAffinity | PodAntiAffinity | None, path: str) -> Iterator[str]:
    if affinity is None:
        return
    for index, term in enumerate(affinity.required_during_scheduling_ignored_during_execution):
        if term.label_selector is None:
            yield f"{path}.requiredDuringSchedulingIgnoredDuringExecution[{index}].labelSelector: {_NO_POD}"
    for index, weighted in enumerate(affinity.preferred_during_scheduling_ignored_during_execution):
        if weighted.pod_affinity_term.label_selector is None:
            where = f"{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}].podAffinityTerm"
            yield f"{where}.labelSelector: {_NO_POD}"


_GONE_FROM_PODS = attrgetter(*_GONE)
_NONE_GONE = (None,) * len(_GONE)


def _volume(volume: Volume, path: str) -> list[str]:
    texts = gone(volume, path) if _GONE_FROM_PODS(volume) != _NONE_GONE else []
    if volume.ephemeral is not None and volume.ephemeral.volume_claim_template is not None:
        texts += claim_spec(volume.ephemeral.volume_claim_template.spec, f"{path}.ephemeral.volumeClaimTemplate.spec")
    return texts


def gone(source: Any, path: str) -> list[str]:
    """Kinds of volumes that no node can mount any more."""
    named = ((name, text) for name, text in _GONE.items() if getattr(source, name, None) is not None)
    return [f"{path}.{_WIRE_NAMES[name]}: {text}" for name, text in named]


def claim_spec(spec: PersistentVolumeClaimSpec, path: str) -> list[str]:
    texts: list[str] = []
    for kind, amounts in (("requests", spec.resources.requests), ("limits", spec.resources.limits)):
        texts += _fractions(amounts, f"{path}.resources.{kind}", ("storage",))
    return texts


def _fractions(amounts: Any, path: str, names: tuple[str, ...] = ("memory", "ephemeral-storage")) -> list[str]:
    """Bytes that are not whole."""
    texts: list[str] = []
    for name in names:
        quantity = amounts.get(name)
        if quantity is not None and amount(quantity).nano % _NANO:
            texts.append(f'{path}[{name}]: fractional byte value "{quantity}" is invalid, must be an integer')
    return texts


def _twins(keys: Iterable[str | None], path: str, name: str) -> list[str]:
    seen: set[str] = set()
    texts: list[str] = []
    for index, key in enumerate(keys):
        text = key or ""
        if text in seen:
            texts.append(f'{path}[{index}].{name}: duplicate {name} "{text}"')
        seen.add(text)
    return texts


def _profiles(spec: PodSpec, metadata: ObjectMeta, prefix: str) -> list[str]:
    """Profiles that are named by annotations alone; of AppArmor's in pods their strategy has told by now."""
    where, notes, security = f"{prefix}metadata.annotations", metadata.annotations, spec.security_context
    texts: list[str] = []
    if SECCOMP_POD in notes and (security is None or security.seccomp_profile is None):
        texts.append(f"{where}[{SECCOMP_POD}]: {_SECCOMP_GONE}")
    confined = security is not None and security.app_armor_profile is not None
    for _, container in _containers(spec, ""):
        own = container.security_context
        key = f"{SECCOMP_CONTAINER}{container.name}"
        if key in notes and (own is None or own.seccomp_profile is None):
            texts.append(f"{where}[{key}]: {_SECCOMP_GONE}")
        key = f"{APP_ARMOR}{container.name}"
        named = own is not None and own.app_armor_profile is not None
        if prefix and key in notes and not confined and not named:
            texts.append(f"{where}[{key}]: {OLD}")
    return texts


def _container(container: _AnyContainer, path: str) -> list[str]:
    texts: list[str] = []
    for kind, amounts in (("limits", container.resources.limits), ("requests", container.resources.requests)):
        if amounts:
            texts += _fractions(amounts, f"{path}.resources.{kind}")
    if len(container.env) < 2:
        return texts
    names: set[str] = set()
    for index, variable in enumerate(container.env):
        old = f"$({variable.name})"
        grows = variable.value_from is None and variable.value != old and old in (variable.value or "")
        if variable.name in names and not grows:
            hidden = f'hides previous definition of "{variable.name}", which may be dropped when using apply'
            texts.append(f"{path}.env[{index}]: {hidden}")
        names.add(variable.name)
    return texts


def _ports(containers: Iterable[tuple[str, _AnyContainer]]) -> list[str]:
    texts: list[str] = []
    taken: dict[tuple[Any, ...], list[tuple[str, ContainerPort]]] = {}
    for where, container in containers:
        for index, port in enumerate(container.ports):
            place, number, host = f"{where}.ports[{index}]", port.host_port or 0, port.host_ip or ""
            if host and not number:
                shown = f"{{Name:{port.name or ''} HostPort:0 ContainerPort:{port.container_port}"
                texts.append(
                    f"{place}: hostIP set without hostPort: {shown} Protocol:{port.protocol or ''} HostIP:{host}}}"
                )
            others = taken.setdefault((port.container_port, port.protocol), [])
            for other_place, other in others:
                how = _conflict((number, host), (other.host_port or 0, other.host_ip or ""))
                if how:
                    texts.append(f"{place}: {how} port definition with {other_place}")
            others.append((place, port))
    return texts + _port_names(containers)


def _port_names(containers: Iterable[tuple[str, _AnyContainer]]) -> list[str]:
    """Names of ports that one container has taken before another."""
    texts: list[str] = []
    first: dict[str, str] = {}
    for where, container in containers:
        for index, port in enumerate(container.ports):
            place = f"{where}.ports[{index}]"
            if port.name and (other := first.setdefault(port.name, place)) != place:
                used = f"services and probes that select ports by name will use {other}"
                texts.append(f'{place}: duplicate port name "{port.name}" with {other}, {used}')
    return texts


def _conflict(one: tuple[int, str], other: tuple[int, str]) -> str:
    """How two ports of the same number and protocol get in each other's way, by their hosts' ports and addresses."""
    if one == other:
        return "duplicate"
    if not one[0] or not other[0]:
        return "overlapping"
    return "dangerously ambiguous" if one[0] == other[0] and (not one[1] or not other[1]) else ""
