"""Admission policies as clients meet them: refusals, warnings, params, conditions, changed objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.apiserver.conftest import Caller

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
_ABOUT_MAPS = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    ]
}


def _map(name: str, data: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "data": data or {"k": ""}}


async def _police(call: Caller, spec: dict[str, Any], binding: dict[str, Any] | None = None) -> None:
    whole = {"matchConstraints": _ABOUT_MAPS, **spec}
    code, answer = await call(
        "POST", f"{GROUP}/validatingadmissionpolicies", {"metadata": {"name": "p"}, "spec": whole}
    )
    assert code == 201, answer
    bound = {"policyName": "p", "validationActions": ["Deny"], **(binding or {})}
    body = {"metadata": {"name": "b"}, "spec": bound}
    code, answer = await call("POST", f"{GROUP}/validatingadmissionpolicybindings", body)
    assert code == 201, answer


async def test_what_a_policy_denies_is_refused_with_its_message(call: Caller) -> None:
    rules = [
        {"expression": "!('bad' in object.data)", "message": "no bad keys", "reason": "Forbidden"},
        {"expression": "size(object.data) < 2", "messageExpression": "'too many: ' + string(size(object.data))"},
        {"expression": "!has(object.metadata.labels) || object.metadata.labels.a == 'b'"},
    ]
    await _police(call, {"validations": rules})
    assert (await call("POST", MAPS, _map("good", {"a": "b"})))[0] == 201
    denied = "is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request"
    code, answer = await call("POST", MAPS, _map("x", {"bad": ""}))
    assert (code, answer["message"]) == (403, f'configmaps "x" {denied}: no bad keys')
    code, answer = await call("POST", MAPS, _map("x", {"a": "", "b": ""}))
    assert (code, answer["message"]) == (422, f'configmaps "x" {denied}: too many: 2')
    _code, answer = await call("POST", MAPS, _map("x", labels={"a": "c"}))
    assert answer["message"].endswith(f"failed expression: {rules[2]['expression']}")
    _code, answer = await call("POST", MAPS, _map("x", labels={"c": "c"}))
    assert answer["message"].endswith(f"expression '{rules[2]['expression']}' resulted in error: no such key: a")
    code, _answer = await call("PATCH", f"{MAPS}/good", {"data": {"bad": ""}}, content_type=MERGE)
    assert code == 403


async def test_creates_that_look_alike_are_still_asked_about_one_by_one(call: Caller) -> None:
    await _police(call, {"validations": [{"expression": "object.metadata.name != 'c'"}]})
    codes = [(await call("POST", MAPS, _map(name)))[0] for name in "abcde"]
    assert codes == [201, 201, 422, 201, 201]


async def test_variables_params_and_conditions(call: Caller) -> None:
    spec = {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConditions": [{"name": "not-mine", "expression": "!object.metadata.name.startsWith('mine')"}],
        "variables": [
            {"name": "most", "expression": "int(params.data.most)"},
            {"name": "count", "expression": "size(object.data)"},
        ],
        "validations": [{"expression": "variables.count <= variables.most"}],
    }
    ref = {"name": "mine-params", "namespace": "default", "parameterNotFoundAction": "Deny"}
    await _police(call, spec, {"paramRef": ref})
    code, answer = await call("POST", MAPS, _map("early"))
    assert code == 422
    assert "failed to configure binding: no params found" in answer["message"]
    await call("DELETE", f"{GROUP}/validatingadmissionpolicybindings/b")
    assert (await call("POST", MAPS, _map("mine-params", {"most": "1"})))[0] == 201
    body = {
        "metadata": {"name": "b"},
        "spec": {"policyName": "p", "validationActions": ["Deny"], "paramRef": ref},
    }
    await call("POST", f"{GROUP}/validatingadmissionpolicybindings", body)
    assert (await call("POST", MAPS, _map("one", {"a": ""})))[0] == 201
    assert (await call("POST", MAPS, _map("two", {"a": "", "b": ""})))[0] == 422
    assert (await call("POST", MAPS, _map("mine-two", {"a": "", "b": ""})))[0] == 201


async def test_warnings_are_told_and_nothing_is_refused(call: Caller) -> None:
    rule = {"expression": "false", "message": "never right"}
    await _police(call, {"validations": [rule]}, {"validationActions": ["Warn", "Audit"]})
    response = await call.send("POST", MAPS, _map("a"))
    assert response.status == 201
    told = "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': never right"
    assert response.headers["warning"] == (f'299 - "{told}"',)


async def test_errors_do_not_matter_when_the_policy_says_so(call: Caller) -> None:
    await _police(call, {"failurePolicy": "Ignore", "validations": [{"expression": "object.data.missing == ''"}]})
    assert (await call("POST", MAPS, _map("a")))[0] == 201


async def test_policies_may_ask_what_the_user_may_do(call: Caller) -> None:
    right = "authorizer.group('').resource('secrets').namespace('default').check('create').allowed()"
    await _police(call, {"validations": [{"expression": f"{right} && request.userInfo.groups.exists(g, g != '')"}]})
    assert (await call("POST", MAPS, _map("a")))[0] == 201


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"validations": [{"expression": "object."}]}, "spec.validations[0].expression: Invalid value"),
        ({"validations": [{"expression": "1"}]}, "must evaluate to bool but got int"),
        ({"validations": [{"expression": "params == null"}]}, "undeclared reference to 'params'"),
        ({"validations": [{"expression": "variables.x"}]}, "undefined field 'x'"),
        (
            {"variables": [{"name": "x-y", "expression": "1"}], "validations": [{"expression": "true"}]},
            "name is not a valid CEL identifier",
        ),
        (
            {"auditAnnotations": [{"key": "k", "valueExpression": "1"}]},
            "must evaluate to one of [string null_type] but got int",
        ),
    ],
)
async def test_policies_that_cannot_work_are_refused(call: Caller, spec: dict[str, Any], message: str) -> None:
    body = {"metadata": {"name": "p"}, "spec": {"matchConstraints": _ABOUT_MAPS, **spec}}
    code, answer = await call("POST", f"{GROUP}/validatingadmissionpolicies", body)
    assert code == 422
    assert message in answer["message"]


async def _mutate(call: Caller, *mutations: dict[str, Any], **spec: Any) -> None:
    whole = {"matchConstraints": _ABOUT_MAPS, "reinvocationPolicy": "Never", "mutations": list(mutations), **spec}
    code, answer = await call("POST", f"{GROUP}/mutatingadmissionpolicies", {"metadata": {"name": "m"}, "spec": whole})
    assert code == 201, answer
    body = {"metadata": {"name": "m"}, "spec": {"policyName": "m"}}
    assert (await call("POST", f"{GROUP}/mutatingadmissionpolicybindings", body))[0] == 201


async def test_policies_change_objects_before_they_are_stored(call: Caller) -> None:
    labels = "Object{metadata: Object.metadata{labels: {'team': object.data[?'team'].orValue('none')}}}"
    key = "jsonpatch.escapeKey('example.com/by')"
    patch = f"[JSONPatch{{op: 'add', path: '/metadata/labels/' + {key}, value: request.userInfo.username}}]"
    await _mutate(
        call,
        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": labels}},
        {"patchType": "JSONPatch", "jsonPatch": {"expression": patch}},
    )
    code, made = await call("POST", MAPS, _map("a", {"team": "red"}, labels={"own": "x"}))
    assert code == 201
    assert made["metadata"]["labels"] == {"own": "x", "team": "red", "example.com/by": "admin"}


async def test_changes_that_cannot_be_made_are_refused_or_left_out(call: Caller) -> None:
    wrong = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{bogus: 1}"}}
    await _mutate(call, wrong, matchConditions=[{"name": "c", "expression": "object.metadata.name == 'a'"}])
    code, answer = await call("POST", MAPS, _map("a"))
    assert code == 403
    assert answer["message"].startswith("policy 'm' with binding 'm' denied request: error applying patch")
    assert (await call("POST", MAPS, _map("b")))[0] == 201
    path = f"{GROUP}/mutatingadmissionpolicies/m"
    assert (await call("PATCH", path, {"spec": {"failurePolicy": "Ignore"}}, content_type=MERGE))[0] == 200
    assert (await call("POST", MAPS, _map("a")))[0] == 201


_PODS = "/api/v1/namespaces/default/pods"
_MADE_MARK = {"op": "add", "path": "/metadata/labels", "value": {"seen": "yes"}}


def _patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """A mutation by these operations."""
    written = [
        f"JSONPatch{{op: '{held['op']}', path: '{held['path']}', value: {json.dumps(held['value'])}}}"
        for held in operations
    ]
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{', '.join(written)}]"}}


def _applied(expression: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


async def test_a_patch_whose_test_fails_changes_nothing(call: Caller) -> None:
    test = {"op": "test", "path": "/data/k", "value": "other"}
    await _mutate(call, _patch(_MADE_MARK, test))
    code, made = await call("POST", MAPS, _map("a"))
    assert (code, made["metadata"].get("labels")) == (201, None)
    _code, made = await call("POST", MAPS, _map("b", {"k": "other"}))
    assert made["metadata"]["labels"] == {"seen": "yes"}


async def test_what_fails_may_be_left_out_and_the_rest_still_done(call: Caller) -> None:
    wrong = {"op": "replace", "path": "/metadata/finalizers/2", "value": ""}
    await _mutate(call, _patch(wrong), _applied("Object{bogus: 1}"), _patch(_MADE_MARK), failurePolicy="Ignore")
    code, made = await call("POST", MAPS, _map("a", finalizers=["x/z"]))
    assert (code, made["metadata"]["labels"]) == (201, {"seen": "yes"})


@pytest.mark.parametrize(
    ("mutation", "code", "message"),
    [
        (
            _applied("Object{data: Object.metadata{}}"),
            403,
            'type mismatch: unexpected type name "Object.metadata", expected "Object.data"',
        ),
        (
            _patch({"op": "replace", "path": "/metadata/finalizers/2", "value": "x/y"}),
            403,
            "replace operation does not apply: doc is missing key: /metadata/finalizers/2: missing value",
        ),
        (_patch({"op": "add", "path": "/bogus", "value": 1}), 500, 'strict decoding error: unknown field "bogus"'),
    ],
)
async def test_what_cannot_be_made_of_an_object(
    call: Caller, mutation: dict[str, Any], code: int, message: str
) -> None:
    await _mutate(call, mutation)
    got, answer = await call("POST", MAPS, _map("a", finalizers=["x/z"]))
    assert got == code
    assert message in answer["message"]


async def test_what_is_one_value_is_not_laid_over(call: Caller) -> None:
    about = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    args = _applied("Object{spec: Object.spec{containers: [Object.spec.containers{name: 'c', args: ['x']}]}}")
    await _mutate(call, args, matchConstraints={"resourceRules": [about]})
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    code, answer = await call("POST", _PODS, pod)
    assert code == 403
    assert "may not mutate atomic arrays, maps or structs: .spec.containers[0].args" in answer["message"]


async def test_a_rule_that_costs_too_much_does_not_silence_the_next(call: Caller) -> None:
    dear = "object.data.all(a, object.data.all(b, object.data.all(c, a.contains(b) || b.contains(c) || a < c || true)))"
    rules = [{"expression": dear}, {"expression": "false", "message": "never right"}]
    await _police(call, {"validations": rules, "failurePolicy": "Ignore"})
    code, answer = await call("POST", MAPS, _map("x", {f"{index:0100}": "" for index in range(100)}))
    assert code == 422
    assert answer["message"].endswith("never right")


async def test_trouble_with_annotations_refuses_whatever_the_binding_does(call: Caller) -> None:
    annotation = {"key": "k", "valueExpression": "'of ' + object.data.missing"}
    rule = {"expression": "false", "message": "told"}
    await _police(call, {"auditAnnotations": [annotation], "validations": [rule]}, {"validationActions": ["Warn"]})
    response = await call.send("POST", MAPS, _map("a"))
    assert response.status == 422
    assert "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': told" in str(
        response.headers["warning"]
    )


async def test_params_of_a_kind_that_nobody_serves_are_the_policys_fault(call: Caller) -> None:
    spec = {"paramKind": {"apiVersion": "example.com/v1", "kind": "None"}, "validations": [{"expression": "true"}]}
    ref = {"name": "x", "parameterNotFoundAction": "Allow"}
    await _police(call, spec, {"paramRef": ref, "validationActions": ["Audit"]})
    code, answer = await call("POST", MAPS, _map("a"))
    assert code == 422
    trouble = "failed to find resource referenced by paramKind: 'example.com/v1, Kind=None'"
    expected = f"ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: {trouble}"
    assert answer["message"].endswith(expected)


async def test_the_second_round_is_for_policies_that_were_applied_in_the_first(call: Caller) -> None:
    count = "Object{metadata: Object.metadata{annotations: {'n': string(int(object.metadata.annotations['n']) + 1)}}}"
    marked = [{"name": "marked", "expression": "object.metadata.annotations['n'] != '0'"}]
    spec = {"matchConstraints": _ABOUT_MAPS, "reinvocationPolicy": "IfNeeded", "matchConditions": marked}
    body = {"metadata": {"name": "a"}, "spec": {**spec, "mutations": [_applied(count)]}}
    assert (await call("POST", f"{GROUP}/mutatingadmissionpolicies", body))[0] == 201
    bound = {"metadata": {"name": "a"}, "spec": {"policyName": "a"}}
    assert (await call("POST", f"{GROUP}/mutatingadmissionpolicybindings", bound))[0] == 201
    await _mutate(call, _applied(count), reinvocationPolicy="IfNeeded")
    _code, made = await call("POST", MAPS, _map("once", annotations={"n": "0"}))
    # The other one alone, twice: when it was asked at first, nothing was marked.
    assert made["metadata"]["annotations"] == {"n": "2"}
    _code, made = await call("POST", MAPS, _map("both", annotations={"n": "1"}))
    assert made["metadata"]["annotations"] == {"n": "5"}


async def test_whom_a_policy_is_about_is_settled_before_others_change_the_object(call: Caller) -> None:
    marked = {**_ABOUT_MAPS, "objectSelector": {"matchLabels": {"seen": "yes"}}}
    spec = {"matchConstraints": marked, "reinvocationPolicy": "IfNeeded", "mutations": [_applied("Object{x: 1}")]}
    body = {"metadata": {"name": "z"}, "spec": spec}
    assert (await call("POST", f"{GROUP}/mutatingadmissionpolicies", body))[0] == 201
    bound = {"metadata": {"name": "z"}, "spec": {"policyName": "z"}}
    assert (await call("POST", f"{GROUP}/mutatingadmissionpolicybindings", bound))[0] == 201
    await _mutate(call, _patch(_MADE_MARK))
    code, made = await call("POST", MAPS, _map("a"))
    assert (code, made["metadata"]["labels"]) == (201, {"seen": "yes"})


async def test_all_that_policies_could_not_do_is_told(call: Caller) -> None:
    await _mutate(call, _applied("Object{a: 1}"), _patch(_MADE_MARK), _applied("Object{b: 1}"))
    code, answer = await call("POST", MAPS, _map("a"))
    causes = [cause["message"] for cause in answer["details"]["causes"]]
    assert (code, answer["reason"], answer["message"]) == (403, "Invalid", causes[0])
    assert [".a" in causes[0], ".b" in causes[1], len(causes)] == [True, True, 2]


async def test_missing_params_of_a_change_are_the_bindings_fault(call: Caller) -> None:
    await _mutate(call, _applied("Object{}"), paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
    ref = {"paramRef": {"name": "none", "parameterNotFoundAction": "Deny"}}
    path = f"{GROUP}/mutatingadmissionpolicybindings/m"
    assert (await call("PATCH", path, {"spec": ref}, content_type=MERGE))[0] == 200
    code, answer = await call("POST", MAPS, _map("a"))
    trouble = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
    assert (code, answer["reason"]) == (403, "Forbidden")
    assert answer["message"] == f"policy 'm' with binding 'm' denied request: {trouble}"
