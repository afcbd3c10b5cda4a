"""What occurs twice in a JSON text."""

from __future__ import annotations

import pytest

from pybernetes.api import schema, strictness
from pybernetes.api.types.core_v1 import ConfigMap

CONFIG_MAP = schema.definition_of(ConfigMap)


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"a":1,"b":{"a":2}}', []),
        (b'{"data":{"a":"1","a":"2"}}', ['duplicate field "data.a"']),
        (b'[{"op":"add"},{"op":"x","op":"y"}]', ['duplicate field "[1].op"']),
        (b'{"a":1,"a":2,"a":3}', ['duplicate field "a"']),
        (b"null", []),
        (b"{", []),
    ],
)
def test_they_are_told(body, lines):
    assert strictness.duplicates(body) == lines


def test_objects_are_merged_and_of_others_the_last_counts():
    body = b'{"data":{"a":"1","c":{"x":1}},"data":{"a":"2","c":{"y":2}},"l":[1,2],"l":[3]}'
    assert strictness.merged(body) == {"data": {"a": "2", "c": {"x": 1, "y": 2}}, "l": [3]}


def test_a_field_is_told_before_what_it_holds() -> None:
    body = b'{"data":{"a":"1"},"data":{"b":"1","b":"2"}}'
    lines = ['duplicate field "data"', 'duplicate field "data.b"']
    assert strictness.of_json(body, CONFIG_MAP) == lines
    assert strictness.duplicates(body) == lines


def test_no_more_than_a_hundred_lines_are_told() -> None:
    body = b"{" + b",".join(b'"x%d":1' % number for number in range(150)) + b"}"
    lines = strictness.of_json(body, CONFIG_MAP)
    assert (len(lines), lines[-1]) == (100, 'unknown field "x99"')
