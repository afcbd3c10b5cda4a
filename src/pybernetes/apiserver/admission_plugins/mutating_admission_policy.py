"""MutatingAdmissionPolicy: lets the policies that are bound to a request change its object.

A write comes in after the built-in plug-ins have had their say; when a policy has changed it, they are asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pybernetes.api.kind import Kind
from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.admissionregistration_v1 import MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding
from pybernetes.api.types.meta_v1 import StatusCause
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.admission_policies.application import changed_object
from pybernetes.apiserver.admission_policies.bound import BoundPolicies
from pybernetes.apiserver.admission_policies.evaluation import Evaluation, PolicyError
from pybernetes.apiserver.admission_policies.parameters import UnknownParams, params_of
from pybernetes.apiserver.admission_policies.values import request_values, shown_as
from pybernetes.apiserver.conversion import convert
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.cel import EvaluationError
from pybernetes.cel.admission import Expression
from pybernetes.turns import in_turns


class MutatingAdmissionPolicyAdmission(Bystander):
    """Applies policies in the order of their names; one that fails refuses, unless its failurePolicy is Ignore."""

    name = "MutatingAdmissionPolicy"
    repeats = True

    def __init__(self, reader: Reader, authorizer: Authorizer) -> None:
        self._reader, self._authorizer = reader, authorizer
        self._policies = BoundPolicies(reader, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding)

    def handles(self, request: AdmissionRequest) -> bool:
        return request.object is not None and self._policies.concern(request)

    async def admit(self, request: AdmissionRequest) -> None:
        refused: list[_Refused] = []
        due: list[_Application] = []
        # Whom a policy is about is settled before any of them has changed the object.
        for policy, binding, kind in list(self._policies.meeting(request)):
            try:
                every = params_of(self._reader, policy.spec.param_kind, binding.spec.param_ref, request.namespace)
            except PolicyError as error:
                refused.append(_misconfigured(policy, binding, error))
            else:
                due += [_Application(policy, binding, kind, params) for params in every]
        for application in due:
            if not request.is_second_round or application.key in request.reinvocable:
                refused += await self._apply(application, request)
        if counted := [each for each in refused if each.policy.spec.failure_policy != "Ignore"]:
            raise _refusal(request, counted)

    async def _apply(self, application: _Application, request: AdmissionRequest) -> list[_Refused]:
        """Changes the object as a policy wants it; what goes wrong is left out and told, and the rest is done."""
        policy, binding, kind, params = application
        namespace = self._policies.namespace(request)
        expressions = await in_turns(lambda: self._policies.expressions(policy))

        def evaluation() -> Evaluation:
            values = request_values(request, kind, namespace, self._authorizer)
            return Evaluation(expressions, {**values, "params": params})

        try:
            if not await in_turns(lambda: evaluation().applies()):
                return []
        except PolicyError as error:
            return [_Refused(policy, binding, str(error))]
        if policy.spec.reinvocation_policy == "IfNeeded":
            request.reinvocable |= {application.key}
        refused = []
        for patch_type, expression in expressions.mutations:
            try:
                value = await in_turns(partial(_value, evaluation(), expression))
                _change(request, kind, patch_type, value)
            except (PolicyError, EvaluationError) as error:
                refused.append(_Refused(policy, binding, str(error)))
        return refused


class _Application(NamedTuple):
    """A policy that is due, with one of its params."""

    policy: MutatingAdmissionPolicy
    binding: MutatingAdmissionPolicyBinding
    kind: Kind
    params: Any

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from others."""
        held = self.params["metadata"] if self.params is not None else {}
        names = (self.policy.metadata.name or "", self.binding.metadata.name or "")
        return (*names, held.get("namespace", ""), held.get("name", ""))


class _Refused(NamedTuple):
    """What a policy could not do. `binding` is None where it is the policy's own fault."""

    policy: MutatingAdmissionPolicy
    binding: MutatingAdmissionPolicyBinding | None
    problem: str
    reason: str = "Invalid"

    @property
    def message(self) -> str:
        """In upstream's words."""
        if self.binding is None:
            return f'policy "{self.policy.metadata.name}" denied request: {self.problem}'
        names = f"policy '{self.policy.metadata.name}' with binding '{self.binding.metadata.name}'"
        return f"{names} denied request: {self.problem}"


def _misconfigured(
    policy: MutatingAdmissionPolicy, binding: MutatingAdmissionPolicyBinding, error: PolicyError
) -> _Refused:
    if isinstance(error, UnknownParams):
        return _Refused(policy, None, f"failed to configure policy: {error}", "Forbidden")
    return _Refused(policy, binding, f"failed to configure binding: {error}", "Forbidden")


def _change(request: AdmissionRequest, kind: Kind, patch_type: str, value: Any) -> None:
    """Makes one mutation's value part of the object."""
    obj = request.object
    shown = shown_as(obj, request, kind)
    assert obj is not None and shown is not None  # `handles` has looked
    changed = changed_object(shown, request.part or kind, patch_type, value)
    if changed == shown:
        return
    made = changed if request.part is not None else convert(changed, request.kind)
    for name in made.__struct_fields__:
        setattr(obj, name, getattr(made, name))
    request.is_changed_by_policy = True


def _value(evaluation: Evaluation, wanted: Expression) -> Any:
    try:
        return evaluation.value(wanted)
    except EvaluationError as error:
        raise PolicyError(f"expression '{wanted.text}' resulted in error: {error}") from None


def _refusal(request: AdmissionRequest, refused: Sequence[_Refused]) -> StatusError:
    message = refused[0].message
    details = refusal(request, message).status.details
    if details is not None:
        details.causes = [StatusCause(message=each.message) for each in refused]
    return failure(403, refused[0].reason, message, details)
