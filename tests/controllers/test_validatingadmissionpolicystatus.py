"""Warnings about the expressions of policies."""

from __future__ import annotations

from pybernetes.api.schema import definition_of
from pybernetes.api.types.admissionregistration_v1 import (
    MatchResources,
    NamedRuleWithOperations,
    ValidatingAdmissionPolicySpec,
    Validation,
    Variable,
)
from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.core_v1 import Pod
from pybernetes.cel.built_in import object_type_of
from pybernetes.controllers.type_checking import expression_warnings, resources_named

_TYPES = {
    "apps/v1, Kind=Deployment": object_type_of(definition_of(Deployment)),
    "/v1, Kind=Pod": object_type_of(definition_of(Pod)),
}


def _warnings(*expressions: str, variables: dict[str, str] | None = None) -> list[tuple[str, str]]:
    spec = ValidatingAdmissionPolicySpec(
        validations=[Validation(expression=text) for text in expressions],
        variables=[Variable(name=name, expression=text) for name, text in (variables or {}).items()],
    )
    return [(item.field_ref, item.warning) for item in expression_warnings(spec, _TYPES)]


def test_fields_that_are_there_cause_no_warning() -> None:
    assert _warnings("object.metadata.labels['a'] == 'b'", "size(object.spec.?x.orValue('')) == 0")[:1] == [
        (
            "spec.validations[1].expression",
            _both("1:17", "undefined field 'x'", "size(object.spec.?x.orValue('')) == 0"),
        )
    ]


def _both(place: str, problem: str, text: str) -> str:
    marks = "." * (int(place.partition(":")[2]) - 1) + "^"
    shown = f"ERROR: <input>:{place}: {problem}\n | {text}\n | {marks}"
    return f"/v1, Kind=Pod: {shown}\n\napps/v1, Kind=Deployment: {shown}\n"


def test_wrong_types_and_fields_are_told_for_the_kinds_that_have_them() -> None:
    (only,) = _warnings("object.spec.replicas > '1'")
    assert only[0] == "spec.validations[0].expression"
    pod, deployment = only[1].split("\napps/v1, ")
    assert pod.startswith("/v1, Kind=Pod: ERROR: <input>:1:12: undefined field 'replicas'")
    assert deployment.startswith(
        "Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'"
    )


def test_variables_have_the_types_of_their_expressions() -> None:
    variables = {"containers": "has(object.spec.containers) ? object.spec.containers : []"}
    found = dict(_warnings("variables.containers.all(c, c.image > 1)", variables=variables))
    assert "applied to '(string, int)'" in found["spec.validations[0].expression"]


def test_only_what_is_named_is_looked_at() -> None:
    def rule(*resources: str, group: str = "apps", version: str = "v1") -> NamedRuleWithOperations:
        return NamedRuleWithOperations(api_groups=[group], api_versions=[version], resources=list(resources))

    match = MatchResources(resource_rules=[rule("deployments", "*", "pods/status"), rule("a", version="*")])
    assert list(resources_named(match)) == [("apps", "v1", "deployments")]
