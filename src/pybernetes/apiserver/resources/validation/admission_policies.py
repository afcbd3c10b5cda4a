"""Rules for admission policies and their bindings, and for the match conditions that webhooks have too.

Expressions are compiled, and what CEL has against them stands in the error. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pybernetes.api.names import dns1035_label, dns1123_subdomain, path_segment_name, qualified_name
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.admissionregistration_v1 import (
    AuditAnnotation,
    MatchCondition,
    MatchResources,
    MutatingAdmissionPolicySpec,
    ParamKind,
    ParamRef,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    ValidatingAdmissionPolicySpec,
    Validation,
    Variable,
)
from pybernetes.apiserver.resources.validation.admission_rules import validate_named_rule
from pybernetes.apiserver.resources.validation.conditions import validate_conditions
from pybernetes.apiserver.resources.validation.lists import at_most, each, repeated
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.apiserver.resources.validation.texts import (
    empty_or_obeys,
    none_or_one_of,
    obeys,
    one_of,
    required_one_of,
    required_text,
)
from pybernetes.cel import Environment, types
from pybernetes.cel.admission import compiled, environment, with_variable, with_variables
from pybernetes.cel.syntax import RESERVED
from pybernetes.cel.types import Type

PolicySpec = ValidatingAdmissionPolicySpec | MutatingAdmissionPolicySpec
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*", re.ASCII)
_NOTHING = "validations or auditAnnotations must contain at least one item"
_BREAKS = frozenset("\n\r")
_MOST_CONDITIONS = 64
_MOST_ANNOTATIONS = 20
_ANNOTATION_LIMIT = 5 * 1024


def validate_match_conditions(
    conditions: Sequence[MatchCondition], path: str, held: Environment | None = None
) -> list[FieldError]:
    """The rules for `matchConditions`."""
    held = held or environment()
    errors = at_most(conditions, _MOST_CONDITIONS, path)
    again = repeated(condition.name for condition in conditions)
    for index, condition in enumerate(conditions):
        place, text, name = f"{path}[{index}]", condition.expression.strip(), condition.name
        errors += expression_errors(text, f"{place}.expression", held, types.BOOL, missing="")
        errors += required_text(name, qualified_name, f"{place}.name")
        if name and index in again:
            errors.append(duplicate(f"{place}.name", name))
    return errors


def expression_errors(
    text: str, path: str, held: Environment, *wanted: Type, missing: str = "expression is not specified"
) -> list[FieldError]:
    """What is wrong with an expression whose value must be of one of the wanted types."""
    if not text.strip():
        return [required(path, missing)]
    problem = compiled(text, held, *wanted).problem
    return [invalid(path, text, problem)] if problem else []


def validate_policy(policy: ValidatingAdmissionPolicy, *, are_conditions_known: bool = False) -> list[FieldError]:
    """`are_conditions_known` says that the match conditions are those of the stored policy, for the same params."""
    spec = policy.spec
    base = environment(has_params=spec.param_kind is not None)
    held, _variables = with_variables(base, [(item.name, item.expression) for item in spec.variables])
    errors = common_errors(spec.failure_policy, spec.param_kind, spec.match_constraints)
    if not are_conditions_known:
        errors += validate_match_conditions(spec.match_conditions, "spec.matchConditions", base)
    errors += variable_errors(spec.variables, base)
    if not spec.validations and not spec.audit_annotations:
        return [*errors, required("spec.validations", _NOTHING), required("spec.auditAnnotations", _NOTHING)]
    for index, rule in enumerate(spec.validations):
        errors += _validation_errors(rule, f"spec.validations[{index}]", held)
    return errors + _annotations_errors(policy, held)


def validate_policy_update(new: ValidatingAdmissionPolicy, old: ValidatingAdmissionPolicy) -> list[FieldError]:
    return validate_policy(new, are_conditions_known=keeps_conditions(new.spec, old.spec))


def keeps_conditions(new: PolicySpec, old: PolicySpec) -> bool:
    return new.param_kind == old.param_kind and new.match_conditions == old.match_conditions


def validate_policy_status(new: ValidatingAdmissionPolicy, _old: ValidatingAdmissionPolicy) -> list[FieldError]:
    status, errors = new.status, []
    for index, warning in enumerate(status.type_checking.expression_warnings if status.type_checking else ()):
        where = f"status.typeChecking.expressionWarnings[{index}]"
        errors += [] if warning.warning else [required(f"{where}.warning")]
        errors += [] if warning.field_ref.strip() else [required(f"{where}.fieldRef")]
    return errors + validate_conditions(status.conditions, "status.conditions")


def common_errors(
    failure_policy: str | None, param: ParamKind | None, match: MatchResources | None
) -> list[FieldError]:
    """The rules for what policies of both kinds say of requests."""
    errors: list[FieldError] = []
    if failure_policy is None:
        errors.append(required("spec.failurePolicy"))
    elif failure_policy not in ("Fail", "Ignore"):
        errors.append(not_supported("spec.failurePolicy", failure_policy, ("Fail", "Ignore")))
    errors += _param_errors(param, "spec.paramKind") if param is not None else []
    if match is None:
        return [*errors, required("spec.matchConstraints")]
    errors += _match_errors(match, "spec.matchConstraints")
    return errors if match.resource_rules else [*errors, required("spec.matchConstraints.resourceRules")]


def _param_errors(param: ParamKind, path: str) -> list[FieldError]:
    given, kind, where = param.api_version or "", param.kind or "", f"{path}.apiVersion"
    group, slash, version = given.rpartition("/")
    errors: list[FieldError] = []
    if not given:
        errors.append(required(where))
    elif "/" in group:
        errors.append(invalid(where, given, f"unexpected GroupVersion string: {given}"))
    else:
        if group and (problems := dns1123_subdomain(group)):
            errors.append(invalid(where, group, ",".join(problems)))
        if not version:
            errors.append(invalid(where, given, "version must be specified"))
        elif problems := dns1035_label(version):
            errors.append(invalid(where, version, ",".join(problems)))
    if not kind:
        errors.append(required(f"{path}.kind"))
    elif problems := dns1035_label(kind.lower()):
        detail = f"may have mixed case, but should otherwise match: {','.join(problems)}"
        errors.append(invalid(f"{path}.kind", kind, detail))
    return errors


def _match_errors(match: MatchResources, path: str) -> list[FieldError]:
    errors = required_one_of(match.match_policy, ("Equivalent", "Exact"), f"{path}.matchPolicy")
    for name, selector in (("namespaceSelector", match.namespace_selector), ("objectSelector", match.object_selector)):
        errors += (
            validate_selector(selector, f"{path}.{name}") if selector is not None else [required(f"{path}.{name}")]
        )
    for name, rules in (
        ("resourceRules", match.resource_rules),
        ("excludeResourceRules", match.exclude_resource_rules),
    ):
        errors += each(rules, validate_named_rule, f"{path}.{name}")
    return errors


def variable_errors(variables: Sequence[Variable], held: Environment) -> list[FieldError]:
    """Each variable knows those before it."""
    errors: list[FieldError] = []
    known, fields = with_variables(held, [])[0], dict[str, Type]()
    for index, variable in enumerate(variables):
        path = f"spec.variables[{index}]"
        if not variable.name.strip():
            errors.append(required(f"{path}.name", "name is not specified"))
        elif _IDENTIFIER.fullmatch(variable.name) is None or variable.name in RESERVED:
            errors.append(invalid(f"{path}.name", variable.name, "name is not a valid CEL identifier"))
        if not variable.expression.strip():
            errors.append(required(f"{path}.expression", "expression is not specified"))
            continue
        found = compiled(variable.expression, known)
        if found.program is None:
            errors.append(invalid(f"{path}.expression", variable.expression, found.problem))
        else:
            known = with_variable(held, fields, variable.name, found.program.result)
    return errors


def _validation_errors(rule: Validation, path: str, held: Environment) -> list[FieldError]:
    errors = expression_errors(rule.expression, f"{path}.expression", held, types.BOOL)
    text, message = rule.message_expression or "", rule.message or ""
    if text and not text.strip():
        errors.append(invalid(f"{path}.messageExpression", text, "must be non-empty if specified"))
    elif text:
        # What a message says does not depend on what people may do.
        names = {name: held for name, held in held.variables.items() if not name.startswith("authorizer")}
        errors += expression_errors(text, f"{path}.messageExpression", replace(held, variables=names), types.STRING)
    if message and not message.strip():
        errors.append(invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif not _BREAKS.isdisjoint(message.strip()):
        errors.append(invalid(f"{path}.message", message, "message must not contain line breaks"))
    return errors + none_or_one_of(rule.reason, _REASONS, f"{path}.reason")


def _annotations_errors(policy: ValidatingAdmissionPolicy, held: Environment) -> list[FieldError]:
    path, items = "spec.auditAnnotations", policy.spec.audit_annotations
    errors: list[FieldError] = []
    if len(items) > _MOST_ANNOTATIONS:
        shown = [{"Key": item.key, "ValueExpression": item.value_expression} for item in items]
        errors.append(invalid(path, shown, f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"))
    again = repeated(item.key for item in items)
    for index, item in enumerate(items):
        place = f"{path}[{index}]"
        errors += _annotation_errors(item, policy.metadata.name or "", place, held)
        if index in again:
            errors.append(duplicate(f"{place}.key", item.key))
    return errors


def _annotation_errors(item: AuditAnnotation, policy: str, path: str, held: Environment) -> list[FieldError]:
    """An annotation's key stands behind the policy's name."""
    key, text = f"{policy}/{item.key}", item.value_expression.strip()
    errors = obeys(key, qualified_name, f"{path}.key")
    where = f"{path}.valueExpression"
    if not text:
        return [*errors, required(where, "valueExpression is not specified")]
    if len(text.encode()) > _ANNOTATION_LIMIT:
        return [*errors, required(where, f"must not exceed {_ANNOTATION_LIMIT} bytes in length")]
    problem = compiled(text, held, types.STRING, types.NULL).problem
    return [*errors, invalid(where, item.value_expression, problem)] if problem else errors


def validate_binding(binding: ValidatingAdmissionPolicyBinding) -> list[FieldError]:
    spec = binding.spec
    errors = binding_errors(spec.policy_name, spec.param_ref, spec.match_resources)
    path, actions = "spec.validationActions", spec.validation_actions
    again = repeated(actions)
    for index, action in enumerate(actions):
        errors += one_of(action, _ACTIONS, f"{path}[{index}]")
        if index in again:
            errors.append(duplicate(f"{path}[{index}]", action))
    if "Deny" in actions and "Warn" in actions:
        detail = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        errors.append(invalid(path, actions, detail))
    return errors if actions else [*errors, required(path, "at least one validation action is required")]


def binding_errors(policy: str | None, ref: ParamRef | None, match: MatchResources | None) -> list[FieldError]:
    """The rules for bindings of both kinds."""
    errors = required_text(policy, dns1123_subdomain, "spec.policyName")
    if ref is not None:
        errors += _ref_errors(ref, "spec.paramRef")
    return errors + (_match_errors(match, "spec.matchResources") if match is not None else [])


def _ref_errors(ref: ParamRef, path: str) -> list[FieldError]:
    detail, are_both = "name and selector are mutually exclusive", bool(ref.name) and ref.selector is not None
    errors = empty_or_obeys(ref.name, path_segment_name, f"{path}.name")
    errors += [forbidden_field(f"{path}.name", detail)] if are_both else []
    errors += validate_selector(ref.selector, f"{path}.selector")
    errors += [forbidden_field(f"{path}.selector", detail)] if are_both else []
    if not ref.name and ref.selector is None:
        errors.append(required(path, "one of name or selector must be specified"))
    where, action = f"{path}.parameterNotFoundAction", ref.parameter_not_found_action
    if not action:
        errors.append(required(where))
    elif action not in ("Allow", "Deny"):
        errors.append(not_supported(where, action, ("Deny", "Allow")))
    return errors
