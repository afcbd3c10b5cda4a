"""The eviction sub-resource: a deletion that PodDisruptionBudgets may refuse for now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from pybernetes.api import status
from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.time import format as format_time
from pybernetes.api.types import core_v1
from pybernetes.api.types.meta_v1 import Condition, DeleteOptions, Preconditions, Status, StatusCause, StatusDetails
from pybernetes.api.types.policy_v1 import Eviction, PodDisruptionBudget
from pybernetes.api.wire import Response
from pybernetes.apiserver.bodies import place_in_namespace, read_object, write_options
from pybernetes.apiserver.commands import answer_object, intent_of
from pybernetes.apiserver.deletion import Deletion, check_preconditions
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.intents import Aspect, Intent
from pybernetes.apiserver.request import ITSELF, Authenticated
from pybernetes.apiserver.resources.pod_conditions import update_condition
from pybernetes.apiserver.writer import Writer

_PODS = kind_of(core_v1.Pod)
_BUDGETS = kind_of(PodDisruptionBudget)
_EVICTIONS = Kind("policy", "v1", "evictions", Eviction)
# What upstream calls budgets in these refusals.
_REFUSED = replace(_BUDGETS, resource="poddisruptionbudget")
_DISRUPTED, _ALLOWED = "DisruptionTarget", "DisruptionAllowed"
_DISRUPTED_MAX = 2000
_ATTEMPTS_MAX = 20


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
        intent = replace(intent_of(asked, options), part=_EVICTIONS, tracker=None)
        eviction = read_object(request, Eviction, options.validation, intent.warnings.append)
        place_in_namespace(eviction, asked.info.namespace)
        validate = await self._writer.admit_answer(intent, eviction)
        if eviction.metadata.name != asked.info.name:
            raise status.bad_request("name in URL does not match name in Eviction object")
        delete = eviction.delete_options = eviction.delete_options or DeleteOptions()
        if options.dry_run and not delete.dry_run:
            delete.dry_run = ["All"]
        await validate()
        # The deletion is no request of its own.
        await self._evict(replace(intent, dry_run=bool(delete.dry_run), is_admitted=True), delete)
        return answer_object(asked.request, Status(status="Success", code=201), intent.warnings, 201)

    async def _evict(self, intent: Intent, delete: DeleteOptions) -> None:
        """Lets a pod go that disturbs nobody; spends a disruption of its budget for any other."""
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            entry = self._entry(intent)
            pod = _pod(entry)
            if not _is_free_to_go(pod):
                break
            # A pod that may begin to run meanwhile has to be looked at again.
            loose = pod.status.phase != "Pending" or pod.metadata.deletion_timestamp is not None
            try:
                return await self._delete(intent, delete if loose or _is_pinned(delete) else _pinned(delete, entry))
            except status.StatusError as error:
                if error.code != 409 or attempt == _ATTEMPTS_MAX or _is_pinned(delete):
                    raise
        budget = self._budget(intent, pod)
        if budget is None or not counts_for_nothing(pod, budget):
            if budget is not None:
                await self._spend_budget(intent, pod, budget.metadata.name or "")
            return await self._delete(intent, delete)
        try:
            await self._delete(intent, delete if _is_pinned(delete) else _pinned(delete, entry))
        except status.StatusError as error:
            if error.code == 409 and not _is_pinned(delete):
                raise _unprocessed(budget.metadata.name or "") from error
            raise

    def _entry(self, intent: Intent) -> Entry:
        entry = self._writer.registry.collection(_PODS).get(intent.namespace, intent.name)
        if entry is None:
            raise status.not_found(_PODS, intent.name)
        return entry

    async def _delete(self, intent: Intent, delete: DeleteOptions) -> None:
        if not intent.dry_run:
            delete = await self._tell_why(intent, delete)
        await self._deletion.delete(intent, delete)

    async def _tell_why(self, intent: Intent, delete: DeleteOptions) -> DeleteOptions:
        """Writes into the pod why it goes, for whoever watches it end; what was pinned stays so after this write."""
        now = format_time(self._writer.clock.now())

        def make(entry: Entry) -> ApiObject:
            check_preconditions(_PODS, entry, delete)
            pod = entry.private()
            assert isinstance(pod, core_v1.Pod)
            disrupt(pod, now)
            return pod

        marking = replace(intent, user=ITSELF, subresource="status")
        marked = await self._writer.modify(marking, make, Aspect(lambda _new, _old: None, lambda _new, _old: []))
        return _pinned(delete, marked) if _is_pinned(delete) else delete

    def _budget(self, intent: Intent, pod: core_v1.Pod) -> PodDisruptionBudget | None:
        budgets = list(matching_budgets(pod, self._writer.registry.list(PodDisruptionBudget, intent.namespace)))
        if len(budgets) > 1:
            message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise status.failure(500, "", message)
        return budgets[0] if budgets else None

    async def _spend_budget(self, intent: Intent, pod: core_v1.Pod, name: str) -> None:
        # A request that the server sends to itself, and none at all for a trial.
        tracker = Updates(_BUDGETS, "kube-apiserver", "status")
        spend = Intent(
            kind=_BUDGETS,
            user=ITSELF,
            namespace=intent.namespace,
            name=name,
            subresource="status",
            dry_run=intent.dry_run,
            requested=_BUDGETS,
            is_admitted=intent.dry_run,
            tracker=tracker,
        )
        now = format_time(self._writer.clock.now())

        def make(entry: Entry) -> ApiObject:
            budget = entry.private()
            assert isinstance(budget, PodDisruptionBudget)
            spend_disruption(budget, pod, now)
            return budget

        await self._writer.modify(spend, make, Aspect(lambda _new, _old: None, lambda _new, _old: []))


def _pod(entry: Entry) -> core_v1.Pod:
    pod = entry.object
    assert isinstance(pod, core_v1.Pod)
    return pod


def _is_pinned(delete: DeleteOptions) -> bool:
    """Whether only the pod as it is at one revision may be deleted."""
    return delete.preconditions is not None and delete.preconditions.resource_version is not None


def _pinned(delete: DeleteOptions, entry: Entry) -> DeleteOptions:
    """The options for the pod as it is at an entry."""
    uid = delete.preconditions.uid if delete.preconditions is not None else None
    wanted = Preconditions(uid=uid, resource_version=str(entry.revision))
    return msgspec.structs.replace(delete, preconditions=wanted)


def _is_free_to_go(pod: core_v1.Pod) -> bool:
    """A pod that does not run, or goes already, counts for no budget."""
    return pod.status.phase in ("Succeeded", "Failed", "Pending") or pod.metadata.deletion_timestamp is not None


def counts_for_nothing(pod: core_v1.Pod, budget: PodDisruptionBudget) -> bool:
    """Whether a pod that is not ready may go without a disruption being spent, since nobody loses by it. Pure."""
    if any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions):
        return False
    if budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow":
        return True
    healthy, wanted = budget.status.current_healthy or 0, budget.status.desired_healthy or 0
    return healthy >= wanted > 0


def disrupt(pod: core_v1.Pod, now: str) -> None:
    """Gives a pod the condition that it is being evicted, in place. Pure."""
    fresh = core_v1.PodCondition(
        type=_DISRUPTED,
        status="True",
        reason="EvictionByEvictionAPI",
        message="Eviction API: evicting",
        last_transition_time=now,
    )
    update_condition(pod.status, fresh)


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
        raise _unprocessed(name)
    allowed = budget.status.disruptions_allowed or 0
    if allowed < 0:
        raise status.forbidden(_REFUSED, name, "pdb disruptions allowed is negative")
    if len(budget.status.disrupted_pods) > _DISRUPTED_MAX:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise status.forbidden(_REFUSED, name, why)
    if allowed == 0:
        raise _too_many(f"The disruption budget {name} {_why_none(budget)}", 0)
    budget.status.disruptions_allowed = allowed - 1
    if allowed == 1:
        _nothing_left(budget, now)
    budget.status.disrupted_pods = {**copy(budget.status.disrupted_pods), pod.metadata.name or "": now}


def _why_none(budget: PodDisruptionBudget) -> str:
    """Why a budget allows no disruption; its numbers mean nothing when they could not be worked out."""
    conditions = (item for item in budget.status.conditions if item.type == _ALLOWED)
    found = next((item for item in conditions if item.status == "False" and item.message), None)
    if found is not None and found.reason == "SyncFailed":
        return f"does not allow evicting pods currently because it failed sync: {found.message}"
    healthy, wanted = budget.status.current_healthy or 0, budget.status.desired_healthy or 0
    if healthy <= wanted:
        return f"needs {wanted} healthy pods and has {healthy} currently"
    why = f" ({found.reason}): {found.message}" if found is not None else ""
    return f"does not allow evicting pods currently{why}"


def _nothing_left(budget: PodDisruptionBudget, now: str) -> None:
    allowed = Condition(
        type=_ALLOWED,
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


def _unprocessed(name: str) -> status.StatusError:
    return _too_many(f"The disruption budget {name} is still being processed by the server.", 10)


def _too_many(why: str, seconds: int) -> status.StatusError:
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    cause = StatusCause(reason="DisruptionBudget", message=why)
    details = StatusDetails(causes=[cause], retry_after_seconds=seconds or None)
    error = status.failure(429, "TooManyRequests", message, details)
    if seconds:
        error.headers["retry-after"] = str(seconds)
    return error
