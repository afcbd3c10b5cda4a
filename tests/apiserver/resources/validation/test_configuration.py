"""The rules for Secrets, ServiceAccounts, Endpoints and Events, and for the metadata of all kinds."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from causes import made, merged, on_create

DOCKER = "kubernetes.io/dockerconfigjson"
ACCOUNT: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount"}


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("{", "unexpected end of JSON input"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ('{"auths": {}}', ""),
        ("null", ""),
    ],
)
def test_credentials_for_registries_are_json(text: str, detail: str) -> None:
    data = {".dockerconfigjson": base64.b64encode(text.encode()).decode()}
    problem = f'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": {detail}'
    errors = on_create({"apiVersion": "v1", "kind": "Secret", "type": DOCKER, "data": data})
    assert errors == ([problem] if detail else [])


def test_of_an_accounts_secrets_only_names_are_kept() -> None:
    account = made({**ACCOUNT, "secrets": [{"name": "s", "kind": "Secret", "namespace": "other", "uid": "u"}]})
    (reference,) = account.secrets
    assert (reference.name, reference.kind, reference.namespace, reference.uid) == ("s", None, None, None)


OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
OWNERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"apiVersion": "a/b/c"}, ['apiVersion: Invalid value: "a/b/c": version must not be empty']),
    ({"apiVersion": "a/"}, ['apiVersion: Invalid value: "a/": version must not be empty']),
    ({"name": ""}, ['name: Invalid value: "": must not be empty']),
]


@pytest.mark.parametrize(("change", "expected"), OWNERS)
def test_owners(change: dict[str, Any], expected: list[str]) -> None:
    metadata = {"ownerReferences": [merged(OWNER, change)]}
    assert on_create({**ACCOUNT, "metadata": metadata}) == [f"metadata.ownerReferences.{each}" for each in expected]


ADDRESSES: list[tuple[dict[str, Any], list[str]]] = [
    ({"ip": "10.0.0.1"}, []),
    ({"ip": "x"}, [
        'ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'ip: Invalid value: "x": must be a valid IP address',
    ]),
    ({"ip": "::ffff:10.0.0.1"}, ['ip: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address']),
    ({"ip": "::1"}, ['ip: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
]  # fmt: skip


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_addresses_of_endpoints(address: dict[str, Any], expected: list[str]) -> None:
    subsets = [{"addresses": [address], "ports": [{"port": 80}]}]
    path = "subsets[0].addresses[0]"
    errors = on_create({"apiVersion": "v1", "kind": "Endpoints", "subsets": subsets})
    assert errors == [f"{path}.{each}" for each in expected]


def test_old_events_may_have_any_name() -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "Pod_A.1"},
        "involvedObject": {"namespace": "ns"},
    }
    assert on_create(event) == []
    assert on_create(merged(event, {"metadata": {"name": "a/b"}})) == [
        "metadata.name: Invalid value: \"a/b\": may not contain '/'"
    ]


def test_a_generation_is_not_negative() -> None:
    assert on_create({**ACCOUNT, "metadata": {"generation": -1}}) == [
        "metadata.generation: Invalid value: -1: must be greater than or equal to 0"
    ]
