"""JSON patch, merge patch and strategic merge, also against what a real API server answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api import encoding, json_patch, merge_patch, schema, strategic_merge
from pybernetes.api.types.apps_v1 import ControllerRevision
from pybernetes.api.types.core_v1 import Pod
from tests.api import oracle

POD = schema.definition_of(Pod)
SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=3))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text("abc", max_size=2), VALUES, max_size=4)


@given(DOCUMENTS, DOCUMENTS)
def test_the_difference_leads_from_old_to_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = json.dumps(old)
    assert merge_patch.same(merge_patch.apply(old, merge_patch.diff(old, new)), new)
    assert json.dumps(old) == before


@given(DOCUMENTS)
def test_no_difference_is_an_empty_patch(document: dict[str, Any]) -> None:
    assert merge_patch.diff(document, document) == {}


def test_merge_patch_removes_with_null_and_replaces_lists() -> None:
    patched = merge_patch.apply({"a": {"b": 1, "c": 2}, "l": [1, 2]}, {"a": {"b": None}, "l": [3], "n": {"x": None}})
    assert patched == {"a": {"c": 2}, "l": [3], "n": {}}


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({}, {"l": [{"a": None, "b": 1}, None]}, {"l": [{"b": 1}, None]}),
        ({"l": [1]}, {"l": [{"a": None}]}, {"l": [{}]}),
        ({"l": {"x": 1}}, {"l": [{"a": None}]}, {"l": [{"a": None}]}),
        ({"a": "text"}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({"a": 1}, [{"b": None}], [{}]),
    ],
)
def test_merge_patch_brings_no_nulls_in_what_is_new(document: Any, patch: Any, expected: Any) -> None:
    assert merge_patch.apply(document, patch) == expected


def test_json_patch_changes_a_copy() -> None:
    document = {"a": [1, 2], "b": {"c~/d": 1}}
    operations = [
        {"op": "add", "path": "/a/1", "value": 9},
        {"op": "add", "path": "/a/-", "value": 3},
        {"op": "remove", "path": "/b/c~0~1d"},
        {"op": "copy", "from": "/a", "path": "/e"},
        {"op": "test", "path": "/e", "value": [1, 9, 2, 3]},
        {"op": "move", "from": "/e", "path": "/b/f"},
    ]
    assert json_patch.apply(document, operations) == {"a": [1, 9, 2, 3], "b": {"f": [1, 9, 2, 3]}}
    assert document == {"a": [1, 2], "b": {"c~/d": 1}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": True},
        {"op": "remove", "path": "/nosuch"},
        {"op": "add", "path": "/no/such", "value": 1},
        {"op": "add", "path": "/l/7", "value": 1},
        {"op": "add", "path": "/l/x", "value": 1},
        {"op": "add", "path": "/l/１", "value": 1},
        {"op": "add", "path": "/l/0_0", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "", "value": {}},
        {"op": "replace", "path": "", "value": 1},
        {"op": "bogus", "path": "/a"},
        {"path": "/a"},
        {"op": "add", "value": 1},
        {"op": "move", "path": "/a"},
        {"op": "move", "from": "/nosuch", "path": "/b"},
        {"op": "copy", "from": "", "path": "/b"},
        None,
    ],
)
def test_json_patch_refuses(operation: Any) -> None:
    with pytest.raises(json_patch.PatchError):
        json_patch.apply({"a": 1, "l": []}, [operation])


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/b"}, {"a": 1, "l": [1, 2], "b": None}),
        ({"op": "copy", "from": "/nosuch", "path": "/b"}, {"a": 1, "l": [1, 2], "b": None}),
        ({"op": "replace", "path": "/b", "value": 2}, {"a": 1, "l": [1, 2], "b": 2}),
        ({"op": "test", "path": "/nosuch"}, {"a": 1, "l": [1, 2]}),
        ({"op": "test", "path": "", "value": {"l": [1, 2], "a": 1}}, {"a": 1, "l": [1, 2]}),
        ({"op": "add", "path": "/l/-1", "value": 3}, {"a": 1, "l": [1, 2, 3]}),
        ({"op": "remove", "path": "/l/+0"}, {"a": 1, "l": [2]}),
        ({"op": "replace", "path": "", "value": {"b": 1}}, {"b": 1}),
        ({"op": "add", "path": "anything/b", "value": 1}, {"a": 1, "l": [1, 2], "b": 1}),
    ],
)
def test_what_json_patch_lets_pass(operation: dict[str, Any], expected: Any) -> None:
    assert json_patch.apply({"a": 1, "l": [1, 2]}, [operation]) == expected


def pod(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


def test_an_index_may_not_have_digits_without_end() -> None:
    with pytest.raises(json_patch.PatchError):
        json_patch.apply({"l": [1]}, [{"op": "remove", "path": "/l/" + "1" * 5000}])


def test_copies_of_copies_end() -> None:
    document = {"a": {"x": "y" * 1000}}
    copies = [{"op": "copy", "from": "/a", "path": f"/a/{number}"} for number in range(13)]
    with pytest.raises(json_patch.PatchError):
        json_patch.apply(document, copies)
    assert len(json_patch.apply(document, copies[:8])["a"]) == 9


def test_lists_merge_by_key_and_new_items_come_first() -> None:
    document = pod(containers=[{"name": "a", "image": "1"}, {"name": "b", "image": "1"}])
    patch = pod(containers=[{"name": "n", "image": "2"}, {"name": "b", "image": "2"}])
    images = [
        (item["name"], item["image"]) for item in strategic_merge.apply(document, patch, POD)["spec"]["containers"]
    ]
    assert images == [("n", "2"), ("a", "1"), ("b", "2")]


def test_long_lists_are_merged_in_linear_time() -> None:
    held = [{"name": f"a{number}", "value": "old"} for number in range(20_000)]
    given = [{"name": f"a{number}", "value": "new"} for number in range(10_000, 30_000)]
    gone = [{"name": f"a{number}", "$patch": "delete"} for number in range(10_000)]
    document = {
        "metadata": {"finalizers": [f"f{number}" for number in range(20_000)]},
        "spec": {"containers": [{"name": "c", "env": held}]},
    }
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": [f"f{number}" for number in range(1, 20_000)]},
        "spec": {"containers": [{"name": "c", "env": [*gone, *given]}]},
    }
    merged = strategic_merge.apply(document, patch, POD)
    assert merged["metadata"]["finalizers"] == ["f0"]
    assert merged["spec"]["containers"][0]["env"] == given


def test_keys_are_compared_as_json_has_them() -> None:
    document = {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 1}]}]}}
    ports = [{"containerPort": True}, {"containerPort": 1.0, "name": "a"}]
    merged = strategic_merge.apply(document, {"spec": {"containers": [{"name": "c", "ports": ports}]}}, POD)
    assert merged["spec"]["containers"][0]["ports"] == ports


def test_of_what_is_new_the_marked_parts_are_dropped() -> None:
    patch = pod(
        volumes=[{"name": "v", "$retainKeys": ["name"], "emptyDir": None}, {"name": "w", "$patch": "delete"}],
        securityContext={"seLinuxOptions": {"$patch": "replace"}, "runAsUser": None},
    )
    # The other directives stay: they are fields that nobody knows, which field validation tells.
    expected = pod(volumes=[{"name": "v", "$retainKeys": ["name"]}], securityContext={})
    assert strategic_merge.apply(pod(), patch, POD) == expected


def test_an_item_that_is_new_to_a_list_is_taken_as_it_is() -> None:
    document = pod(containers=[{"name": "a"}])
    item = {"name": "n", "env": [{"name": "E", "$patch": "delete"}], "image": None}
    assert strategic_merge.apply(document, pod(containers=[item]), POD) == pod(containers=[item, {"name": "a"}])


def test_a_marked_item_is_passed_over_where_the_order_is_checked() -> None:
    document = pod(containers=[{"name": "a"}, {"name": "b"}])
    patch = pod(containers=[{"$patch": "replace"}, {"name": "c"}])
    patch["spec"]["$setElementOrder/containers"] = [{"name": "c"}]
    assert strategic_merge.apply(document, patch, POD) == pod(containers=[{"name": "c"}])


def test_an_empty_order_checks_nothing() -> None:
    patch = {"metadata": {"$setElementOrder/finalizers": [], "finalizers": ["b"]}}
    patched = strategic_merge.apply({"metadata": {"finalizers": ["a"]}}, patch, POD)
    assert patched == {"metadata": {"finalizers": ["b", "a"]}}


@pytest.mark.parametrize(
    ("patch", "code", "text"),
    [
        ({"$retainKeys": "x"}, 400, "invalid patch format of retainKeys"),
        ({"$retainKeys": ["a"], "spec": {}}, 400, "invalid patch format of retainKeys"),
        ({"spec": {"$setElementOrder": []}}, 400, "invalid patch format of setElementOrder list"),
        ({"spec": {"$setElementOrder/containers": "x"}}, 500, "expected a []interface {}, but received a string"),
        (
            {"spec": {"$setElementOrder/containers": [], "containers": None}},
            500,
            "expected a []interface {}, but received a %!s(<nil>)",
        ),
        ({"spec": {"$deleteFromPrimitiveListx": []}}, 400, "invalid patch format of primitive list"),
        (
            {"spec": {"$setElementOrder/nosuch": ["a"]}},
            500,
            'unable to find api field in struct PodSpec for the json field "nosuch"',
        ),
        (
            {"spec": {"$setElementOrder/securityContext": ["a"]}},
            500,
            "expected slice or array type, but got: struct",
        ),
        ({"spec": {"containers": [{"name": "a"}, "b"]}}, 500, "list element types are not identical: "),
        ({"metadata": {"finalizers": [["a"]]}}, 500, "list element types are not identical: [[f] [[a]]]"),
        (
            {"metadata": {"$setElementOrder/finalizers": ["x"], "$deleteFromPrimitiveList/finalizers": [["f"]]}},
            500,
            "list element types are not identical: [[f] [[f]]]",
        ),
        ({"metadata": {"$deleteFromPrimitiveList/ownerReferences": [[1]]}}, 422, "lists of lists are not supported"),
    ],
)
def test_what_a_strategic_merge_refuses(patch: dict[str, Any], code: int, text: str) -> None:
    document = {"metadata": {"finalizers": ["f"], "ownerReferences": []}, **pod(containers=[{"name": "a"}])}
    with pytest.raises(strategic_merge.SchemaError) as caught:
        strategic_merge.apply(document, patch, POD)
    assert (caught.value.code, str(caught.value)[: len(text)]) == (code, text)


def test_nothing_is_known_below_a_free_form_value() -> None:
    revision = schema.definition_of(ControllerRevision)
    document = {"data": {"spec": {"a": 1}, "x": "y"}}
    assert strategic_merge.apply(document, {"data": {"x": "z"}}, revision)["data"] == {"spec": {"a": 1}, "x": "z"}
    with pytest.raises(strategic_merge.SchemaError, match='in struct RawExtension for the json field "spec"'):
        strategic_merge.apply(document, {"data": {"spec": {"b": 1}}}, revision)


def test_element_order_is_kept() -> None:
    document = pod(containers=[{"name": "a"}, {"name": "b"}, {"name": "server"}])
    patch = {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}
    names = [item["name"] for item in strategic_merge.apply(document, patch, POD)["spec"]["containers"]]
    assert names == ["b", "a", "server"]


def mismatches(wanted: Any, got: Any, path: str = "") -> list[str]:
    """Where `got` differs from what was recorded, but for what defaulting adds to an answer."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        extra = [f"{path}.{key}" for key in got.keys() - wanted.keys() if got[key] not in ({}, [])]
        shared = wanted.keys() & got.keys()
        return extra + [found for key in shared for found in mismatches(wanted[key], got[key], f"{path}.{key}")]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        pairs = enumerate(zip(wanted, got, strict=True))
        return [found for index, (a, b) in pairs for found in mismatches(a, b, f"{path}[{index}]")]
    return [] if wanted == got else [f"{path}: {got!r} instead of {wanted!r}"]


