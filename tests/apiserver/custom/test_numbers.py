"""Numbers of custom resources as they are kept and answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pybernetes.apiserver.custom import numbers
from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import CRONTABS, DEFINITIONS, crontab, definition


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1.0", 1),
        (b"1e3", 1000),
        (b"9223372036854775807", 2**63 - 1),
        (b"0.5", 0.5),
        (b"1e30", 1e30),
        (b'{"a":[-2.0]}', {"a": [-2]}),
    ],
)
def test_numbers_without_a_fraction_are_integers(text: bytes, value: Any) -> None:
    found = numbers.decode(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("method", "content_type", "body"),
    [
        ("PATCH", "application/merge-patch+json", b'{"spec":{"replicas":3.0}}'),
        ("PATCH", "application/json-patch+json", b'[{"op":"add","path":"/spec/replicas","value":3e0}]'),
        (
            "PATCH",
            "application/apply-patch+yaml",
            b"{apiVersion: stable.example.com/v1, kind: CronTab, metadata: {name: a}, spec: {replicas: 3.0}}",
        ),
    ],
)
async def test_clients_read_integers_however_they_were_written(
    served: Caller, method: str, content_type: str, body: bytes
) -> None:
    await served("POST", CRONTABS, crontab("a"))
    path = f"{CRONTABS}/a?fieldManager=tester&force={'apply' in content_type}".replace("&force=False", "")
    response = await served.send(method, path, body, content_type=content_type)
    assert response.status == 200, response.body
    response = await served.send("GET", f"{CRONTABS}/a")
    assert b'"replicas":3,' in response.body.replace(b"}", b",")


async def test_defaults_are_integers_too(call: Caller) -> None:
    spec = b'{"type":"object","default":{},"properties":{"replicas":{"type":"integer","default":2.0}}}'
    schema = b'{"type":"object","properties":{"spec":%s}}' % spec
    version = b'{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":%s}}' % schema
    body = msgspec.json.encode(definition({}))
    response = await call.send("POST", DEFINITIONS, body.replace(b'"versions":[{}]', b'"versions":[%s]' % version))
    assert response.status == 201, response.body
    head = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "a"}}
    response = await call.send("POST", CRONTABS, head)
    assert b'"replicas":2}' in response.body


async def test_numbers_that_are_too_large_are_refused(served: Caller) -> None:
    body = b'{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{"name":"a"},"spec":{"replicas":1e400}}'
    code, status = await served("POST", CRONTABS, body)
    assert code == 400
    assert "json: cannot unmarshal number 1e400 into Go value of type float64 (" in status["message"]


@pytest.mark.parametrize(
    ("number", "text"), [(100.0, "100"), (1e6, "1e+06"), (0.5, "0.5"), (1e-5, "1e-05"), (-2.5, "-2.5")]
)
def test_floats_look_as_in_go(number: float, text: str) -> None:
    assert numbers.go_float(number) == text
