"""The sub-resources that write one part of their parent: which part the client gives, and which is kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.types import certificates_v1, core_v1
from pybernetes.apiserver.intents import Aspect
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.resources.validation import (
        certificate_requests,
        ephemeral_containers,
        namespaces,
        pod_resize,
    )


def aspect_of(kind: Kind, strategy: Strategy, subresource: str) -> Aspect:
    """How the part of an object that a path names is written; "" is the object without its status."""
    if subresource == "status":
        return Aspect(strategy.prepare_status, strategy.validate_status)
    if subresource == "approval":
        return Aspect(_approval, certificate_requests.validate_approval)
    part = _PARTS.get((kind.type, subresource))
    return part() if part is not None else Aspect(strategy.prepare_update, strategy.validate_update)


def _become(new: ApiObject, whole: ApiObject) -> None:
    """Makes `new` what `whole` is, in place, since the pipeline holds on to `new`."""
    for name in whole.__struct_fields__:
        setattr(new, name, getattr(whole, name))


def _finalize(new: core_v1.Namespace, old: core_v1.Namespace) -> None:
    new.status = old.status


def _ephemeral_containers(new: core_v1.Pod, old: core_v1.Pod) -> None:
    containers = new.spec.ephemeral_containers
    whole = copy(old)
    whole.spec.ephemeral_containers = containers
    if containers != old.spec.ephemeral_containers:
        whole.metadata.generation = (old.metadata.generation or 0) + 1
    _become(new, whole)


def _resize(new: core_v1.Pod, old: core_v1.Pod) -> None:
    """Resources and how they may change are the client's; containers that are not the pod's are left to validation."""
    given = new.spec
    whole = copy(old)
    whole.spec.containers = _resized(given.containers, whole.spec.containers)
    whole.spec.init_containers = _resized(given.init_containers, whole.spec.init_containers)
    whole.spec.resources = given.resources
    if whole.spec != old.spec:
        whole.metadata.generation = (old.metadata.generation or 0) + 1
    _become(new, whole)


def _resized(given: list[core_v1.Container], kept: list[core_v1.Container]) -> list[core_v1.Container]:
    """The pod's own containers with the resources that are given; what is given where those are not its containers."""
    if [container.name for container in given] != [container.name for container in kept]:
        return given
    for mine, theirs in zip(given, kept, strict=True):
        theirs.resources = mine.resources
        theirs.resize_policy = mine.resize_policy
    return kept


def _approval(new: certificates_v1.CertificateSigningRequest, old: certificates_v1.CertificateSigningRequest) -> None:
    # Metadata may change along with the conditions.
    new.spec = old.spec
    new.status.certificate = old.status.certificate


_PARTS: Mapping[tuple[type, str], Callable[[], Aspect]] = {
    (core_v1.Namespace, "finalize"): lambda: Aspect(_finalize, namespaces.validate_namespace_finalizers),
    (core_v1.Pod, "ephemeralcontainers"): lambda: Aspect(
        _ephemeral_containers, ephemeral_containers.validate_ephemeral_containers
    ),
    (core_v1.Pod, "resize"): lambda: Aspect(_resize, pod_resize.validate_resize),
}
