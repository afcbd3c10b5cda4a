"""The rules of a node for the kinds of Services there are."""

from __future__ import annotations

import pytest

from pybernetes.proxy.rules import RuleSet, chain, decide
from pybernetes.proxy.services import PortName
from tests.proxy.builders import FACTS, endpoint, endpoint_slice, service

WEB = PortName("default", "web", "")
SVC, SVL, EXT, FW = (chain(prefix, WEB) for prefix in ("SVC", "SVL", "EXT", "FW"))
SEP1, SEP2 = (chain("SEP", WEB, f"10.244.1.{number}:8080") for number in (2, 3))
TWO = endpoint_slice(endpoint("10.244.1.2"), endpoint("10.244.1.3", "n1"))
NODE_PORT = [{"port": 80, "nodePort": 32600, "protocol": "TCP"}]
NONE = '-m comment --comment "default/web has no endpoints"'
NO_LOCAL = '-m comment --comment "default/web has no local endpoints"'
TO_WEB = "-m tcp -p tcp -d 10.96.0.20 --dport 80"


def own(rules: RuleSet) -> dict[str, tuple[str, ...]]:
    """The chains of ports and endpoints."""
    return {name: lines for name, lines in rules.nat.items() if name[5:8] in ("SVC", "SVL", "EXT", "SEP", "FW-")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (PortName("default", "kubernetes", "https"), "KUBE-SVC-NPX46M4PTMTKRN6Y"),
        (PortName("kube-system", "kube-dns", "dns", "udp"), "KUBE-SVC-TCOU7JCQXEZGVUNU"),
        (PortName("kube-system", "kube-dns", "dns-tcp"), "KUBE-SVC-ERIFXISQEP7F7OF4"),
    ],
)
def test_chains_are_called_as_upstream_calls_them(name: PortName, expected: str) -> None:
    assert chain("SVC", name) == expected


def test_a_cluster_ip_is_balanced_over_its_endpoints() -> None:
    rules = decide([service()], [TWO], FACTS)
    assert rules.nat["KUBE-SERVICES"][0] == f'-m comment --comment "default/web cluster IP" {TO_WEB} -j {SVC}'
    assert rules.nat["KUBE-SERVICES"][-1].endswith("-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS")
    assert own(rules) == {
        SVC: (
            f'-m comment --comment "default/web cluster IP" {TO_WEB} ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ',
            '-m comment --comment "default/web -> 10.244.1.2:8080"'
            f" -m statistic --mode random --probability 0.5000000000 -j {SEP1}",
            f'-m comment --comment "default/web -> 10.244.1.3:8080" -j {SEP2}',
        ),
        SEP1: (
            '-m comment --comment "default/web" -s 10.244.1.2 -j KUBE-MARK-MASQ',
            '-m comment --comment "default/web" -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080',
        ),
        SEP2: (
            '-m comment --comment "default/web" -s 10.244.1.3 -j KUBE-MARK-MASQ',
            '-m comment --comment "default/web" -m tcp -p tcp -j DNAT --to-destination 10.244.1.3:8080',
        ),
    }
    assert rules.filter["KUBE-SERVICES"] == ()


def test_a_node_port_masquerades_and_goes_to_any_endpoint() -> None:
    rules = decide([service(type="NodePort", ports=NODE_PORT)], [TWO], FACTS)
    assert rules.nat["KUBE-NODEPORTS"] == (f'-m comment --comment "default/web" -m tcp -p tcp --dport 32600 -j {EXT}',)
    assert rules.nat[EXT] == (
        '-m comment --comment "masquerade traffic for default/web external destinations" -j KUBE-MARK-MASQ',
        f"-j {SVC}",
    )


def test_without_endpoints_clients_are_refused() -> None:
    rules = decide([service(type="NodePort", ports=NODE_PORT, externalIPs=["1.2.3.4"])], [], FACTS)
    assert own(rules) == {}
    assert rules.filter["KUBE-SERVICES"] == (f"{NONE} {TO_WEB} -j REJECT",)
    assert rules.filter["KUBE-EXTERNAL-SERVICES"] == (
        f"{NONE} -m tcp -p tcp -d 1.2.3.4 --dport 80 -j REJECT",
        f"{NONE} -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 32600 -j REJECT",
    )


@pytest.mark.parametrize(
    "ignored",
    [
        service(ip="None"),
        service(ip="", type="ExternalName", externalName="example.com"),
        service(ip="fd00::1"),
    ],
)
def test_services_without_an_address_for_this_proxy_are_ignored(ignored: object) -> None:
    assert decide([ignored], [TWO], FACTS) == decide([], [], FACTS)  # type: ignore[list-item]


def test_affinity_looks_for_known_clients_first_and_remembers_new_ones() -> None:
    config = {"clientIP": {"timeoutSeconds": 60}}
    rules = decide([service(sessionAffinity="ClientIP", sessionAffinityConfig=config)], [TWO], FACTS)
    assert rules.nat[SVC][1:3] == (
        '-m comment --comment "default/web -> 10.244.1.2:8080"'
        f" -m recent --name {SEP1} --rcheck --seconds 60 --reap -j {SEP1}",
        '-m comment --comment "default/web -> 10.244.1.3:8080"'
        f" -m recent --name {SEP2} --rcheck --seconds 60 --reap -j {SEP2}",
    )
    assert rules.nat[SEP1][1] == (
        f'-m comment --comment "default/web" -m recent --name {SEP1} --set'
        " -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:8080"
    )


