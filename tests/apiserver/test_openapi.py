"""The OpenAPI documents: what kubectl looks for in them, both versions, both encodings, and how they are cached."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pybernetes.api import protobuf
from pybernetes.apiserver.openapi import gnostic, gnostic_version3
from pybernetes.apiserver.openapi.descriptions import describe
from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import DEFINITIONS, definition

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


async def document(call: Caller, path: str) -> dict[str, Any]:
    code, body = await call("GET", path)
    assert code == 200
    assert isinstance(body, dict)
    return body


async def test_version_3_tells_what_can_be_patched_and_how(call: Caller) -> None:
    index = await document(call, "/openapi/v3")
    apps = await document(call, index["paths"]["apis/apps/v1"]["serverRelativeURL"])
    patch = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
    assert [item["name"] for item in patch["parameters"]] == ["dryRun", "fieldManager", "fieldValidation", "force"]
    schemas = apps["components"]["schemas"]
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    strategy = schemas["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"]
    assert strategy["x-kubernetes-patch-strategy"] == "retainKeys"
    assert strategy["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy"}]
    kind = schemas["io.k8s.api.apps.v1.Deployment"]["properties"]["kind"]
    assert "enum" not in kind


async def test_every_document_of_the_index_holds_all_it_refers_to(call: Caller) -> None:
    index = await document(call, "/openapi/v3")
    for entry in index["paths"].values():
        found = await document(call, entry["serverRelativeURL"])
        for reference in references(found):
            assert reference.removeprefix("#/components/schemas/") in found["components"]["schemas"]


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for item in value.values() for found in references(item)]


async def test_a_document_is_cached_by_its_hash(call: Caller) -> None:
    plain = await call.send("GET", "/openapi/v3/api/v1")
    tag = str(plain.headers["etag"])
    right = await call.send("GET", f"/openapi/v3/api/v1?hash={tag.strip(chr(34))}")
    assert (right.status, right.headers["cache-control"]) == (200, "public, immutable")
    wrong = await call.send("GET", "/openapi/v3/api/v1?hash=0")
    assert (wrong.status, wrong.headers["location"]) == (301, f"/openapi/v3/api/v1?hash={tag.strip(chr(34))}")
    assert (await call.send("GET", "/openapi/v3/api/v1", if_none_match=tag)).status == 304


async def test_operations_and_parameters_are_described(call: Caller) -> None:
    await call("POST", DEFINITIONS, definition())
    swagger = await document(call, "/openapi/v2")
    for reference in references(swagger):
        _, place, name = reference.split("/")
        assert name in swagger[place]
    assert all(parameter["description"] for parameter in swagger["parameters"].values())
    texts = [
        item["description"] for path in swagger["paths"].values() for key, item in path.items() if key != "parameters"
    ]
    for text in (
        "list or watch objects of kind Pod",
        "read scale of the specified Deployment",
        "create an APIService",
        "create Endpoints",
        "create token of a ServiceAccount",
        "connect POST requests to exec of Pod",
        "partially update status of the specified CronTab",
    ):
        assert text in texts
    assert "list of returned" in swagger["parameters"]["labelSelector"]["description"]


async def test_version_2_in_both_encodings(call: Caller) -> None:
    swagger = await document(call, "/openapi/v2")
    pods = swagger["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]
    assert pods["patch"]["parameters"][0]["schema"]["$ref"].endswith("meta.v1.Patch")
    assert pods["parameters"][0]["description"] == "name of the Pod"
    assert [item["$ref"] for item in pods["parameters"][1:]] == ["#/parameters/namespace", "#/parameters/pretty"]
    # Where kubectl looks whether the server can try things out: it follows no references.
    assert {"dryRun", "fieldValidation"} <= {item.get("name") for item in pods["patch"]["parameters"]}
    response = await call.send("GET", "/openapi/v2", accept=PROTOBUF)
    assert response.headers["content-type"] == PROTOBUF.replace("v2@v1", "v2.v1")
    # Field 1 of the document, `swagger`: "2.0".
    assert response.body.startswith(b"\x0a\x032.0")
    assert b"io.k8s.api.core.v1.PodSpec" in response.body


@pytest.mark.parametrize(
    ("path", "accept", "code"),
    [
        ("/openapi/v2", "text/plain", 406),
        ("/openapi/v3/api/v1", "text/plain", 406),
        ("/openapi/v3/nosuch", "application/json", 404),
    ],
)
async def test_what_there_is_not(call: Caller, path: str, accept: str, code: int) -> None:
    assert (await call.send("GET", path, accept=accept)).status == code


def test_protobuf_of_a_schema() -> None:
    small = {
        "definitions": {"A": {"type": "string", "x-kubernetes-map-type": "atomic"}},
        "security": [{"BearerToken": []}],
    }
    schema = b"\xb2\x01\x08" + b"\x0a\x06string"
    extension = b"\x0a\x15x-kubernetes-map-type" + b"\x12\x0a" + b"\x12\x08" + b'"atomic"'
    schema += b"\xfa\x01" + bytes([len(extension)]) + extension
    named = b"\x0a\x01A" + b"\x12" + bytes([len(schema)]) + schema
    definitions = b"\x0a" + bytes([len(named)]) + named
    security = b"\x0a\x0f" + b"\x0a\x0bBearerToken" + b"\x12\x00"
    expected = b"\x4a" + bytes([len(definitions)]) + definitions + b"\x62" + bytes([len(security)]) + security
    assert gnostic.encode(small) == expected


async def test_every_document_of_version_3_is_there_in_protobuf(call: Caller) -> None:
    await call("POST", DEFINITIONS, definition())
    index = await document(call, "/openapi/v3")
    assert "apis/stable.example.com/v1" in index["paths"]
    for name in index["paths"]:
        response = await call.send("GET", f"/openapi/v3/{name}", accept=PROTOBUF.replace("v2", "v3"))
        assert response.status == 200
        assert response.headers["content-type"] == "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
        text = await document(call, f"/openapi/v3/{name}")
        fields = list(protobuf.read(response.body))
        assert fields[0] == (1, b"3.0.0")
        paths = [entry for number, value in fields if number == 4 for _, entry in protobuf.read(as_bytes(value))]
        assert [dict(protobuf.read(as_bytes(entry)))[1] for entry in paths] == [path.encode() for path in text["paths"]]


def as_bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"type": "string"}, b"\xca\x01\x06string"),
        ({"nullable": True, "default": "a"}, b"\x08\x01" + b"\x8a\x02\x03\x1a\x01a"),
        ({"default": {}}, b"\x8a\x02\x00"),
        ({"additionalProperties": True}, b"\x82\x02\x02\x10\x01"),
        ({"items": {"$ref": "#/a"}}, b"\xf2\x01\x09" + b"\x0a\x07" + b"\x12\x05" + b"\x0a\x03#/a"),
        ({"minimum": 1}, b"\x69" + bytes(6) + b"\xf0\x3f"),
    ],
)
def test_protobuf_of_a_schema_of_version_3(value: dict[str, Any], written: bytes) -> None:
    named = b"\x0a\x01A" + b"\x12" + bytes([len(written) + 2]) + b"\x0a" + bytes([len(written)]) + written
    schemas = b"\x0a" + bytes([len(named)]) + named
    components = b"\x0a" + bytes([len(schemas)]) + schemas
    expected = b"\x2a" + bytes([len(components)]) + components
    assert gnostic_version3.encode({"components": {"schemas": {"A": value}}}) == expected


def test_descriptions_come_from_the_installed_models() -> None:
    pod = describe("io.k8s.api.core.v1.Pod")
    assert pod.text.startswith("Pod is a collection of containers")
    assert "spec" in pod.fields
    assert describe("io.k8s.nowhere.v9.Nothing").text == ""


async def test_a_document_is_written_once(call: Caller) -> None:
    first = await call.send("GET", "/openapi/v2")
    second = await call.send("GET", "/openapi/v2")
    assert first.body is second.body
    assert msgspec.json.decode(first.body)["info"] == {"title": "Kubernetes", "version": "1.36"}
