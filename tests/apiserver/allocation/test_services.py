"""What Services are given: through a whole API server, as clients see it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from tests.apiserver.conftest import TOKENS, Caller

from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore

SERVICES = "/api/v1/namespaces/default/services"
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"
MERGE = "application/merge-patch+json"


def service(name: str = "s", **spec):
    spec.setdefault("ports", [{"port": 80}])
    return {"metadata": {"name": name}, "spec": spec}


async def create(call: Caller, name: str = "s", **spec):
    status, made = await call("POST", SERVICES, service(name, **spec))
    assert status == 201, made
    return made["spec"]


async def refusal(call: Caller, name: str = "x", **spec) -> str:
    status, answer = await call("POST", SERVICES, service(name, **spec))
    assert status == 422, answer
    return answer["message"]


async def addresses(call: Caller) -> set[str]:
    _, answer = await call("GET", ADDRESSES)
    return {item["metadata"]["name"] for item in answer["items"]}


async def test_an_address_is_an_object_that_comes_and_goes_with_its_service(call):
    spec = await create(call)
    status, stored = await call("GET", f"{ADDRESSES}/{spec['clusterIP']}")
    assert status == 200
    assert stored["spec"] == {"parentRef": {"resource": "services", "namespace": "default", "name": "s"}}
    assert stored["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    await call("DELETE", f"{SERVICES}/s")
    assert (await call("GET", f"{ADDRESSES}/{spec['clusterIP']}"))[0] == 404


async def test_addresses_are_drawn_once_each_from_above_the_static_part(call):
    made = await asyncio.gather(*(create(call, f"s{number}") for number in range(60)))
    drawn = {ipaddress.ip_address(spec["clusterIP"]) for spec in made}
    assert len(drawn) == 60
    assert all(address in ip_network("10.96.0.0/16") and int(address) % 2**16 > 256 for address in drawn)
    assert await addresses(call) == {"10.96.0.1", *map(str, drawn)}


async def test_a_wanted_address_is_given_once(call):
    wishes = [service(f"s{number}", clusterIP="10.96.0.10") for number in range(9)]
    results = await asyncio.gather(*(call("POST", SERVICES, wish) for wish in wishes))
    assert sorted(status for status, _ in results) == [201] + [422] * 8
    assert await refusal(call, clusterIP="10.96.0.1") == (
        'Service "x" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.1"]: '
        "failed to allocate IP 10.96.0.1: provided IP is already allocated"
    )
    assert "the provided network does not match the current range" in await refusal(call, clusterIP="10.1.1.1")


async def test_what_is_refused_leaves_nothing_behind(call):
    before = await addresses(call)
    assert "spec.ports" in await refusal(call, ports=[], clusterIP="10.96.0.10")
    assert await addresses(call) == before
    await create(call)
    assert (await call("POST", SERVICES, service()))[0] == 409
    assert len(await addresses(call)) == len(before) + 1


async def test_a_dry_run_takes_nothing_and_does_not_ask_who_has_an_address(call):
    before = await addresses(call)
    for spec in ({}, {"clusterIP": "10.96.0.1"}, {"type": "NodePort"}):
        status, made = await call("POST", f"{SERVICES}?dryRun=All", service(**spec))
        assert status == 201, made
    assert made["spec"]["clusterIP"] == "10.96.0.0"
    assert made["spec"]["ports"][0]["nodePort"] == 32769
    assert await addresses(call) == before
    status, answer = await call("POST", f"{SERVICES}?dryRun=All", service(clusterIP="10.1.1.1"))
    assert "The range of valid IPs is 10.96.0.0/16" in answer["message"]


async def test_headless_services_and_external_names_have_no_address(call):
    before = await addresses(call)
    spec = await create(call, "a", clusterIP="None", selector={"a": "b"})
    assert (spec["clusterIPs"], spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["None"], ["IPv4"], "SingleStack")
    spec = await create(call, "b", clusterIP="None")
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")
    spec = await create(call, "c", type="ExternalName", externalName="a.b")
    assert "clusterIP" not in spec and "ipFamilies" not in spec
    assert await addresses(call) == before


async def test_a_service_that_becomes_an_external_name_gives_its_address_back(call):
    spec = await create(call)
    change = {"spec": {"type": "ExternalName", "externalName": "a.b"}}
    status, changed = await call("PATCH", f"{SERVICES}/s", change, content_type=MERGE)
    assert status == 200 and "clusterIP" not in changed["spec"]
    assert spec["clusterIP"] not in await addresses(call)
    back = {"spec": {"type": "ClusterIP", "externalName": None}}
    status, changed = await call("PATCH", f"{SERVICES}/s", back, content_type=MERGE)
    assert status == 200 and changed["spec"]["clusterIP"] in await addresses(call)


async def test_what_only_services_from_outside_have_goes_with_the_type(call):
    spec = await create(call, type="NodePort")
    assert spec["externalTrafficPolicy"] == "Cluster"
    spec |= {"type": "ExternalName", "externalName": "a.b"}
    _status, found = await call("GET", f"{SERVICES}/s")
    status, changed = await call("PUT", f"{SERVICES}/s", {**found, "spec": spec})
    assert (status, changed["spec"].keys() & {"externalTrafficPolicy", "clusterIP", "ipFamilies"}) == (200, set())
    assert "nodePort" not in changed["spec"]["ports"][0]


async def test_a_cluster_of_one_family_says_so(call):
    assert await refusal(call, ipFamilies=["IPv6"]) == (
        'Service "x" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'
    )
    assert "this cluster is not configured for dual-stack" in await refusal(call, ipFamilyPolicy="RequireDualStack")


async def test_further_ranges_extend_the_cluster_until_they_go(call):
    assert (await call("POST", CIDRS, {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.97.0.0/28"]}}))[0] == 201
    spec = await create(call, clusterIP="10.97.0.5")
    assert spec["clusterIPs"] == ["10.97.0.5"]
    finalizer = {"metadata": {"finalizers": ["networking.k8s.io/service-cidr-finalizer"]}}
    await call("PATCH", f"{CIDRS}/more", finalizer, content_type=MERGE)
    await call("DELETE", f"{CIDRS}/more")
    assert "does not match the current range" in await refusal(call, clusterIP="10.97.0.6")
    # What is still there of it can be released all the same.
    await call("DELETE", f"{SERVICES}/s")
    assert "10.97.0.5" not in await addresses(call)


async def test_a_range_that_is_not_ready_gives_no_addresses(call):
    status = {
        "status": {
            "conditions": [
                {
                    "type": "Ready",
                    "status": "False",
                    "reason": "x",
                    "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
            ]
        }
    }
    assert (await call("PATCH", f"{CIDRS}/kubernetes/status", status, content_type=MERGE))[0] == 200
    code, answer = await call("POST", SERVICES, service())
    assert code == 500 and "failed to allocate a serviceIP: range is full" in answer["message"]


async def test_node_ports_are_drawn_or_taken(call):
    spec = await create(call, "a", type="NodePort")
    assert 30000 + 86 <= spec["ports"][0]["nodePort"] <= 32767
    await create(call, "b", type="NodePort", ports=[{"port": 80, "nodePort": 32600}])
    assert await refusal(call, type="NodePort", ports=[{"port": 80, "nodePort": 32600}]) == (
        'Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 32600: provided port is already allocated'
    )
    assert await refusal(call, type="NodePort", ports=[{"port": 80, "nodePort": 80}]) == (
        'Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 80: '
        "provided port is not in the valid range. The range of valid ports is 30000-32767"
    )
    await call("DELETE", f"{SERVICES}/b")
    await create(call, "c", type="NodePort", ports=[{"port": 80, "nodePort": 32600}])


async def test_two_protocols_share_a_node_port_and_equal_ones_do_not(call):
    pair = [{"name": "t", "port": 53, "protocol": "TCP"}, {"name": "u", "port": 53, "protocol": "UDP"}]
    spec = await create(call, "a", type="NodePort", ports=pair)
    assert spec["ports"][0]["nodePort"] == spec["ports"][1]["nodePort"]
    twice = [{"name": "a", "port": 80, "nodePort": 30005}, {"name": "b", "port": 81, "nodePort": 30005}]
    assert "spec.ports[1].nodePort: Invalid value: 30005" in await refusal(call, type="NodePort", ports=twice)
    await create(call, "b", type="NodePort", ports=[{"port": 80, "nodePort": 30005}])


async def test_ports_of_a_new_service_share_a_node_port_only_if_they_are_one_port(call):
    both = [
        {"name": "t", "port": 53, "protocol": "TCP", "nodePort": 30053},
        {"name": "u", "port": 53, "protocol": "UDP"},
    ]
    spec = await create(call, "a", type="NodePort", ports=both)
    assert [port["nodePort"] for port in spec["ports"]] == [30053, 30053]
    both[0] |= {"port": 54, "nodePort": 30054}
    both[1] |= {"nodePort": 30054}
    assert "spec.ports[1].nodePort: Invalid value: 30054: provided port is already allocated" in await refusal(
        call, type="NodePort", ports=both
    )


async def test_ports_that_come_with_an_update_get_node_ports_of_their_own(call):
    pair = [{"name": "t", "port": 53, "protocol": "TCP"}, {"name": "u", "port": 53, "protocol": "UDP"}]
    await create(call, "a", ports=pair)
    status, changed = await call("PATCH", f"{SERVICES}/a", {"spec": {"type": "NodePort"}}, content_type=MERGE)
    assert status == 200 and len({port["nodePort"] for port in changed["spec"]["ports"]}) == 2
    number = changed["spec"]["ports"][0]["nodePort"]
    twice = [{**port, "protocol": "TCP", "nodePort": number} for port in pair]
    status, answer = await call("PATCH", f"{SERVICES}/a", {"spec": {"ports": twice}}, content_type=MERGE)
    assert (status, answer["message"]) == (500, f"duplicate nodePort: {{TCP {number}}}")


async def test_a_health_check_port_is_no_node_port_of_a_service_as_well(call):
    ports = [{"port": 80, "nodePort": 30080}]
    wish = service("x", type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=30080, ports=ports)
    code, answer = await call("POST", SERVICES, wish)
    assert (code, answer["message"]) == (
        500,
        "Internal error occurred: failed to allocate requested HealthCheck NodePort 30080: "
        "provided port is already allocated",
    )
    wish["spec"]["healthCheckNodePort"] = 30081
    assert (await call("POST", SERVICES, wish))[0] == 201
    change = {"spec": {"healthCheckNodePort": 30080}}
    status, answer = await call("PATCH", f"{SERVICES}/x", change, content_type=MERGE)
    assert status == 422 and "spec.healthCheckNodePort: Forbidden: field is immutable" in answer["message"]
    change = {"spec": {"externalTrafficPolicy": "Cluster"}}
    status, changed = await call("PATCH", f"{SERVICES}/x", change, content_type=MERGE)
    assert status == 200 and "healthCheckNodePort" not in changed["spec"]
    await create(call, "y", type="NodePort", ports=[{"port": 80, "nodePort": 30081}])


async def test_endpoints_go_with_their_service(call):
    endpoints = SERVICES.replace("services", "endpoints")
    await create(call)
    assert (await call("POST", endpoints, {"metadata": {"name": "s"}}))[0] == 201
    await call("DELETE", f"{SERVICES}/s")
    assert (await call("GET", f"{endpoints}/s"))[0] == 404


async def test_a_load_balancer_without_node_ports_gets_those_that_it_names(call):
    ports = [{"name": "a", "port": 80, "nodePort": 30005}, {"name": "b", "port": 81}]
    spec = await create(call, "a", type="LoadBalancer", allocateLoadBalancerNodePorts=False, ports=ports)
    assert [port.get("nodePort") for port in spec["ports"]] == [30005, None]
    assert "already allocated" in await refusal(call, type="NodePort", ports=[{"port": 80, "nodePort": 30005}])


async def test_local_load_balancers_get_a_health_check_port(call):
    spec = await create(call, type="LoadBalancer", externalTrafficPolicy="Local")
    assert spec["healthCheckNodePort"] not in (None, spec["ports"][0]["nodePort"])


async def start(key: bytes, store: EmbeddedStore, **options) -> ApiServer:
    return await ApiServer.start(ApiServerOptions(key, tokens=TOKENS, **options), store, SystemClock(), Chance(1))


@pytest.fixture
async def store() -> AsyncIterator[EmbeddedStore]:
    store = await EmbeddedStore.open(None, SystemClock())
    yield store
    await store.close()


async def test_a_service_without_a_name_takes_nothing(call):
    before = await call("GET", ADDRESSES)
    code, answer = await call("POST", SERVICES, {})
    assert (code, answer["reason"], answer["details"]["causes"][0]["field"]) == (422, "Invalid", "spec.clusterIPs")
    assert "failed to allocate IP: IPAddress.networking.k8s.io" in answer["message"]
    code, answer = await call("POST", SERVICES, {"spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
    assert (code, answer["details"]["causes"][0]["field"]) == (422, "metadata.name")
    assert (await call("GET", ADDRESSES))[1]["items"] == before[1]["items"]


async def test_what_was_given_is_known_after_a_restart(service_account_key, store):
    first = await start(service_account_key, store)
    spec = await create(Caller(first), "a", type="NodePort", clusterIP="10.96.0.10")
    first.close()
    second = await start(service_account_key, store)
    call = Caller(second)
    assert "already allocated" in await refusal(call, clusterIP="10.96.0.10")
    ports = [{"port": 80, "nodePort": spec["ports"][0]["nodePort"]}]
    assert "already allocated" in await refusal(call, type="NodePort", ports=ports)
    second.close()


async def test_a_full_range_says_so(service_account_key, store):
    api = await start(service_account_key, store, service_cluster_ip_range=ip_network("10.96.0.0/29"))
    call = Caller(api)
    for number in range(5):
        await create(call, f"s{number}")
    code, answer = await call("POST", SERVICES, service("more"))
    assert (code, answer["message"]) == (
        500,
        "Internal error occurred: failed to allocate a serviceIP: range is full",
    )
    api.close()


@pytest.fixture
async def dual(service_account_key, store) -> AsyncIterator[Caller]:
    api = await start(service_account_key, store, secondary_service_cluster_ip_range=ip_network("fd00:96::/112"))
    yield Caller(api)
    api.close()


async def test_a_cluster_of_two_families_gives_one_address_of_each(dual):
    _, cidr = await dual("GET", f"{CIDRS}/kubernetes")
    assert cidr["spec"]["cidrs"] == ["10.96.0.0/16", "fd00:96::/112"]
    spec = await create(dual, "both", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv6"])
    assert spec["ipFamilies"] == ["IPv6", "IPv4"]
    assert spec["clusterIP"] == spec["clusterIPs"][0]
    assert [ipaddress.ip_address(address).version for address in spec["clusterIPs"]] == [6, 4]
    assert set(spec["clusterIPs"]) <= await addresses(dual)
    spec = await create(dual, "one")
    assert (spec["ipFamilies"], len(spec["clusterIPs"])) == (["IPv4"], 1)


async def test_the_second_family_comes_and_goes_with_the_policy(dual):
    spec = await create(dual)
    change = {"spec": {"ipFamilyPolicy": "PreferDualStack"}}
    _, changed = await dual("PATCH", f"{SERVICES}/s", change, content_type=MERGE)
    both = changed["spec"]["clusterIPs"]
    assert both[0] == spec["clusterIP"] and set(both) <= await addresses(dual)
    change = {"spec": {"ipFamilyPolicy": "SingleStack"}}
    _, changed = await dual("PATCH", f"{SERVICES}/s", change, content_type=MERGE)
    assert (changed["spec"]["clusterIPs"], changed["spec"]["ipFamilies"]) == (both[:1], ["IPv4"])
    assert both[1] not in await addresses(dual)
    change = {"spec": {"clusterIPs": [*both[:1], "fd00:96::5"], "ipFamilyPolicy": "PreferDualStack"}}
    _, changed = await dual("PATCH", f"{SERVICES}/s", change, content_type=MERGE)
    assert changed["spec"]["clusterIPs"][1] == "fd00:96::5"
    change = {"spec": {"clusterIPs": both[:1]}}
    code, answer = await dual("PATCH", f"{SERVICES}/s", change, content_type=MERGE)
    assert code == 422 and "must be 'SingleStack' to release the secondary cluster IP" in answer["message"]


async def test_a_client_that_knows_one_address_does_not_take_the_other(dual):
    spec = await create(dual, ipFamilyPolicy="RequireDualStack")
    body = service(type="ClusterIP", clusterIP=spec["clusterIP"], ports=[{"port": 81}])
    status, changed = await dual("PUT", f"{SERVICES}/s", body)
    assert (status, changed["spec"]["clusterIPs"]) == (200, spec["clusterIPs"])
