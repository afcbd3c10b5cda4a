"""Whom a request means: containers, kubelets, pods' ports and services' endpoints."""

from __future__ import annotations

import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node, Pod, Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.api.wire import Peer, Request
from pybernetes.apiserver.connect.node_connection import Backend
from pybernetes.apiserver.connect.proxy import passed_headers, proxied_target, tail_of
from pybernetes.apiserver.connect.targets import ProxyName, kubelet_of, pod_backend, proxy_name, service_backends


def pod(ip: str, *ports: int) -> Pod:
    container = {"name": "c", "ports": [{"containerPort": port} for port in ports]}
    return from_builtins({"spec": {"containers": [container]}, "status": {"podIP": ip}}, Pod)


def test_a_kubelet_is_at_the_nodes_internal_address() -> None:
    addresses = [{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "192.0.2.1"}]
    node = from_builtins({"status": {"addresses": addresses}}, Node)
    assert kubelet_of(node, "n") == Backend("https", "192.0.2.1", 10250, "n")
    with pytest.raises(StatusError, match='nodes "n" not found'):
        kubelet_of(None, "n")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("p", ProxyName("", "p", "")),
        ("p:80", ProxyName("", "p", "80")),
        ("p:", ProxyName("", "p", "")),
        ("https:p:web", ProxyName("https", "p", "web")),
        ("https:p:", ProxyName("https", "p", "")),
    ],
)
def test_names_of_proxied_objects(text: str, parts: ProxyName) -> None:
    assert proxy_name(text, "pod") == parts


@pytest.mark.parametrize("text", ["ftp:p:80", "a:b:c:d", ":p"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(StatusError, match=f'invalid service request "{text}"'):
        proxy_name(text, "service")


def test_a_pods_first_port_is_meant_unless_one_is_named() -> None:
    assert pod_backend(pod("192.0.2.9", 8080, 9090), proxy_name("p", "pod")) == Backend("http", "192.0.2.9", 8080)
    assert pod_backend(pod("192.0.2.9"), proxy_name("https:p:", "pod")) == Backend("https", "192.0.2.9", 443)
    assert pod_backend(pod("192.0.2.9", 8080), proxy_name("p:81", "pod")) == Backend("http", "192.0.2.9", 81)


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", "169.254.1.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", "255.255.255.255", "localhost"]
)
def test_no_way_to_the_api_servers_own_machine(address: str) -> None:
    with pytest.raises(StatusError, match="address not allowed"):
        pod_backend(pod(address, 80), proxy_name("p", "pod"))


SERVICE = from_builtins(
    {"metadata": {"name": "s", "namespace": "d"}, "spec": {"ports": [{"name": "web", "port": 80}]}}, Service
)
SLICE = from_builtins(
    {
        "addressType": "IPv4",
        "ports": [{"name": "web", "port": 8080}],
        "endpoints": [
            {"addresses": ["192.0.2.1"], "conditions": {"ready": True}, "targetRef": {"name": "p", "namespace": "d"}},
            {"addresses": ["192.0.2.2"], "conditions": {"ready": False}, "targetRef": {"name": "p", "namespace": "d"}},
        ],
    },
    EndpointSlice,
)


def its_pod(name: str) -> Pod | None:
    return pod("192.0.2.1") if name == "p" else None


@pytest.mark.parametrize("name", ["s:80", "s:web"])
def test_a_services_ready_endpoints_are_meant(name: str) -> None:
    assert service_backends(SERVICE, [SLICE], proxy_name(name, "service"), its_pod) == [
        Backend("http", "192.0.2.1", 8080)
    ]


@pytest.mark.parametrize(
    ("address", "target", "pod_ip"),
    [
        ("127.0.0.1", None, "192.0.2.1"),
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.9", {"name": "p", "namespace": "d"}, "192.0.2.1"),
        ("192.0.2.1", {"name": "p", "namespace": "other"}, "192.0.2.1"),
        ("192.0.2.1", {"name": "nobody", "namespace": "d"}, "192.0.2.1"),
        ("169.254.169.254", {"name": "p", "namespace": "d"}, "169.254.169.254"),
        ("127.0.0.1", {"name": "p", "namespace": "d"}, "127.0.0.1"),
    ],
)
def test_whoever_writes_slices_does_not_choose_where_the_server_connects_to(address, target, pod_ip: str) -> None:
    endpoint = {"addresses": [address], "targetRef": target}
    written = {"addressType": "IPv4", "ports": [{"name": "web", "port": 80}], "endpoints": [endpoint]}
    lying = from_builtins(written, EndpointSlice)
    with pytest.raises(StatusError, match="no endpoints available"):
        service_backends(
            SERVICE, [lying], proxy_name("s:80", "service"), lambda name: pod(pod_ip) if name == "p" else None
        )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s:81", 'no service port 81 found for service "s"'),
        ("s:other", 'no endpoints available for service "s"'),
        ("s", 'no endpoints available for service "s"'),
    ],
)
def test_a_service_without_such_endpoints_is_unavailable(name: str, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        service_backends(SERVICE, [SLICE], proxy_name(name, "service"), its_pod)
    assert (caught.value.code, caught.value.status.message) == (503, message)


def test_paths_and_queries_go_on_as_they_are() -> None:
    path = "/api/v1/namespaces/d/services/s:80/proxy/a b//c/"
    request = Request("GET", path, (("q", "1&2"), ("q", "")))
    assert tail_of(path, "s:80") == "/a b//c/"
    assert tail_of("/api/v1/nodes/n/proxy", "n") == ""
    assert proxied_target("/a b//c/", request) == "/a%20b//c/?q=1%262&q="
    assert proxied_target("", request) == "/?q=1%262&q="


def test_credentials_and_hops_stay_behind() -> None:
    headers = {"authorization": "secret", "connection": "close", "accept": "*/*", "host": "api", "x-forwarded-for": "a"}
    assert passed_headers(Request("GET", "/p", (), headers, peer=Peer("b"))) == {
        "accept": "*/*",
        "host": "api",
        "x-forwarded-for": "a, b",
    }


def test_no_credential_reaches_what_is_proxied_to() -> None:
    headers = {
        "authorization": "Bearer secret",
        "sec-websocket-protocol": "base64url.bearer.authorization.k8s.io.c2VjcmV0, chat",
        "impersonate-user": "bob",
        "impersonate-extra-scopes": "x",
        "x-remote-user": "system:admin",
        "connection": "Upgrade, X-Between",
        "x-between": "us",
    }
    passed = passed_headers(Request("GET", "/p", (), headers, peer=Peer("b")))
    assert {name: value for name, value in passed.items() if not name.startswith("x-forwarded-")} == {
        "sec-websocket-protocol": "chat"
    }
