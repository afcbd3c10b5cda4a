"""Values against schemas: alternatives, formats, and what an update left as it was."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.apiserver.custom.correlation import Correlation
from pybernetes.apiserver.custom.list_types import list_errors
from pybernetes.apiserver.custom.validation import validate


def details(value: Any, schema: dict[str, Any], old: Any = None) -> list[str]:
    past = Correlation(value, old, schema) if old is not None else None
    return [error.detail for error in validate(value, schema, past=past)]


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (
            {"anyOf": [{"minimum": 5}, {"minimum": 7}]},
            1,
            ['"" must validate at least one schema (anyOf)', " in body should be greater than or equal to 5"],
        ),
        # Of the alternatives that fail, the one that almost fits is told.
        (
            {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"type": "string"}}}]},
            {"a": 1},
            [
                '"" must validate one and only one schema (oneOf). Found none valid',
                'a in body must be of type string: "integer"',
            ],
        ),
        (
            {"oneOf": [{"minimum": 0}, {"maximum": 9}]},
            1,
            ['"" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
        ),
        (
            {"allOf": [{"minimum": 5}, {"minimum": 0}]},
            1,
            [" in body should be greater than or equal to 5", '"" must validate all the schemas (allOf)'],
        ),
        # Of what is said of the length and the pattern of a text, the first.
        ({"maxLength": 2, "pattern": "^b"}, "aaa", ["may not be more than 2 bytes"]),
        # Formats that mean nothing are nothing to go by.
        ({"type": "integer", "format": "odd"}, True, [' in body must be of type integer: "boolean"']),
        ({"type": "string", "format": "odd"}, [], [' in body must be of type string: "array"']),
        ({"type": "string", "format": "datetime"}, "x", [' in body must be of type datetime: "x"']),
    ],
)
def test_values_that_break_a_schema(schema: dict[str, Any], value: Any, told: list[str]) -> None:
    assert details(value, schema) == told


_PORTS = {
    "type": "array",
    "maxItems": 1,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "port": {"type": "integer", "multipleOf": 2},
            "note": {"type": "string"},
        },
    },
}
_PLAIN = {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string", "minLength": 3}}}


@pytest.mark.parametrize(
    ("schema", "old", "new", "is_fine"),
    [
        (_PORTS, [{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], True),
        (_PORTS, [{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a", "note": "x"}], False),
        (_PORTS, [{"name": "a", "port": 3}], [{"name": "a", "port": 3, "note": "x"}], True),
        (_PORTS, [{"name": "a", "port": 3}], [{"name": "b", "port": 3}], False),
        # Items of other lists were nothing before, unless all stayed.
        (_PLAIN, [{"a": "x"}], [{"a": "x"}], True),
        (_PLAIN, [{"a": "x"}], [{"a": "x", "b": "long"}], False),
        # A change of the type of a number is a change.
        ({"type": "number", "minimum": 5}, 1, 1, True),
        ({"type": "number", "minimum": 5}, 1, 1.0, False),
        # What the schema does not know may have changed in any way.
        (
            {"type": "object", "minProperties": 3, "x-kubernetes-preserve-unknown-fields": True},
            {"a": 1},
            {"a": 1},
            False,
        ),
        # Alternatives are asked anew.
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                "allOf": [{"properties": {"a": {"minLength": 3}}}],
            },
            {"a": "x"},
            {"a": "x", "b": "y"},
            False,
        ),
        # Objects cannot have been of another version: both are of the one that is asked.
        (
            {"type": "object", "properties": {"kind": {"type": "string", "enum": ["Y"]}, "b": {"type": "string"}}},
            {"kind": "X"},
            {"kind": "X", "b": "y"},
            False,
        ),
    ],
)
def test_what_an_update_leaves_as_it_was_is_tolerated(
    schema: dict[str, Any], old: Any, new: Any, is_fine: bool
) -> None:
    assert details(new, schema)
    assert (details(new, schema, old) == []) is is_fine


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([{"a": 1}, {"a": 2}, {}], []),
        ([{"a": 1}, {"a": 1, "b": 2}, {"a": 1}], [("x[1]", "FieldValueDuplicate")]),
        ([None, {"a": None}, {"b": 1}], [("x[2]", "FieldValueDuplicate")]),
        ([{"a": 1}, "text", {"a": 1}], [("x[1]", "FieldValueInvalid")]),
    ],
)
def test_lists_that_are_maps_hold_objects_of_different_keys(value: list[Any], told: list[tuple[str, str]]) -> None:
    schema = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": {}}
    errors = list_errors({"x": value}, {"type": "object", "properties": {"x": schema}})
    assert [(error.field, error.type) for error in errors] == told


def test_of_what_is_wrong_many_times_over_not_all_is_told() -> None:
    choices = [f"choice-{number}" for number in range(1000)]
    errors = validate(["none"] * 20_000, {"type": "array", "items": {"type": "string", "enum": choices}}, root="spec")
    assert len(errors) == 20_000
    assert errors[0].detail.endswith('"choice-999"')
    assert (errors[-1].type, errors[-1].detail) == ("FieldValueNotSupported", "and more")
