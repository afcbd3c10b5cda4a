from __future__ import annotations

import binascii
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api import protobuf, protobuf_writer, schema
from pybernetes.api.encoding import PROTOBUF, DecodeError, decode
from pybernetes.api.protobuf_table import has_message
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.core_v1 import ConfigMap, Pod, Secret
from pybernetes.api.types.meta_v1 import DeleteOptions
from tests.api import oracle

# kubectl 1.32's `create configmap x --from-literal=a=b`, byte by byte.
RECORDED = (
    b'k8s\x00\n\x0f\n\x02v1\x12\tConfigMap\x12\x1b\n\x11\n\x01x\x12\x00\x1a\x00"\x00*\x002\x008\x00B\x00'
    b'\x12\x06\n\x01a\x12\x01b\x1a\x00"\x00'
)


def test_a_body_as_clients_send_it() -> None:
    config_map = decode(RECORDED, PROTOBUF, ConfigMap).object
    assert config_map.metadata.name == "x"
    assert config_map.data == {"a": "b"}
    # Zeros that Go sends for plain fields are absent, as they are in JSON.
    assert config_map.metadata.namespace is None
    assert config_map.metadata.creation_timestamp is None


def test_bodies_are_written_as_go_writes_them() -> None:
    value = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x"}, "data": {"a": "b"}}
    assert protobuf_writer.encode(value, schema.definition_of(ConfigMap)) == RECORDED


def test_pointers_keep_their_zero() -> None:
    options = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
    body = protobuf_writer.encode(options, schema.definition_of(DeleteOptions))
    assert decode(body, PROTOBUF, DeleteOptions).object.grace_period_seconds == 0


def test_special_messages() -> None:
    value = {
        "metadata": {"name": "p", "creationTimestamp": "2020-01-01T00:00:00Z"},
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "livenessProbe": {"httpGet": {"port": "http"}, "timeoutSeconds": 1},
                    "readinessProbe": {"tcpSocket": {"port": 80}},
                    "resources": {"requests": {"cpu": "100m"}},
                }
            ],
            "volumes": [{"name": "v", "configMap": {"name": "x", "optional": False}}, {"name": "e", "emptyDir": {}}],
            "ephemeralContainers": [{"name": "d", "targetContainerName": "c", "resources": {}}],
        },
        "status": {},
    }
    definition = schema.definition_of(Pod)
    assert protobuf.decode(protobuf_writer.encode(value, definition), definition) == value


def test_schemas_of_custom_resources() -> None:
    open_schema = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "additionalProperties": {"type": "string"},
        "default": {"a": [1]},
        "properties": {"l": {"type": "array", "items": {"type": "integer", "enum": [1, 2]}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": open_schema}}
    value = {
        "metadata": {"name": "a.b"},
        "spec": {
            "group": "b",
            "names": {"plural": "a", "kind": "A"},
            "scope": "Cluster",
            "versions": [version | {"subresources": {"status": {}}}],
        },
    }
    definition = schema.definition_of(CustomResourceDefinition)
    decoded = protobuf.decode(protobuf_writer.encode(value, definition), definition)
    assert {name: decoded[name] for name in value} == value


@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_a_refusal(raw: bytes) -> None:
    try:
        decode(b"k8s\x00" + raw, PROTOBUF, Pod)
    except DecodeError as error:
        assert "Pod" in str(error)


@pytest.mark.parametrize("cut", range(5, len(RECORDED) - 1))
def test_a_body_that_breaks_off_is_no_crash(cut: int) -> None:
    try:
        decode(RECORDED[:cut], PROTOBUF, ConfigMap)
    except DecodeError as error:
        assert "ConfigMap" in str(error)


def test_what_is_no_protobuf_is_named() -> None:
    with pytest.raises(DecodeError, match="provided data does not appear to be a protobuf message"):
        decode(b'{"kind": "ConfigMap"}', PROTOBUF, ConfigMap)
    with pytest.raises(DecodeError, match='no kind "ConfigMap" is registered|cannot be handled as a Secret'):
        decode(RECORDED, PROTOBUF, Secret)


@oracle.needs_oracle
@pytest.mark.parametrize("scenario", oracle.names("defaults"))
def test_recorded_answers_survive_protobuf(scenario: str) -> None:
    """What Go wrote in JSON is the same after the way through protobuf, field by field."""
    for step in oracle.steps(scenario):
        answer = step["response"].get("body")
        definition = DEFINITIONS.get((answer.get("apiVersion"), answer.get("kind"))) if type(answer) is dict else None
        if definition is None:
            continue
        text = json.dumps(answer).replace("<time>", "2020-01-01T00:00:00Z")
        value = json.loads(text.replace("<microtime>", "2020-01-01T00:00:00.000001Z"))
        try:
            body = protobuf_writer.encode(value, definition)
        except (TypeError, binascii.Error):
            continue  # a placeholder stands where a number or a certificate should
        # The templates of claims are objects that say what they are; the message of an object does not.
        assert spoken(protobuf.decode(body, definition)) == spoken(value)


DEFINITIONS = {
    (f"{row['group']}/{row['version']}".removeprefix("/"), row["kind"]): name
    for name, definition in schema.definitions().items()
    for row in definition.get("x-kubernetes-group-version-kind", ())
    if has_message(name)
}


def spoken(value: Any) -> Any:
    """A value without what is not there: null, the empty list, and the kind of an object within another."""
    if isinstance(value, list):
        return [spoken(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: spoken(held) for name, held in value.items() if held is not None and held != []}
    if "volumeClaimTemplates" in kept:
        for template in kept["volumeClaimTemplates"]:
            template.pop("kind", None)
            template.pop("apiVersion", None)
    return kept
