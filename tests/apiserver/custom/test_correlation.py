"""Which parts of an update are what they were before."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.apiserver.custom.correlation import Correlation, is_closed

TEXT = {"type": "string"}
PAIR = {"type": "object", "properties": {"k": TEXT, "v": TEXT}}
MAP_LIST = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": PAIR}
LIST = {"type": "array", "items": TEXT}
FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@pytest.mark.parametrize(
    ("schema", "new", "old", "same"),
    [
        (TEXT, "a", "a", True),
        (TEXT, "a", "b", False),
        ({"type": "integer"}, 1, True, False),
        (PAIR, {"k": "a"}, {"k": "a"}, True),
        (PAIR, {"k": "a"}, {"k": "a", "v": "b"}, False),
        (FREE, {"k": "a"}, {"k": "a"}, False),
        (LIST, ["a", "b"], ["a", "b"], True),
        (LIST, ["b", "a"], ["a", "b"], False),
        (MAP_LIST, [{"k": "a"}, {"k": "b"}], [{"k": "b"}, {"k": "a"}], True),
        (MAP_LIST, [{"k": "a", "v": "1"}], [{"k": "a", "v": "2"}], False),
    ],
)
def test_values_stay_the_same_as_far_as_the_schema_knows_them(
    schema: dict[str, Any], new: Any, old: Any, same: bool
) -> None:
    assert Correlation(new, old, schema).is_same is same
    if Correlation(new, old, schema, is_closed=is_closed(schema)).is_untouched:
        assert same


def test_items_are_found_by_their_keys_in_lists_that_are_maps_alone() -> None:
    new, old = [{"k": "b"}, {"k": "c"}], [{"k": "a"}, {"k": "b", "v": "1"}]
    found = Correlation(new, old, MAP_LIST)
    assert [found.index(0) is None, found.index(1) is None] == [False, True]
    assert Correlation(["a"], ["a"], LIST).index(0) is None


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        (MAP_LIST, True),
        ({"type": "object", "properties": {"a": FREE}}, False),
        ({"type": "object", "additionalProperties": TEXT}, True),
        ({"type": "object", "additionalProperties": True}, False),
        ({"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"a": TEXT}}, False),
    ],
)
def test_a_schema_that_names_everything_is_closed(schema: dict[str, Any], closed: bool) -> None:
    assert is_closed(schema) is closed
