"""PATCH requests: what the patch itself may be, what is told of it, and that what is missing comes first."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEFINITION = {
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Cluster",
        "names": {"plural": "things", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"size": {"type": "integer"}}}},
            }
        ],
    },
}


@pytest.fixture
async def config_map(call: Caller) -> str:
    await call("POST", CONFIG_MAPS, {"metadata": {"name": "c"}, "data": {"a": "1"}})
    return f"{CONFIG_MAPS}/c"


async def answer(call: Caller, path: str, media: str, body: bytes) -> tuple[int, str, tuple[str, ...]]:
    """The status, the message and the texts of the warnings."""
    response = await call.send("PATCH", path, body, content_type=media)
    given: Any = response.headers.get("warning") or ()
    texts = tuple(line.removeprefix('299 - "').removesuffix('"').replace('\\"', '"') for line in given)
    message = "" if response.status < 300 else (await call("PATCH", path, body, content_type=media))[1]["message"]
    return response.status, message, texts


NOT_OF_TYPE = "json: cannot unmarshal"


@pytest.mark.parametrize(
    ("media", "body", "mode", "code", "text"),
    [
        (JSON_PATCH, b"null", "", 200, ""),
        (STRATEGIC, b"null", "", 200, ""),
        (MERGE, b"null", "", 400, "Invalid JSON Patch"),
        (
            MERGE,
            b"[1]",
            "",
            400,
            f"error decoding patch: {NOT_OF_TYPE} array into Go value of type map[string]interface {{}}",
        ),
        (
            MERGE,
            b"true",
            "",
            400,
            f"error decoding patch: {NOT_OF_TYPE} bool into Go value of type map[string]interface {{}}",
        ),
        (MERGE, b"true", "Ignore", 400, "Invalid JSON Patch"),
        (MERGE, b"{", "Ignore", 400, "unexpected end of JSON input"),
        (
            JSON_PATCH,
            b'["x"]',
            "",
            400,
            f"error decoding patch: {NOT_OF_TYPE} string into Go value of type handlers.jsonPatchOp",
        ),
        (JSON_PATCH, b'["x"]', "Ignore", 400, f"{NOT_OF_TYPE} string into Go value of type jsonpatch.Operation"),
        (JSON_PATCH, b"{}", "Ignore", 400, f"{NOT_OF_TYPE} object into Go value of type jsonpatch.Patch"),
        (
            JSON_PATCH,
            b'[{"op":5}]',
            "",
            400,
            f"error decoding patch: {NOT_OF_TYPE} number into Go struct field jsonPatchOp.op of type string",
        ),
        (
            STRATEGIC,
            b'{"metadata":{"$retainKeys":1}}',
            "",
            400,
            "invalid patch format of retainKeys",
        ),
        (
            STRATEGIC,
            b'{"metadata":{"$setElementOrder/nosuch":["a"]}}',
            "",
            500,
            'unable to find api field in struct ObjectMeta for the json field "nosuch"',
        ),
    ],
)
async def test_a_body_that_is_no_patch(
    call: Caller, config_map: str, media: str, body: bytes, mode: str, code: int, text: str
) -> None:
    status, message, _ = await answer(call, f"{config_map}?fieldValidation={mode}", media, body)
    assert (status, message) == (code, text)


@pytest.mark.parametrize("media", [JSON_PATCH, MERGE, STRATEGIC])
async def test_what_is_missing_is_not_found_whatever_the_body_says(call: Caller, media: str) -> None:
    assert (await answer(call, f"{CONFIG_MAPS}/nosuch", media, b"{bad"))[0] == 404


OPERATIONS = (
    b'[{"op":"add","path":"/nosuch","value":1,"foo":2},{"op":"add","path":"/x","path":"/data/b","value":"2"},'
    b'{"op":"add","path":"/metadata/nosuch","value":{"a":1,"a":2}}]'
)
LINES = (
    'json patch unknown field "[0].foo"',
    'json patch duplicate field "[1].path"',
    'json patch duplicate field "[2].value.a"',
    'unknown field "metadata.nosuch"',
    'unknown field "nosuch"',
)


async def test_field_validation_looks_at_the_operations_too(call: Caller, config_map: str) -> None:
    assert await answer(call, config_map, JSON_PATCH, OPERATIONS) == (200, "", LINES)
    status, message, warnings = await answer(call, f"{config_map}?fieldValidation=Strict", JSON_PATCH, OPERATIONS)
    assert (status, warnings) == (422, ())
    assert message.endswith(f'": strict decoding error: {", ".join(LINES)}')
    assert await answer(call, f"{config_map}?fieldValidation=Ignore", JSON_PATCH, OPERATIONS) == (200, "", ())


async def test_unknown_fields_are_told_by_name_when_a_merge_brings_them(call: Caller, config_map: str) -> None:
    body = b'{"zz":1,"metadata":{"y":1,"a":{}},"bb":1}'
    lines = tuple(f'unknown field "{name}"' for name in ("bb", "metadata.a", "metadata.y", "zz"))
    assert await answer(call, config_map, MERGE, body) == (200, "", lines)


async def test_a_strict_patch_of_a_custom_resource_shows_its_result(call: Caller) -> None:
    await call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
    things = "/apis/example.com/v1/things"
    body = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}}
    assert (await call("POST", things, body))[0] == 201
    status, message, _ = await answer(call, f"{things}/t?fieldValidation=Strict", MERGE, b'{"size":1,"size":2,"x":1}')
    assert status == 422
    assert message.startswith(' "" is invalid: patch: Invalid value: "{')
    assert message.endswith('}": strict decoding error: duplicate field "size", unknown field "x"')


async def test_keys_that_occur_twice_in_yaml_are_told_one_by_one(call: Caller) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\ndata:\n  a: x\n  a: z\n  b: x\n  b: z\n"
    lines = ('line 7: key "a" already set in map', 'line 9: key "b" already set in map')
    response = await call.send("POST", CONFIG_MAPS, body, content_type="application/yaml")
    assert tuple(response.headers["warning"]) == tuple('299 - "' + line.replace('"', '\\"') + '"' for line in lines)
    path = f"{CONFIG_MAPS}/twice?fieldManager=m&force=true"
    assert await answer(call, path, APPLY, body) == (200, "", lines)
    status, message, _ = await answer(call, f"{path}&fieldValidation=Strict", APPLY, body)
    text = "".join(f"\n  {line}" for line in lines)
    problem = f"error converting YAML to JSON: yaml: unmarshal errors:{text}"
    assert (status, message) == (400, f"error strict decoding YAML: {problem}")


async def test_an_applied_document_in_json_is_looked_at_as_yaml(call: Caller) -> None:
    body = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"},\n"data":{"a":"1",\n"a":"2"}}'
    found = await answer(call, f"{CONFIG_MAPS}/j?fieldManager=m", APPLY, body)
    assert found == (201, "", ('line 3: key "a" already set in map',))


async def test_a_scale_warns_as_any_other_object(call: Caller) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    await call("POST", "/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": "d"}, "spec": spec})
    path = "/apis/apps/v1/namespaces/default/deployments/d/scale"
    found = await answer(call, path, MERGE, b'{"spec":{"replicas":1,"nosuch":1}}')
    assert found == (200, "", ('unknown field "spec.nosuch"',))
