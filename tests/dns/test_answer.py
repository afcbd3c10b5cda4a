"""Questions about a small cluster, and their answers."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.dns.answer import Answer, Question, Record, answer, soa
from pybernetes.dns.records import ZoneData, endpoint_entries, service_entry


def service(name: str, ip: str = "None", namespace: str = "default", **spec: Any) -> Service:
    body = {"clusterIP": ip, "clusterIPs": [ip], **spec}
    return from_builtins({"metadata": {"name": name, "namespace": namespace}, "spec": body}, Service)


def endpoint_slice(*endpoints: dict[str, Any], ports: Any = ()) -> EndpointSlice:
    body = {"addressType": "IPv4", "endpoints": list(endpoints), "ports": list(ports)}
    return from_builtins(body, EndpointSlice)


HTTP = {"name": "http", "port": 80, "protocol": "TCP"}
METRICS = {"name": "metrics", "port": 9090, "protocol": "TCP"}
READY = {"conditions": {"ready": True}}


@pytest.fixture(scope="module")
def zone() -> ZoneData:
    made = ZoneData("cluster.local")
    for namespace in ("default", "kube-system", "empty"):
        made.put_namespace(namespace)
    for each in (
        service("web", "10.96.0.20", ports=[HTTP, METRICS]),
        service("bare", "10.96.0.21", ports=[{"port": 80, "protocol": "TCP"}]),
        service("kube-dns", "10.96.0.10", "kube-system", ports=[{"name": "dns", "port": 53, "protocol": "UDP"}]),
        service("db", ports=[HTTP]),
        service("portless"),
        service("none", ports=[HTTP]),
        service("out", "", type="ExternalName", externalName="Example.com"),
        service("alias", "", type="ExternalName", externalName="web.default.svc.cluster.local"),
        service("loop", "", type="ExternalName", externalName="loop.default.svc.cluster.local"),
    ):
        made.put_service(service_entry(each))
    db = endpoint_slice(
        {"addresses": ["10.244.1.2"], "hostname": "db-0", **READY},
        {"addresses": ["10.244.1.3"], **READY},
        {"addresses": ["10.244.1.4"], "conditions": {"ready": False}},
        ports=[HTTP],
    )
    made.put_slice(("default", "db"), "db-1", endpoint_entries(db))
    made.put_slice(
        ("default", "portless"), "p-1", endpoint_entries(endpoint_slice({"addresses": ["10.244.1.9"], **READY}))
    )
    return made


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("web.default.svc.cluster.local.", "A", ["10.96.0.20"]),
        ("WEB.Default.svc.CLUSTER.local.", "A", ["10.96.0.20"]),
        ("web.default.svc.cluster.local.", "AAAA", []),
        ("web.default.svc.cluster.local.", "MX", []),
        ("db.default.svc.cluster.local.", "A", ["10.244.1.2", "10.244.1.3"]),
        ("db-0.db.default.svc.cluster.local.", "A", ["10.244.1.2"]),
        ("10-244-1-3.db.default.svc.cluster.local.", "A", ["10.244.1.3"]),
        ("portless.default.svc.cluster.local.", "A", ["10.244.1.9"]),
        ("portless.default.svc.cluster.local.", "SRV", []),
        ("_http._tcp.web.default.svc.cluster.local.", "SRV", ["0 100 80 web.default.svc.cluster.local."]),
        (
            "_dns._udp.kube-dns.kube-system.svc.cluster.local.",
            "SRV",
            ["0 100 53 kube-dns.kube-system.svc.cluster.local."],
        ),
        (
            "web.default.svc.cluster.local.",
            "SRV",
            ["0 50 80 web.default.svc.cluster.local.", "0 50 9090 web.default.svc.cluster.local."],
        ),
        (
            "_http._tcp.db.default.svc.cluster.local.",
            "SRV",
            ["0 50 80 db-0.db.default.svc.cluster.local.", "0 50 80 10-244-1-3.db.default.svc.cluster.local."],
        ),
        ("10-244-9-9.default.pod.cluster.local.", "A", ["10.244.9.9"]),
        ("20.0.96.10.in-addr.arpa.", "PTR", ["web.default.svc.cluster.local."]),
        ("2.1.244.10.in-addr.arpa.", "PTR", ["db-0.db.default.svc.cluster.local."]),
        ("dns-version.cluster.local.", "TXT", ['"1.1.0"']),
        ("cluster.local.", "NS", ["ns.dns.cluster.local."]),
        ("ns.dns.cluster.local.", "A", ["10.96.0.10"]),
        ("alias.default.svc.cluster.local.", "CNAME", ["web.default.svc.cluster.local."]),
        ("alias.default.svc.cluster.local.", "A", ["web.default.svc.cluster.local.", "10.96.0.20"]),
        ("loop.default.svc.cluster.local.", "A", ["loop.default.svc.cluster.local."]),
        ("cluster.local.", "A", []),
        ("svc.cluster.local.", "A", []),
        ("empty.svc.cluster.local.", "A", []),
        ("default.pod.cluster.local.", "A", []),
    ],
)
def test_names_that_exist(zone: ZoneData, name: str, type_: str, expected: list[str]) -> None:
    found = answer(Question(name, type_), zone)
    assert found is not None
    assert (found.code, [item.data for item in found.answers]) == ("NOERROR", expected)
    assert found.authority == (() if expected else (soa(zone),)), "no data says how long to remember so"
    assert {item.ttl for item in found.answers} <= {5}


@pytest.mark.parametrize(
    "name",
    [
        "nothing.default.svc.cluster.local.",
        "web.nowhere.svc.cluster.local.",
        "nowhere.svc.cluster.local.",
        "none.default.svc.cluster.local.",
        "10-244-1-4.db.default.svc.cluster.local.",
        "_nothing._tcp.web.default.svc.cluster.local.",
        "_http._udp.web.default.svc.cluster.local.",
        "a.b.c.web.default.svc.cluster.local.",
        "www.example.com.default.svc.cluster.local.",
        "example.com.cluster.local.",
        "300-1-1-1.default.pod.cluster.local.",
        "10-244-9-9.nowhere.pod.cluster.local.",
    ],
)
def test_names_that_do_not_exist(zone: ZoneData, name: str) -> None:
    assert answer(Question(name, "A"), zone) == Answer("NXDOMAIN", authority=(soa(zone),))


@pytest.mark.parametrize(
    "name", ["example.com.", ".", "notcluster.local.", "1.1.1.1.in-addr.arpa.", "3.1.244.10.in-addr.arpa."]
)
def test_names_of_others(zone: ZoneData, name: str) -> None:
    assert answer(Question(name, "PTR"), zone) is None


def test_an_answer_keeps_the_case_of_its_question(zone: ZoneData) -> None:
    found = answer(Question("Bare.default.svc.cluster.local.", "A"), zone)
    assert found == Answer(answers=(Record("Bare.default.svc.cluster.local.", "A", "10.96.0.21", 5),))


def test_servers_come_with_their_addresses(zone: ZoneData) -> None:
    found = answer(Question("_http._tcp.db.default.svc.cluster.local.", "SRV"), zone)
    assert found is not None
    assert found.additional == (
        Record("db-0.db.default.svc.cluster.local.", "A", "10.244.1.2"),
        Record("10-244-1-3.db.default.svc.cluster.local.", "A", "10.244.1.3"),
    )


def test_an_external_name_is_an_alias_to_be_followed_elsewhere(zone: ZoneData) -> None:
    name = "out.default.svc.cluster.local."
    alias = (Record(name, "CNAME", "Example.com."),)
    assert answer(Question(name, "A"), zone) == Answer(answers=alias, chase="Example.com.")


def test_what_is_removed_is_no_longer_known() -> None:
    zone = ZoneData()
    zone.put_namespace("default")
    zone.put_service(service_entry(service("db", ports=[HTTP])))
    ready = endpoint_slice({"addresses": ["10.244.1.2"], "hostname": "db-0", **READY}, ports=[HTTP])
    zone.put_slice(("default", "db"), "db-1", endpoint_entries(ready))
    assert answer(Question("2.1.244.10.in-addr.arpa.", "PTR"), zone) is not None
    zone.put_slice(("default", "db"), "db-1", ())
    assert answer(Question("2.1.244.10.in-addr.arpa.", "PTR"), zone) is None
    question = Question("db.default.svc.cluster.local.", "A")
    assert answer(question, zone) == Answer("NXDOMAIN", authority=(soa(zone),))
    zone.put_service(service_entry(service("db", "10.96.0.30", ports=[HTTP])))
    changed = answer(question, zone)
    assert changed is not None
    assert [item.data for item in changed.answers] == ["10.96.0.30"]
    zone.remove_service("default", "db")
    assert answer(Question("30.0.96.10.in-addr.arpa.", "PTR"), zone) is None
