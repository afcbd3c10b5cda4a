"""The rules for Services but for their addresses, as tables: a change to a good Service, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from causes import merged, on_create, on_status, on_update

SERVICE: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}
RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
MODE, HINTS = "service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"

CREATES: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"spec": {"type": "ExternalName", "externalName": "a_b."}},
        [
            'spec.externalName: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case '
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character "
            "(e.g. 'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ],
    ),
    (
        {"metadata": {"annotations": {MODE: "Auto", HINTS: "Disabled"}}},
        [
            f'metadata.annotations[{MODE}]: Invalid value: "Auto": '
            f"must match annotations[{HINTS}] when both are specified"
        ],
    ),
    (
        {"metadata": {"annotations": {RANGES: "10.0.0.0/8, x"}}},
        [
            f"metadata.annotations[{RANGES}]: Forbidden: may only be used when `type` is 'LoadBalancer'",
            f'metadata.annotations[{RANGES}]: Invalid value: "x": '
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        ],
    ),
    (
        {"spec": {"type": "NodePort", "ports": [
            {"name": "a", "port": 1, "nodePort": 30000}, {"name": "b", "port": 2, "nodePort": 30000}]}},
        ["spec.ports[1].nodePort: Duplicate value: 30000"],
    ),
    (
        {"spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 70000}},
        ["spec.healthCheckNodePort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CREATES)
def test_create(change: dict[str, Any], expected: list[str]) -> None:
    assert on_create(merged(SERVICE, change)) == expected


def test_the_port_of_health_checks_stays() -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30001}
    old = merged(SERVICE, {"spec": spec})
    assert on_update(old, merged(old, {"spec": {"healthCheckNodePort": 30002}})) == [
        "spec.healthCheckNodePort: Forbidden: field is immutable"
    ]


STATUSES: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    ("ClusterIP", [{"ip": "1.2.3.4", "ipMode": "VIP"}], [
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"
    ]),
    ("LoadBalancer", [{"ip": "1.2.3.4"}], []),
    ("LoadBalancer", [{"ip": "x", "ipMode": "Y"}, {"hostname": "10.0.0.1", "ipMode": "VIP"}], [
        'status.loadBalancer.ingress[0].ip: Invalid value: "x": '
        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        'status.loadBalancer.ingress[0].ipMode: Unsupported value: "Y": supported values: "Proxy", "VIP"',
        "status.loadBalancer.ingress[1].ipMode: Forbidden: may not be specified when `ip` is not set",
        'status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": '
        "must be a DNS name, not an IP address",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "ingress", "expected"), STATUSES)
def test_status(kind: str, ingress: list[dict[str, Any]], expected: list[str]) -> None:
    service = merged(SERVICE, {"spec": {"type": kind}})
    assert on_status(service, {}, {"loadBalancer": {"ingress": ingress}}) == expected
