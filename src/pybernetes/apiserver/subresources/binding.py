"""The binding sub-resource: how the scheduler says on which node a pod shall run."""

from __future__ import annotations

from dataclasses import replace

from pybernetes.api import status
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.time import format as format_time
from pybernetes.api.types import core_v1
from pybernetes.api.types.meta_v1 import Status
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import place_in_namespace, read_object, write_options
from pybernetes.apiserver.commands import answer_object, intent_of
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.intents import Aspect
from pybernetes.apiserver.request import Authenticated
from pybernetes.apiserver.resources.pod_conditions import update_condition
from pybernetes.apiserver.writer import Writer

_PODS = kind_of(core_v1.Pod)
_BINDINGS = kind_of(core_v1.Binding)
_POD_BINDINGS = replace(_BINDINGS, resource="pods/binding")


class BindingSubresource:
    """create of `pods/<name>/binding` and of `bindings`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def create(self, asked: Authenticated) -> Response:
        """201 with a Status; 409 when the pod is bound already or being deleted."""
        options = write_options(asked.request)
        intent = replace(intent_of(asked, options), part=_BINDINGS, tracker=None)
        binding = read_object(asked.request, core_v1.Binding, options.validation, intent.warnings.append)
        place_in_namespace(binding, asked.info.namespace)
        validate = await self._writer.admit_answer(intent, binding)
        name = asked.info.name or binding.metadata.name or ""
        if binding.metadata.name != name:
            raise status.bad_request("name in URL does not match name in Binding object")
        if problems := problems_of(binding):
            # As upstream, which makes no 422 of them.
            raise status.failure(500, "", status.aggregate([str(problem) for problem in problems]))
        await validate()
        now = format_time(self._writer.clock.now())

        def make(entry: Entry) -> ApiObject:
            pod = entry.private()
            assert isinstance(pod, core_v1.Pod)
            _check_meant(binding, entry)
            bind(pod, binding, now)
            return pod

        # The pod's change is no request of its own.
        whole = replace(intent, kind=_PODS, name=name, is_admitted=True)
        await self._writer.modify(whole, make, Aspect(lambda _new, _old: None, lambda _new, _old: []))
        return answer_object(asked.request, Status(status="Success", code=201), intent.warnings, 201)


def _check_meant(binding: core_v1.Binding, entry: Entry) -> None:
    """409 for another pod than the one, or than it was, that the binding names."""
    wanted, found = binding.metadata, entry.object.metadata
    for what, mine, its in (
        ("UID", wanted.uid, found.uid),
        ("ResourceVersion", wanted.resource_version, str(entry.revision)),
    ):
        if mine and mine != its:
            why = f"Precondition failed: {what} in precondition: {mine}, {what} in object meta: {its}"
            raise status.conflict(_PODS, found.name or "", why)


def problems_of(binding: core_v1.Binding) -> list[status.FieldError]:
    """What keeps a binding from naming a node. Pure."""
    target, problems = binding.target, []
    if target.kind not in (None, "", "Node"):
        problems.append(status.not_supported("target.kind", target.kind, ["Node", "<empty>"]))
    if not target.name:
        problems.append(status.required("target.name"))
    return problems


def bind(pod: core_v1.Pod, binding: core_v1.Binding, now: str) -> None:
    """Gives a pod its node, in place. Pure."""
    name = pod.metadata.name or ""
    if pod.metadata.deletion_timestamp is not None:
        why = f"pod {name} is being deleted, cannot be assigned to a host"
        raise status.conflict(_POD_BINDINGS, name, why)
    if pod.spec.node_name:
        why = f'pod {name} is already assigned to node "{pod.spec.node_name}"'
        raise status.conflict(_POD_BINDINGS, name, why)
    if pod.spec.scheduling_gates:
        raise status.conflict(_POD_BINDINGS, name, f"pod {name} has non-empty .spec.schedulingGates")
    pod.spec.node_name = binding.target.name
    # Where it might have gone means nothing any more.
    pod.status.nominated_node_name = None
    pod.metadata.annotations.update(binding.metadata.annotations)
    pod.metadata.labels.update(binding.metadata.labels)
    bound = core_v1.PodCondition(type="PodScheduled", status="True", last_transition_time=now)
    update_condition(pod.status, bound)
