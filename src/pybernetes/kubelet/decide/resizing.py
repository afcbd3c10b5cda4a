"""In-place resize: what of a running container's resources differs from its spec, and whether it has to restart. Pure.

What was applied is kept as a stamp, in an annotation of the container that is made and by its worker afterwards.
"""

from __future__ import annotations

import json

from pybernetes.api.quantity import milli
from pybernetes.api.types.core_v1 import Container, ResourceRequirements
from pybernetes.kubelet.decide.observed import AnyContainer, Observed
from pybernetes.kubelet.runtime import ContainerRecord

STAMP_ANNOTATION = "pybernetes.io/container-resources"
_RESIZABLE = ("cpu", "memory")


def stamp_of(resources: ResourceRequirements) -> str:
    """CPU and memory as text: thousandths of request and limit, null where there is none."""
    kinds = (resources.requests, resources.limits)
    amounts = {name: [milli(kind[name]) if name in kind else None for kind in kinds] for name in _RESIZABLE}
    return json.dumps(amounts)


def outdated(observed: Observed, container: AnyContainer, record: ContainerRecord) -> list[str]:
    """The resources of a running container that are not yet what the spec says."""
    stamp = observed.resized.get(record.id) or record.annotations.get(STAMP_ANNOTATION, "")
    wanted = stamp_of(container.resources)
    if not stamp or stamp == wanted:
        return []
    was, is_ = json.loads(stamp), json.loads(wanted)
    return [name for name in _RESIZABLE if was.get(name) != is_[name]]


def needs_restart(container: Container, resources: list[str]) -> bool:
    """Whether the container asks to be restarted for a change of one of these."""
    return any(
        rule.resource_name in resources and rule.restart_policy == "RestartContainer"
        for rule in container.resize_policy
    )
