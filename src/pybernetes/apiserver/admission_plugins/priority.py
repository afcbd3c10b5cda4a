"""Priority: turns a pod's priorityClassName into numbers, and keeps the global default unique."""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write, refusal
from pybernetes.apiserver.reader import Reader

_PREEMPTS = "PreemptLowerPriority"


class Priority(Bystander):
    """Fills in pods; checks PriorityClasses."""

    name = "Priority"
    repeats = True
    resources = frozenset({"pods", "priorityclasses.scheduling.k8s.io"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        both = ("CREATE", "UPDATE")
        return is_write(request, "", "pods", both) or is_write(request, "scheduling.k8s.io", "priorityclasses", both)

    async def admit(self, request: AdmissionRequest) -> None:
        pod, old = request.object, request.old_object
        if not isinstance(pod, Pod):
            return
        if isinstance(old, Pod):
            # What was computed once stays, also for clients that send the pod back without it.
            if pod.spec.priority is None:
                pod.spec.priority = old.spec.priority
            if pod.spec.preemption_policy is None:
                pod.spec.preemption_policy = old.spec.preemption_policy
            return
        self._fill(request, pod)

    def _fill(self, request: AdmissionRequest, pod: Pod) -> None:
        spec = pod.spec
        found = self._class_of(request, spec.priority_class_name)
        value = (found.value or 0) if found else 0
        policy = (found.preemption_policy if found else None) or _PREEMPTS
        end = "from the given PriorityClass name"
        must_not = "must not be provided in pod spec; priority admission controller computed"
        if spec.priority is not None and spec.priority != value:
            raise refusal(request, f"the integer value of priority ({spec.priority}) {must_not} {value} {end}")
        if spec.preemption_policy and spec.preemption_policy != policy:
            given = spec.preemption_policy
            raise refusal(request, f"the string value of PreemptionPolicy ({given}) {must_not} {policy} {end}")
        if found is not None:
            spec.priority_class_name = found.metadata.name
        spec.priority, spec.preemption_policy = value, policy

    def _class_of(self, request: AdmissionRequest, name: str | None) -> PriorityClass | None:
        if not name:
            return _global_default(self._reader.list(PriorityClass))
        found = self._reader.get(PriorityClass, name)
        if found is None:
            raise refusal(request, f"no PriorityClass with name {name} was found")
        return found

    async def validate(self, request: AdmissionRequest) -> None:
        wanted = request.object
        if not isinstance(wanted, PriorityClass) or not wanted.global_default:
            return
        default = _global_default(self._reader.list(PriorityClass))
        is_itself = request.operation == "UPDATE" and default is not None and default.metadata.name == request.name
        if default is not None and not is_itself:
            name = default.metadata.name
            raise refusal(request, f"PriorityClass {name} is already marked as default. Only one default can exist")


def _global_default(classes: Iterable[PriorityClass]) -> PriorityClass | None:
    """Should there be several after all, the lowest."""
    defaults = [item for item in classes if item.global_default]
    return min(defaults, key=lambda item: item.value or 0, default=None)
