"""The expressions of a policy, compiled once for all requests: variables, conditions, and what it has to say. Pure.

A policy's spec goes in; `PolicyExpressions` comes out, whose parts are evaluated by `evaluation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pybernetes.api.types.admissionregistration_v1 import (
    MutatingAdmissionPolicySpec,
    Mutation,
    ValidatingAdmissionPolicySpec,
    Validation,
)
from pybernetes.apiserver.admission_policies.mutations import mutation_environment, mutation_types
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
    # With their patch types.
    mutations: Sequence[tuple[str, Expression]] = ()


def policy_expressions(spec: ValidatingAdmissionPolicySpec | MutatingAdmissionPolicySpec) -> PolicyExpressions:
    """The expressions of a policy. Match conditions know no variables."""
    base = _WITH_PARAMS if spec.param_kind is not None else _PLAIN
    conditions = [(item.name, compiled(item.expression, base, types.BOOL)) for item in spec.match_conditions]
    definitions = [(item.name, item.expression) for item in spec.variables]
    if not isinstance(spec, ValidatingAdmissionPolicySpec):
        whole, variables = with_variables(mutation_environment(base), definitions)
        mutations = [(item.patch_type, _mutation(item, whole)) for item in spec.mutations]
        return PolicyExpressions(whole, variables, conditions, mutations=mutations)
    whole, variables = with_variables(base, definitions)
    validations = [_validation(rule, whole) for rule in spec.validations]
    annotations = [
        (item.key, compiled(item.value_expression, whole, types.STRING, types.NULL)) for item in spec.audit_annotations
    ]
    return PolicyExpressions(whole, variables, conditions, validations, annotations)


def _mutation(mutation: Mutation, held: Environment) -> Expression:
    source = mutation.json_patch if mutation.patch_type == "JSONPatch" else mutation.apply_configuration
    text = source.expression if source is not None else None
    return compiled(text or "", held, mutation_types(mutation.patch_type))


def _validation(rule: Validation, held: Environment) -> CompiledValidation:
    text = rule.message_expression or ""
    message = compiled(text, held, types.STRING) if text.strip() else None
    return CompiledValidation(rule, compiled(rule.expression, held, types.BOOL), message)
