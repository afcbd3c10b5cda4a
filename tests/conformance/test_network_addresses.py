"""[sig-network] ServiceCIDRs and IPAddresses."""

from __future__ import annotations

import asyncio

from tests.conformance.driving import Api, Json, Simulated, alone, simulated

NETWORKING = "networking.k8s.io/v1"
PARENT = {"group": "mygroup", "resource": "myresources", "namespace": "foo", "name": "bar"}


@alone
async def test_service_cidr_operations(api: Api) -> None:
    """ServiceCIDR and IPAddress API should support ServiceCIDR API operations."""
    path = api.root(NETWORKING, "servicecidrs", "kubernetes")
    found = await api.get(path)
    status = await api.get(f"{path}/status")
    assert (status["kind"], status["metadata"]["uid"]) == ("ServiceCIDR", found["metadata"]["uid"])
    assert await api.items(api.root(NETWORKING, "servicecidrs"))
    async with api.watch(api.root(NETWORKING, "servicecidrs")) as watching:
        assert (await watching.next())[0] == "ADDED"


@alone
async def test_ip_address_operations(api: Api) -> None:
    """ServiceCIDR and IPAddress API should support IPAddress API operations."""
    every = api.root(NETWORKING, "ipaddresses")
    made = {}
    for name, kind in (("255.255.255.255", "broadcast"), ("fe80::42:1dff:fe84:f9e2", "link-local")):
        body = {"metadata": {"name": name, "labels": {"type": kind}}, "spec": {"parentRef": PARENT}}
        made[kind] = await api.post(every, body)
    path = f"{every}/255.255.255.255"
    patched = await api.patch(path, {"metadata": {"annotations": {"patched": "true"}}})
    before, after = (int(obj["metadata"]["resourceVersion"]) for obj in (made["broadcast"], patched))
    assert before < after

    def change(obj: Json) -> None:
        obj["metadata"]["annotations"]["updated"] = "true"

    await api.edit(path, change)
    assert (await api.get(path))["metadata"]["annotations"] == {"patched": "true", "updated": "true"}
    assert len(await api.items(f"{every}?labelSelector=type%3Dbroadcast")) == 1
    await api.delete(path)
    await api.delete(f"{every}?labelSelector=type%3Dlink-local")
    assert await api.items(f"{every}?labelSelector=type%3Dlink-local") == []


async def _ready(api: Api, name: str) -> Json | None:
    cidr: Json = await api.get(api.root(NETWORKING, "servicecidrs", name))
    told = {(each["type"], each["status"]) for each in cidr.get("status", {}).get("conditions", [])}
    return cidr if ("Ready", "True") in told else None


@simulated
async def test_services_come_from_different_ranges(api: Simulated) -> None:
    """Service CIDRs should create Services and serve on different Service CIDRs."""
    every = api.root(NETWORKING, "servicecidrs")
    await api.post(every, {"metadata": {"name": "test-svc-cidr"}, "spec": {"cidrs": ["10.196.196.0/24"]}})
    cidr = await api.until(lambda: _ready(api, "test-svc-cidr"))
    assert cidr["metadata"]["finalizers"] == ["networking.k8s.io/service-cidr-finalizer"]
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 9376}]
    spec = {"type": "NodePort", "clusterIP": "10.196.196.77", "ports": ports, "selector": {"a": "b"}}
    service = await api.post(api.at("v1", "services"), {"metadata": {"name": "cidr1-test"}, "spec": spec})
    assert service["spec"]["clusterIPs"] == ["10.196.196.77"]
    address = await api.get(api.root(NETWORKING, "ipaddresses", "10.196.196.77"))
    assert address["spec"]["parentRef"]["name"] == "cidr1-test"
    # The range stays as long as somebody has an address of it, and gives no new ones.
    path = f"{every}/test-svc-cidr"
    await api.delete(path)
    await asyncio.sleep(30)
    assert not await api.gone(path)
    late = {"metadata": {"name": "late"}, "spec": {**spec, "clusterIP": "10.196.196.78"}}
    await api.refused(422, api.post(api.at("v1", "services"), late))
    await api.delete(api.at("v1", "services", "cidr1-test"))
    await api.until(lambda: api.gone(path))
