from __future__ import annotations

import json
from typing import Any

import pytest

from pybernetes.api import encoding
from pybernetes.api.encoding import DecodeError, UnsupportedMediaType, decode, encode, from_value
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.core_v1 import ConfigMap, Pod
from pybernetes.api.types.meta_v1 import Condition, DeleteOptions
from tests.api import oracle

JSON = "application/json"


def body(**fields: Any) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, **fields}).encode()


def test_null_anywhere_means_absent() -> None:
    spec = {"containers": [{"name": "c", "env": None, "resources": None}], "nodeSelector": None, "hostname": None}
    pod = decode(body(spec=spec, status=None), JSON, Pod).object
    assert pod.spec.containers[0].env == []
    assert pod.spec.node_selector == {}


def test_a_missing_kind_is_that_of_the_path() -> None:
    for text in (b"null", b"{}", b'{"kind":"ConfigMap"}', b'{"apiVersion":""}'):
        config_map = decode(text, JSON, ConfigMap).object
        assert (config_map.kind, config_map.api_version) == ("ConfigMap", "v1")


@pytest.mark.parametrize("text", ["apps/", "/", ""])
def test_a_group_alone_means_the_version_of_the_path(text: str) -> None:
    deployment = decode(json.dumps({"apiVersion": text, "kind": "Deployment"}).encode(), JSON, Deployment).object
    assert deployment.api_version == "apps/v1"


def test_an_empty_group_is_the_core() -> None:
    assert decode(b'{"apiVersion": "/v1", "kind": "Pod"}', JSON, Pod).object.api_version == "v1"
    with pytest.raises(DecodeError, match='no kind "Pod" is registered for version "apps/"'):
        decode(b'{"apiVersion": "apps/", "kind": "Pod"}', JSON, Pod)


def test_what_has_two_slashes_is_no_version() -> None:
    text = '{"apiVersion": "a/b/c", "kind": "Pod"}'
    with pytest.raises(DecodeError) as error:
        decode(text.encode(), JSON, Pod)
    why = "unexpected GroupVersion string: a/b/c"
    assert str(error.value) == f"the object provided is unrecognized (must be of type Pod): {why} ({text[:30]} ...)"


def test_options_may_name_any_group() -> None:
    options = decode(b'{"kind":"DeleteOptions","apiVersion":"apps/v1"}', JSON, DeleteOptions).object
    assert options.kind == "DeleteOptions"


def test_strict_lines_come_in_the_order_of_the_text() -> None:
    text = b'{"metadata":{"name":"d","name":"e"},"data":{"a":"1","a":"2"},"data":{"b":"3"},"x":1,"x":2}'
    assert decode(text, JSON, ConfigMap, strict=True).strict == [
        'duplicate field "metadata.name"',
        'duplicate field "data.a"',
        'duplicate field "data"',
        'unknown field "x"',
    ]
    assert decode(text, JSON, ConfigMap).strict == []


def test_yaml_is_read_as_go_reads_it() -> None:
    text = b"metadata:\n  name: x\ndata:\n  a: 'y'\n  b: 2020-01-01\n"
    assert decode(text, "application/yaml", ConfigMap).object.data == {"a": "y", "b": "2020-01-01"}
    twice = b"data:\n  a: '1'\n  a: '2'\n"
    lines = decode(twice, "application/yaml", ConfigMap, strict=True).strict
    assert lines == ['yaml: unmarshal errors:\n  line 3: key "a" already set in map']


def test_quantities_and_times_are_stored_in_one_form() -> None:
    requests = {"cpu": 0.5, "memory": "1024Mi", "example.com/x": "1 "}
    spec = {"containers": [{"name": "c", "resources": {"requests": requests}}]}
    metadata = {"name": "p", "creationTimestamp": "2020-01-01T01:00:00.5+01:00"}
    pod = decode(body(spec=spec, metadata=metadata), JSON, Pod).object
    assert pod.spec.containers[0].resources.requests == {"cpu": "500m", "memory": "1Gi", "example.com/x": "1"}
    assert pod.metadata.creation_timestamp == "2020-01-01T00:00:00Z"


def test_a_malformed_quantity_is_refused() -> None:
    spec = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "lots"}}}]}
    with pytest.raises(DecodeError, match='Pod in version "v1" cannot be handled as a Pod: quantities must match'):
        decode(body(spec=spec), JSON, Pod)


@pytest.mark.parametrize("quantity", ["", " ", "1 Gi"])
def test_a_quantity_without_a_number_is_refused(quantity: str) -> None:
    spec = {"containers": [{"name": "c"}], "volumes": [{"name": "v", "emptyDir": {"sizeLimit": quantity}}]}
    with pytest.raises(DecodeError, match="quantities must match"):
        decode(body(spec=spec), JSON, Pod)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (
            {"items": {"maxLength": []}},
            "cannot unmarshal array into Go struct field JSONSchemaProps.maxLength of type int64",
        ),
        ({"additionalProperties": {"items": {"type": {}}}}, "JSONSchemaProps.type of type string"),
        ({"additionalProperties": 7}, "boolean or JSON schema expected"),
    ],
)
def test_schemas_inside_of_schemas_have_types(inner: dict[str, Any], message: str) -> None:
    version = {"name": "v1", "schema": {"openAPIV3Schema": inner}}
    text = json.dumps({"spec": {"versions": [version]}}).encode()
    with pytest.raises(DecodeError, match=message):
        decode(text, JSON, CustomResourceDefinition)


