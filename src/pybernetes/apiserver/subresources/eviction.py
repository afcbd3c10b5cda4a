"""The eviction sub-resource: a deletion that PodDisruptionBudgets may refuse for now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pybernetes.api import status
from pybernetes.api.kinds import kind_of
from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.time import format as format_time
from pybernetes.api.types import core_v1
from pybernetes.api.types.meta_v1 import Condition, DeleteOptions, Status, StatusCause, StatusDetails
from pybernetes.api.types.policy_v1 import Eviction, PodDisruptionBudget
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import read_object, write_options
from pybernetes.apiserver.commands import answer_object, intent_of
from pybernetes.apiserver.deletion import Deletion
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.request import ITSELF, Authenticated
from pybernetes.apiserver.writer import Aspect, Intent, Writer

_PODS = kind_of(core_v1.Pod)
_DISRUPTED = "DisruptionTarget"
_BUDGETS = kind_of(PodDisruptionBudget)


class EvictionSubresource:
    """create of `pods/<name>/eviction`."""

    def __init__(self, writer: Writer, deletion: Deletion) -> None:
        self._writer = writer
        self._deletion = deletion

    async def create(self, asked: Authenticated) -> Response:
        """201 with a Status; 429 while a budget does not allow the disruption."""
        options = write_options(asked.request)
        # The old version of the kind says the same, and old clients still speak it.
        request = replace(asked.request, body=asked.request.body.replace(b'"policy/v1beta1"', b'"policy/v1"'))
        eviction = read_object(request, Eviction, options.validation, lambda _text: None)
        if eviction.metadata.name and eviction.metadata.name != asked.info.name:
            raise status.bad_request("name in URL does not match name in Eviction object")
        delete = eviction.delete_options or DeleteOptions()
        dry_run = options.dry_run or bool(delete.dry_run)
        intent = replace(intent_of(asked, options), kind=_PODS, dry_run=dry_run)
        pod = self._writer.registry.get(core_v1.Pod, intent.name, intent.namespace)
        if pod is None:
            raise status.not_found(_PODS, intent.name)
        if not _is_free_to_go(pod):
            await self._spend_budget(intent, pod)
        await self._writer.check_delete(intent, pod)
        await self._tell_why(intent)
        await self._deletion.delete(intent, delete, admitted=True)
        return answer_object(asked.request, Status(status="Success", code=201), intent.warnings, 201)

    async def _tell_why(self, intent: Intent) -> None:
        """Writes into the pod why it goes, for whoever watches it end."""
        now = format_time(self._writer.clock.now())

        def make(entry: Entry) -> ApiObject:
            pod = entry.private()
            assert isinstance(pod, core_v1.Pod)
            disrupt(pod, now)
            return pod

        # Who may evict has been decided; this write is the server's own.
        marking = replace(intent, user=ITSELF, subresource="status", tracker=None)
        await self._writer.modify(marking, make, Aspect(lambda _new, _old: None, lambda _new, _old: []))

    async def _spend_budget(self, intent: Intent, pod: core_v1.Pod) -> None:
        budgets = list(matching_budgets(pod, self._writer.registry.list(PodDisruptionBudget, intent.namespace)))
        if len(budgets) > 1:
            message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise status.failure(500, "", message)
        if not budgets:
            return
        name = budgets[0].metadata.name or ""
        tracker = Updates(_BUDGETS, "kube-apiserver", "status")
        spend = Intent(_BUDGETS, intent.user, intent.namespace, name, "status", intent.dry_run, tracker=tracker)
        now = format_time(self._writer.clock.now())

        def make(entry: Entry) -> ApiObject:
            budget = entry.private()
            assert isinstance(budget, PodDisruptionBudget)
            spend_disruption(budget, pod, now)
            return budget

        await self._writer.modify(spend, make, Aspect(lambda _new, _old: None, lambda _new, _old: []))


def _is_free_to_go(pod: core_v1.Pod) -> bool:
    """A pod that does not run, or goes already, counts for no budget."""
    return pod.status.phase in ("Succeeded", "Failed", "Pending") or pod.metadata.deletion_timestamp is not None


def disrupt(pod: core_v1.Pod, now: str) -> None:
    """Gives a pod the condition that it is being evicted, in place. Pure."""
    pod.status.conditions = [
        *(condition for condition in pod.status.conditions if condition.type != _DISRUPTED),
        core_v1.PodCondition(
            type=_DISRUPTED,
            status="True",
            reason="EvictionByEvictionAPI",
            message="Eviction API: evicting",
            last_transition_time=now,
        ),
    ]


def matching_budgets(pod: core_v1.Pod, budgets: Iterable[PodDisruptionBudget]) -> Iterable[PodDisruptionBudget]:
    """The budgets whose selector takes the pod in. Pure."""
    for budget in budgets:
        selector = budget.spec.selector
        if selector is not None and from_label_selector(selector).matches(pod.metadata.labels):
            yield budget


def spend_disruption(budget: PodDisruptionBudget, pod: core_v1.Pod, now: str) -> None:
    """Takes one allowed disruption for a pod, in place; 429 when there is none left. Pure."""
    name = budget.metadata.name or ""
    if (budget.status.observed_generation or 0) < (budget.metadata.generation or 0):
        raise _too_many(name, f"The disruption budget {name} is still being processed by the server.", 10)
    allowed = budget.status.disruptions_allowed or 0
    if allowed < 1:
        needs = f"needs {budget.status.desired_healthy} healthy pods and has {budget.status.current_healthy} currently"
        raise _too_many(name, f"The disruption budget {name} {needs}", 0)
    budget.status.disruptions_allowed = allowed - 1
    if allowed == 1:
        _nothing_left(budget, now)
    budget.status.disrupted_pods = {**copy(budget.status.disrupted_pods), pod.metadata.name or "": now}


def _nothing_left(budget: PodDisruptionBudget, now: str) -> None:
    allowed = Condition(
        type="DisruptionAllowed",
        status="False",
        reason="InsufficientPods",
        observed_generation=budget.metadata.generation,
        last_transition_time=now,
    )
    before = next((item for item in budget.status.conditions if item.type == allowed.type), None)
    if before is not None and before.status == allowed.status:
        allowed.last_transition_time = before.last_transition_time
    others = [item for item in budget.status.conditions if item.type != allowed.type]
    budget.status.conditions = [*others, allowed]


def _too_many(_name: str, why: str, seconds: int) -> status.StatusError:
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    cause = StatusCause(reason="DisruptionBudget", message=why)
    details = StatusDetails(causes=[cause], retry_after_seconds=seconds or None)
    error = status.failure(429, "TooManyRequests", message, details)
    if seconds:
        error.headers["retry-after"] = str(seconds)
    return error