def test_a_local_external_policy_keeps_sources_and_uses_only_this_node() -> None:
    rules = decide([service(type="NodePort", ports=NODE_PORT, externalTrafficPolicy="Local")], [TWO], FACTS)
    assert rules.nat[EXT] == (
        f'-m comment --comment "pod traffic for default/web external destinations" -s 10.244.0.0/16 -j {SVC}',
        '-m comment --comment "masquerade LOCAL traffic for default/web external destinations"'
        " -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ",
        '-m comment --comment "route LOCAL traffic for default/web external destinations"'
        f" -m addrtype --src-type LOCAL -j {SVC}",
        f"-j {SVL}",
    )
    assert rules.nat[SVL] == (f'-m comment --comment "default/web -> 10.244.1.3:8080" -j {SEP2}',)


def test_a_local_external_policy_without_a_local_endpoint_drops_what_comes_from_outside() -> None:
    far = endpoint_slice(endpoint("10.244.1.2"))
    rules = decide([service(type="NodePort", ports=NODE_PORT, externalTrafficPolicy="Local")], [far], FACTS)
    assert rules.filter["KUBE-EXTERNAL-SERVICES"] == (
        f"{NO_LOCAL} -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 32600 -j DROP",
    )
    assert rules.filter["KUBE-SERVICES"] == ()
    assert SVL not in rules.nat
    assert rules.nat[EXT][-1].endswith(f"-j {SVC}")


def test_a_local_internal_policy_uses_only_this_node() -> None:
    rules = decide([service(internalTrafficPolicy="Local")], [TWO], FACTS)
    assert rules.nat["KUBE-SERVICES"][0].endswith(f"-j {SVL}")
    assert set(own(rules)) == {SVL, SEP2}
    elsewhere = decide([service(internalTrafficPolicy="Local")], [endpoint_slice(endpoint("10.244.1.2"))], FACTS)
    assert elsewhere.filter["KUBE-SERVICES"] == (f"{NO_LOCAL} {TO_WEB} -j DROP",)


def test_a_load_balancer_lets_only_its_source_ranges_through() -> None:
    balanced = service(
        type="LoadBalancer",
        ports=NODE_PORT,
        loadBalancerSourceRanges=["203.0.113.0/24", "192.168.101.0/24"],
        status={"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}, {"ip": "198.51.100.8", "ipMode": "Proxy"}]}},
    )
    rules = decide([balanced], [TWO], FACTS)
    why = '-m comment --comment "default/web loadbalancer IP"'
    assert rules.nat["KUBE-SERVICES"][1] == f"{why} -m tcp -p tcp -d 198.51.100.7 --dport 80 -j {FW}"
    assert rules.nat[FW] == (
        f"{why} -s 203.0.113.0/24 -j {EXT}",
        f"{why} -s 192.168.101.0/24 -j {EXT}",
        f"{why} -s 198.51.100.7 -j {EXT}",
        '-m comment --comment "other traffic to default/web will be dropped by KUBE-PROXY-FIREWALL"',
    )
    assert rules.filter["KUBE-PROXY-FIREWALL"] == (
        f'-m comment --comment "default/web traffic not accepted by {FW}"'
        " -m tcp -p tcp -d 198.51.100.7 --dport 80 -j DROP",
    )


def test_an_endpoint_that_terminates_is_used_only_when_nothing_else_is_left() -> None:
    leaving = endpoint("10.244.1.2", ready=False, serving=True, terminating=True)
    both = decide([service()], [endpoint_slice(leaving, endpoint("10.244.1.3"))], FACTS)
    assert set(own(both)) == {SVC, SEP2}
    last = decide([service()], [endpoint_slice(leaving)], FACTS)
    assert set(own(last)) == {SVC, SEP1}
    dead = decide([service()], [endpoint_slice({**leaving, "conditions": {"ready": False}})], FACTS)
    assert dead.filter["KUBE-SERVICES"] == (f"{NONE} {TO_WEB} -j REJECT",)


def test_hints_keep_traffic_in_the_node_when_all_endpoints_have_them() -> None:
    hinted = endpoint_slice(
        {**endpoint("10.244.1.2"), "hints": {"forNodes": [{"name": "n2"}]}},
        {**endpoint("10.244.1.3", "n1"), "hints": {"forNodes": [{"name": "n1"}]}},
    )
    assert set(own(decide([service()], [hinted], FACTS))) == {SVC, SEP2}
    partly = endpoint_slice({**endpoint("10.244.1.2")}, {**endpoint("10.244.1.3"), "hints": {"forNodes": []}})
    assert set(own(decide([service()], [partly], FACTS))) == {SVC, SEP1, SEP2}


def test_a_health_check_node_port_is_let_in() -> None:
    checked = service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=31000)
    assert decide([checked], [TWO], FACTS).filter["KUBE-NODEPORTS"] == (
        '-m comment --comment "default/web health check node port" -m tcp -p tcp --dport 31000 -j ACCEPT',
    )
