"""Schemas that a definition may not have, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.apiserver.custom.demands import Demands
from pybernetes.apiserver.custom.schema_validation import schema_errors

STRING = {"type": "string"}


def errors(schema: dict[str, Any], **rest: Any) -> list[str]:
    return [str(error) for error in schema_errors({"type": "object", **schema}, "s", **rest)]


def of_field(**schema: Any) -> dict[str, Any]:
    return {"properties": {"a": schema}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"additionalProperties": STRING}, ["s.additionalProperties: Forbidden: must not be used at the root"]),
        (
            {"properties": {"kind": {"type": "integer"}}},
            ['s.properties[kind].type: Invalid value: "integer": must be string'],
        ),
        (
            {"properties": {"metadata": {"type": "object", "description": "mine"}}},
            [
                "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but "
                "metadata is implicitly specified"
            ],
        ),
        ({"properties": {"metadata": {"type": "object", "properties": {"name": {**STRING, "maxLength": 5}}}}}, []),
        (
            of_field(**{"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True}),
            [
                "s.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if "
                "x-kubernetes-int-or-string is true"
            ],
        ),
        (
            of_field(type="object", additionalProperties=STRING, **{"x-kubernetes-embedded-resource": True}),
            [
                "s.properties[a].additionalProperties: Forbidden: must not be used if x-kubernetes-embedded-resource "
                "is set",
                "s.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is "
                "true without x-kubernetes-preserve-unknown-fields",
            ],
        ),
        # Alternatives may name the types of an integer or a string in one place only.
        (of_field(**{"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}), []),
        (
            of_field(
                **{
                    "x-kubernetes-int-or-string": True,
                    "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"minimum": 1}],
                }
            ),
            [],
        ),
        (
            of_field(**{"x-kubernetes-int-or-string": True, "oneOf": [{"type": "integer"}, {"type": "string"}]}),
            [
                "s.properties[a].oneOf[0].type: Forbidden: must be empty to be structural",
                "s.properties[a].oneOf[1].type: Forbidden: must be empty to be structural",
            ],
        ),
        (
            of_field(type="object", anyOf=[{"x-kubernetes-list-type": "set", "properties": {"metadata": {}}}]),
            [
                "s.properties[a].anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context",
                "s.properties[a].anyOf[0].x-kubernetes-list-type: Forbidden: must be undefined to be structural",
                "s.properties[a].anyOf[0].type: Required value: must be array if x-kubernetes-list-type is specified",
            ],
        ),
        # What alternatives speak of, the schema has.
        (
            {"properties": {"b": STRING}, "anyOf": [{"properties": {"b": {"minLength": 1}, "c": {}}}]},
            ["s.properties[c]: Required value: because it is defined in s.anyOf[0].properties[c]"],
        ),
        (
            of_field(type="object", properties={"b": STRING}, additionalProperties=False),
            [
                "s.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual "
                "exclusive"
            ],
        ),
        (of_field(type="object", properties={"b": STRING}, additionalProperties=True), []),
        (
            of_field(**{"type": "array", "x-kubernetes-list-type": "set", "items": {**STRING, "nullable": True}}),
            [
                "s.properties[a].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set",
            ],
        ),
        (
            of_field(type="object", **{"$schema": "x"}),
            ["s: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported"],
        ),
    ],
)
def test_schemas_that_are_not_structural_are_refused(schema: dict[str, Any], told: list[str]) -> None:
    assert errors(schema) == told


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (
            {"properties": {"metadata": {"type": "object", "properties": {"name": {**STRING, "default": "x"}}}}},
            ["s.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata"],
        ),
        (
            of_field(type="object", default={"b": 1}, properties={"b": STRING}),
            ['s.properties[a].default.b: Invalid value: "integer": b in body must be of type string: "integer"'],
        ),
        (
            of_field(
                **{
                    "type": "object",
                    "default": {"kind": "X", "metadata": {"labels": {"a": 1}}},
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                }
            ),
            [
                's.properties[a].default.metadata: Invalid value: {"labels":{"a":1}}: json: cannot unmarshal number '
                "into Go struct field ObjectMeta.labels of type string"
            ],
        ),
        (
            of_field(
                **{
                    "type": "object",
                    "default": {"kind": "X/Y"},
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                }
            ),
            ["s.properties[a].default.apiVersion: Required value", "s.properties[a].default.kind: Invalid value"],
        ),
        (
            of_field(
                **{
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "properties": {
                        "metadata": {
                            "type": "object",
                            "properties": {"finalizers": {"type": "array", "items": STRING, "default": ["a b"]}},
                        }
                    },
                }
            ),
            [
                "s.properties[a].properties[metadata].properties[finalizers].default: Invalid value: "
                '["a b"]: must result in valid metadata: metadata.finalizers: Invalid value: "a b"'
            ],
        ),
        (
            of_field(type="integer", default=1, **{"x-kubernetes-validations": [{"rule": "self > 1"}]}),
            ["s.properties[a].default: Invalid value: 1: failed rule: self > 1"],
        ),
        (
            of_field(
                type="integer",
                default=1,
                **{"x-kubernetes-validations": [{"rule": "oldSelf.hasValue()", "optionalOldSelf": True}]},
            ),
            ["s.properties[a].default: Invalid value: 1: failed rule: oldSelf.hasValue()"],
        ),
    ],
)
def test_defaults_obey_the_schema(schema: dict[str, Any], told: list[str]) -> None:
    found = errors(schema)
    assert len(found) == len(told)
    assert all(text.startswith(start) for text, start in zip(found, told, strict=True))


def test_with_a_status_apart_nothing_stands_at_the_root_that_would_be_lost() -> None:
    assert errors({"minProperties": 1}) == []
    (error,) = errors({"minProperties": 1}, has_status=True)
    assert error.startswith('s: Invalid value: {"type":"object","minProperties":1}: only [Description Type Format ')
    assert (
        errors(
            {"required": ["spec"], "description": "x", "x-kubernetes-preserve-unknown-fields": True}, has_status=True
        )
        == []
    )


@pytest.mark.parametrize(
    ("schema", "demands"),
    [
        (of_field(type="odd"), Demands(known_types=False)),
        (of_field(type="object", default={"b": 1}), Demands(pruned_defaults=False)),
        (
            of_field(**{"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}}),
            Demands(atomic_sets=False),
        ),
        (
            of_field(
                **{"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string", "nullable": True}}
            ),
            Demands(map_keys=False),
        ),
    ],
)
def test_what_a_former_version_had_accepted_may_stay(schema: dict[str, Any], demands: Demands) -> None:
    assert errors(schema)
    assert errors(schema, demands=demands) == []
