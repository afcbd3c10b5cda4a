"""MutatingAdmissionPolicy: lets the policies that are bound to a request change its object.

A write comes in after the built-in plug-ins have had their say; when a policy has changed it, they are asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from pybernetes.apiserver.admission_policies.expressions import PolicyExpressions
from pybernetes.apiserver.admission_policies.parameters import params_of
from pybernetes.apiserver.admission_policies.values import request_values, shown_as
from pybernetes.apiserver.conversion import convert
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.turns import in_turns
from pybernetes.cel import EvaluationError
from pybernetes.cel.admission import Expression

_NOT_MEANT = object()


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
            try:
                await self._apply(policy, binding, request, kind)
            except (PolicyError, EvaluationError) as error:
                if policy.spec.failure_policy != "Ignore":
                    raise _refusal(request, policy.metadata.name or "", binding.metadata.name or "", error) from error

    async def _apply(
        self,
        policy: MutatingAdmissionPolicy,
        binding: MutatingAdmissionPolicyBinding,
        request: AdmissionRequest,
        kind: Kind,
    ) -> None:
        """Changes the object, taken for one of that kind, as the policy wants it, once for each of its params."""
        namespace = self._policies.namespace(request)
        expressions = await in_turns(lambda: self._policies.expressions(policy))
        for params in params_of(self._reader, policy.spec.param_kind, binding.spec.param_ref, request.namespace):
            for patch_type, expression in expressions.mutations:
                values = {**request_values(request, kind, namespace, self._authorizer), "params": params}
                value = await in_turns(partial(_value, expressions, expression, values))
                if value is _NOT_MEANT:
                    break
                if _change(request, kind, patch_type, value):
                    request.is_changed_by_policy = True


def _value(expressions: PolicyExpressions, wanted: Expression, values: Mapping[str, Any]) -> Any:
    """What a mutation evaluates to, unless the policy's conditions say that the request is not meant."""
    evaluation = Evaluation(expressions, values)
    return evaluation.value(wanted) if evaluation.applies() else _NOT_MEANT


def _change(request: AdmissionRequest, kind: Kind, patch_type: str, value: Any) -> bool:
    """Makes of the object what a mutation wants it to be, in place; whether that is anything else."""
    obj, shown = request.object, shown_as(request.object, request, kind)
    assert obj is not None  # `handles` has looked
    assert shown is not None
    changed = changed_object(shown, request.part or kind, patch_type, value)
    if changed == shown:
        return False
    stored = changed if request.part is not None else convert(changed, request.kind)
    for name in stored.__struct_fields__:
        setattr(obj, name, getattr(stored, name))
    return True


def _refusal(request: AdmissionRequest, policy: str, binding: str, error: Exception) -> StatusError:
    message = f"policy '{policy}' with binding '{binding}' denied request: {error}"
    details = refusal(request, message).status.details
    if details is not None:
        details.causes = [StatusCause(message=message)]
    return failure(403, "Invalid", message, details)
