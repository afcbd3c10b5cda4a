"""The pure parts: schemas at work on values, versions in order."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.apiserver.custom.rows import version_order
from pybernetes.apiserver.custom.schema import default, drop_nulls, prune
from pybernetes.apiserver.custom.schema_validation import schema_errors
from pybernetes.apiserver.custom.validation import validate


def test_pruning_keeps_what_is_known_and_what_may_be_unknown() -> None:
    schema = {
        "type": "object",
        "properties": {
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {}}}},
            "open": {"x-kubernetes-preserve-unknown-fields": True, "properties": {"shut": {"type": "object"}}},
        },
    }
    value = {"map": {"x": {"a": 1, "b": 2}}, "open": {"any": 1, "shut": {"c": 1}}, "d": [1]}
    assert sorted(prune(value, schema)) == ["d", "map.x.b", "open.shut.c"]
    assert value == {"map": {"x": {"a": 1}}, "open": {"any": 1, "shut": {}}}


def test_defaults_fill_gaps_and_forbidden_nulls() -> None:
    inner = {"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 2}}}
    schema = {"properties": {"a": inner, "n": {"type": "string", "nullable": True}, "z": {"type": "string"}}}
    value: dict[str, Any] = {"a": None, "n": None, "z": None}
    default(value, schema)
    drop_nulls(value, schema)
    assert value == {"a": {"b": 2}, "n": None}


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({"type": "number", "multipleOf": 0.5}, 0.7, "x in body should be a multiple of 0.5"),
        ({"type": "integer", "maximum": 5.0, "exclusiveMaximum": True}, 5, "x in body should be less than 5"),
        ({"type": "string", "minLength": 3}, "ab", "x in body should be at least 3 chars long"),
        ({"type": "array", "minItems": 1}, [], "x in body should have at least 1 items"),
        ({"not": {"enum": [1]}}, 1, '"x" must not validate the schema (not)'),
        ({"type": "string"}, None, 'x in body must be of type string: "null"'),
        ({"type": "string", "format": "ipv4"}, "1.2.3", 'x in body must be of type ipv4: "1.2.3"'),
    ],
)
def test_values_are_checked_against_schemas(schema: dict[str, Any], value: Any, told: str) -> None:
    assert [error.detail for error in validate(value, schema, "x")] == [told]


def test_booleans_are_no_numbers() -> None:
    assert validate(True, {"type": "integer"}, "x")
    assert validate(True, {"enum": [1]}, "x")
    assert not validate(2.0, {"type": "integer"}, "x")


def test_versions_are_listed_from_stable_to_odd() -> None:
    names = ["v1alpha1", "foo", "v1", "v10", "v2beta1", "v2beta10", "v2"]
    assert sorted(names, key=version_order) == ["v10", "v2", "v1", "v2beta10", "v2beta1", "v1alpha1", "foo"]


def test_schemas_whose_defaults_break_them_are_refused() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object", "default": {"b": 1}, "properties": {}}}}
    assert [str(error) for error in schema_errors(schema, "s")] == [
        's.properties[a].default: Invalid value: {"b":1}: must not have unknown fields'
    ]


@pytest.mark.parametrize(
    ("pattern", "fits", "differs"),
    [
        ("^[[:alpha:]]+$", "abc", "a1"),
        ("^a$", "a", "a\n"),
        (r"^\d+$", "12", "\u0661"),
        (r"\$", "5$", "5"),
        (r"\p{L}", "é", "1"),
    ],
)
def test_patterns_mean_what_they_mean_to_go(pattern: str, fits: str, differs: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    assert not validate(fits, schema, "x")
    assert validate(differs, schema, "x")


def test_hostile_pattern_is_answered_in_linear_time() -> None:
    # An engine that goes back and tries again would be at this for longer than the universe.
    assert validate("a" * 10_000 + "!", {"type": "string", "pattern": "^(a+)+$"}, "x")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[a", "missing closing ]: `[a`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("(?<!a)b", "invalid or unsupported Perl syntax: `(?<!`"),
    ],
)
def test_bad_patterns_are_refused_in_the_words_of_go(pattern: str, text: str) -> None:
    (error,) = schema_errors({"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}, "s")
    assert error.detail.endswith(f"error parsing regexp: {text}")
