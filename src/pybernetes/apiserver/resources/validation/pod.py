"""Rules for Pods: on create, and what little of a pod's spec can change afterwards."""

from __future__ import annotations

import hashlib
import re

import msgspec

from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import Affinity, Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration
from pybernetes.apiserver.resources.validation.containers import validate_trimmed_image
from pybernetes.apiserver.resources.validation.internal_form import difference
from pybernetes.apiserver.resources.validation.lists import each
from pybernetes.apiserver.resources.validation.numbers import in_range
from pybernetes.apiserver.resources.validation.pod_annotations import (
    validate_annotation_changes,
    validate_matching_app_armor,
    validate_matching_profiles,
    validate_pod_annotations,
)
from pybernetes.apiserver.resources.validation.pod_spec import validate_pod_spec
from pybernetes.apiserver.resources.validation.selectors import (
    identity_of,
    shown_term,
    shown_terms,
    validate_tolerations,
)
from pybernetes.apiserver.resources.validation.volumes import validate_created_claims

_ALLOWED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_MAX_INT32 = 2**31 - 1
_DRAWN_NAME = re.compile("kube-api-access-[a-z0-9]{5}")
# Fingerprints of specs of pods that no rule complains of.
_FLAWLESS: set[bytes] = set()
_REMEMBERED_MAX = 10_000


