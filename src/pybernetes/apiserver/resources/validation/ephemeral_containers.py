"""Rules for the containers that are put into a running pod to debug it, by a sub-resource of their own."""

from __future__ import annotations

from pybernetes.api.status import FieldError, forbidden_field
from pybernetes.api.types.core_v1 import Pod
from pybernetes.apiserver.resources.validation.pod import validate_annotations_update, validate_whole_spec
from pybernetes.apiserver.resources.validation.pod_annotations import MIRROR


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
