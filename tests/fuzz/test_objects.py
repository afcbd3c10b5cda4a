"""Almost valid objects of all kinds, created, replaced, patched and read again."""

# ruff: noqa: E501, SIM905 - tables of texts are read best in rows.
from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.effort import fuzzed
from tests.fuzz.objects import Sample, samples
from tests.fuzz.target import Target
from tests.fuzz.words import as_json, mutated, texts, values

VALIDATION = st.sampled_from(["Ignore", "Warn", "Strict"])
PATCHES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
           "application/apply-patch+yaml"]  # fmt: skip
OPERATIONS = st.fixed_dictionaries(
    {},
    optional={
        "op": st.one_of(st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), texts),
        "path": st.one_of(
            st.sampled_from(["", "/", "/metadata", "/metadata/name", "/spec", "/spec/containers/-", "/spec/containers/0",
                             "/metadata/labels/a~1b", "/a/b/c", "/metadata/finalizers/99999999999", "/spec/ports/-1"]),
            texts,
        ),
        "from": st.one_of(st.sampled_from(["", "/metadata", "/spec", "/spec/containers/0"]), texts),
        "value": values,
    },
)  # fmt: skip
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DIRECTIVES = [
    "$patch",
    "$retainKeys",
    "$deleteFromPrimitiveList/finalizers",
    "$setElementOrder/containers",
    "$setElementOrder",
]


def sent(target: Target, sample: Sample, body: Any, validation: str) -> None:
    """Creates it for real, then reads and lists what came of it in several forms, and replaces it by itself."""
    query = (("fieldValidation", validation),)
    response = target.send("POST", sample.path, as_json(body), query=query)
    if response.status != 201:
        return
    path = f"{sample.path}/{parsed(response.body).get('metadata', {}).get('name')}"
    for accept in (TABLE, "application/yaml", "application/json"):
        target.send("GET", path, headers={"accept": accept})
        target.send("GET", sample.path, headers={"accept": accept})
    target.send("PUT", path, response.body, query=query)
    target.send("DELETE", path, query=(("gracePeriodSeconds", "0"),))


def parsed(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


def test_every_sample_as_it_is(target: Target) -> None:
    for sample in samples():
        sent(target, sample, sample.body, "Warn")
    target.still_works()


@fuzzed
@given(st.data())
def test_a_mutated_object_is_created(target: Target, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(samples()))
    sent(target, sample, data.draw(mutated(sample.body)), data.draw(VALIDATION))


def created(target: Target, sample: Sample) -> tuple[str, dict[str, Any]]:
    """Path and stored form of a sample, made anew; an empty path where it cannot be had."""
    response = target.send("POST", sample.path, as_json(sample.body))
    if response.status != 201:
        return "", {}
    stored = parsed(response.body)
    return f"{sample.path}/{stored.get('metadata', {}).get('name')}", stored


@fuzzed
@given(st.data())
def test_a_mutated_object_replaces_a_good_one(target: Target, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(samples()))
    changed, validation = data.draw(mutated(sample.body)), data.draw(VALIDATION)
    path, stored = created(target, sample)
    if not path:
        return
    if isinstance(changed.get("metadata"), dict):
        changed["metadata"] = {**stored["metadata"], **changed["metadata"]}
    for part in ("", "/status", "/scale"):
        target.send("PUT", path + part, as_json(changed), query=(("fieldValidation", validation),))
    target.send("DELETE", path, query=(("gracePeriodSeconds", "0"),))


@st.composite
def patches(draw: st.DrawFn, body: Any) -> Any:
    """The body of a patch that is no list of operations: a changed object with a directive here and there."""
    changed = draw(mutated(body))
    if draw(st.booleans()):
        changed[draw(st.sampled_from(DIRECTIVES))] = draw(values)
        if isinstance(changed.get("metadata"), dict):
            changed["metadata"][draw(st.sampled_from(DIRECTIVES))] = draw(values)
    return changed


@fuzzed
@given(st.data())
def test_a_good_object_is_patched(target: Target, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(samples()))
    media = data.draw(st.sampled_from(PATCHES))
    body = data.draw(st.lists(OPERATIONS, max_size=4) if media == PATCHES[0] else patches(sample.body))
    part, validation = data.draw(st.sampled_from(["", "", "/status", "/scale"])), data.draw(VALIDATION)
    path, _ = created(target, sample)
    if not path:
        return
    query = (("fieldManager", "fuzz"), ("force", "true"), ("fieldValidation", validation))
    target.send("PATCH", path + part, as_json(body), {"content-type": media}, query)
    target.send("GET", sample.path, headers={"accept": TABLE})
    target.send("DELETE", path, query=(("gracePeriodSeconds", "0"),))


@fuzzed
@given(st.data())
def test_sub_resources_take_anything(target: Target, data: st.DataObject) -> None:
    pods = "/api/v1/namespaces/fuzz/pods"
    target.send(
        "POST", pods, as_json({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    )
    good: dict[str, Any] = {
        "pods/p/eviction": {"metadata": {"name": "p"}, "deleteOptions": {"gracePeriodSeconds": 0}},
        "pods/p/binding": {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}},
        "bindings": {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}},
        "serviceaccounts/default/token": {"spec": {"audiences": ["a"], "expirationSeconds": 600}},
        "pods/p/ephemeralcontainers": {"metadata": {"name": "p"}, "spec": {"ephemeralContainers": [{"name": "e"}]}},
        "pods/p/resize": {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "resources": {}}]}},
    }
    name = data.draw(st.sampled_from(sorted(good)))
    method = data.draw(st.sampled_from(["POST", "PUT", "PATCH"]))
    target.send(method, f"/api/v1/namespaces/fuzz/{name}", as_json(data.draw(mutated(good[name]))))
    target.send("DELETE", f"{pods}/p", query=(("gracePeriodSeconds", "0"),))


@fuzzed
@given(mutated({"gracePeriodSeconds": 5, "preconditions": {"uid": "u", "resourceVersion": "1"}, "propagationPolicy": "Orphan",
                "orphanDependents": False, "dryRun": ["All"], "kind": "DeleteOptions", "apiVersion": "v1"}), st.booleans())  # fmt: skip
def test_a_running_pod_is_deleted_in_any_way(target: Target, options: Any, all_of_them: bool) -> None:
    pods = "/api/v1/namespaces/fuzz/pods"
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
    target.send("POST", pods, as_json({"metadata": {"name": "d"}, "spec": spec}))
    target.send("DELETE", pods if all_of_them else f"{pods}/d", as_json(options))
    target.send("GET", f"{pods}/d")
    target.send("DELETE", f"{pods}/d", query=(("gracePeriodSeconds", "0"),))
