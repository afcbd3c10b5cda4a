"""What is said of NetworkPolicies and of the ranges of Services."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apiserver.resources.validation.causes import on_create

_PORTS = "spec.ingress[0].ports[0]"


def _policy(**port: Any) -> dict[str, Any]:
    spec = {"ingress": [{"ports": [port]}]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": spec}


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ({"port": 80, "endPort": 90}, []),
        ({"port": 80, "endPort": 79}, [".endPort: Invalid value: 80: must be greater than or equal to `port`"]),
        ({"port": 80, "endPort": 70000}, [".endPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
        ({"endPort": 80}, [".endPort: Invalid value: 80: may not be specified when `port` is not specified"]),
        ({"port": "-", "endPort": 80},
         [".endPort: Invalid value: 80: may not be specified when `port` is non-numeric",
          '.port: Invalid value: "-": must contain at least one letter (a-z)']),
    ],
)  # fmt: skip
def test_ranges_of_ports(port: dict[str, Any], said: list[str]) -> None:
    assert on_create(_policy(**port))[: len(said) or None] == [f"{_PORTS}{line}" for line in said]


_FAMILIES = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"


@pytest.mark.parametrize(
    ("cidrs", "said"),
    [
        (["10.0.0.0/16", "fd00::/112"], []),
        ([], ["spec.cidrs: Required value: at least one CIDR required"]),
        (["10.0.0.0/16", "10.1.0.0/16"],
         [f'spec.cidrs: Invalid value: {{"CIDRs":["10.0.0.0/16","10.1.0.0/16"]}}: {_FAMILIES}']),
        (["10.0.0.0/16", "x"], [f'spec.cidrs: Invalid value: {{"CIDRs":["10.0.0.0/16","x"]}}: {_FAMILIES}']),
        (["10.0.0.0/16", "fd00:0::/112"],
         ['spec.cidrs[1]: Invalid value: "fd00:0::/112": must be in canonical form ("fd00::/112")']),
    ],
)  # fmt: skip
def test_ranges_of_services(cidrs: list[str], said: list[str]) -> None:
    document = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "spec": {"cidrs": cidrs}}
    assert on_create(document) == said