def replay(scenario: str, apply: Any) -> tuple[list[str], list[str]]:
    """Differences of the patches that succeeded, and texts of those that the patch code itself must refuse."""
    state: dict[str, Any] = {}
    problems, refusals = [], []
    for index, step in enumerate(oracle.steps(scenario)):
        request, response = step["request"], step["response"]
        path, answer = request["path"].removesuffix("/status"), response.get("body")
        kind = oracle.kind_at(path)
        if request["method"] == "PATCH" and path in state and not isinstance(request["body"], str) and kind:
            try:
                got = apply(state[path], request["body"], schema.definition_of(kind.type))
            except ValueError as error:
                refusals.append(f"{response['status']} {error}")
            else:
                if response["status"] == 200:
                    for part in ("generation", "resourceVersion", "managedFields"):
                        got["metadata"].pop(part, None)
                    got = json.loads(encoding.encode(encoding.from_value(got, kind.type).object))
                    problems += [f"{index}{text}" for text in mismatches(answer, got)]
        if response["status"] < 300 and isinstance(answer, dict) and not request["query"].get("dryRun"):
            state[path if request["method"] != "POST" else f"{path}/{answer['metadata']['name']}"] = dated(answer)
    return problems, refusals


def dated(answer: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(answer).replace("<time>", "2020-01-01T00:00:00Z"))
    return plain


@oracle.needs_oracle
def test_strategic_merges_end_as_recorded() -> None:
    problems, refusals = replay("patch/strategic-merge", strategic_merge.apply)
    assert [text for text in problems if "Timestamp" not in text] == []
    assert refusals == [
        "500 The order in patch list:\n[map[image:z2 name:c]]\n doesn't match $setElementOrder list:\n[map[name:zz]]\n",
        "500 map: map[image:noname] does not contain declared merge key: name",
        "500 unknown patch type: bogus in map: map[$patch:bogus name:c]",
        "500 The order in patch list:\n[a.b/4]\n doesn't match $setElementOrder list:\n[a.b/3 a.b/2]\n",
    ]


@oracle.needs_oracle
def test_json_patches_end_as_recorded() -> None:
    problems, refusals = replay("patch/json-patch", lambda document, patch, _: json_patch.apply(document, patch))
    assert [text for text in problems if "Timestamp" not in text] == []
    assert {text[:3] for text in refusals} <= {"422", "400"}
