"""Rules for the sub-resource that changes what a running pod may use: its cpu and memory, and its containers'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, forbidden_field, invalid
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Container, Pod, PodSpec, ResourceRequirements
from pybernetes.apiserver.resources.quality_of_service import qos_class
from pybernetes.apiserver.resources.validation.pod import validate_whole_spec
from pybernetes.apiserver.resources.validation.pod_annotations import MIRROR

_RESIZABLE = ("cpu", "memory")
_ONLY_RESIZABLE = "only cpu and memory resources are mutable"
_NO_RESTART = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"


def validate_resize(new: Pod, old: Pod) -> list[FieldError]:
    """CPU and memory may change, as long as the pod's class does not; none that is there may be taken away."""
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
    errors += _validate_whole(new.spec, old.spec)
    if disorder := _validate_order(new.spec, old.spec):
        return errors + disorder
    errors += _validate_removals(new.spec, old.spec)
    return [*errors, *_validate_containers(new.spec, old.spec)]


def _can_resize(pod: Pod) -> bool:
    """Whether the node tells of its containers' resources, as those do that can change them."""
    running = (report for report in pod.status.container_statuses if report.state.running is not None)
    first = next(running, None)
    return first is None or first.resources is not None


def _validate_whole(new: PodSpec, old: PodSpec) -> Iterator[FieldError]:
    """What the pod asks for as a whole."""
    after, before, path = new.resources, old.resources, "spec.resources"
    if after is None:
        if before is not None:
            yield forbidden_field(path, "pod-level resources cannot be removed")
        return
    yield from _removed(after, before or ResourceRequirements(), path, "pod-level resource")
    if _without_resizable(after, before or ResourceRequirements()) != (before or ResourceRequirements()):
        yield forbidden_field("spec", f"{_ONLY_RESIZABLE} at pod-level")


def _validate_order(new: PodSpec, old: PodSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, after, before in (
        ("containers", new.containers, old.containers),
        ("initContainers", new.init_containers, old.init_containers),
    ):
        if len(after) != len(before):
            errors.append(forbidden_field(f"spec.{name}", f"{name} may not be added or removed on resize"))
            continue
        for index, (mine, theirs) in enumerate(zip(after, before, strict=True)):
            if mine.name != theirs.name:
                detail = f"{name} may not be renamed or reordered on resize"
                errors.append(forbidden_field(f"spec.{name}[{index}].name", detail))
    return errors


def _validate_removals(new: PodSpec, old: PodSpec) -> Iterator[FieldError]:
    for name, containers, others in (
        ("initContainers", new.init_containers, old.init_containers),
        ("containers", new.containers, old.containers),
    ):
        for index, (after, before) in enumerate(zip(containers, others, strict=True)):
            yield from _removed(after.resources, before.resources, f"spec.{name}[{index}].resources", "resource")


def _validate_containers(new: PodSpec, old: PodSpec) -> Iterator[FieldError]:
    for after, before in zip(new.containers, old.containers, strict=True):
        if not _only_resized(after, before):
            yield forbidden_field("spec", _ONLY_RESIZABLE)
    for index, (after, before) in enumerate(zip(new.init_containers, old.init_containers, strict=True)):
        path = f"spec.initContainers[{index}]"
        if not _only_resized(after, before):
            yield forbidden_field(path, "only cpu and memory resources for init or sidecar containers are mutable")
        restarts = any(policy.restart_policy == "RestartContainer" for policy in after.resize_policy)
        if after != before and after.restart_policy != "Always" and restarts:
            yield forbidden_field(path, _NO_RESTART)


def _removed(new: ResourceRequirements, old: ResourceRequirements, path: str, what: str) -> Iterator[FieldError]:
    for name, after, before in (("requests", new.requests, old.requests), ("limits", new.limits, old.limits)):
        if not before.keys() <= after.keys():
            yield forbidden_field(f"{path}.{name}", f"{what} {name} cannot be removed")


def _only_resized(new: Container, old: Container) -> bool:
    container = copy(new)
    container.resources = _without_resizable(new.resources, old.resources)
    return container == old


def _without_resizable(new: ResourceRequirements, old: ResourceRequirements) -> ResourceRequirements:
    """`new` with the old amounts of what may be resized."""
    limits, requests = _kept(new.limits, old.limits), _kept(new.requests, old.requests)
    return ResourceRequirements(limits=limits, requests=requests, claims=new.claims)


def _kept(new: Mapping[str, Quantity], old: Mapping[str, Quantity]) -> dict[str, Quantity]:
    others = {name: amount for name, amount in new.items() if name not in _RESIZABLE}
    return {**others, **{name: old[name] for name in _RESIZABLE if name in old}}
