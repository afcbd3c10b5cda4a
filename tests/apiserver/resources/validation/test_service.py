"""The rules for Services but for their addresses, as tables: a change to a good Service, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from causes import merged, on_create, on_status, on_update

SERVICE: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}
RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
NEAR = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
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
    ({"spec": {"type": "ExternalName", "externalName": "."}}, ["spec.externalName: Required value"]),
    # Only for Services with a ClusterIP alone it is said that they have no node ports.
    ({"spec": {"type": "ExternalName", "externalName": "a.b", "ports": [{"port": 1, "nodePort": 30000}]}}, []),
    (
        {"spec": {"ports": [{"port": 1, "nodePort": 30000}]}},
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    (
        {"spec": {"externalIPs": ["0:0::0", "ff12::1", "224.0.0.9", "10.0.00.1", "fe80::1%a"]}},
        [
            'spec.externalIPs[0]: Invalid value: "0:0::0": may not be unspecified (0:0::0)',
            f'spec.externalIPs[1]: Invalid value: "ff12::1": {NEAR}',
            f'spec.externalIPs[2]: Invalid value: "224.0.0.9": {NEAR}',
            'spec.externalIPs[3]: Invalid value: "10.0.00.1": must not have leading 0s',
            'spec.externalIPs[4]: Invalid value: "fe80::1%a": '
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ],
    ),
    (
        {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.1/8 ", " ::/0"]}},
        [
            'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": '
            "must not have bits set beyond the prefix length"
        ],
    ),
    # One complaint of each part of the rules, in their order.
    (
        {
            "spec": {
                "type": "NodePort",
                "clusterIP": "None",
                "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 1}, {"name": "B", "port": 2}],
                "ipFamilies": ["IPv5"],
                "externalIPs": ["x"],
                "loadBalancerClass": "c",
            }
        },
        [
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
            'spec.ports[2].name: Invalid value: "B": a lowercase RFC 1123 label must consist of lower case '
            "alphanumeric characters or '-', and must start and end with an alphanumeric character "
            "(e.g. 'my-name',  or '123-abc', "
            "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
            'spec.externalIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":1,"TargetPort":0,'
            '"NodePort":0}',
            "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
        ],
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
