"""The sub-resources that write one part of their parent: which part the client gives, and which is kept. Pure."""

from __future__ import annotations

from typing import cast

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import FieldError, forbidden_field, invalid
from pybernetes.api.types import certificates_v1, core_v1
from pybernetes.apiserver.resources.quality_of_service import qos_class
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.apiserver.writer import Aspect


def aspect_of(kind: Kind, strategy: Strategy, subresource: str) -> Aspect:
    """How the part of an object that a path names is written; "" is the object without its status."""
    if subresource == "status":
        return Aspect(strategy.prepare_status, strategy.validate_status)
    if subresource == "approval":
        return Aspect(_approval, strategy.validate_status)
    return _PARTS.get((kind.type, subresource), Aspect(strategy.prepare_update, strategy.validate_update))


def _valid(_new: ApiObject, _old: ApiObject) -> list[FieldError]:
    return []


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


def _valid_ephemeral_containers(new: core_v1.Pod, old: core_v1.Pod) -> list[FieldError]:
    """What debugs a pod stays in it as it was."""
    kept = {container.name: container for container in new.spec.ephemeral_containers}
    path, errors = "spec.ephemeralContainers", []
    for container in old.spec.ephemeral_containers:
        what = "removed" if container.name not in kept else "changed"
        if kept.get(container.name) != container:
            detail = f'existing ephemeral containers "{container.name}" may not be {what}\n'
            errors.append(forbidden_field(path, detail))
    return errors


def _valid_resize(new: core_v1.Pod, old: core_v1.Pod) -> list[FieldError]:
    before = old.status.qos_class or qos_class(old.spec)
    if qos_class(new.spec) == before:
        return []
    return [invalid("spec", before, "Pod QOS Class may not change as a result of resizing")]


def _resize(new: core_v1.Pod, old: core_v1.Pod) -> None:
    resources = {container.name: container.resources for container in new.spec.containers}
    whole = copy(old)
    for container in whole.spec.containers:
        container.resources = resources.get(container.name, container.resources)
    if whole.spec != old.spec:
        whole.metadata.generation = (old.metadata.generation or 0) + 1
    _become(new, whole)


def _approval(new: certificates_v1.CertificateSigningRequest, old: certificates_v1.CertificateSigningRequest) -> None:
    # Metadata may change along with the conditions.
    new.spec = old.spec
    new.status.certificate = old.status.certificate


_PARTS = {
    (cast(type[ApiObject], core_v1.Namespace), "finalize"): Aspect(_finalize, _valid),
    (core_v1.Pod, "ephemeralcontainers"): Aspect(_ephemeral_containers, _valid_ephemeral_containers),
    (core_v1.Pod, "resize"): Aspect(_resize, _valid_resize),
}
