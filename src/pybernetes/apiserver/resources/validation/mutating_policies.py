"""Rules for mutating admission policies and their bindings, beside those that all policies obey. Pure."""

from __future__ import annotations

from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.admissionregistration_v1 import (
    MatchResources,
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    Mutation,
)
from pybernetes.apiserver.admission_policies.mutations import mutation_environment, mutation_types
from pybernetes.apiserver.resources.validation.admission_policies import (
    binding_errors,
    common_errors,
    expression_errors,
    keeps_conditions,
    validate_match_conditions,
    variable_errors,
)
from pybernetes.apiserver.resources.validation.texts import required_one_of
from pybernetes.cel import Environment
from pybernetes.cel.admission import environment, with_variables

# What is deleted cannot be changed.
_OPERATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATION = ("IfNeeded", "Never")
_FIELDS = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}


def validate_policy(policy: MutatingAdmissionPolicy, *, are_conditions_known: bool = False) -> list[FieldError]:
    """`are_conditions_known` says that the match conditions are those of the stored policy, for the same params."""
    spec = policy.spec
    base = environment(has_params=spec.param_kind is not None)
    definitions = [(item.name, item.expression) for item in spec.variables]
    held, _variables = with_variables(mutation_environment(base), definitions)
    errors = common_errors(spec.failure_policy, spec.param_kind, spec.match_constraints)
    errors += _operation_errors(spec.match_constraints, "spec.matchConstraints")
    if not are_conditions_known:
        errors += validate_match_conditions(spec.match_conditions, "spec.matchConditions", base)
    errors += variable_errors(spec.variables, base)
    if not spec.mutations:
        errors.append(required("spec.mutations", "mutations must contain at least one item"))
    for index, mutation in enumerate(spec.mutations):
        errors += _mutation_errors(mutation, f"spec.mutations[{index}]", held)
    return errors + required_one_of(spec.reinvocation_policy, _REINVOCATION, "spec.reinvocationPolicy")


def validate_policy_update(new: MutatingAdmissionPolicy, old: MutatingAdmissionPolicy) -> list[FieldError]:
    return validate_policy(new, are_conditions_known=keeps_conditions(new.spec, old.spec))


def validate_binding(binding: MutatingAdmissionPolicyBinding) -> list[FieldError]:
    spec = binding.spec
    errors = binding_errors(spec.policy_name, spec.param_ref, spec.match_resources)
    return errors + _operation_errors(spec.match_resources, "spec.matchResources")


def _operation_errors(match: MatchResources | None, path: str) -> list[FieldError]:
    rules = match.resource_rules if match is not None else []
    return [
        not_supported(f"{path}.resourceRules.operations", operation, _OPERATIONS)
        for rule in rules
        for operation in rule.operations
        if operation not in _OPERATIONS
    ]


def _mutation_errors(mutation: Mutation, path: str, held: Environment) -> list[FieldError]:
    """The patch is of the type that is named, and of no other."""
    type_ = mutation.patch_type
    if not type_:
        return [required(f"{path}.patchType")]
    if type_ not in _FIELDS:
        return [not_supported(f"{path}.patchType", type_, tuple(_FIELDS))]
    patches = {"ApplyConfiguration": mutation.apply_configuration, "JSONPatch": mutation.json_patch}
    errors = [
        invalid(f"{path}.{_FIELDS[other]}", f"{{{_FIELDS[other]}}}", f"must not be specified when patchType is {type_}")
        for other, patch in patches.items()
        if other != type_ and patch is not None
    ]
    wanted, where = patches[type_], f"{path}.{_FIELDS[type_]}"
    if wanted is None:
        return [*errors, required(where, f"must be specified when patchType is {type_}")]
    return errors + expression_errors(wanted.expression or "", f"{where}.expression", held, mutation_types(type_))
