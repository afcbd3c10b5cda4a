"""MutatingAdmissionPolicy: lets the policies that are bound to a request change its object.

A write comes in after the built-in plug-ins have had their say; when a policy has changed it, they are asked again.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.admissionregistration_v1 import MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding
from pybernetes.api.types.meta_v1 import StatusCause
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.admission_policies.application import changed_object
from pybernetes.apiserver.admission_policies.bound import BoundPolicies
from pybernetes.apiserver.admission_policies.evaluation import Evaluation, PolicyError
from pybernetes.apiserver.admission_policies.parameters import params_of
from pybernetes.apiserver.admission_policies.values import request_values, shown_as
from pybernetes.apiserver.conversion import convert
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.turns import in_turns
from pybernetes.cel import EvaluationError
from pybernetes.cel.admission import Expression


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
        for policy, binding, kind in self._policies.meeting(request):
            if request.is_second_round and policy.spec.reinvocation_policy != "IfNeeded":
                continue
            strict = policy.spec.failure_policy != "Ignore"
            try:
                every = params_of(self._reader, policy.spec.param_kind, binding.spec.param_ref, request.namespace)
                for params in every:
                    key = _key(policy, binding, params)
                    if request.is_second_round and key not in request.reinvocable:
                        continue
                    if await self._apply(policy, request, kind, params):
                        request.reinvocable |= {key}
            except PolicyError as error:
                if strict:
                    raise _refusal(request, policy.metadata.name or "", binding.metadata.name or "", error) from error

    async def _apply(self, policy: MutatingAdmissionPolicy, request: AdmissionRequest, kind: Kind, params: Any) -> bool:
        """Changes the object, shown to the policy as one of that kind, as the policy wants it with one of its params.

        False when the policy's conditions do not hold.
        PolicyError when the failurePolicy is Fail; else what goes wrong is left out, and the rest is done.
        """
        strict, namespace = policy.spec.failure_policy != "Ignore", self._policies.namespace(request)
        expressions = await in_turns(lambda: self._policies.expressions(policy))

        def evaluation() -> Evaluation:
            values = request_values(request, kind, namespace, self._authorizer)
            return Evaluation(expressions, {**values, "params": params})

        if not await in_turns(lambda: _applies(evaluation(), strict)):
            return False
        for patch_type, expression in expressions.mutations:
            try:
                value = await in_turns(partial(_value, evaluation(), expression))
                _change(request, kind, patch_type, value)
            except (PolicyError, EvaluationError) as error:
                if strict:
                    raise PolicyError(str(error)) from error
        return True


def _key(policy: MutatingAdmissionPolicy, binding: MutatingAdmissionPolicyBinding, params: Any) -> tuple[str, ...]:
    """What tells one application of a policy from others."""
    held = params["metadata"] if params is not None else {}
    return (policy.metadata.name or "", binding.metadata.name or "", held.get("namespace", ""), held.get("name", ""))


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


def _applies(evaluation: Evaluation, strict: bool) -> bool:
    try:
        return evaluation.applies()
    except PolicyError:
        if strict:
            raise
        return False


def _value(evaluation: Evaluation, wanted: Expression) -> Any:
    try:
        return evaluation.value(wanted)
    except EvaluationError as error:
        raise PolicyError(f"expression '{wanted.text}' resulted in error: {error}") from None


def _refusal(request: AdmissionRequest, policy: str, binding: str, error: Exception) -> StatusError:
    message = f"policy '{policy}' with binding '{binding}' denied request: {error}"
    details = refusal(request, message).status.details
    if details is not None:
        details.causes = [StatusCause(message=message)]
    return failure(403, "Invalid", message, details)
