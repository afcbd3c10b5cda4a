"""Services' endpoints as proxies and DNS read them: ready, not ready and terminating pods, headless, hand-written."""

from __future__ import annotations

from typing import Any

from pybernetes.api.types.core_v1 import Endpoints, Pod, Service
from pybernetes.api.types.discovery_v1 import Endpoint, EndpointPort, EndpointSlice
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.client import PatchType
from pybernetes.controllers.slices import PER_SLICE, Group, plan
from tests.controllers.world import World, made, play


def service(name: str = "s", **spec: Any) -> Service:
    ports = [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "num", "port": 81, "targetPort": 9}]
    return made(Service, name, metadata={"labels": {"sl": name}}, spec={"selector": {"e": "p"}, "ports": ports} | spec)


def pod(name: str, **metadata: Any) -> Pod:
    container = {"name": "c", "image": "nginx", "ports": [{"name": "web", "containerPort": 8080}]}
    spec = {"containers": [container], "hostname": f"h-{name}", "subdomain": "hl"}
    return made(Pod, name, metadata={"labels": {"e": "p"}} | metadata, spec=spec)


async def slices(world: World, name: str) -> list[EndpointSlice]:
    found = await world.client.list(EndpointSlice, "default", label_selector=f"kubernetes.io/service-name={name}")
    return found.items


async def with_pods(world: World, name: str, count: int) -> EndpointSlice:
    async def enough() -> EndpointSlice | None:
        found = await slices(world, name)
        return found[0] if found and len(found[0].endpoints) == count else None

    result: EndpointSlice = await world.until(enough)
    return result


def told(item: EndpointSlice) -> dict[str, tuple[bool | None, bool | None, bool | None]]:
    return {
        endpoint.target_ref.name or "": (
            endpoint.conditions.ready,
            endpoint.conditions.serving,
            endpoint.conditions.terminating,
        )
        for endpoint in item.endpoints
        if endpoint.target_ref is not None
    }


def test_a_slice_says_who_is_ready_where_and_at_which_ports() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(service())
        await world.client.create(pod("p1"))
        item = await with_pods(world, "s", 1)
        assert item.metadata.labels == {
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            "kubernetes.io/service-name": "s",
            "sl": "s",
        }
        assert [(owner.kind, owner.name, owner.controller) for owner in item.metadata.owner_references] == [
            ("Service", "s", True)
        ]
        assert item.ports == [
            EndpointPort(name="http", port=8080, protocol="TCP"),
            EndpointPort(name="num", port=9, protocol="TCP"),
        ]
        endpoint = item.endpoints[0]
        assert (endpoint.zone, endpoint.hostname) == (f"z-{endpoint.node_name}", None)
        assert told(item) == {"p1": (True, True, False)}
        mirrored = await world.client.get(Endpoints, "s", "default")
        assert [address.ip for address in mirrored.subsets[0].addresses] == endpoint.addresses
        assert [(port.name, port.port) for port in mirrored.subsets[0].ports] == [("http", 8080), ("num", 9)]

    play(scenario)


def test_a_pod_that_is_leaving_serves_on_but_is_not_ready_and_one_that_lost_its_label_is_out() -> None:
    async def scenario(world: World) -> None:
        world.agent.silent.add("n1")
        await world.client.create(service())
        for name in ("p1", "p2"):
            await world.client.create(pod(name))
        await with_pods(world, "s", 2)
        world.agent.silent.add("n2")
        await world.client.delete(Pod, "p1", "default")

        async def leaving() -> bool:
            return told((await slices(world, "s"))[0]) == {"p1": (False, True, True), "p2": (True, True, False)}

        await world.until(leaving)
        await world.client.patch(Pod, "p2", "default", {"metadata": {"labels": {"e": "x"}}})
        await with_pods(world, "s", 1)

    play(scenario, names=("endpointslice-controller", "endpoints-controller", "serviceaccount-controller"))


