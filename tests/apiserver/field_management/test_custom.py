"""Ownership of the fields of custom resources: what their schemas say, and what happens when these change."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.conftest import Caller

from pybernetes.apiserver.field_management.checking import problems
from pybernetes.apiserver.field_management.comparison import Comparison, compare, settings
from pybernetes.apiserver.field_management.field_type import of_json_schema
from pybernetes.apiserver.field_management.reconciling import fitted

LEAF: dict[str, Any] = {}
KEEPS = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THING = "/apis/example.com/v1/things/t"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


def spec(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}


def rows(how: str, **item: Any) -> dict[str, Any]:
    more = {"x-kubernetes-list-map-keys": ["name"]} if how == "map" else {}
    items = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, **item}}
    return {"type": "array", "x-kubernetes-list-type": how, "items": items, **more}


def thing(of: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": of}


@pytest.mark.parametrize(
    ("schema", "document", "expected"),
    [
        (spec(), {"spec": {"a": 1}}, []),
        (spec(free={"type": "object"}), {"spec": {"free": {"a": [{"b": 1}]}}}, []),
        (spec(free={"type": "object"}), {"spec": {"free": 1}}, [".spec.free: expected map, got &{1}"]),
        (
            spec(shut={"type": "object", "additionalProperties": False}),
            {"spec": {"shut": {"a": 1}}},
            [".spec.shut.a: field not declared in schema"],
        ),
        (spec(any={"type": "object", "additionalProperties": {}}), {"spec": {"any": {"a": [1], "b": {"c": 1}}}}, []),
        (spec(port={"x-kubernetes-int-or-string": True}), {"spec": {"port": {"a": 1}}}, []),
        ({"type": "object"}, {"a": 1}, [".a: field not declared in schema"]),
        ({**spec(a={"type": "string"}), **KEEPS}, {"spec": {"b": 1}, "c": 2}, []),
        (spec(a={"type": "string"}), {"spec": {"b": 1}}, [".spec.b: field not declared in schema"]),
    ],
    ids=[
        "no properties",
        "free",
        "free but a map",
        "closed",
        "any value",
        "int or string",
        "root",
        "kept from above",
        "unknown",
    ],
)
def test_what_a_schema_lets_be_applied(schema: dict[str, Any], document: dict[str, Any], expected: list[str]) -> None:
    assert problems(of_json_schema(schema), document) == expected


def test_a_truth_value_is_no_number() -> None:
    type_ = of_json_schema(spec(free=KEEPS, rows=rows("map", free=KEEPS)))
    old = {"spec": {"free": {"a": 1, "b": 0}, "rows": [{"name": "x", "free": {"c": 1}}]}}
    new = {"spec": {"free": {"a": True, "b": 0}, "rows": [{"name": "x", "free": {"c": True}}]}}
    row = {"f:rows": {'k:{"name":"x"}': {"f:free": {"f:c": LEAF}}}}
    assert compare(type_, old, new) == Comparison(changed={"f:spec": {"f:free": {"f:a": LEAF}, **row}})


def test_free_values_may_change_their_sort() -> None:
    type_ = of_json_schema(spec(free=KEEPS))
    a_map, a_list = {"spec": {"free": {"a": {"b": 1}}}}, {"spec": {"free": {"a": [1]}}}
    whole = {".": LEAF, "f:b": LEAF}
    assert compare(type_, a_map, a_list) == Comparison(
        changed={"f:spec": {"f:free": {"f:a": LEAF}}}, removed={"f:spec": {"f:free": {"f:a": {"f:b": LEAF}}}}
    )
    assert compare(type_, a_list, a_map) == Comparison(changed={"f:spec": {"f:free": {"f:a": whole}}})


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (spec(rows=rows("atomic")), {"f:rows": LEAF}),
        (spec(rows={**rows("map"), "items": {**rows("map")["items"], "x-kubernetes-map-type": "atomic"}}), None),
        (spec(rows=rows("map")), {"f:rows": {".": LEAF, 'k:{"name":"x"}': {".": LEAF, "f:name": LEAF}}}),
        (spec(rows=KEEPS), {"f:rows": {".": LEAF, 'k:{"name":"x"}': {".": LEAF, "f:name": LEAF}}}),
    ],
    ids=["atomic list", "atomic items", "as it was", "free"],
)
def test_what_became_atomic_is_owned_as_a_whole(schema: dict[str, Any], expected: dict[str, Any] | None) -> None:
    fields = settings(of_json_schema(spec(rows=rows("map"))), {"spec": {"rows": [{"name": "x"}]}})
    fields["f:spec"]["f:rows"]["."] = LEAF
    items = expected if expected is not None else {"f:rows": {".": LEAF, 'k:{"name":"x"}': LEAF}}
    assert fitted(of_json_schema(schema), fields) == {"f:spec": items}


async def test_owners_follow_a_schema_that_changes(call: Caller) -> None:
    version = {"name": "v1", "served": True, "storage": True}
    body: dict[str, Any] = {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{**version, "schema": {"openAPIV3Schema": spec(rows=rows("map"))}}],
        },
    }
    assert (await call("POST", DEFINITIONS, body))[0] == 201
    one, two = (thing({"rows": [{"name": name}]}) for name in "ab")
    await call("PATCH", f"{THING}?fieldManager=one", one, content_type=APPLY)
    _, both = await call("PATCH", f"{THING}?fieldManager=two", two, content_type=APPLY)
    assert [row["name"] for row in both["spec"]["rows"]] == ["a", "b"]
    versions = [{**version, "schema": {"openAPIV3Schema": spec(rows=rows("atomic"))}}]
    await call("PATCH", f"{DEFINITIONS}/things.example.com", {"spec": {"versions": versions}}, content_type=MERGE)
    _, touched = await call(
        "PATCH", f"{THING}?fieldManager=u", {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE
    )
    owned = {entry["manager"]: entry["fieldsV1"] for entry in touched["metadata"]["managedFields"]}
    assert owned["one"] == owned["two"] == {"f:spec": {"f:rows": {}}}
    code, error = await call("PATCH", f"{THING}?fieldManager=one", one, content_type=APPLY)
    assert (code, error["details"]["causes"][0]["message"]) == (409, 'conflict with "two"')
    code, forced = await call("PATCH", f"{THING}?fieldManager=one&force=true", one, content_type=APPLY)
    assert (code, forced["spec"]["rows"]) == (200, [{"name": "a"}])


async def test_a_truth_value_is_applied_over_a_number(call: Caller) -> None:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": spec(free=KEEPS)}}
    names = {"plural": "things", "kind": "Thing"}
    definition = {"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]}
    await call("POST", DEFINITIONS, {"metadata": {"name": "things.example.com"}, "spec": definition})
    for value in (1, True):
        _, obj = await call("PATCH", f"{THING}?fieldManager=one", thing({"free": {"a": value}}), content_type=APPLY)
        assert obj["spec"]["free"]["a"] is value
