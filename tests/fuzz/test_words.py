"""The small languages inside of requests, each at its place: quantities, times, selectors, names, schemas, protobuf."""

# ruff: noqa: E501, SIM905 - a row is a case.
from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api import protobuf_writer, schema
from pybernetes.api.kinds import find_kind
from tests.fuzz.effort import fuzzed
from tests.fuzz.objects import Sample, samples
from tests.fuzz.target import Target
from tests.fuzz.words import NASTY, NUMBERS, as_json, texts, values

PODS = "/api/v1/namespaces/fuzz/pods"
QUANTITIES = st.one_of(
    texts,
    st.sampled_from(NUMBERS),
    st.builds(
        lambda sign, whole, fraction, suffix: f"{sign}{whole}{fraction}{suffix}",
        st.sampled_from(["", "-", "+", "--"]),
        st.sampled_from(["", "0", "1", "007", "9" * 30, "9" * 400, "9" * 5000]),
        st.sampled_from(["", ".", ".5", "." + "3" * 400, ".." , "." + "1" * 5000]),
        st.sampled_from(["", "m", "Ki", "Ei", "E", "e3", "e-400", "E99999999999", "n", "mm", "K", "iK"]),
    ),
)  # fmt: skip
TIMES = st.one_of(
    texts,
    st.builds(
        lambda y, mo, d, h, s, f, z: f"{y:04}-{mo:02}-{d:02}T{h:02}:00:{s:02}{f}{z}",
        st.integers(0, 10000), st.integers(0, 13), st.integers(0, 32), st.integers(0, 25), st.integers(0, 61),
        st.sampled_from(["", ".1", ".123456789123", ",5", "."]), st.sampled_from(["Z", "+00:00", "-23:59", "+24:00", "z", ""]),
    ),
)  # fmt: skip


@fuzzed
@given(
    QUANTITIES,
    st.sampled_from(["limits", "requests"]),
    st.sampled_from(["cpu", "memory", "example.com/x", "hugepages-2Mi"]),
)
def test_any_quantity(target: Target, quantity: Any, part: str, name: str) -> None:
    container = {"name": "c", "image": "i", "resources": {part: {name: quantity}}}
    volume = {"name": "v", "emptyDir": {"sizeLimit": quantity}}
    target.send("POST", PODS, as_json({"metadata": {"name": "q"}, "spec": {"containers": [container]}}))
    target.send(
        "POST",
        PODS,
        as_json(
            {"metadata": {"name": "v"}, "spec": {"containers": [{"name": "c", "image": "i"}], "volumes": [volume]}}
        ),
    )
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": quantity, "requests.cpu": quantity}}}
    target.send("POST", "/api/v1/namespaces/fuzz/resourcequotas", as_json(quota))
    target.send("POST", PODS, as_json({"metadata": {"name": "w"}, "spec": {"containers": [container]}}))
    for path in (f"{PODS}/q", f"{PODS}/v", f"{PODS}/w", "/api/v1/namespaces/fuzz/resourcequotas/q"):
        target.send("DELETE", path, query=(("gracePeriodSeconds", "0"),))


