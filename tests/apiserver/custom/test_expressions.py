"""Rules in CEL as a client meets them: on create, update, status and apply, and when a definition brings them."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.apiserver.custom.correlation import Correlation
from pybernetes.apiserver.custom.expression_rules import expression_schema_errors
from pybernetes.apiserver.custom.expressions import expression_errors, schema_rules
from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import CRONTABS, DEFINITIONS, crontab, definition

MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


def _object(fields: dict[str, Any], *rules: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "x-kubernetes-validations": list(rules), **rest}


def _rules(schema: dict[str, Any], new: Any, old: Any = None) -> list[str]:
    found = schema_rules(schema)
    assert found is not None
    past = Correlation(new, old, schema) if old is not None else None
    return [str(error) for error in expression_errors(found, new, old, past=past)]


def _of_spec(spec: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": spec}}


_PAIR = _of_spec(
    _object(
        {"least": {"type": "integer"}, "most": {"type": "integer"}},
        {"rule": "self.least <= self.most", "message": "least is too much"},
    )
)


def test_a_rule_that_does_not_hold_is_told_with_its_message() -> None:
    assert _rules(_PAIR, {"spec": {"least": 1, "most": 2}}) == []
    assert _rules(_PAIR, {"spec": {"least": 3, "most": 2}}) == ["spec: Invalid value: least is too much"]
    assert _rules(_PAIR, {"spec": {"least": 3}}) == [
        "spec: Invalid value: no such key: most evaluating rule: least is too much"
    ]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({}, "spec.x: Invalid value: \"no\": failed rule: self == 'yes'"),
        ({"message": "say yes"}, 'spec.x: Invalid value: "no": say yes'),
        ({"messageExpression": "'not ' + self"}, 'spec.x: Invalid value: "no": not no'),
        ({"messageExpression": "self.substring(9)", "message": "say yes"}, 'spec.x: Invalid value: "no": say yes'),
        ({"reason": "FieldValueRequired", "message": "say yes"}, "spec.x: Required value: say yes"),
        ({"reason": "FieldValueForbidden", "message": "say yes"}, "spec.x: Forbidden: say yes"),
        ({"reason": "FieldValueDuplicate"}, 'spec.x: Duplicate value: "no"'),
    ],
)
def test_errors_are_worded_as_the_rule_wants_them(rule: dict[str, Any], error: str) -> None:
    text = {"type": "string", "x-kubernetes-validations": [{"rule": "self == 'yes'", **rule}]}
    assert _rules(_of_spec(_object({"x": text})), {"spec": {"x": "no"}}) == [error]


@pytest.mark.parametrize("form", ["byte", "date", "date-time", "duration"])
@pytest.mark.parametrize("value", [[], [None], [{}]])
async def test_a_list_in_the_place_of_formatted_text_is_the_clients_mistake(
    call: Caller, form: str, value: Any
) -> None:
    spec = _object({"when": {"type": "string", "format": form}}, {"rule": "has(self.when)"})
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _of_spec(spec)}}
    assert (await call("POST", DEFINITIONS, definition(version)))[0] == 201
    code, answer = await call("POST", CRONTABS, crontab("a", {"when": value}))
    assert code == 422
    assert "spec: Invalid value: expected string, got []interface {}" in answer["message"]


def test_the_field_of_an_error_is_the_one_that_the_rule_names() -> None:
    schema = _of_spec(
        _object(
            {"a-b": {"type": "object", "properties": {"c": {"type": "string"}}}},
            {"rule": "self.a__dash__b.c != ''", "fieldPath": "['a-b'].c", "message": "empty"},
        )
    )
    assert _rules(schema, {"spec": {"a-b": {"c": ""}}}) == ["spec.a-b.c: Invalid value: empty"]


def test_transition_rules_compare_with_the_old_value() -> None:
    frozen = {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "frozen"}]}
    schema = _of_spec(_object({"x": frozen}))
    assert _rules(schema, {"spec": {"x": "a"}}) == []
    assert _rules(schema, {"spec": {"x": "a"}}, {"spec": {}}) == []
    assert _rules(schema, {"spec": {"x": "a"}}, {"spec": {"x": "a"}}) == []
    assert _rules(schema, {"spec": {"x": "b"}}, {"spec": {"x": "a"}}) == ['spec.x: Invalid value: "b": frozen']


def test_an_optional_old_value_is_there_on_create_too() -> None:
    rule = {"rule": "oldSelf.orValue('a') == self", "optionalOldSelf": True, "message": "starts as a and stays"}
    schema = _of_spec(_object({"x": {"type": "string", "x-kubernetes-validations": [rule]}}))
    assert _rules(schema, {"spec": {"x": "a"}}) == []
    assert len(_rules(schema, {"spec": {"x": "b"}})) == 1
    assert _rules(schema, {"spec": {"x": "b"}}, {"spec": {"x": "b"}}) == []


def test_what_an_update_leaves_alone_is_not_held_against_it() -> None:
    assert _rules(_PAIR, {"spec": {"least": 3, "most": 2}}, {"spec": {"least": 3, "most": 2}}) == []
    assert len(_rules(_PAIR, {"spec": {"least": 3, "most": 2}}, {"spec": {"least": 4, "most": 2}})) == 1


def test_items_of_list_maps_are_found_by_their_keys() -> None:
    item = _object(
        {"name": {"type": "string"}, "port": {"type": "integer"}},
        {"rule": "self.port >= oldSelf.port", "message": "never less"},
    )
    ports = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
    old = {"spec": [{"name": "a", "port": 1}, {"name": "b", "port": 5}]}
    new = {"spec": [{"name": "b", "port": 4}, {"name": "a", "port": 2}, {"name": "c", "port": 0}]}
    assert _rules(_of_spec(ports), new, old) == ["spec[0]: Invalid value: never less"]


@pytest.mark.parametrize(
    ("schema", "value", "rule"),
    [
        ({"type": "string", "format": "date-time"}, "2020-01-01T00:00:00Z", "self.getFullYear() == 2020"),
        ({"type": "string", "format": "date"}, "2020-01-02", "self < timestamp('2020-01-03T00:00:00Z')"),
        ({"type": "string", "format": "duration"}, "1h", "self == duration('60m')"),
        ({"type": "string", "format": "byte"}, "aGk=", "self == b'hi'"),
        ({"type": "number"}, 3, "self / 2.0 == 1.5"),
        ({"x-kubernetes-int-or-string": True}, "5%", "type(self) == string ? self.endsWith('%') : self == 5"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, {"a": 1}, "self.all(k, self[k] == 1.0)"),
        (
            {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            ["a", "b"],
            "self == ['b', 'a'] && (self + ['b', 'c']).size() == 3",
        ),
        (
            {"type": "object", "properties": {"namespace": {"type": "string"}}},
            {"namespace": "x"},
            "self.__namespace__ == 'x'",
        ),
        (
            {"type": "object", "properties": {"x": {"type": "string", "nullable": True}}},
            {"x": None},
            "!has(self.x) && !self.?x.hasValue()",
        ),
    ],
)
def test_values_are_what_their_schema_says(schema: dict[str, Any], value: Any, rule: str) -> None:
    whole = _of_spec({**schema, "x-kubernetes-validations": [{"rule": rule}]})
    assert _rules(whole, {"spec": value}) == []


def test_the_root_knows_its_name_and_kind() -> None:
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object"}},
        "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('a') && self.kind == 'X'"}],
    }
    assert _rules(schema, {"kind": "X", "apiVersion": "v1", "metadata": {"name": "ab"}}) == []
    failed = _rules(schema, {"kind": "X", "apiVersion": "v1", "metadata": {"name": "b"}})
    assert failed == ["<nil>: Invalid value: failed rule: self.metadata.name.startsWith('a') && self.kind == 'X'"]


def test_rules_that_would_take_too_long_are_stopped() -> None:
    rule = {"rule": "self.all(a, self.all(b, self.all(c, a + b + c > 0)))"}
    schema = _of_spec({"type": "array", "items": {"type": "integer"}, "x-kubernetes-validations": [rule, rule]})
    (problem,) = _rules(schema, {"spec": [1] * 500})
    assert "operation cancelled: actual cost limit exceeded" in problem


_TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "errors"),
    [
        ({**_TEXT, "x-kubernetes-validations": [{"rule": "self.size() > 1"}]}, []),
        (
            {
                "type": "array",
                "maxItems": 10,
                "items": _TEXT,
                "x-kubernetes-validations": [{"rule": "self.all(x, x == 'a')"}],
            },
            [],
        ),
        (
            {
                "type": "array",
                "items": _TEXT,
                "x-kubernetes-validations": [{"rule": "self.all(x, self.all(y, x == y))"}],
            },
            ["estimated rule cost exceeds budget by factor of more than 100x"],
        ),
        (
            {**_TEXT, "x-kubernetes-validations": [{"rule": "self != ''", "optionalOldSelf": True}]},
            ["may not be set if oldSelf is not used in rule"],
        ),
        (
            {
                "type": "array",
                "maxItems": 3,
                "items": {**_TEXT, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
            },
            ["oldSelf cannot be used on the uncorrelatable portion of the schema within p.properties[x]"],
        ),
        (
            {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "properties": {"y": {**_TEXT, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}},
            },
            [],
        ),
    ],
)
def test_definitions_may_not_bring_rules_that_cannot_work(schema: dict[str, Any], errors: list[str]) -> None:
    found = [error.detail for error in expression_schema_errors(_object({"x": schema}), "p")]
    assert len(found) >= len(errors)
    for text, wanted in zip(found, errors, strict=False):
        assert text.startswith(wanted)
    assert errors or not found


async def test_rules_hold_for_every_way_to_write(call: Caller) -> None:
    status = _object({"phase": {"type": "string"}}, {"rule": "self.phase != 'Lost'", "message": "never lost"})
    spec = _object(
        {"replicas": {"type": "integer"}, "schedule": {"type": "string"}},
        {"rule": "self.replicas < 5", "message": "too many"},
        {"rule": "self.replicas >= oldSelf.replicas", "message": "never less"},
    )
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
    }
    assert (await call("POST", DEFINITIONS, definition(version)))[0] == 201
    code, answer = await call("POST", CRONTABS, crontab("a", {"replicas": 7}))
    assert (code, answer["message"]) == (
        422,
        'CronTab.stable.example.com "a" is invalid: spec: Invalid value: too many',
    )
    assert (await call("POST", CRONTABS, crontab("a", {"replicas": 3})))[0] == 201
    writes = [
        (f"{CRONTABS}/a", {"spec": {"replicas": 2}}, MERGE, "spec: Invalid value: never less"),
        (f"{CRONTABS}/a/scale", {"spec": {"replicas": 2}}, MERGE, "spec: Invalid value: never less"),
        (f"{CRONTABS}/a/status", {"status": {"phase": "Lost"}}, MERGE, "status: Invalid value: never lost"),
        (
            f"{CRONTABS}/a?fieldManager=m&force=true",
            crontab("a", {"replicas": 9}),
            APPLY,
            "spec: Invalid value: too many",
        ),
    ]
    for path, body, content_type, message in writes:
        code, answer = await call("PATCH", path, body, content_type=content_type)
        assert code == 422, path
        assert message in answer["message"]
    assert (await call("PATCH", f"{CRONTABS}/a", {"spec": {"replicas": 4}}, content_type=MERGE))[0] == 200