def validate_create(pod: Pod) -> list[FieldError]:
    """The rules for a whole new pod."""
    annotations, spec = pod.metadata.annotations, pod.spec
    errors = validate_pod_annotations(annotations, spec, "metadata.annotations") if annotations else []
    errors += validate_whole_spec(pod)
    if spec.ephemeral_containers:
        errors.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if spec.scheduling_gates and spec.node_name:
        errors.append(forbidden_field("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    if annotations:
        errors += validate_matching_profiles(annotations, spec, "spec")
        errors += validate_matching_app_armor(annotations, spec, "spec")
    return errors


def validate_whole_spec(pod: Pod) -> list[FieldError]:
    """All rules for the spec of a pod; of the pods that one template makes only the first costs the search."""
    spec = pod.spec
    mark = _fingerprint(spec)
    errors = [] if mark in _FLAWLESS else _search(spec, mark)
    if any(volume.ephemeral is not None for volume in spec.volumes):
        errors += validate_created_claims(spec.volumes, pod.metadata.name or "", "spec.volumes")
    return errors


def _search(spec: PodSpec, mark: bytes) -> list[FieldError]:
    errors = validate_pod_spec(spec, "spec", in_pod=True)
    if not spec.service_account_name:
        errors += _tokens_of_nobody(spec)
    for name, containers in (("containers", spec.containers), ("initContainers", spec.init_containers)):
        errors += each(containers, validate_trimmed_image, f"spec.{name}")
    if not errors:
        if len(_FLAWLESS) >= _REMEMBERED_MAX:
            _FLAWLESS.clear()
        _FLAWLESS.add(mark)
    return errors


def _fingerprint(spec: PodSpec) -> bytes:
    """Equal for specs that are equal but for the name that admission drew for the token's volume."""
    text = msgspec.json.encode(spec)
    for volume in spec.volumes:
        if _DRAWN_NAME.fullmatch(volume.name):
            # Such a name is always good, and JSON never holds a bare zero byte: no other spec can look like this.
            text = text.replace(f'"{volume.name}"'.encode(), b"\0")
            break
    return hashlib.sha256(text).digest()


def _tokens_of_nobody(spec: PodSpec) -> list[FieldError]:
    detail = "must not be specified when serviceAccountName is not set"
    return [
        forbidden_field(f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken", detail)
        for index, volume in enumerate(spec.volumes)
        if volume.projected is not None
        for number, source in enumerate(volume.projected.sources)
        if source.service_account_token is not None
    ]


def validate_annotations_update(new: Pod, old: Pod) -> list[FieldError]:
    """What an update, also one of the status, may do to the annotations that mean something."""
    before, after = old.metadata.annotations, new.metadata.annotations
    if before == after:
        return []
    errors = validate_annotation_changes(after, before, "metadata.annotations")
    return errors + validate_pod_annotations(after, new.spec, "metadata.annotations")


def validate_update(new: Pod, old: Pod) -> list[FieldError]:
    """Images, the deadline, more tolerations and fewer gates may change; nothing else of the spec."""
    spec, before = new.spec, old.spec
    errors: list[FieldError] = []
    if new.metadata.annotations != old.metadata.annotations:
        errors += validate_pod_annotations(new.metadata.annotations, spec, "metadata.annotations")
    if spec != before:
        errors += validate_whole_spec(new)
    errors += validate_annotations_update(new, old)
    if spec == before:
        return errors
    for name, containers, others in (
        ("containers", spec.containers, before.containers),
        ("initContainers", spec.init_containers, before.init_containers),
    ):
        if len(containers) != len(others):
            detail = "pod updates may not add or remove containers"
            return [*errors, forbidden_field(f"spec.{name}", detail)]
        errors += _validate_images(containers, f"spec.{name}")
    deadline, stop = _validate_deadline(spec.active_deadline_seconds, before.active_deadline_seconds)
    errors += deadline
    if stop:
        return errors
    errors += _validate_added(spec.tolerations, before.tolerations)
    errors += _validate_gates(spec, before)
    if before.scheduling_gates:
        errors += _validate_steering(spec, before)
    if (allowed := _with_allowed_changes(before, spec)) != spec:
        errors.append(forbidden_field("spec", f"{_ALLOWED}\n{difference(allowed, spec)}"))
    return errors


def _validate_images(containers: list[Container], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, container in enumerate(containers):
        if not container.image:
            errors.append(required(f"{path}[{index}].image"))
        errors += validate_trimmed_image(container, f"{path}[{index}]")
    return errors


def _validate_deadline(new: int | None, old: int | None) -> tuple[list[FieldError], bool]:
    """(complaints, whether nothing else is looked at): a deadline may be set, and then only come nearer."""
    path = "spec.activeDeadlineSeconds"
    if new is None:
        detail = "must not update from a positive integer to nil value"
        return ([] if old is None else [invalid(path, None, detail)]), False
    errors = in_range(new, 0, _MAX_INT32, path)
    if not errors and old is not None and old < new:
        errors.append(invalid(path, new, "must be less than or equal to previous value"))
    return errors, bool(errors)


def _validate_added(new: list[Toleration], old: list[Toleration]) -> list[FieldError]:
    if not {*map(identity_of, old)} <= {*map(identity_of, new)}:
        detail = "existing toleration can not be modified except its tolerationSeconds"
        return [forbidden_field("spec.tolerations", detail)]
    return validate_tolerations(new, "spec.tolerations")


def _validate_gates(new: PodSpec, old: PodSpec) -> list[FieldError]:
    known = {gate.name for gate in old.scheduling_gates}
    return [
        forbidden_field(
            f"spec.schedulingGates[{index}].name",
            f"only deletion is allowed, but found new scheduling gate '{gate.name}'",
        )
        for index, gate in enumerate(new.scheduling_gates)
        if gate.name not in known
    ]


def _validate_steering(new: PodSpec, old: PodSpec) -> list[FieldError]:
    """A gated pod may still be sent to fewer nodes than before, never to others."""
    errors: list[FieldError] = []
    if any(new.node_selector.get(key) != value for key, value in old.node_selector.items()):
        detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        errors.append(invalid("spec.nodeSelector", new.node_selector or None, detail))
    before, after = _required_terms(old.affinity), _required_terms(new.affinity)
    path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    if not before or before == after:
        return errors
    if len(before) != len(after):
        detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [*errors, invalid(path, shown_terms(after), detail)]
    for index, (mine, theirs) in enumerate(zip(after, before, strict=True)):
        if not _only_adds(mine, theirs):
            detail = "only additions are allowed (no mutations or deletions)"
            errors.append(invalid(f"{path}[{index}]", shown_term(mine), detail))
    return errors


def _node_affinity(affinity: Affinity | None) -> NodeAffinity | None:
    return affinity.node_affinity if affinity is not None else None


def _required_terms(affinity: Affinity | None) -> list[NodeSelectorTerm]:
    nodes = _node_affinity(affinity)
    needed = nodes.required_during_scheduling_ignored_during_execution if nodes is not None else None
    return needed.node_selector_terms if needed is not None else []


def _only_adds(new: NodeSelectorTerm, old: NodeSelectorTerm) -> bool:
    before, after = (old.match_expressions, old.match_fields), (new.match_expressions, new.match_fields)
    if before == ([], []):
        # A term without requirements matches nothing, and so would be widened.
        return after == ([], [])
    return all(mine[: len(theirs)] == theirs for mine, theirs in zip(after, before, strict=True))


def _with_allowed_changes(old: PodSpec, new: PodSpec) -> PodSpec:
    """The old spec with what may change as it is in the new one."""
    spec = copy(old)
    before, after = [*spec.containers, *spec.init_containers], [*new.containers, *new.init_containers]
    for mine, theirs in zip(before, after, strict=True):
        mine.image = theirs.image
    spec.active_deadline_seconds = new.active_deadline_seconds
    spec.tolerations = new.tolerations
    spec.scheduling_gates = new.scheduling_gates
    if old.scheduling_gates:
        spec.node_selector = new.node_selector
        nodes = _node_affinity(new.affinity)
        if spec.affinity is not None:
            spec.affinity.node_affinity = nodes
        elif nodes is not None:
            spec.affinity = Affinity(node_affinity=nodes)
        if spec.affinity == Affinity() and new.affinity is None:
            spec.affinity = None
    if (spec.termination_grace_period_seconds or 0) < 0 and new.termination_grace_period_seconds == 1:
        spec.termination_grace_period_seconds = 1
    return spec