@fuzzed
@given(TIMES)
def test_any_time(target: Target, time: str) -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"namespace": "fuzz"},
        "firstTimestamp": time,
        "eventTime": time,
    }
    lease = {"metadata": {"name": "l"}, "spec": {"renewTime": time}}
    for path, body in (
        ("/api/v1/namespaces/fuzz/events", event),
        ("/apis/coordination.k8s.io/v1/namespaces/fuzz/leases", lease),
        (PODS, {"metadata": {"name": "t", "deletionTimestamp": time, "creationTimestamp": time}}),
    ):
        target.send("POST", path, as_json(body))
        target.send("GET", path, headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
        target.send("DELETE", f"{path}/{body['metadata']['name']}")


@fuzzed
@given(st.one_of(texts, st.integers().map(str)), st.one_of(st.integers(), st.sampled_from(NUMBERS), texts), texts)
def test_any_continue_token(target: Target, version: str, revision: Any, start: str) -> None:
    for token in ({"v": "meta.k8s.io/v1", "rv": revision, "start": start}, {"v": version, "rv": 1, "start": start}):
        text = base64.urlsafe_b64encode(as_json(token)).decode().rstrip("=")
        for sent in (text, text[1:], text + "=", version):
            target.send("GET", "/api/v1/namespaces", query=(("limit", "1"), ("continue", sent)))


@fuzzed
@given(
    st.lists(
        st.one_of(texts, st.sampled_from(["a", "in", "notin", "(", ")", ",", "!", "=", "==", "!=", ">", "<", "1"])),
        max_size=8,
    )
)
def test_any_selector(target: Target, words: list[str]) -> None:
    for text in ("".join(words), " ".join(words)):
        for parameter in ("labelSelector", "fieldSelector"):
            target.send("GET", "/api/v1/pods", query=((parameter, text),))
            target.send("GET", "/api/v1/pods", query=((parameter, text), ("watch", "1"), ("timeoutSeconds", "1")))


def test_any_name(target: Target) -> None:
    for name in NASTY:
        body = as_json(
            {"metadata": {"name": name, "generateName": name, "labels": {name: name}, "annotations": {name: name}}}
        )
        for path in (
            "/api/v1/namespaces/fuzz/configmaps",
            "/api/v1/namespaces",
            "/api/v1/nodes",
            f"/api/v1/namespaces/{name}/secrets",
        ):
            target.send("POST", path, body)
            target.send("POST", path, as_json({"metadata": {"generateName": name}}))
        target.send("PUT", f"/apis/coordination.k8s.io/v1/namespaces/fuzz/leases/{name}", body)
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            target.send(method, f"/api/v1/namespaces/fuzz/configmaps/{name}", body)
    target.still_works()


def protobuf_samples() -> list[tuple[Sample, bytes]]:
    """The samples that have a protobuf form."""
    found = []
    for sample in samples():
        kind = find_kind(sample.body.get("apiVersion", ""), sample.body.get("kind", ""))
        if kind is None:
            continue
        try:
            found.append((sample, protobuf_writer.encode(sample.body, schema.definition_of(kind.type))))
        except (KeyError, TypeError, ValueError, AttributeError):
            # Bodies that are wrong on purpose.
            continue
    return found


@pytest.fixture(scope="module")
def encoded() -> list[tuple[Sample, bytes]]:
    return protobuf_samples()


# Where a byte is changed, as a part of the whole, and into what.
CHANGES = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), max_size=4)


