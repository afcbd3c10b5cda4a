"""What occurs twice in a JSON text."""

from __future__ import annotations

import pytest

from pybernetes.api import strictness


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
