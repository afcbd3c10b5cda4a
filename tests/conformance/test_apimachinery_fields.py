"""[sig-api-machinery] FieldValidation: what strict decoding tells, of built-in kinds and of custom resources."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.conformance.custom import define, definition
from tests.conformance.driving import Api, Json, alone

PORT_FIELDS = {
    "containerPort": {"format": "int32", "type": "integer"},
    "hostIP": {"type": "string"},
    "hostPort": {"format": "int32", "type": "integer"},
    "name": {"type": "string"},
    "protocol": {"type": "string"},
}
FIELDS: Json = {
    "foo": {"type": "string"},
    "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
    "ports": {
        "type": "array",
        "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
        "x-kubernetes-list-type": "map",
        "items": {"type": "object", "required": ["containerPort", "protocol"], "properties": PORT_FIELDS},
    },
}
PORTS = """
  cronSpec: "* * * * */5"
  ports:
  - name: x
    containerPort: 80
    protocol: TCP"""
STRICT = "fieldManager=field_validation_mgr&fieldValidation=Strict"


def schema(spec_fields: Json, **more: object) -> Json:
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": spec_fields, **more}}}


async def applied(
    api: Api, custom_schema: Json | None, spec: str, metadata: str = "", root: str = ""
) -> tuple[int, str]:
    """Server-side apply, in strict mode, of a custom resource written in YAML: the code and the text of the answer."""
    await define(api, definition("noxus", custom_schema, versions=("v1beta1", "v1beta2")))
    head = f"\napiVersion: group.example.com/v1beta1\nkind: Noxu\nmetadata:\n  name: mytest{metadata}\n  finalizers:\n"
    body = f"{head}  - test-finalizer{root}\nspec:{spec}{PORTS}".encode()
    path = api.root("group.example.com/v1beta1", "noxus", "mytest")
    response = await api.send("PATCH", f"{path}?{STRICT}", body, {"content-type": "application/apply-patch+yaml"})
    return response.status, response.body.decode()


async def created(api: Api, text: bytes) -> Any:
    response = await api.send("POST", f"{api.at('apps/v1', 'deployments')}?{STRICT}", text)
    assert response.status == 400
    return msgspec.json.decode(response.body)["message"]


DEPLOYMENT = b"""{"apiVersion": "apps/v1", "kind": "Deployment",
  "metadata": {"name": "my-dep", "labels": {"app": "nginx"} %s},
  "spec": {%s "selector": {"matchLabels": {"app": "nginx"}}, "template": {"metadata": {"labels": {"app": "nginx"}},
           "spec": {"containers": [{"name": "nginx", "image": "nginx:latest"}]}}}}"""


@alone
async def test_unknown_and_duplicate_fields_of_a_typed_object(api: Api) -> None:
    """FieldValidation should detect unknown and duplicate fields of a typed object."""
    message = await created(api, DEPLOYMENT % (b"", b'"unknownField": "foo", "replicas": 2, "replicas": 3,'))
    assert 'strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas"' in message


@alone
async def test_unknown_metadata_fields_of_a_typed_object(api: Api) -> None:
    """FieldValidation should detect unknown metadata fields of a typed object."""
    message = await created(api, DEPLOYMENT % (b', "unknownMeta": "foo"', b""))
    assert 'strict decoding error: unknown field "metadata.unknownMeta"' in message


@alone
async def test_a_valid_custom_resource_is_applied(api: Api) -> None:
    """FieldValidation should create/apply a valid CR for CRD with validation schema."""
    code, text = await applied(api, schema(FIELDS), "\n  foo: foo1")
    assert code == 201, text


@alone
async def test_unknown_fields_are_taken_where_no_schema_is(api: Api) -> None:
    """FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema."""
    code, text = await applied(api, None, "\n  unknown: uk1")
    assert code == 201, text


@alone
async def test_extra_properties_are_refused_where_a_schema_is(api: Api) -> None:
    """FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema."""
    _, text = await applied(api, schema(FIELDS), "\n  foo: foo1", root="\nunknownField: unknown")
    assert ".unknownField: field not declared in schema" in text


@alone
async def test_unknown_metadata_in_the_root_and_in_embedded_objects(api: Api) -> None:
    """FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR."""
    name = {"type": "object", "properties": {"name": {"type": "string"}}}
    embedded = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {"metadata": name, "spec": {"type": "object"}},
    }
    preserving = schema({"template": embedded, **FIELDS}, **{"x-kubernetes-preserve-unknown-fields": True})
    sub = """
  template:
    apiversion: foo/v1
    kind: Sub
    metadata:
        unknownSubMeta: unknown
        name: subobject
        namespace: e2e-test
  foo: foo1"""
    _, text = await applied(api, preserving, sub, metadata="\n  unknownMeta: unknown")
    assert (
        ".spec.template.metadata.unknownSubMeta: field not declared in schema" in text
        or ".metadata.unknownMeta: field not declared in schema" in text
    )


@alone
async def test_duplicates_are_found_where_unknown_fields_are_kept(api: Api) -> None:
    """FieldValidation should detect duplicates in a CR when preserving unknown fields."""
    preserving = schema(FIELDS, **{"x-kubernetes-preserve-unknown-fields": True})
    _, text = await applied(api, preserving, "\n  unknown: uk1\n  foo: foo1\n  foo: foo2")
    assert r"line 11: key \"foo\" already set in map" in text, text