def test_numbers_beside_a_null_are_numbers() -> None:
    inner = {"maximum": 1.5, "default": [1.5], "items": {"minimum": 2.5}, "title": None}
    text = json.dumps({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": inner}}]}}).encode()
    stored = json.loads(encode(decode(text, JSON, CustomResourceDefinition).object))
    del inner["title"]
    assert stored["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == inner


@pytest.mark.parametrize("text", ['{"metadata":{"name":"a\\ud800"}}', '{"metadata":{"name":"a\\ud83d\\ude00"}}'])
def test_lone_surrogates_are_replaced_and_pairs_are_characters(text: str) -> None:
    name = decode(text.encode(), JSON, Pod).object.metadata.name
    assert name == ("a\ufffd" if "ude00" not in text else "a\U0001f600")


@pytest.mark.parametrize("media_type", ["text/plain", "application/cbor", "garbage"])
def test_other_media_types_are_refused(media_type: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="accepted media types include: application/json"):
        decode(b"{}", media_type, ConfigMap)


def test_a_required_time_that_was_never_set_is_null() -> None:
    condition = Condition(type="Ready", status="True", message='say "lastTransitionTime":""')
    text = encode(condition)
    assert json.loads(text)["lastTransitionTime"] is None
    assert json.loads(text)["message"] == condition.message


def test_values_are_read_with_the_same_tolerance() -> None:
    value = {"metadata": {"name": "d", "labels": None}, "spec": {"replicas": 0, "bogus": 1}}
    decoded = from_value(value, Deployment, strict=True)
    assert decoded.object.spec.replicas == 0
    assert decoded.strict == ['unknown field "spec.bogus"']
    with pytest.raises(
        DecodeError, match="json: cannot unmarshal string into Go struct field DeploymentSpec.spec.repl"
    ):
        from_value({"spec": {"replicas": "3"}}, Deployment)


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(DecodeError):
        decode(b"[" * 100_000, JSON, ConfigMap)
    with pytest.raises(DecodeError):
        decode(b'{"a":' * 100_000, JSON, ConfigMap)


@oracle.needs_oracle
@pytest.mark.parametrize("scenario", ["errors/bad-bodies", "errors/fieldvalidation"])
def test_refusals_read_as_recorded(scenario: str) -> None:
    compared = 0
    for step in oracle.steps(scenario):
        request, response = step["request"], step["response"]
        kind = oracle.kind_at(request["path"])
        if request["method"] != "POST" or kind is None or not isinstance(response.get("body"), dict):
            continue
        text = oracle.text_of(request["body"])
        if text.startswith(b"<"):
            continue
        level = request["query"].get("fieldValidation", "")
        expected = response["body"].get("message", "") if response["status"] in (400, 415) else ""
        media_type = (request.get("headers") or {}).get("Content-Type", JSON)
        assert answer(text, media_type, kind.type, level) == expected
        compared += 1
    assert compared > 20


def answer(text: bytes, media_type: str, type_: Any, level: str) -> str:
    """What the API server would say before validation; empty when it goes on."""
    try:
        strict = decode(text, media_type, type_, strict=level == "Strict").strict
    except (DecodeError, UnsupportedMediaType) as error:
        return str(error)
    if not strict:
        return ""
    name = type_.__name__
    return f'{name} in version "v1" cannot be handled as a {name}: strict decoding error: {", ".join(strict)}'


@oracle.needs_oracle
@pytest.mark.parametrize("scenario", oracle.names("defaults"))
def test_recorded_objects_survive_a_round_trip(scenario: str) -> None:
    for step in oracle.steps(scenario):
        recorded = step["response"].get("body")
        kind = oracle.kind_at(step["request"]["path"])
        if kind is None or not isinstance(recorded, dict) or recorded.get("kind") != kind.name:
            continue
        if "<" in json.dumps(recorded.get("data", "")):
            continue
        text = json.dumps(recorded).replace("<time>", "2020-01-01T00:00:00Z")
        text = text.replace("<microtime>", "2020-01-01T00:00:00.000000Z").replace('"<nodePort:', '"')
        try:
            obj = decode(text.encode(), JSON, kind.type).object
        except DecodeError:
            continue  # a placeholder stands where a number or base64 should
        assert decode(encode(obj), JSON, kind.type).object == obj
        assert decode(encoding.encode_yaml(obj), encoding.YAML, kind.type).object == obj


@pytest.mark.parametrize(
    "text",
    [
        '{"data":{"a":"1"},"data":{"a":"1"}}',
        '{"data":{"a":"1","a":"1"}}',
        '{"metadata":{"annotations":{"x":"{\\"a\\":1}"},"name":"p","name":"p"}}',
        '{"metadata" : {"name" : "a", "name" : "b"}}',
        '{"metadata":{"ownerReferences":[{"nope":1}]}}',
    ],
)
def test_strict_lines_are_found_wherever_they_are(text: str) -> None:
    assert len(decode(text.encode(), JSON, ConfigMap, strict=True).strict) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"metadata":{"annotations":{"x":"{\\"a\\":1}","y\\"z":"\\":"}},"data":{"c":"\\":"}}',
        '{"metadata" : { "managedFields" :[{"fieldsV1":{"f:data":{".":{}}}}]}}',
    ],
)
def test_clean_texts_have_no_strict_lines(text: str) -> None:
    assert decode(text.encode(), JSON, ConfigMap, strict=True).strict == []
