"""PodResizeValidator: a pod is not resized to more than its node could ever give, nor where nodes cannot resize.

Writes of `pods/resize` come in; those that change a pod on a node are compared with what is allocatable there.
"""

from __future__ import annotations

from pybernetes.api.pod_amounts import pod_requests
from pybernetes.api.quantity import milli, value
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.api.types.meta_v1 import StatusCause
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write, refusal
from pybernetes.apiserver.reader import Reader

_SYSTEM = "kubernetes.io/os"


class PodResizeValidator(Bystander):
    """Refuses resizes that a node can never carry out."""

    name = "PodResizeValidator"
    repeats = True
    resources = frozenset({"pods"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "", "pods", ("UPDATE",), "resize")

    async def validate(self, request: AdmissionRequest) -> None:
        pod, old = request.object, request.old_object
        if not isinstance(pod, Pod) or not isinstance(old, Pod) or not pod.spec.node_name:
            return
        if pod.metadata.generation == old.metadata.generation:
            return
        node = self._reader.get(Node, pod.spec.node_name)
        if node is None:
            raise refusal(request, f'node "{pod.spec.node_name}" not found')
        if lacking := lacks(pod, node):
            why = f"Node didn't have enough allocatable resources: {'; '.join(lacking)}"
            raise _with_cause(refusal(request, why), "NodeCapacity")
        # Who does not say so is taken for one, as by v1.36.
        system = node.metadata.labels.get(_SYSTEM, "linux")
        if system != "linux":
            why = f'pod resize is only supported on linux nodes, node "{node.metadata.name}" is "{system}"'
            raise _with_cause(refusal(request, why), "UnsupportedPlatform")


def lacks(pod: Pod, node: Node) -> list[str]:
    """What of cpu (in thousandths) and memory (in bytes) a pod asks for beyond what its node gives at all. Pure."""
    asked = pod_requests(pod)
    found = []
    for name, unit in (("cpu", milli), ("memory", value)):
        wanted, there = unit(asked.get(name, "0")), unit(node.status.allocatable.get(name, "0"))
        if wanted > there:
            found.append(f"{name}, requested: {wanted}, allocatable: {there}")
    return found


def _with_cause(error: StatusError, reason: str) -> StatusError:
    assert error.status.details is not None
    error.status.details.causes = [*error.status.details.causes, StatusCause(reason=reason)]
    return error
