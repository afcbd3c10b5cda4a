"""Sets of field paths: algebra, texts and what clients may send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.apiserver.field_management.fieldset import (
    Fields,
    difference,
    has,
    intersection,
    is_member,
    only_below,
    parse,
    paths,
    shared,
    union,
    without_below,
)

_ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"n":"x"}', 'v:"y"'])


def _flat(fields: Fields, way: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for key, node in fields.items():
        if key == ".":
            continue
        if is_member(node):
            found.add((*way, key))
        found |= _flat(node, (*way, key))
    return found


def _nested(flat: set[tuple[str, ...]]) -> Fields:
    result: Fields = {}
    for path in sorted(flat):
        node: Fields = {}
        for element in reversed(path):
            node = {element: node}
        result = union(result, node)
    return result


SETS = st.sets(st.lists(_ELEMENTS, min_size=1, max_size=3).map(tuple), max_size=6)


@given(SETS, SETS)
def test_algebra_is_that_of_sets_of_paths(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> None:
    a, b = _nested(one), _nested(other)
    assert _flat(a) == one
    assert _flat(union(a, b)) == one | other
    assert _flat(difference(a, b)) == one - other
    assert _flat(intersection(a, b)) == one & other
    assert not difference(a, a)
    assert parse(a) == a


def test_a_difference_that_takes_nothing_is_the_same_object() -> None:
    fields: Fields = {"f:a": {"f:b": {}}}
    assert difference(fields, {"f:a": {"f:c": {}}}) is fields


def test_excluding_takes_all_below() -> None:
    fields: Fields = {"f:status": {"f:phase": {}}, "f:spec": {"f:replicas": {}}}
    assert without_below(fields, {"f:status": {}}) == {"f:spec": {"f:replicas": {}}}


def test_a_pattern_keeps_what_lies_below_it() -> None:
    fields: Fields = {"f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:image": {}, "f:resources": {}}}}}
    pattern: Fields = {"f:spec": {"f:containers": {"*": {"f:resources": {}}}}}
    assert only_below(fields, pattern) == {"f:spec": {"f:containers": {'k:{"name":"c"}': {"f:resources": {}}}}}


def test_paths_read_as_conflicts_show_them() -> None:
    fields: Fields = {
        "f:spec": {
            "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {}, 'k:{"containerPort":9,"protocol":"UDP"}': {}},
            "f:tags": {'v:"x"': {}},
            "f:z": {},
        }
    }
    assert list(paths(fields)) == [
        ".spec.z",
        '.spec.ports[containerPort=9,protocol="UDP"]',
        '.spec.ports[containerPort=80,protocol="TCP"]',
        '.spec.tags[="x"]',
    ]


def test_keys_of_clients_are_put_in_order() -> None:
    assert parse({'k:{"b": 1, "a": "x"}': {".": {}}}) == {'k:{"a":"x","b":1}': {}}


@pytest.mark.parametrize("value", [None, [], {"x": {}}, {"i:x": {}}, {"k:[]": {}}, {"f:a": 1}, {"k:{": {}}])
def test_what_is_no_set_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        parse(value)


def test_equal_sets_are_kept_once() -> None:
    assert shared({"f:b": {}, "f:a": {}}) is shared({"f:a": {}, "f:b": {}})


def test_membership() -> None:
    assert has({"f:spec": {"f:replicas": {}}}, "f:spec", "f:replicas")
    assert not has({"f:spec": {"f:replicas": {}}}, "f:spec")
