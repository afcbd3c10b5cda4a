"""The expressions of a policy, compiled once for all requests: variables, conditions, and what it has to say. Pure.

A policy's spec goes in; `PolicyExpressions` comes out, whose parts are evaluated by `evaluation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pybernetes.api.types.admissionregistration_v1 import (
    MutatingAdmissionPolicySpec,
    ValidatingAdmissionPolicySpec,
    Validation,
)
from pybernetes.cel import Environment, types
from pybernetes.cel.admission import Expression, compiled, environment, with_variables

_PLAIN, _WITH_PARAMS = environment(), environment(has_params=True)


@dataclass(frozen=True)
class CompiledValidation:
    """One rule with its message."""

    rule: Validation
    expression: Expression
    message: Expression | None


@dataclass(frozen=True)
class PolicyExpressions:
    """What all policies have, and what validating ones have."""

    environment: Environment
    variables: Sequence[tuple[str, Expression]]
    conditions: Sequence[tuple[str, Expression]]
    validations: Sequence[CompiledValidation] = ()
    annotations: Sequence[tuple[str, Expression]] = ()


def policy_expressions(spec: ValidatingAdmissionPolicySpec | MutatingAdmissionPolicySpec) -> PolicyExpressions:
    """The expressions of a policy. Match conditions know no variables."""
    base = _WITH_PARAMS if spec.param_kind is not None else _PLAIN
    conditions = [(item.name, compiled(item.expression, base, types.BOOL)) for item in spec.match_conditions]
    whole, variables = with_variables(base, [(item.name, item.expression) for item in spec.variables])
    if not isinstance(spec, ValidatingAdmissionPolicySpec):
        return PolicyExpressions(whole, variables, conditions)
    validations = [_validation(rule, whole) for rule in spec.validations]
    annotations = [
        (item.key, compiled(item.value_expression, whole, types.STRING, types.NULL)) for item in spec.audit_annotations
    ]
    return PolicyExpressions(whole, variables, conditions, validations, annotations)


def _validation(rule: Validation, held: Environment) -> CompiledValidation:
    text = rule.message_expression or ""
    message = compiled(text, held, types.STRING) if text.strip() else None
    return CompiledValidation(rule, compiled(rule.expression, held, types.BOOL), message)
