"""The decisions about a cluster's network: names, addresses, `ip` lines, packet rules, black holes."""

from __future__ import annotations

import msgspec
import pytest

from pybernetes.cluster import network_egress
from pybernetes.cluster.network import blackholes, plan
from pybernetes.cluster.routes import PodRoute, complete_routes
from pybernetes.cluster.state import ClusterError, ClusterSpec, Wishes, new_spec


def spec(name: str = "one", **wishes: object) -> ClusterSpec:
    return new_spec(name, Wishes(**{"workers": 1, **wishes}), [], [], 6443)  # type: ignore[arg-type]


def test_a_new_cluster_has_a_control_plane_and_workers_with_an_address_inside_and_one_on_the_host() -> None:
    made = spec()
    assert [(node.name, node.address, node.host_address) for node in made.nodes] == [
        ("control-plane", "192.168.101.1", "127.0.1.1"),
        ("worker-1", "192.168.101.2", "127.0.1.2"),
    ]
    assert made.control_plane.name == "control-plane"
    assert made.gateway == "192.168.101.254"


def test_a_second_cluster_shares_no_address_with_the_first() -> None:
    first = spec()
    second = new_spec("two", Wishes(workers=1), [first], [], 6444)
    assert second.index == 2
    assert not {node.address for node in first.nodes} & {node.address for node in second.nodes}
    assert not {node.host_address for node in first.nodes} & {node.host_address for node in second.nodes}
    assert not set(first.namespaces) & set(second.namespaces)


def test_the_node_network_avoids_what_the_host_already_routes() -> None:
    made = new_spec("one", Wishes(), [], ["192.168.0.0/16"], 6443)
    assert made.node_cidr.startswith("172.")


@pytest.mark.parametrize("name", ["", "A", "a-b", "1a", "x" * 21, "../etc"])
def test_a_name_that_could_be_mistaken_for_another_is_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="cannot be a cluster's name"):
        spec(name)


def test_an_unknown_node_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ClusterError, match='no node "worker-9"; its nodes are control-plane, worker-1'):
        spec().node("worker-9")


def test_every_node_hangs_on_the_fabric_and_sends_the_rest_there() -> None:
    made = plan(spec())
    assert made.host == ("netns add pyb-one", "netns add pyb-one-control-plane", "netns add pyb-one-worker-1")
    assert made.inside["pyb-one-worker-1"] == (
        "link set lo up",
        "addr add 192.168.101.2/24 dev eth0",
        "link set eth0 up",
        "route add default via 192.168.101.254",
    )
    assert "link add port2 type veth peer name eth0 netns pyb-one-worker-1" in made.inside["pyb-one"]
    assert "route add unreachable 10.96.0.0/16" in made.inside["pyb-one"]


def test_with_no_way_out_other_destinations_fail_at_once_but_services_have_a_route() -> None:
    routes = plan(msgspec.structs.replace(spec(), egress=False)).inside["pyb-one-worker-1"][3:]
    assert routes == (
        "route add 10.96.0.0/16 via 192.168.101.254",
        "route add 10.244.0.0/16 via 192.168.101.254",
        "route add unreachable default",
    )


def test_only_prefixes_that_the_host_does_not_use_become_black_holes() -> None:
    wanted = ["192.168.101.0/24", "10.244.0.0/16", "10.96.0.0/16"]
    assert blackholes(wanted, ["192.0.2.0/24"]) == wanted
    assert blackholes(wanted, ["10.96.3.0/24"]) == ["192.168.101.0/24", "10.244.0.0/16"]
    assert blackholes(wanted, ["10.0.0.0/8"]) == ["192.168.101.0/24"]


def test_the_way_out_masquerades_only_what_leaves_the_cluster_and_drops_what_is_meant_for_it() -> None:
    rules = network_egress.node_rules(spec())
    assert rules.index("-A PYB-ONE -d 10.96.0.0/16 -j RETURN") < rules.index("-A PYB-ONE -j MASQUERADE")
    for cidr in spec().cluster_cidrs:
        assert f"-A FORWARD -o uplink -d {cidr} -j DROP" in network_egress.fabric_rules(spec())
        assert f"-A PYB-ONE -i pyb-out1 -d {cidr} -j DROP" in network_egress.host_rules(spec())


def test_a_pod_route_counts_once_every_other_node_has_it() -> None:
    one, two = PodRoute("10.244.1.0/24", "192.168.1.1"), PodRoute("10.244.2.0/24", "192.168.1.2")
    assert complete_routes({"192.168.1.1": {two}, "192.168.1.2": {one}, "192.168.1.3": {one}}) == [one]
