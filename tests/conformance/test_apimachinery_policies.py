"""[sig-api-machinery] ValidatingAdmissionPolicy and MutatingAdmissionPolicy: what they refuse, say and change."""

from __future__ import annotations

from tests.conformance.bodies import workload
from tests.conformance.custom import define, definition
from tests.conformance.driving import NAMESPACE, Api, Json, Simulated, alone, simulated

GROUP = "admissionregistration.k8s.io/v1"
APPS = "apps/v1"
_LABEL = {"policies": "true"}
_DEPLOYMENTS = ("apps", "v1", "deployments")


async def _label(api: Api) -> None:
    await api.patch(f"/api/v1/namespaces/{NAMESPACE}", {"metadata": {"labels": _LABEL}})


def _match(resource: tuple[str, str, str] = _DEPLOYMENTS) -> Json:
    group, version, name = resource
    rule = {"apiGroups": [group], "apiVersions": [version], "operations": ["CREATE", "UPDATE"], "resources": [name]}
    return {"namespaceSelector": {"matchLabels": _LABEL}, "resourceRules": [rule]}


async def _police(api: Api, name: str, spec: Json, resource: tuple[str, str, str] = _DEPLOYMENTS) -> str:
    """Creates a policy; its path."""
    body = {"metadata": {"name": name}, "spec": {"matchConstraints": _match(resource), **spec}}
    await api.post(api.root(GROUP, "validatingadmissionpolicies"), body)
    return api.root(GROUP, "validatingadmissionpolicies", name)


async def _bind(api: Api, policy: str) -> None:
    match = {"namespaceSelector": {"matchLabels": _LABEL}}
    spec = {"policyName": policy, "matchResources": match, "validationActions": ["Deny"]}
    await api.post(api.root(GROUP, "validatingadmissionpolicybindings"), {"metadata": {"name": policy}, "spec": spec})


def _deployment(name: str, replicas: int) -> Json:
    return workload(name, {"app": "nginx"}, replicas)


async def _warnings(api: Api, path: str) -> list[Json]:
    """What the type check of a policy has found, when it has ended."""

    async def checked() -> tuple[list[Json]] | None:
        checking = (await api.get(path))["status"].get("typeChecking")
        return None if checking is None else (checking.get("expressionWarnings", []),)

    (found,) = await api.until(checked)
    warnings: list[Json] = found
    return warnings


@alone
async def test_deployments_are_validated(api: Api) -> None:
    """ValidatingAdmissionPolicy should validate against a Deployment."""
    await _label(api)
    message = "'wants replicas > 1, got ' + object.spec.replicas"
    await _police(api, "p", {"validations": [{"expression": "object.spec.replicas > 1", "messageExpression": message}]})
    await _bind(api, "p")
    refusal = await api.refused(422, api.post(api.at(APPS, "deployments"), _deployment("marker", 1)))
    assert refusal["reason"] == "Invalid"
    await api.post(api.at(APPS, "deployments"), _deployment("replicated", 2))
    await api.post(api.at(APPS, "replicasets"), _deployment("non-replicated", 1))


@alone
async def test_expressions_refer_to_variables(api: Api) -> None:
    """ValidatingAdmissionPolicy should allow expressions to refer variables."""
    await _label(api)
    variables = [
        {"name": "replicas", "expression": "object.spec.replicas"},
        {"name": "oddReplicas", "expression": "variables.replicas % 2 == 1"},
    ]
    rules = [
        {"expression": "variables.replicas > 1"},
        {"expression": "variables.oddReplicas"},
        {"expression": "variables.replicas < 9"},
    ]
    await _police(api, "p", {"variables": variables, "validations": rules})
    await _bind(api, "p")
    for replicas in (1, 4, 11):
        await api.refused(422, api.post(api.at(APPS, "deployments"), _deployment(f"d{replicas}", replicas)))
    await api.post(api.at(APPS, "deployments"), _deployment("replicated", 3))


@simulated
async def test_expressions_are_type_checked(api: Simulated) -> None:
    """ValidatingAdmissionPolicy should type check validation expressions."""
    right = await _police(api, "right", {"validations": [{"expression": "object.spec.replicas > 1"}]})
    assert await _warnings(api, right) == []
    rule = {
        "expression": "object.spec.replicas > '1'",
        "messageExpression": "'wants replicas > 1, got ' + object.spec.replicas",
    }
    found = await _warnings(api, await _police(api, "confused", {"validations": [rule]}))
    assert [warning["fieldRef"] for warning in found] == [
        "spec.validations[0].expression",
        "spec.validations[0].messageExpression",
    ]
    assert "found no matching overload for '_>_' applied to '(int, string)'" in found[0]["warning"]
    assert "found no matching overload for '_+_' applied to '(string, int)'" in found[1]["warning"]


@simulated
async def test_expressions_about_custom_resources_are_type_checked(api: Simulated) -> None:
    """ValidatingAdmissionPolicy should type check a CRD."""
    fields = {"cronSpec": {"type": "string"}, "image": {"type": "string"}, "replicas": {"type": "integer"}}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    await define(api, definition("crontabs", schema))
    rules = [{"expression": "object.spec.replicas > '1'"}, {"expression": "object.spec.maxRetries < 10"}]
    resource = ("group.example.com", "v1", "crontabs")
    found = await _warnings(api, await _police(api, "p", {"validations": rules}, resource))
    assert [warning["fieldRef"] for warning in found] == [
        "spec.validations[0].expression",
        "spec.validations[1].expression",
    ]
    assert "found no matching overload for '_>_' applied to '(int, string)'" in found[0]["warning"]
    assert "undefined field 'maxRetries'" in found[1]["warning"]


async def _mutated(api: Api, expression: str) -> Json:
    """A Deployment that was created under a policy with this apply configuration."""
    await _label(api)
    mutation = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}
    spec = {"matchConstraints": _match(), "mutations": [mutation], "reinvocationPolicy": "Never"}
    await api.post(api.root(GROUP, "mutatingadmissionpolicies"), {"metadata": {"name": "m"}, "spec": spec})
    bound = {"policyName": "m", "matchResources": {"namespaceSelector": {"matchLabels": _LABEL}}}
    await api.post(api.root(GROUP, "mutatingadmissionpolicybindings"), {"metadata": {"name": "m"}, "spec": bound})
    made: Json = await api.post(api.at(APPS, "deployments"), _deployment("test-deployment", 1))
    return made


@alone
async def test_deployments_are_annotated(api: Api) -> None:
    """MutatingAdmissionPolicy should mutate a Deployment with annotations."""
    annotations = '{\n\t\t\t\t"mutated-by": "admission-policy"\n\t\t\t}'
    made = await _mutated(
        api, f"\n\tObject{{\n\t\tmetadata: Object.metadata{{\n\t\t\tannotations: {annotations}\n\t\t}}\n\t}}"
    )
    assert made["metadata"]["annotations"]["mutated-by"] == "admission-policy"


@alone
async def test_deployments_are_mutated(api: Api) -> None:
    """MutatingAdmissionPolicy should mutate a Deployment."""
    made = await _mutated(api, "Object{spec: Object.spec{replicas: 1337}}")
    assert made["spec"]["replicas"] == 1337
