"""Bodies that are hardly JSON, YAML or protobuf: noise, bombs, and what was cut off."""

# ruff: noqa: E501, SIM905 - tables of texts are read best in rows.
from __future__ import annotations

import resource
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.effort import fuzzed
from tests.fuzz.objects import samples
from tests.fuzz.target import Target
from tests.fuzz.words import as_json, values

PATH = "/api/v1/namespaces/fuzz/configmaps"
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MEDIA = [JSON, YAML, PROTOBUF, "application/merge-patch+json", "application/json-patch+json",
         "application/strategic-merge-patch+json", "application/apply-patch+yaml", "", "text/plain", "application/cbor"]  # fmt: skip
DEEP = 100_000
ALIASES = b"".join(b"l%d: &l%d [%s]\n" % (n, n, b",".join([b"*l%d" % (n - 1)] * 10) if n else b"x") for n in range(30))
BODIES: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "text": b'"a"',
    "list": b"[]",
    "brackets": b"[" * DEEP,
    "closed brackets": b"[" * DEEP + b"]" * DEEP,
    "braces": b'{"a":' * DEEP,
    "closed braces": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep in data": b'{"metadata":{"name":"a"},"data":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "deep unknown": b'{"metadata":{"name":"a"},"unknown":' + b"[" * 1500 + b"]" * 1500 + b"}",
    "deep managed fields": b'{"metadata":{"name":"a","managedFields":[{"fieldsV1":' + b'{"a":' * 2000 + b"{}" + b"}" * 2000 + b"}]}}",
    "huge integer": b'{"metadata":{"name":"a","generation":' + b"9" * 100_000 + b"}}",
    "huge float": b'{"metadata":{"name":"a","generation":1e' + b"9" * 1000 + b"}}",
    "huge unknown integer": b'{"metadata":{"name":"a"},"x":' + b"9" * 100_000 + b"}",
    "bad utf-8": b'{"metadata":{"name":"a\xff"},"data":{"\xc3":"\xed\xa0\x80"}}',
    "lone surrogates": b'{"metadata":{"name":"a"},"data":{"a":"\\ud800","b":"\\udc00\\ud800x"}}',
    "nul": b'{"metadata":{"name":"a\\u0000b"}}\0',
    "bom": b'\xef\xbb\xbf{"metadata":{"name":"a"}}',
    "duplicates": b'{"metadata":{"name":"a"},"metadata":{"name":"b","name":"c"},"data":{"a":"1","a":"2"}}',
    "many keys": as_json({"metadata": {"name": "a"}, "data": {str(n): "" for n in range(50_000)}}),
    "many unknown": as_json({f"u{n}": n for n in range(50_000)}),
    "billion laughs": ALIASES,
    "laughs in data": b"metadata: {name: a}\n" + ALIASES + b"data: {a: *l29}\n",
    "alias of itself": b"a: &a [*a]\n",
    "map of itself": b"&a {metadata: *a}",
    "merge of itself": b"&a {<<: *a}",
    "merge laughs": b"".join(b"m%d: &m%d {<<: [%s], k%d: 1}\n" % (n, n, b",".join([b"*m%d" % (n - 1)] * 9) if n else b"{}", n) for n in range(25)),
    "deep yaml": b"- " * 50_000,
    "deep flow": b"{a: " * 20_000,
    "deep indent": b"".join(b" " * n + b"a:\n" for n in range(1500)),
    "tags": b"!!python/object/apply:os.system ['true']",
    "unknown tag": b"metadata: !foo {name: !!binary a}\ndata: !!set {a, b}\n",
    "omap": b"--- !!omap\n- a: 1\n",
    "numbers": b"metadata: {name: 0o17, generation: 0x" + b"f" * 500 + b", x: " + b"7" * 6000 + b", y: 1_0.5e99999}",
    "map keys": b"? {a: b}\n: c\n? [d]\n: e\n1.5: x\n~: y\n",
    "documents": b"a: 1\n---\nb: 2\n---\n" * 1000,
    "percent": b"%YAML 9.9\n---\na",
    "tab": b"\ta: b",
    "utf-16": "metadata: {name: a}".encode("utf-16"),
    "no envelope": b"k8s\x00",
    "endless varint": b"k8s\x00" + b"\xff" * 100,
    "long promise": b"k8s\x00\x12\xff\xff\xff\xff\x0f",
    "groups": b"k8s\x00\x0b\x0c",
    "empty raw": b"k8s\x00\x12\x00",
    "deep messages": b"k8s\x00" + b"\x0a\x7f" * 1000,
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_nasty_body(target: Target, name: str) -> None:
    for media in MEDIA:
        headers = {"content-type": media}
        target.send("POST", PATH, BODIES[name], headers, (("fieldValidation", "Strict"),))
        target.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", BODIES[name], headers)
        target.send("PATCH", "/api/v1/namespaces/fuzz", BODIES[name], headers)
        target.send("DELETE", f"{PATH}/none", BODIES[name], headers)
    target.still_works()
    # Kilobytes; far more than this has been needed by none, and a bomb needs all there is.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000


@fuzzed
@given(st.binary(max_size=60), st.sampled_from(MEDIA), st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]))
def test_noise(target: Target, body: bytes, media: str, method: str) -> None:
    path = PATH if method == "POST" else "/api/v1/namespaces/fuzz"
    target.send(method, path, body, {"content-type": media})


@fuzzed
@given(st.data())
def test_a_body_cut_off_or_changed_in_a_byte(target: Target, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(samples()))
    body = bytearray(as_json(sample.body))
    if data.draw(st.booleans()):
        body = body[: data.draw(st.integers(0, len(body)))]
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    media = data.draw(st.sampled_from([JSON, YAML]))
    target.send("POST", sample.path, bytes(body), {"content-type": media})


@fuzzed
@given(values, st.sampled_from(MEDIA), st.sampled_from(samples()), st.booleans())
def test_any_value(target: Target, value: Any, media: str, sample: Any, escaped: bool) -> None:
    target.send("POST", sample.path, as_json(value, escaped), {"content-type": media})
