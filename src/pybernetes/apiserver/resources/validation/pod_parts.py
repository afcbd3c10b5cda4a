"""Rules for the parts of a running pod that have sub-resources of their own: ephemeral containers and resources."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, forbidden_field, invalid
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Container, Pod, ResourceRequirements
from pybernetes.apiserver.resources.quality_of_service import qos_class
from pybernetes.apiserver.resources.validation.pod import validate_annotations_update, validate_whole_spec
from pybernetes.apiserver.resources.validation.pod_annotations import MIRROR

_RESIZABLE = ("cpu", "memory")
_ONLY_RESIZABLE = "only cpu and memory resources are mutable"


def validate_ephemeral_containers(new: Pod, old: Pod) -> list[FieldError]:
    """What debugs a pod stays in it as it was."""
    if MIRROR in old.metadata.annotations:
        return [forbidden_field("[]", "static pods do not support ephemeral containers")]
    errors = validate_whole_spec(new) if new.spec != old.spec else []
    errors += validate_annotations_update(new, old)
    kept = {container.name: container for container in new.spec.ephemeral_containers}
    for container in old.spec.ephemeral_containers:
        what = "removed" if container.name not in kept else "changed"
        if kept.get(container.name) != container:
            detail = f'existing ephemeral containers "{container.name}" may not be {what}\n'
            errors.append(forbidden_field("spec.ephemeralContainers", detail))
    return errors


def validate_resize(new: Pod, old: Pod) -> list[FieldError]:
    """CPU and memory may change, as long as the pod's class does not."""
    if MIRROR in old.metadata.annotations:
        return [forbidden_field("[]", "static pods cannot be resized")]
    if old.spec.os is not None and old.spec.os.name == "windows":
        return [forbidden_field("[]", "windows pods cannot be resized")]
    errors = validate_whole_spec(new) if new.spec != old.spec else []
    before = old.status.qos_class or qos_class(old.spec)
    if qos_class(new.spec) != before:
        errors.append(invalid("spec", before, "Pod QOS Class may not change as a result of resizing"))
    if not _can_resize(old):
        errors.append(forbidden_field("spec", "Pod running on node without support for resize"))
    if disorder := _validate_order(new, old):
        return errors + disorder
    return errors + _validate_amounts(new, old)


def _can_resize(pod: Pod) -> bool:
    """Whether the node tells of its containers' resources, as those do that can change them."""
    running = (report for report in pod.status.container_statuses if report.state.running is not None)
    first = next(running, None)
    return first is None or first.resources is not None


def _validate_order(new: Pod, old: Pod) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, after, before in (
        ("containers", new.spec.containers, old.spec.containers),
        ("initContainers", new.spec.init_containers, old.spec.init_containers),
    ):
        if len(after) != len(before):
            errors.append(forbidden_field(f"spec.{name}", f"{name} may not be added or removed on resize"))
            continue
        for index, (mine, theirs) in enumerate(zip(after, before, strict=True)):
            if mine.name != theirs.name:
                detail = f"{name} may not be renamed or reordered on resize"
                errors.append(forbidden_field(f"spec.{name}[{index}].name", detail))
    return errors


def _validate_amounts(new: Pod, old: Pod) -> list[FieldError]:
    errors: list[FieldError] = []
    pairs = list(zip(new.spec.init_containers, old.spec.init_containers, strict=True))
    for index, (after, before) in enumerate(pairs):
        if before.restart_policy == "Always":
            errors += _removed(after.resources, before.resources, f"spec.initContainers[{index}].resources")
    for index, (after, before) in enumerate(zip(new.spec.containers, old.spec.containers, strict=True)):
        errors += _removed(after.resources, before.resources, f"spec.containers[{index}].resources")
    for after, before in zip(new.spec.containers, old.spec.containers, strict=True):
        if _without_resizable(after, before) != before:
            errors.append(forbidden_field("spec", _ONLY_RESIZABLE))
    for after, before in pairs:
        if after.restart_policy == "Always":
            if _without_resizable(after, before) != before:
                detail = "only cpu and memory resources for sidecar containers are mutable"
                errors.append(forbidden_field("spec", detail))
        elif after != before:
            errors.append(forbidden_field("spec", "resources for non-sidecar init containers are immutable"))
    return errors


def _removed(new: ResourceRequirements, old: ResourceRequirements, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, after, before in (("requests", new.requests, old.requests), ("limits", new.limits, old.limits)):
        if not before.keys() <= after.keys():
            errors.append(forbidden_field(f"{path}.{name}", f"resource {name} cannot be removed"))
    return errors


def _without_resizable(new: Container, old: Container) -> Container:
    """`new` with the old amounts of what may be resized."""
    container = copy(new)
    container.resources.limits = _kept(new.resources.limits, old.resources.limits)
    container.resources.requests = _kept(new.resources.requests, old.resources.requests)
    return container


def _kept(new: Mapping[str, Quantity], old: Mapping[str, Quantity]) -> dict[str, Quantity]:
    if not old:
        return {}
    others = {name: amount for name, amount in new.items() if name not in _RESIZABLE}
    return {**others, **{name: old[name] for name in _RESIZABLE if name in old}}
