"""Rules for admission policies and their bindings, and for the match conditions that webhooks have too.

Expressions are compiled, and what CEL has against them stands in the error. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pybernetes.api.names import dns1123_subdomain, qualified_name
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.admissionregistration_v1 import (
    MatchCondition,
    MatchResources,
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    Mutation,
    ParamKind,
    ParamRef,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    ValidatingAdmissionPolicySpec,
    Validation,
    Variable,
)
from pybernetes.apiserver.admission_policies.mutations import mutation_environment, mutation_types
from pybernetes.apiserver.resources.validation.admission_rules import validate_rule
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.cel import Environment, types
from pybernetes.cel.admission import compiled, environment, with_variables
from pybernetes.cel.types import Type

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*", re.ASCII)
_NOTHING = "validations or auditAnnotations must contain at least one item"
_MOST_CONDITIONS = 64


def validate_match_conditions(
    conditions: Sequence[MatchCondition], path: str, held: Environment | None = None
) -> list[FieldError]:
    """The rules for `matchConditions`."""
    held = held or environment()
    errors: list[FieldError] = []
    if len(conditions) > _MOST_CONDITIONS:
        errors.append(
            FieldError("FieldValueTooMany", path, f"must have at most {_MOST_CONDITIONS} items", len(conditions))
        )
    names: set[str] = set()
    for index, condition in enumerate(conditions):
        place = f"{path}[{index}]"
        errors += _expression_errors(condition.expression, f"{place}.expression", held, types.BOOL)
        if not condition.name:
            errors.append(required(f"{place}.name"))
        errors += [invalid(f"{place}.name", condition.name, text) for text in qualified_name(condition.name)]
        if condition.name in names:
            errors.append(FieldError("FieldValueDuplicate", f"{place}.name", "", condition.name))
        names.add(condition.name)
    return errors


def _expression_errors(text: str, path: str, held: Environment, *wanted: Type) -> list[FieldError]:
    if not text.strip():
        return [
            required(path, "" if path.split(".")[-2].startswith("matchConditions") else "expression is not specified")
        ]
    problem = compiled(text, held, *wanted).problem
    return [invalid(path, text, problem)] if problem else []


def validate_policy(policy: ValidatingAdmissionPolicy) -> list[FieldError]:
    spec = policy.spec
    base = environment(has_params=spec.param_kind is not None)
    held, _variables = with_variables(base, [(item.name, item.expression) for item in spec.variables])
    errors = _common_errors(spec.failure_policy, spec.param_kind, spec.match_constraints)
    errors += validate_match_conditions(spec.match_conditions, "spec.matchConditions", base)
    errors += _variable_errors(spec.variables, base)
    if not spec.validations and not spec.audit_annotations:
        errors += [required("spec.validations", _NOTHING), required("spec.auditAnnotations", _NOTHING)]
    for index, rule in enumerate(spec.validations):
        errors += _validation_errors(rule, f"spec.validations[{index}]", held)
    return errors + _annotation_errors(spec, held)


def _common_errors(
    failure_policy: str | None, param: ParamKind | None, match: MatchResources | None
) -> list[FieldError]:
    errors: list[FieldError] = []
    if failure_policy is None:
        errors.append(required("spec.failurePolicy"))
    elif failure_policy not in ("Fail", "Ignore"):
        errors.append(not_supported("spec.failurePolicy", failure_policy, ("Fail", "Ignore")))
    if param is not None:
        errors += [] if param.api_version else [required("spec.paramKind.apiVersion")]
        errors += [] if param.kind else [required("spec.paramKind.kind")]
    if match is None:
        return [*errors, required("spec.matchConstraints")]
    errors += _match_errors(match, "spec.matchConstraints")
    return errors if match.resource_rules else [*errors, required("spec.matchConstraints.resourceRules")]


def _match_errors(match: MatchResources, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not match.match_policy:
        errors.append(required(f"{path}.matchPolicy"))
    elif match.match_policy not in ("Equivalent", "Exact"):
        errors.append(not_supported(f"{path}.matchPolicy", match.match_policy, ("Equivalent", "Exact")))
    for name, selector in (("namespaceSelector", match.namespace_selector), ("objectSelector", match.object_selector)):
        errors += (
            validate_selector(selector, f"{path}.{name}") if selector is not None else [required(f"{path}.{name}")]
        )
    for name, rules in (
        ("resourceRules", match.resource_rules),
        ("excludeResourceRules", match.exclude_resource_rules),
    ):
        for index, rule in enumerate(rules):
            errors += validate_rule(rule, f"{path}.{name}[{index}]")
    return errors


def _variable_errors(variables: Sequence[Variable], held: Environment) -> list[FieldError]:
    errors: list[FieldError] = []
    known, _found = with_variables(held, [])
    for index, variable in enumerate(variables):
        path = f"spec.variables[{index}]"
        if not variable.name.strip():
            errors.append(required(f"{path}.name", "name is not specified"))
        elif _IDENTIFIER.fullmatch(variable.name) is None:
            errors.append(invalid(f"{path}.name", variable.name, "name is not a valid CEL identifier"))
        if not variable.expression.strip():
            errors.append(required(f"{path}.expression", "expression is not specified"))
        elif problem := compiled(variable.expression, known).problem:
            errors.append(invalid(f"{path}.expression", variable.expression, problem))
        known, _found = with_variables(held, [(item.name, item.expression) for item in variables[: index + 1]])
    return errors


def _validation_errors(rule: Validation, path: str, held: Environment) -> list[FieldError]:
    errors = _expression_errors(rule.expression, f"{path}.expression", held, types.BOOL)
    text, message = rule.message_expression or "", rule.message or ""
    if text and not text.strip():
        errors.append(invalid(f"{path}.messageExpression", text, "must be non-empty if specified"))
    elif text:
        errors += _expression_errors(text, f"{path}.messageExpression", held, types.STRING)
    if message and not message.strip():
        errors.append(invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif "\n" in message.strip():
        errors.append(invalid(f"{path}.message", message, "message must not contain line breaks"))
    elif "\n" in rule.expression.strip() and not message:
        errors.append(required(f"{path}.message", "message must be specified if expression contains line breaks"))
    if rule.reason is not None and rule.reason not in _REASONS:
        errors.append(not_supported(f"{path}.reason", rule.reason, _REASONS))
    return errors


def _annotation_errors(spec: ValidatingAdmissionPolicySpec, held: Environment) -> list[FieldError]:
    errors: list[FieldError] = []
    keys: set[str] = set()
    for index, item in enumerate(spec.audit_annotations):
        path = f"spec.auditAnnotations[{index}]"
        if not item.key:
            errors.append(required(f"{path}.key"))
        errors += [invalid(f"{path}.key", item.key, text) for text in qualified_name(item.key) if item.key]
        if item.key in keys:
            errors.append(FieldError("FieldValueDuplicate", f"{path}.key", "", item.key))
        keys.add(item.key)
        text = item.value_expression
        if not text.strip():
            errors.append(required(f"{path}.valueExpression", "valueExpression is not specified"))
        elif problem := compiled(text, held, types.STRING, types.NULL).problem:
            errors.append(invalid(f"{path}.valueExpression", text, problem))
    return errors


def validate_mutating_policy(policy: MutatingAdmissionPolicy) -> list[FieldError]:
    spec = policy.spec
    base = environment(has_params=spec.param_kind is not None)
    held, _variables = with_variables(
        mutation_environment(base), [(item.name, item.expression) for item in spec.variables]
    )
    errors = _common_errors(spec.failure_policy, spec.param_kind, spec.match_constraints)
    errors += validate_match_conditions(spec.match_conditions, "spec.matchConditions", base)
    errors += _variable_errors(spec.variables, base)
    if not spec.mutations:
        errors.append(required("spec.mutations", "mutations must contain at least one item"))
    for index, mutation in enumerate(spec.mutations):
        errors += _mutation_errors(mutation, f"spec.mutations[{index}]", held)
    if not spec.reinvocation_policy:
        errors.append(required("spec.reinvocationPolicy"))
    elif spec.reinvocation_policy not in ("IfNeeded", "Never"):
        choices = ("IfNeeded", "Never")
        errors.append(not_supported("spec.reinvocationPolicy", spec.reinvocation_policy, choices))
    return errors


def _mutation_errors(mutation: Mutation, path: str, held: Environment) -> list[FieldError]:
    kinds = {"ApplyConfiguration": mutation.apply_configuration, "JSONPatch": mutation.json_patch}
    if not mutation.patch_type:
        return [required(f"{path}.patchType")]
    if mutation.patch_type not in kinds:
        return [not_supported(f"{path}.patchType", mutation.patch_type, tuple(kinds))]
    name = "applyConfiguration" if mutation.patch_type == "ApplyConfiguration" else "jsonPatch"
    wanted = kinds[mutation.patch_type]
    if wanted is None:
        return [required(f"{path}.{name}", f"must be specified when patchType is {mutation.patch_type}")]
    place = f"{path}.{name}.expression"
    text = wanted.expression or ""
    return _expression_errors(text, place, held, mutation_types(mutation.patch_type))


def validate_binding(binding: ValidatingAdmissionPolicyBinding) -> list[FieldError]:
    spec = binding.spec
    errors = _binding_errors(spec.policy_name, spec.param_ref, spec.match_resources)
    path = "spec.validationActions"
    if not spec.validation_actions:
        errors.append(required(path, "at least one validation action is required"))
    seen: set[str] = set()
    for index, action in enumerate(spec.validation_actions):
        if action not in _ACTIONS:
            errors.append(not_supported(f"{path}[{index}]", action, _ACTIONS))
        if action in seen:
            errors.append(FieldError("FieldValueDuplicate", f"{path}[{index}]", "", action))
        seen.add(action)
    if {"Deny", "Warn"} <= seen:
        detail = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        errors.append(invalid(path, spec.validation_actions, detail))
    return errors


def validate_mutating_binding(binding: MutatingAdmissionPolicyBinding) -> list[FieldError]:
    return _binding_errors(binding.spec.policy_name, binding.spec.param_ref, binding.spec.match_resources)


def _binding_errors(policy: str | None, ref: ParamRef | None, match: MatchResources | None) -> list[FieldError]:
    errors: list[FieldError] = []
    if not policy:
        errors.append(required("spec.policyName"))
    else:
        errors += [invalid("spec.policyName", policy, text) for text in dns1123_subdomain(policy)]
    if ref is not None:
        errors += _ref_errors(ref, "spec.paramRef")
    return errors + (_match_errors(match, "spec.matchResources") if match is not None else [])


def _ref_errors(ref: ParamRef, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if ref.name:
        errors += [invalid(f"{path}.name", ref.name, text) for text in dns1123_subdomain(ref.name)]
        if ref.selector is not None:
            detail = "name and selector are mutually exclusive"
            errors.append(FieldError("FieldValueForbidden", f"{path}.name", detail))
    elif ref.selector is None:
        errors.append(required(path, "one of name or selector must be specified"))
    if ref.selector is not None:
        errors += validate_selector(ref.selector, f"{path}.selector")
    if ref.parameter_not_found_action is None:
        errors.append(required(f"{path}.parameterNotFoundAction"))
    elif ref.parameter_not_found_action not in ("Allow", "Deny"):
        choices = ("Deny", "Allow")
        errors.append(not_supported(f"{path}.parameterNotFoundAction", ref.parameter_not_found_action, choices))
    return errors
