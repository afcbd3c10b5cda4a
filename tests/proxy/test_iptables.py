"""From one rule set to another: only what differs is written."""

from __future__ import annotations

from pybernetes.proxy.iptables import Present, applied, difference, join, observe, removal
from pybernetes.proxy.rules import chain, decide
from pybernetes.proxy.services import PortName
from tests.proxy.builders import FACTS, endpoint, endpoint_slice, service

WEB = PortName("default", "web", "")
SVC = chain("SVC", WEB)
SEP1, SEP2 = (chain("SEP", WEB, f"10.244.1.{number}:8080") for number in (2, 3))
ONE = decide([service()], [endpoint_slice(endpoint("10.244.1.2"))], FACTS)
OTHER = decide([service()], [endpoint_slice(endpoint("10.244.1.3"))], FACTS)
NOTHING = decide([], [], FACTS)


def test_nothing_is_written_when_nothing_differs() -> None:
    assert difference(applied(ONE), ONE) == ""


def test_only_changed_chains_are_written_and_stale_ones_deleted() -> None:
    assert difference(applied(ONE), OTHER).splitlines() == [
        "*nat",
        f":{SVC} - [0:0]",
        f":{SEP2} - [0:0]",
        f":{SEP1} - [0:0]",
        f'-A {SVC} -m comment --comment "default/web cluster IP" -m tcp -p tcp -d 10.96.0.20 --dport 80'
        " ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ",
        f'-A {SVC} -m comment --comment "default/web -> 10.244.1.3:8080" -j {SEP2}',
        f'-A {SEP2} -m comment --comment "default/web" -s 10.244.1.3 -j KUBE-MARK-MASQ',
        f'-A {SEP2} -m comment --comment "default/web" -m tcp -p tcp -j DNAT --to-destination 10.244.1.3:8080',
        f"-X {SEP1}",
        "COMMIT",
    ]


def test_an_empty_kernel_gets_all_chains_and_the_jumps_to_them() -> None:
    text = difference(Present(), NOTHING)
    assert text.count("COMMIT") == 2
    assert '-I PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES' in text.splitlines()
    assert "-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000" in text.splitlines()


def test_what_an_earlier_process_left_is_taken_over() -> None:
    saved = [
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":KUBE-SERVICES - [0:0]",
        ":KUBE-KUBELET-CANARY - [0:0]",
        f":{SEP1} - [0:0]",
        '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        "COMMIT",
    ]
    present = join(observe("nat", "\n".join(saved)), Present({"filter": {}}))
    lines = difference(present, NOTHING).splitlines()
    assert f"-X {SEP1}" in lines
    assert not [line for line in lines if line.startswith("-I PREROUTING") or "CANARY" in line]
    assert [line for line in lines if line.startswith("-I OUTPUT") and "KUBE-SERVICES" in line]


def test_removal_takes_away_exactly_what_was_written() -> None:
    lines = removal(applied(ONE)).splitlines()
    assert f"-X {SEP1}" in lines
    assert '-D FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD' in lines
    assert removal(Present({"nat": {"KUBE-KUBELET-CANARY": None}})) == ""