@fuzzed
@given(st.integers(0, 9999), st.integers(0, 9999), st.one_of(st.just(10_000), st.integers(0, 10_000)), CHANGES)
def test_protobuf_cut_off_or_changed(
    target: Target,
    encoded: list[tuple[Sample, bytes]],
    which: int,
    elsewhere: int,
    length: int,
    changes: list[tuple[int, int]],
) -> None:
    (sample, body), (other, _) = encoded[which % len(encoded)], encoded[elsewhere % len(encoded)]
    changed = bytearray(body[: max(4, len(body) * length // 10_000)])
    for place, byte in changes:
        changed[len(changed) * place // 10_000] = byte
    headers = {"content-type": "application/vnd.kubernetes.protobuf"}
    response = target.send("POST", sample.path, bytes(changed), headers)
    if response.status == 201:
        target.send("POST", other.path, bytes(changed), headers)
        name = msgspec.json.decode(response.body).get("metadata", {}).get("name")
        target.send("GET", sample.path, headers={"accept": "application/vnd.kubernetes.protobuf,application/json"})
        target.send("DELETE", f"{sample.path}/{name}", query=(("gracePeriodSeconds", "0"),))


# What Python takes for digits and cannot, or will not, make numbers of.
NO_NUMBERS = ["9" * 5000, "\u00b2", "\u0663", "1\u00b2", "-" + "9" * 5000, "0" * 5000 + "1"]


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_a_number_that_is_none(target: Target, number: str) -> None:
    """At every place where a client's text is read as a number."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    for schedule in (
        f"{number} * * * *",
        f"*/{number} * * * *",
        f"1-{number} * * * *",
        f"@every {number}h",
        f"TZ={number} * * * * *",
    ):
        job = {"template": {"spec": {**template["spec"], "restartPolicy": "Never"}}}
        spec = {"schedule": schedule, "timeZone": number, "jobTemplate": {"spec": job}}
        target.send(
            "POST", "/apis/batch/v1/namespaces/fuzz/cronjobs", as_json({"metadata": {"name": "n"}, "spec": spec})
        )
    for path in (
        f"services/a:{number}/proxy",
        f"pods/a:{number}/proxy/",
        f"pods/https:a:{number}/proxy",
        f"nodes/a:{number}/proxy",
    ):
        target.send("GET", f"/api/v1/namespaces/fuzz/{path}" if not path.startswith("nodes") else f"/api/v1/{path}")
    target.send("GET", "/api/v1/namespaces/fuzz/pods/p/portforward", query=(("ports", number),))
    for parameter in (
        "limit",
        "timeoutSeconds",
        "resourceVersion",
        "gracePeriodSeconds",
        "tailLines",
        "sinceSeconds",
        "limitBytes",
        "timeout",
    ):
        target.send("GET", PODS, query=((parameter, number),))
        target.send("GET", f"{PODS}/p/log", query=((parameter, number),))
        target.send("DELETE", f"{PODS}/none", query=((parameter, number),))
    labels = {"a": "b"}
    spec = {
        "selector": {"matchLabels": labels},
        "template": template,
        "strategy": {"rollingUpdate": {"maxSurge": f"{number}%", "maxUnavailable": number}},
    }
    deployment = {
        "metadata": {
            "name": "d",
            "annotations": {
                "deployment.kubernetes.io/revision": number,
                "deprecated.daemonset.template.generation": number,
            },
        },
        "spec": spec,
    }
    for resource in ("deployments", "daemonsets", "statefulsets", "replicasets"):
        path = f"/apis/apps/v1/namespaces/fuzz/{resource}"
        target.send("POST", path, as_json(deployment))
        target.send("GET", path, headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
        target.send("DELETE", f"{path}/d")
    version = {"served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"}
    for name in (f"v{number}", f"v1beta{number}"):
        spec = {"group": "fuzz.io", "scope": "Namespaced", "names": names, "versions": [{**version, "name": name}]}
        target.send("POST", CRD, as_json({"metadata": {"name": "foos.fuzz.io"}, "spec": spec}))
        target.send("DELETE", f"{CRD}/foos.fuzz.io")
    pointer = as_json([{"op": "add", "path": f"/spec/containers/{number}", "value": {}}])
    target.send("POST", PODS, as_json({"metadata": {"name": "p"}, "spec": template["spec"]}))
    target.send("PATCH", f"{PODS}/p", pointer, {"content-type": "application/json-patch+json"})
    target.still_works()


CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SCHEMA_KEYS = """type format properties items additionalProperties required enum default nullable pattern minimum maximum multipleOf
    minLength maxLength minItems maxItems uniqueItems allOf anyOf oneOf not x-kubernetes-preserve-unknown-fields
    x-kubernetes-int-or-string x-kubernetes-embedded-resource x-kubernetes-list-type x-kubernetes-list-map-keys $ref""".split()
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={"type": st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null", "x"])},
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object")},
            optional={"properties": st.dictionaries(texts, inner, max_size=2), "additionalProperties": inner},
        ),
        st.fixed_dictionaries(
            {"type": st.just("array")},
            optional={"items": inner, "x-kubernetes-list-map-keys": st.lists(texts, max_size=2)},
        ),
        st.dictionaries(st.sampled_from(SCHEMA_KEYS), st.one_of(inner, values), max_size=3),
    ),
    max_leaves=6,
)


@fuzzed
@given(SCHEMAS, values, st.lists(texts, max_size=2))
def test_any_schema_of_custom_objects(target: Target, wanted: Any, body: Any, paths: list[str]) -> None:
    names = {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"}
    columns = [{"name": f"c{n}", "type": "string", "jsonPath": path} for n, path in enumerate(paths)]
    whole = {"type": "object", "properties": {"spec": wanted, "good": {"type": "string"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": whole},
        "additionalPrinterColumns": columns,
    }
    spec = {"group": "fuzz.io", "scope": "Namespaced", "names": names, "versions": [version]}
    target.send("POST", CRD, as_json({"metadata": {"name": "foos.fuzz.io"}, "spec": spec}))
    path = "/apis/fuzz.io/v1/namespaces/fuzz/foos"
    target.send(
        "POST", path, as_json({"apiVersion": "fuzz.io/v1", "kind": "Foo", "metadata": {"name": "f"}, "spec": body})
    )
    target.send("GET", path, headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
    target.send("PATCH", f"{path}/f", as_json({"spec": body}), {"content-type": "application/merge-patch+json"})
    target.send("GET", "/openapi/v3/apis/fuzz.io/v1")
    target.send("DELETE", f"{path}/f")
    target.send("DELETE", f"{CRD}/foos.fuzz.io")
