"""RuntimeClass: a pod takes over the overhead and the scheduling constraints of its runtime class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybernetes.api.quantity import compare
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Pod, Toleration
from pybernetes.api.types.node_v1 import RuntimeClass, Scheduling
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write, refusal
from pybernetes.apiserver.reader import Reader

_OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


class RuntimeClassAdmission(Bystander):
    """Fills in and checks new pods."""

    name = "RuntimeClass"
    repeats = True
    resources = frozenset({"pods"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, "", "pods", ("CREATE",))

    def _class_of(self, request: AdmissionRequest, pod: Pod) -> RuntimeClass | None:
        name = pod.spec.runtime_class_name
        if not name:
            return None
        found = self._reader.get(RuntimeClass, name)
        if found is None:
            raise refusal(request, f'pod rejected: RuntimeClass "{name}" not found')
        return found

    async def admit(self, request: AdmissionRequest) -> None:
        pod = request.object
        if not isinstance(pod, Pod):
            return
        runtime = self._class_of(request, pod)
        if runtime is None:
            return
        if runtime.overhead is not None:
            if pod.spec.overhead and not _equal(pod.spec.overhead, runtime.overhead.pod_fixed):
                raise refusal(request, _OTHER_OVERHEAD)
            pod.spec.overhead = dict(runtime.overhead.pod_fixed)
        if runtime.scheduling is not None:
            _constrain(request, pod, runtime.scheduling)

    async def validate(self, request: AdmissionRequest) -> None:
        pod = request.object
        if not isinstance(pod, Pod) or not pod.spec.overhead:
            return
        runtime = self._class_of(request, pod)
        if runtime is None or runtime.overhead is None:
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise refusal(request, why)
        if not _equal(pod.spec.overhead, runtime.overhead.pod_fixed):
            raise refusal(request, _OTHER_OVERHEAD)


def _equal(left: Mapping[str, Quantity], right: Mapping[str, Quantity]) -> bool:
    return left.keys() == right.keys() and all(compare(left[key], right[key]) == 0 for key in left)


def _constrain(request: AdmissionRequest, pod: Pod, scheduling: Scheduling) -> None:
    selector = dict(pod.spec.node_selector)
    for key, value in scheduling.node_selector.items():
        own = selector.setdefault(key, value)
        if own != value:
            theirs = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}"
            raise refusal(request, f"conflict: {theirs}; pod.spec.nodeSelector[{key}] = {own}")
    pod.spec.node_selector = selector
    pod.spec.tolerations = merged(pod.spec.tolerations + scheduling.tolerations)


def merged(tolerations: Sequence[Toleration]) -> list[Toleration]:
    """The tolerations without those that another one includes; of equal ones the first stays. Pure."""
    kept: list[Toleration] = []
    for place, each in enumerate(tolerations):
        later = (other for other in tolerations[place + 1 :] if other != each)
        if not any(_includes(other, each) for other in (*kept, *later)):
            kept.append(each)
    return kept


def _includes(wide: Toleration, narrow: Toleration) -> bool:
    if wide == narrow:
        return True
    if wide.key != narrow.key and (wide.key or wide.operator != "Exists"):
        return False
    if wide.effect and wide.effect != narrow.effect:
        return False
    longest = wide.toleration_seconds if wide.effect == "NoExecute" else None
    if longest is not None and (narrow.toleration_seconds is None or narrow.toleration_seconds > longest):
        return False
    return wide.operator == "Exists" or (narrow.operator == "Equal" and narrow.value == wide.value)
