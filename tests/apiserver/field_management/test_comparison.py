"""What differs between documents, by the rules of their types."""

from __future__ import annotations

from typing import Any

from pybernetes.api.types import apps_v1, core_v1
from pybernetes.apiserver.field_management.checking import problems, summary
from pybernetes.apiserver.field_management.comparison import Comparison, compare, settings
from pybernetes.apiserver.field_management.field_type import of_json_schema, of_type
from pybernetes.apiserver.field_management.merging import merged, without

POD, DEPLOYMENT, CONFIG_MAP = of_type(core_v1.Pod), of_type(apps_v1.Deployment), of_type(core_v1.ConfigMap)
LEAF: dict[str, Any] = {}


def _pod(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"containers": list(containers)}}


def test_items_of_lists_are_told_apart_by_their_keys() -> None:
    old = _pod({"name": "a", "image": "1"}, {"name": "b", "image": "1"})
    new = _pod({"name": "b", "image": "2"}, {"name": "c"})
    changed = {'k:{"name":"b"}': {"f:image": LEAF}, 'k:{"name":"c"}': {".": LEAF, "f:name": LEAF}}
    removed = {'k:{"name":"a"}': {".": LEAF, "f:image": LEAF, "f:name": LEAF}}
    assert compare(POD, old, new) == Comparison(
        changed={"f:spec": {"f:containers": changed}}, removed={"f:spec": {"f:containers": removed}}
    )


def test_order_alone_is_no_change() -> None:
    old = _pod({"name": "a"}, {"name": "b"})
    assert compare(POD, old, _pod({"name": "b"}, {"name": "a"})) == Comparison()


def test_atomic_parts_change_as_a_whole() -> None:
    old = {"spec": {"selector": {"matchLabels": {"a": "b"}}}}
    new = {"spec": {"selector": {"matchLabels": {"a": "c"}}}}
    assert compare(DEPLOYMENT, old, new).changed == {"f:spec": {"f:selector": LEAF}}


def test_a_missing_protocol_is_tcp() -> None:
    found = settings(POD, _pod({"name": "c", "ports": [{"containerPort": 80}]}))
    ports = found["f:spec"]["f:containers"]['k:{"name":"c"}']["f:ports"]
    assert ports == {'k:{"containerPort":80,"protocol":"TCP"}': {".": LEAF, "f:containerPort": LEAF}}


def test_an_empty_map_is_a_setting_and_an_empty_list_is_none() -> None:
    document = {"metadata": {"finalizers": []}, "data": {}, "binaryData": None}
    assert settings(CONFIG_MAP, document) == {"f:data": LEAF, "f:binaryData": LEAF}


def test_duplicates_are_owned_as_one() -> None:
    once, twice = _pod({"name": "a", "image": "1"}), _pod({"name": "a", "image": "1"}, {"name": "a", "image": "2"})
    found = compare(POD, once, twice)
    assert found.changed == {"f:spec": {"f:containers": {'k:{"name":"a"}': LEAF}}}
    assert compare(POD, twice, twice) == Comparison()


def test_merging_keeps_both_orders() -> None:
    live = _pod({"name": "a"}, {"name": "b", "image": "1"}, {"name": "c"})
    applied = _pod({"name": "x"}, {"name": "c"}, {"name": "b", "image": "2"})
    result = merged(POD, live, applied)
    assert [item["name"] for item in result["spec"]["containers"]] == ["a", "x", "c", "b"]
    assert result["spec"]["containers"][-1]["image"] == "2"


def test_merging_where_a_key_occurs_twice() -> None:
    live = _pod({"name": "a", "image": "1"}, {"name": "b"}, {"name": "a", "image": "2"})
    applied = _pod({"name": "b", "image": "3"})
    assert merged(POD, live, applied) == _pod(
        {"name": "a", "image": "1"}, {"name": "b", "image": "3"}, {"name": "a", "image": "2"}
    )
    assert merged(POD, live, _pod({"name": "a", "image": "9"})) == _pod({"name": "a", "image": "9"}, {"name": "b"})


def test_taking_out_leaves_no_empty_shells() -> None:
    document = {"metadata": {"labels": {"a": "1"}}, "data": {"x": "1", "y": "2"}}
    fields = {"f:metadata": {"f:labels": {"f:a": LEAF}}, "f:data": {"f:x": LEAF}}
    assert without(CONFIG_MAP, document, fields) == {"metadata": {"labels": None}, "data": {"y": "2"}}


def test_problems_in_upstreams_words() -> None:
    document = {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": "x"}]}, 1], "hostname": 5}}
    assert problems(POD, document) == [
        '.spec.containers[name="c"].ports[containerPort="x",protocol="TCP"].containerPort: '
        "expected numeric (int or float), got string",
        ".spec.containers: element 1: associative list with keys may not have non-map elements",
        ".spec.hostname: expected string, got &value.valueUnstructured{Value:5}",
    ]
    assert problems(POD, {"spec": {"bogus": 1, "hostname": 5}}) == [".spec.bogus: field not declared in schema"]
    assert summary(["a", "b"]) == "errors:\n  a\n  b"


SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "port": {"x-kubernetes-int-or-string": True},
                "plain": {"type": "array", "items": {"type": "integer"}},
            },
        }
    },
}


def test_custom_resources_follow_their_schema() -> None:
    type_ = of_json_schema(SCHEMA)
    document = {"spec": {"tags": ["x"], "free": {"a": {"b": [1]}}, "port": "http", "plain": [1]}}
    assert settings(type_, document) == {
        "f:spec": {
            "f:tags": {'v:"x"': LEAF},
            "f:free": {"f:a": {".": LEAF, "f:b": LEAF}},
            "f:port": LEAF,
            "f:plain": LEAF,
        }
    }
    assert problems(type_, {"spec": {"plain": ["x"], "other": 1}}) == [
        ".spec.plain[0]: expected numeric (int or float), got string",
        ".spec.other: field not declared in schema",
    ]


def test_without_a_schema_everything_goes() -> None:
    type_ = of_json_schema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    assert settings(type_, {"spec": {"a": 1}}) == {"f:spec": {".": LEAF, "f:a": LEAF}}
    assert problems(type_, {"spec": {"a": 1}}) == []
