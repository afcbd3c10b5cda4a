"""Rules for Pods: on create, and what little of a pod can change afterwards."""

from __future__ import annotations

import hashlib
import re

import msgspec

from pybernetes.api.names import dns1123_subdomain, ip_address
from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, forbidden_field, invalid
from pybernetes.api.types.core_v1 import Container, Pod, PodSpec, Toleration
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.numbers import in_range
from pybernetes.apiserver.resources.validation.pod_spec import validate_pod_spec

_ALLOWED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_MAX_INT32 = 2**31 - 1
_DRAWN_NAME = re.compile("kube-api-access-[a-z0-9]{5}")
# Fingerprints of specs of new pods that no rule complains of.
_FLAWLESS: set[bytes] = set()
_REMEMBERED_MAX = 10_000


_MIRROR = "kubernetes.io/config.mirror"


def validate_create(pod: Pod) -> list[FieldError]:
    """The rules for a whole spec; of the pods that one template makes only the first costs the search."""
    if (mirrored := pod.metadata.annotations.get(_MIRROR)) is not None and not pod.spec.node_name:
        detail = "must set spec.nodeName if mirror pod annotation is set"
        return [invalid(f"metadata.annotations[{_MIRROR}]", mirrored, detail), *_validate_new(pod)]
    mark = fingerprint(pod.spec)
    if mark in _FLAWLESS:
        return []
    errors = _validate_new(pod)
    if not errors:
        if len(_FLAWLESS) >= _REMEMBERED_MAX:
            _FLAWLESS.clear()
        _FLAWLESS.add(mark)
    return errors


def fingerprint(spec: PodSpec) -> bytes:
    """Equal for specs that are equal but for the name that admission drew for the token's volume."""
    text = msgspec.json.encode(spec)
    for volume in spec.volumes:
        if _DRAWN_NAME.fullmatch(volume.name):
            # Such a name is always good, and JSON never holds a bare zero byte: no other spec can look like this.
            text = text.replace(f'"{volume.name}"'.encode(), b"\0")
            break
    return hashlib.sha256(text).digest()


def _validate_new(pod: Pod) -> list[FieldError]:
    spec = pod.spec
    errors = validate_pod_spec(spec, "spec")
    if spec.ephemeral_containers:
        errors.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if spec.scheduling_gates and spec.node_name:
        errors.append(forbidden_field("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    return errors


def validate_update(new: Pod, old: Pod) -> list[FieldError]:
    """Images, the deadline, more tolerations and fewer gates may change; nothing else of the spec."""
    if new.spec == old.spec:
        return []
    errors = _validate_containers(new.spec, old.spec)
    if errors:
        return errors
    errors += _validate_deadline(new.spec.active_deadline_seconds, old.spec.active_deadline_seconds)
    errors += _validate_added(new.spec.tolerations, old.spec.tolerations)
    errors += _validate_gates(new.spec, old.spec)
    if not _only_allowed_changes(new.spec, old):
        errors.append(forbidden_field("spec", _ALLOWED))
    return errors


def _validate_containers(new: PodSpec, old: PodSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, after, before in (
        ("containers", new.containers, old.containers),
        ("initContainers", new.init_containers, old.init_containers),
    ):
        if len(after) != len(before):
            errors.append(forbidden_field(f"spec.{name}", "pod updates may not add or remove containers"))
            continue
        errors += [error for index, one in enumerate(after) for error in _validate_image(one, f"spec.{name}[{index}]")]
    return errors


def _validate_image(container: Container, path: str) -> list[FieldError]:
    image = container.image or ""
    if not image:
        return [FieldError("FieldValueRequired", f"{path}.image")]
    if image != image.strip():
        return [invalid(f"{path}.image", image, "must not have leading or trailing whitespace")]
    return []


def _validate_deadline(new: int | None, old: int | None) -> list[FieldError]:
    path = "spec.activeDeadlineSeconds"
    if new is None:
        return [] if old is None else [invalid(path, None, "must not update from a positive integer to nil value")]
    errors = [invalid(path, new, text) for text in in_range(new, 0, _MAX_INT32)]
    if not errors and old is not None and old < new:
        errors.append(invalid(path, new, "must be less than or equal to previous value"))
    return errors


def _validate_added(new: list[Toleration], old: list[Toleration]) -> list[FieldError]:
    known = {_identity(toleration) for toleration in new}
    if all(_identity(toleration) in known for toleration in old):
        return []
    detail = "existing toleration can not be modified except its tolerationSeconds"
    return [forbidden_field("spec.tolerations", detail)]


def _identity(toleration: Toleration) -> tuple[str, ...]:
    return (
        toleration.key or "",
        toleration.operator or "",
        toleration.value or "",
        toleration.effect or "",
    )


def _validate_gates(new: PodSpec, old: PodSpec) -> list[FieldError]:
    known = {gate.name for gate in old.scheduling_gates}
    added = [gate.name for gate in new.scheduling_gates if gate.name not in known]
    if not added:
        return []
    shown = ", ".join(added)
    detail = f"only deletion is allowed, but found new scheduling gate '{shown}'"
    return [forbidden_field("spec.schedulingGates", detail)]


def _only_allowed_changes(new: PodSpec, old: Pod) -> bool:
    """Whether the specs are equal once what may change is made the same."""
    spec = copy(old.spec)
    before, after = [*spec.containers, *spec.init_containers], [*new.containers, *new.init_containers]
    for mine, theirs in zip(before, after, strict=True):
        mine.image = theirs.image
    spec.active_deadline_seconds = new.active_deadline_seconds
    spec.tolerations = new.tolerations
    if spec.scheduling_gates:
        # A gated pod may still be steered: fewer gates, and narrower node selection.
        spec.scheduling_gates = new.scheduling_gates
        spec.node_selector = new.node_selector
        spec.affinity = new.affinity
    if (spec.termination_grace_period_seconds or 0) < 0 and new.termination_grace_period_seconds == 1:
        spec.termination_grace_period_seconds = 1
    return spec == new


def validate_status(new: Pod, old: Pod) -> list[FieldError]:
    status = new.status
    errors: list[FieldError] = []
    if status.nominated_node_name:
        where = "status.nominatedNodeName"
        texts = dns1123_subdomain(status.nominated_node_name)
        errors += [invalid(where, status.nominated_node_name, text) for text in texts]
    addresses = [ip.ip for ip in status.pod_ips] or ([status.pod_ip] if status.pod_ip else [])
    for index, address in enumerate(addresses):
        errors += [invalid(f"status.podIPs[{index}]", address, text) for text in ip_address(address)]
    if old.status.qos_class:
        errors += immutable(status.qos_class, old.status.qos_class, "status.qosClass")
    return errors
