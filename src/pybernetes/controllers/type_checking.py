"""What the expressions of a policy get wrong about the objects that it is for: fields that are not there, wrong types.

A policy's spec and the types of the kinds that its rules name go in; warnings come out. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pybernetes.api.types.admissionregistration_v1 import (
    ExpressionWarning,
    MatchResources,
    ValidatingAdmissionPolicySpec,
)
from pybernetes.cel import Environment, types
from pybernetes.cel.admission import compiled, environment, with_variables
from pybernetes.cel.types import Type

_MOST_TYPES = 10


def resources_named(match: MatchResources | None) -> Iterator[tuple[str, str, str]]:
    """Group, version and resource of all that a policy names without wildcards; sub-resources are left out."""
    for rule in match.resource_rules if match is not None else ():
        if "*" in "".join((*rule.api_groups, *rule.api_versions)):
            continue
        for resource in rule.resources:
            if "*" not in resource and "/" not in resource:
                yield from ((group, version, resource) for group in rule.api_groups for version in rule.api_versions)


def expression_warnings(
    spec: ValidatingAdmissionPolicySpec, objects: Mapping[str, Type], params: Type = types.DYN
) -> list[ExpressionWarning]:
    """The warnings, by expression. `objects` holds types by what warnings call them, `apps/v1, Kind=Deployment`."""
    environments = {name: _environment(spec, objects[name], params) for name in sorted(objects)[:_MOST_TYPES]}
    found = []
    for path, text in _expressions(spec):
        problems = [f"{name}: {problem}\n" for name, held in environments.items() if (problem := _problem(text, held))]
        if problems:
            found.append(ExpressionWarning(field_ref=path, warning="\n".join(problems)))
    return found


def _environment(spec: ValidatingAdmissionPolicySpec, held: Type, params: Type) -> Environment:
    base = environment(has_params=spec.param_kind is not None, object_type=held, params_type=params)
    return with_variables(base, [(item.name, item.expression) for item in spec.variables])[0]


def _expressions(spec: ValidatingAdmissionPolicySpec) -> Iterator[tuple[str, str]]:
    for index, rule in enumerate(spec.validations):
        yield f"spec.validations[{index}].expression", rule.expression
        if rule.message_expression:
            yield f"spec.validations[{index}].messageExpression", rule.message_expression


def _problem(text: str, held: Environment) -> str:
    return compiled(text, held).problem.removeprefix("compilation failed: ")