def test_headless_services_give_pods_names_and_need_no_ports() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(service("hl", clusterIP="None", ports=[]))
        await world.client.create(pod("p1"))
        item = await with_pods(world, "hl", 1)
        assert item.metadata.labels["service.kubernetes.io/headless"] == ""
        assert (item.endpoints[0].hostname, item.ports) == ("h-p1", [])
        endpoints = await world.client.get(Endpoints, "hl", "default")
        assert [(subset.addresses[0].hostname, subset.ports) for subset in endpoints.subsets] == [("h-p1", [])]

    play(scenario)


def test_a_service_without_pods_has_one_empty_slice_which_goes_with_it() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(service("none", selector={"no": "such"}))

        async def one() -> bool:
            return [(item.endpoints, item.ports) for item in await slices(world, "none")] == [([], [])]

        await world.until(one)
        await world.client.delete(Service, "none", "default")

        async def nothing() -> bool:
            return not await slices(world, "none") and await world.gone(Endpoints, "none")

        await world.until(nothing)

    play(scenario)


def test_not_ready_pods_are_listed_apart_unless_the_service_wants_them_published() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(service())
        await world.client.create(service("pub", publishNotReadyAddresses=True))
        await world.client.create(pod("p1"))
        await with_pods(world, "s", 1)
        not_ready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        await world.client.patch(Pod, "p1", "default", not_ready, PatchType.STRATEGIC, "status")

        async def apart() -> bool:
            plain = await world.client.get(Endpoints, "s", "default")
            published = await world.client.get(Endpoints, "pub", "default")
            return bool(plain.subsets[0].not_ready_addresses) and bool(published.subsets[0].addresses)

        await world.until(apart)
        assert told((await slices(world, "s"))[0]) == {"p1": (False, False, False)}
        assert told((await slices(world, "pub"))[0]) == {"p1": (True, False, False)}

    play(scenario)


def test_endpoints_written_by_hand_are_mirrored_and_the_mirror_goes_with_them() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(made(Service, "manual", spec={"ports": [{"port": 80}]}))
        subset = {"addresses": [{"ip": "203.0.113.1"}], "ports": [{"port": 80}]}
        await world.client.create(made(Endpoints, "manual", subsets=[subset]))
        item = await with_pods(world, "manual", 1)
        assert item.metadata.labels == {
            "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
            "kubernetes.io/service-name": "manual",
        }
        assert item.endpoints[0].addresses == ["203.0.113.1"]
        assert [(port.name, port.port) for port in item.ports] == [("", 80)]
        await world.client.delete(Endpoints, "manual", "default")

        async def nothing() -> bool:
            return not await slices(world, "manual")

        await world.until(nothing)

    play(scenario)


def numbered(count: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(addresses=[f"10.0.{number // 250}.{number % 250}"]) for number in range(count))


def test_a_slice_holds_a_hundred_and_endpoints_that_stay_do_not_move() -> None:
    owner = Service(metadata=ObjectMeta(name="s", namespace="default", uid="u"))
    everything = numbered(2 * PER_SLICE + 1)
    first = plan(owner, {}, [Group("IPv4", (), everything)], [])
    assert [len(item.endpoints) for item in first.create] == [PER_SLICE, PER_SLICE, 1]
    for number, item in enumerate(first.create):
        item.metadata.name = f"s-{number}"
    without_one = everything[:5] + everything[6:]
    second = plan(owner, {}, [Group("IPv4", (), without_one)], first.create)
    assert [item.metadata.name for item in second.update] == ["s-0"]
    assert (second.create, second.delete) == ([], [])
    assert plan(owner, {}, [Group("IPv4", (), everything)], first.create).update == []


def test_new_ports_reuse_the_old_slice_so_that_the_service_never_looks_empty() -> None:
    owner = Service(metadata=ObjectMeta(name="s", namespace="default", uid="u"))
    old = plan(owner, {}, [Group("IPv4", (EndpointPort(name="a", port=1),), numbered(1))], []).create
    old[0].metadata.name = "s-1"
    result = plan(owner, {}, [Group("IPv4", (EndpointPort(name="a", port=2),), numbered(1))], old)
    assert [(item.metadata.name, item.ports[0].port) for item in result.update] == [("s-1", 2)]
    assert (result.create, result.delete) == ([], [])
