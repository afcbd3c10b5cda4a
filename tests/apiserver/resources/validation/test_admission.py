"""What is said of webhooks, of admission policies and of their bindings."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import merged, on_create, on_status, on_update

from pybernetes.api.names import dns1123_subdomain

_GROUP = "admissionregistration.k8s.io/v1"
_RULE = {"operations": ["CREATE"], "apiGroups": ["a"], "apiVersions": ["v1"], "resources": ["pods"]}


def _webhooks(*patches: dict[str, Any], kind: str = "ValidatingWebhookConfiguration") -> dict[str, Any]:
    whole = {
        "name": "hook.example.com",
        "clientConfig": {"url": "https://example.com/hook"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": [_RULE],
    }
    return {"apiVersion": _GROUP, "kind": kind, "webhooks": [merged(whole, patch) for patch in patches]}


def _rule(**parts: Any) -> dict[str, Any]:
    return {"rules": [{**_RULE, **parts}]}


def _service(**parts: Any) -> dict[str, Any]:
    return {"clientConfig": {"url": None, "service": {"name": "n", "namespace": "ns", **parts}}}


_RESOURCES = "webhooks[0].rules[0].resources"
_SERVICE = "webhooks[0].clientConfig.service"
_BAD_SERVICE = [
    f"{_SERVICE}.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
    f"{_SERVICE}.path: Invalid value: \"a/b\": must start with a '/'",
    f'{_SERVICE}.path: Invalid value: "a/b": segment[0] may not be empty',
]
_SUBDOMAIN = dns1123_subdomain("B")[0]


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({}, []),
        ({"name": ""}, ["webhooks[0].name: Required value"]),
        ({"name": "a.b"},
         ['webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots']),
        (_rule(resources=["pods", "pods/log", "*/scale", "a/scale"]),
         [f"{_RESOURCES}[3]: Invalid value: \"a/scale\": if '*/scale' is present, must not specify a/scale"]),
        (_rule(resources=["pods/*", "pods/log"]),
         [f"{_RESOURCES}[1]: Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log"]),
        (_rule(resources=["*", "pods"]),
         [f'{_RESOURCES}: Invalid value: ["*","pods"]: '
          "if '*' is present, must not specify other resources without subresources"]),
        (_rule(resources=["*", "pods/log"]), []),
        (_rule(resources=[""], apiVersions=[""]),
         ["webhooks[0].rules[0].apiVersions[0]: Required value", f"{_RESOURCES}[0]: Required value"]),
        (_service(), []),
        (_service(port=70000, path="a/b"), _BAD_SERVICE),
        (_service(path="/a//B"),
         [f'{_SERVICE}.path: Invalid value: "/a//B": segment[1] may not be empty',
          f'{_SERVICE}.path: Invalid value: "/a//B": segment[2]: {_SUBDOMAIN}']),
        ({"clientConfig": {"url": "https://user:word@example.com"}},
         ['webhooks[0].clientConfig.url: Invalid value: "user:word": user information is not permitted in the URL']),
        ({"sideEffects": "Some"},
         ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"']),
        ({"admissionReviewVersions": ["v2", "v2"]},
         ['webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
          'webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1']),
    ],
)  # fmt: skip
def test_webhooks(patch: dict[str, Any], said: list[str]) -> None:
    assert on_create(_webhooks(patch)) == said


def test_mutating_webhooks_may_be_asked_again() -> None:
    document = _webhooks({"reinvocationPolicy": "Always"}, kind="MutatingWebhookConfiguration")
    assert on_create(document) == [
        'webhooks[0].reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"'
    ]


@pytest.mark.parametrize(
    "patches",
    [
        [{"sideEffects": "Some"}],
        [{"admissionReviewVersions": ["v3"]}],
        [{}, {}],
        [{"objectSelector": {"matchLabels": {"a": "-"}}}],
        [{"matchConditions": [{"name": "a", "expression": "nothing"}]}],
    ],
)
def test_what_is_wrong_with_stored_webhooks_may_stay_wrong(patches: list[dict[str, Any]]) -> None:
    whole, stored = _webhooks(*patches), _webhooks(*patches)
    assert on_create(whole)
    assert on_update(stored, merged(whole, {"metadata": {"labels": {"a": "b"}}})) == []
    assert on_update(_webhooks(*[{} for _patch in patches[:1]]), whole)


_MATCH = {"matchConstraints": {"resourceRules": [_RULE]}}


def _policy(**spec: Any) -> dict[str, Any]:
    whole = {**_MATCH, "validations": [{"expression": "true"}], **spec}
    return {"apiVersion": _GROUP, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}, "spec": whole}


def _first(documents: list[str]) -> list[str]:
    return [line.partition(": compilation failed")[0] for line in documents]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, []),
        ({"validations": [{"expression": "object.a &&\nobject.b"}]}, []),
        ({"validations": [{"expression": "true", "message": "a\rb"}]},
         ['spec.validations[0].message: Invalid value: "a\\rb": message must not contain line breaks']),
        ({"validations": [{"expression": "true", "messageExpression": "string(authorizer.path('/'))"}]},
         ["spec.validations[0].messageExpression: Invalid value: \"string(authorizer.path('/'))\""]),
        ({"variables": [{"name": "in", "expression": "1"}]},
         ['spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier']),
        ({"variables": [{"name": "a", "expression": "1"}, {"name": "b", "expression": "variables.a + 1"},
                        {"name": "c", "expression": "variables.d"}, {"name": "d", "expression": "variables.b"}]},
         ['spec.variables[2].expression: Invalid value: "variables.d"']),
        ({"paramKind": {"apiVersion": "a/b/c", "kind": "A-"}},
         ['spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
          'spec.paramKind.kind: Invalid value: "A-": may have mixed case, but should otherwise match: a DNS-1035 label '
          "must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with "
          "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
          "'[a-z]([-a-z0-9]*[a-z0-9])?')"]),
        ({"paramKind": {"apiVersion": "a/", "kind": "A"}},
         ['spec.paramKind.apiVersion: Invalid value: "a/": version must be specified']),
        ({"matchConstraints": {"resourceRules": [{**_RULE, "resourceNames": ["a", "a", "b/c"]}]}},
         ["spec.matchConstraints.resourceRules[0].resourceNames[2]: Invalid value: \"b/c\": may not contain '/'",
          'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"']),
        ({"auditAnnotations": [{"key": "a/b", "valueExpression": "'x'"},
                               {"key": "k", "valueExpression": f"'{'x' * 5119}'"}]},
         ['spec.auditAnnotations[0].key: Invalid value: "p/a/b": a qualified name must consist of alphanumeric '
          "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
          "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an "
          "optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
          "spec.auditAnnotations[1].valueExpression: Required value: must not exceed 5120 bytes in length"]),
    ],
)  # fmt: skip
def test_validating_policies(spec: dict[str, Any], said: list[str]) -> None:
    assert _first(on_create(_policy(**spec))) == said


def test_conditions_that_stay_are_not_judged_again() -> None:
    stored = _policy(matchConditions=[{"name": "a", "expression": "params.b"}])
    assert on_update(stored, merged(stored, {"spec": {"failurePolicy": "Ignore"}})) == []
    changed = merged(stored, {"spec": {"matchConditions": [{"name": "b", "expression": "params.b"}]}})
    assert len(on_update(stored, changed)) == 1


def test_the_status_of_a_policy() -> None:
    condition = {"type": "a", "status": "Maybe", "reason": "r", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    status = {"typeChecking": {"expressionWarnings": [{"fieldRef": " "}]}, "conditions": [condition]}
    assert on_status(_policy(), {}, status) == [
        "status.typeChecking.expressionWarnings[0].warning: Required value",
        "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
        'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    ]


def _binding(**spec: Any) -> dict[str, Any]:
    whole = {"policyName": "p", "validationActions": ["Deny"], **spec}
    return {"apiVersion": _GROUP, "kind": "ValidatingAdmissionPolicyBinding", "spec": whole}


_BOTH = "name and selector are mutually exclusive"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"validationActions": []},
         ["spec.validationActions: Required value: at least one validation action is required"]),
        ({"validationActions": ["Audit", "Audit"]}, ['spec.validationActions[1]: Duplicate value: "Audit"']),
        ({"paramRef": {"name": "A_b", "parameterNotFoundAction": "Deny"}}, []),
        ({"paramRef": {"name": "a/b", "selector": {}}},
         ["spec.paramRef.name: Invalid value: \"a/b\": may not contain '/'",
          f"spec.paramRef.name: Forbidden: {_BOTH}", f"spec.paramRef.selector: Forbidden: {_BOTH}",
          "spec.paramRef.parameterNotFoundAction: Required value"]),
    ],
)  # fmt: skip
def test_bindings(spec: dict[str, Any], said: list[str]) -> None:
    assert on_create(_binding(**spec)) == said


def _mutating(**spec: Any) -> dict[str, Any]:
    patch = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{op: 'remove', path: '/a'}]"}}
    whole = {**_MATCH, "mutations": [patch], "reinvocationPolicy": "Never", **spec}
    return {"apiVersion": _GROUP, "kind": "MutatingAdmissionPolicy", "spec": whole}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, []),
        ({"matchConstraints": {"resourceRules": [{**_RULE, "operations": ["DELETE"]}]}},
         ['spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": '
          'supported values: "*", "CONNECT", "CREATE", "UPDATE"']),
        ({"mutations": [{"patchType": "JSONPatch", "applyConfiguration": {"expression": "Object{}"}}]},
         ['spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": '
          "must not be specified when patchType is JSONPatch",
          "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch"]),
    ],
)  # fmt: skip
def test_mutating_policies(spec: dict[str, Any], said: list[str]) -> None:
    assert on_create(_mutating(**spec)) == said
