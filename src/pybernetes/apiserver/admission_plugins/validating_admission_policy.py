"""ValidatingAdmissionPolicy: asks the policies that are bound to a request what they have against it.

A write comes in after all that changes it; a refusal, warnings and audit annotations come out. Policies are compiled
when a request first meets them, and again when they change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pybernetes.api.status import StatusError, failure
from pybernetes.api.types.admissionregistration_v1 import (
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
)
from pybernetes.api.types.meta_v1 import StatusCause, StatusDetails
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.admission_policies.bound import BoundPolicies
from pybernetes.apiserver.admission_policies.evaluation import Evaluation, Finding, PolicyError, Verdict
from pybernetes.apiserver.admission_policies.parameters import UnknownParams, params_of
from pybernetes.apiserver.admission_policies.values import request_values
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.turns import in_turns

_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}
_FAILURES = "validation.policy.admission.k8s.io/validation_failure"


class ValidatingAdmissionPolicyAdmission(Bystander):
    """Evaluates policies; one that fails to evaluate refuses, unless its failurePolicy is Ignore."""

    name = "ValidatingAdmissionPolicy"
    repeats = True

    def __init__(self, reader: Reader, authorizer: Authorizer) -> None:
        self._reader, self._authorizer = reader, authorizer
        self._policies = BoundPolicies(reader, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding)

    def handles(self, request: AdmissionRequest) -> bool:
        return self._policies.concern(request)

    async def validate(self, request: AdmissionRequest) -> None:
        namespace = self._policies.namespace(request)
        # By what policies take the resource for, which is mostly the same.
        known: dict[str, dict[str, Any]] = {}
        refused: list[tuple[str, str, Finding]] = []
        for policy, binding, kind in self._policies.meeting(request):
            values = known.get(kind.api_version)
            if values is None:
                values = known[kind.api_version] = request_values(request, kind, namespace, self._authorizer)
            for finding in await self._findings(policy, binding, request, values):
                if not finding.is_final:
                    _act(policy, binding, finding, request)
                if finding.is_final or "Deny" in binding.spec.validation_actions:
                    refused.append((policy.metadata.name or "", binding.metadata.name or "", finding))
        if refused:
            raise _refusal(request, *refused[0])

    async def _findings(
        self,
        policy: ValidatingAdmissionPolicy,
        binding: ValidatingAdmissionPolicyBinding,
        request: AdmissionRequest,
        values: dict[str, Any],
    ) -> list[Finding]:
        """What a policy has against a request; troubles of evaluation count as its failurePolicy says."""
        strict = policy.spec.failure_policy != "Ignore"
        try:
            every = params_of(self._reader, policy.spec.param_kind, binding.spec.param_ref, request.namespace)
        except PolicyError as error:
            return [_misconfigured(error)] if strict else []
        verdict = await in_turns(lambda: self._evaluated(policy, [{**values, "params": params} for params in every]))
        for key, value in verdict.annotations.items():
            request.audit[f"{policy.metadata.name}/{key}"] = value
        return verdict.findings

    def _evaluated(self, policy: ValidatingAdmissionPolicy, every: Iterable[Mapping[str, Any]]) -> Verdict:
        """What a policy says, given the values of its expressions for each of its params."""
        strict = policy.spec.failure_policy != "Ignore"
        found: list[Finding] = []
        annotations: dict[str, str] = {}
        for values in every:
            evaluation = Evaluation(self._policies.expressions(policy), values)
            try:
                if not evaluation.applies():
                    continue
            except PolicyError as error:
                found += [Finding(0, str(error), is_error=True)] if strict else []
                continue
            verdict = evaluation.verdict()
            found += [finding for finding in verdict.findings if strict or not finding.is_error]
            annotations.update(verdict.annotations)
        return Verdict(found, annotations)


def _misconfigured(error: PolicyError) -> Finding:
    """What a policy or its binding says that has no params to speak of."""
    is_of_policy = isinstance(error, UnknownParams)
    message = f"failed to configure {'policy' if is_of_policy else 'binding'}: {error}"
    return Finding(0, message, is_error=True, is_final=True, is_of_policy=is_of_policy)


def _act(
    policy: ValidatingAdmissionPolicy,
    binding: ValidatingAdmissionPolicyBinding,
    finding: Finding,
    request: AdmissionRequest,
) -> None:
    """What a finding causes besides a refusal."""
    policy_name, binding_name = policy.metadata.name, binding.metadata.name
    actions = binding.spec.validation_actions
    if "Warn" in actions:
        of = f"ValidatingAdmissionPolicy '{policy_name}' with binding '{binding_name}'"
        request.warnings.append(f"Validation failed for {of}: {finding.message}")
    if "Audit" in actions:
        told = {
            "message": finding.message,
            "policy": policy_name,
            "binding": binding_name,
            "expressionIndex": finding.index,
            "validationActions": actions,
        }
        # An annotation of an audit event stays what it was first.
        request.audit.setdefault(_FAILURES, json.dumps([told], separators=(",", ":")))


def _refusal(request: AdmissionRequest, policy: str, binding: str, finding: Finding) -> StatusError:
    """The words of a 403 with the code of the rule's reason."""
    bound = "" if finding.is_of_policy else f" with binding '{binding}'"
    message = f"ValidatingAdmissionPolicy '{policy}'{bound} denied request: {finding.message}"
    worded = refusal(request, message).status
    details = worded.details or StatusDetails()
    details.causes = [StatusCause(message=message)]
    return failure(_CODES.get(finding.reason, 422), finding.reason, worded.message or message, details)
