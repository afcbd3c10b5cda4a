"""Schemas as OpenAPI documents show them."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.apiserver.custom.published_schemas import reduced, whole

EITHER = [{"type": "integer"}, {"type": "string"}]
INT_OR_STRING = {"x-kubernetes-int-or-string": True}
PRESERVED = {"x-kubernetes-preserve-unknown-fields": True}
EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True}
FEW = {"minimum": 42}


def reference(name: str, _description: str) -> dict[str, Any]:
    return {"$ref": name.rpartition(".")[2]}


def held(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"it": schema}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({}, {"anyOf": EITHER}),
        ({"anyOf": EITHER}, {"anyOf": EITHER}),
        ({"allOf": [{"anyOf": EITHER}, FEW]}, {"allOf": [{"anyOf": EITHER}, FEW]}),
        ({"anyOf": EITHER, "allOf": [FEW]}, {"anyOf": EITHER, "allOf": [FEW]}),
        ({"anyOf": [FEW]}, {"anyOf": [FEW], "allOf": [{"anyOf": EITHER}]}),
        ({"anyOf": [FEW], "allOf": [FEW]}, {"anyOf": [FEW], "allOf": [{"anyOf": EITHER}, FEW]}),
    ],
)
def test_integers_or_strings_are_told_once(schema: dict[str, Any], told: dict[str, Any]) -> None:
    assert whole(held({**INT_OR_STRING, **schema}), reference) == held({**INT_OR_STRING, **told})
    assert reduced(held({**INT_OR_STRING, **schema}), reference) == held(INT_OR_STRING)


def test_embedded_objects_have_what_all_objects_have() -> None:
    published = whole({**EMBEDDED, "required": ["spec", "kind"], "properties": {"spec": {}}}, reference)
    assert list(published["properties"]) == ["spec", "apiVersion", "kind", "metadata"]
    assert published["properties"]["metadata"] == {"$ref": "ObjectMeta"}
    assert published["required"] == ["spec", "kind", "apiVersion"]


def test_kubectl_is_told_no_fields_of_embedded_objects_that_may_have_any() -> None:
    assert reduced(held({**EMBEDDED, **PRESERVED}), reference) == held(
        {"x-kubernetes-embedded-resource": True, **PRESERVED}
    )
    inner = reduced(held({**EMBEDDED, "nullable": True, "properties": {"spec": {}}}), reference)["properties"]["it"]
    assert list(inner["properties"]) == ["apiVersion", "kind", "metadata"]
    assert inner["required"] == ["kind", "apiVersion"]


@pytest.mark.parametrize(
    ("schema", "left"),
    [
        ({"type": "string", "default": "a", "title": "t", "example": "a"}, {"type": "string", "title": "t"}),
        ({"type": "string", "oneOf": [{"pattern": "a"}], "not": {"maxLength": 3}}, {"type": "string"}),
        ({"type": "object", "nullable": True, "properties": {"a": {}}}, {}),
        ({"type": "array", "items": {}, **PRESERVED}, PRESERVED),
        ({"type": "object", "properties": {"a": {}}, **PRESERVED}, PRESERVED),
        ({"type": "object", "additionalProperties": True}, {"type": "object", "additionalProperties": True}),
        (
            {"type": "object", "required": ["a", "b"], "properties": {"a": {"nullable": True}, "b": {}}},
            {"type": "object", "required": ["b"], "properties": {"a": {}, "b": {}}},
        ),
        (
            {"type": "object", "required": ["a"], "additionalProperties": {"type": "string", "nullable": True}},
            {"type": "object", "additionalProperties": {}},
        ),
    ],
)
def test_version_2_leaves_out_what_old_clients_stumble_over(schema: dict[str, Any], left: dict[str, Any]) -> None:
    assert reduced(held(schema), reference) == held(left)


def test_the_root_that_may_have_any_field_is_just_an_object_in_version_2() -> None:
    assert reduced({**PRESERVED, "properties": {"spec": {}}}, reference) == {"type": "object"}
