"""Where pods go, and what is said when there is no place: values in, values out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.apps_v1 import ReplicaSet
from pybernetes.api.types.core_v1 import Namespace, PersistentVolume, PersistentVolumeClaim, Pod
from pybernetes.api.types.storage_v1 import StorageClass
from pybernetes.scheduler.decide.diagnosis import Unschedulable
from pybernetes.scheduler.decide.place import Placement, explain, place, prepare, sample_size
from pybernetes.scheduler.decide.plugin import Impossible
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.snapshot import Snapshot
from tests.scheduler.builders import cache_of, case_of, make_node, make_pod, snapshot_of


def nodes_for(pod: Pod, snapshot: Snapshot, facts: Facts | None = None) -> tuple[str, ...]:
    """The best nodes, sorted."""
    outcome = place(case_of(pod, snapshot, facts))
    assert isinstance(outcome, Placement), outcome
    return tuple(sorted(outcome.nodes))


def refusal(pod: Pod, snapshot: Snapshot, facts: Facts | None = None) -> str:
    """The message, without what preemption says."""
    outcome = place(case_of(pod, snapshot, facts))
    assert isinstance(outcome, Unschedulable), outcome
    return outcome.opening


def test_no_nodes() -> None:
    assert refusal(make_pod("p"), snapshot_of()) == "no nodes available to schedule pods"


def test_each_node_gives_its_first_reason_sorted_as_text() -> None:
    taint = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    snapshot = snapshot_of(
        make_node("a", taints=taint),
        make_node("b"),
        make_node("c", {"memory": "1Gi"}),
        make_node("d", unschedulable=True),
    )
    assert refusal(make_pod("p", {"cpu": "5", "memory": "2Gi"}), snapshot) == (
        "0/4 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), "
        "1 node(s) were unschedulable, 2 Insufficient cpu."
    )


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"key": "a", "operator": "Exists"}, True),
        ({"key": "a", "value": "1"}, True),
        ({"key": "a", "operator": "Equal", "value": "2"}, False),
        ({"operator": "Exists"}, True),
        ({"key": "a", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "b", "operator": "Exists"}, False),
    ],
)
def test_tolerations(toleration: dict[str, str], fits: bool) -> None:
    snapshot = snapshot_of(make_node("a", taints=[{"key": "a", "value": "1", "effect": "NoSchedule"}]))
    outcome = place(case_of(make_pod("p", tolerations=[toleration]), snapshot))
    assert isinstance(outcome, Placement) == fits


def test_prefer_no_schedule_is_avoided_but_not_forbidden() -> None:
    tainted = make_node("a", taints=[{"key": "a", "effect": "PreferNoSchedule"}])
    assert nodes_for(make_pod("p"), snapshot_of(tainted, make_node("b"))) == ("b",)
    assert nodes_for(make_pod("p"), snapshot_of(tainted)) == ("a",)


def test_node_selector_and_affinity() -> None:
    snapshot = snapshot_of(make_node("a", labels={"disk": "ssd", "cores": "8"}), make_node("b", labels={"cores": "16"}))
    assert nodes_for(make_pod("p", nodeSelector={"disk": "ssd"}), snapshot) == ("a",)
    assert refusal(make_pod("p", nodeSelector={"disk": "tape"}), snapshot) == (
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    )
    more = {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["8"]}]}
    affinity: dict[str, Any] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [more]}}
    }
    assert nodes_for(make_pod("p", affinity=affinity), snapshot) == ("b",)
    wish = {"weight": 1, "preference": {"matchExpressions": [{"key": "disk", "operator": "DoesNotExist"}]}}
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    assert nodes_for(make_pod("p", affinity=affinity), snapshot) == ("b",)


def test_pods_of_daemon_sets_look_at_their_node_only() -> None:
    fields = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [fields]}}}
    snapshot = snapshot_of(make_node("a"), make_node("b"), make_node("c"))
    outcome = place(case_of(make_pod("p", affinity=affinity), snapshot))
    assert outcome == Placement(("b",), 1)
    assert refusal(make_pod("p", {"cpu": "5"}, affinity=affinity), snapshot) == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )


def test_host_ports_are_had_once_per_address() -> None:
    def wants(name: str, ip: str) -> Pod:
        return make_pod(name, container={"ports": [{"containerPort": 80, "hostPort": 8080, "hostIP": ip}]})

    snapshot = snapshot_of(make_node("a"), a=[wants("there", "10.0.0.1")])
    assert nodes_for(wants("p", "10.0.0.2"), snapshot) == ("a",)
    for ip in ("10.0.0.1", "0.0.0.0", ""):
        assert refusal(wants("p", ip), snapshot) == (
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
        )


def test_all_that_is_short_is_told() -> None:
    there = make_pod("there", {"cpu": "3", "example.com/gpu": "1"})
    snapshot = snapshot_of(make_node("a", {"pods": "1", "example.com/gpu": "1"}), a=[there])
    assert refusal(make_pod("p", {"cpu": "2", "example.com/gpu": "1"}), snapshot) == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient example.com/gpu, 1 Too many pods."
    )


def test_requests_count_init_containers_sidecars_and_overhead() -> None:
    def container(name: str, cpu: str, **more: str) -> dict[str, Any]:
        return {"name": name, "resources": {"requests": {"cpu": cpu}}, **more}

    init = [container("side", "100m", restartPolicy="Always"), container("init", "1500m")]
    pod = make_pod("p", {"cpu": "1"}, initContainers=init, overhead={"cpu": "50m"})
    assert PodInfo(pod).request.cpu == 1650


def test_volumes() -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    pod, snapshot = make_pod("p", volumes=volumes), snapshot_of(make_node("a"), make_node("b"))
    assert refusal(pod, snapshot) == '0/2 nodes are available: persistentvolumeclaim "data" not found.'
    where = {"name": "data", "namespace": "default"}
    claim = from_builtins({"metadata": where, "spec": {"storageClassName": "slow"}}, PersistentVolumeClaim)
    outcome = place(case_of(pod, snapshot, Facts(claims=cache_of(claim))))
    assert isinstance(outcome, Unschedulable)
    # As recorded from a real cluster.
    assert outcome.message("whatever") == (
        "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    )
    waits = {"metadata": {"name": "slow"}, "provisioner": "x", "volumeBindingMode": "WaitForFirstConsumer"}
    classes = cache_of(from_builtins(waits, StorageClass))
    assert nodes_for(pod, snapshot, Facts(claims=cache_of(claim), storage_classes=classes)) == ("a", "b")
    bound = from_builtins({"metadata": where, "spec": {"volumeName": "v"}}, PersistentVolumeClaim)
    on_b = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["b"]}]}
    volume = from_builtins(
        {"metadata": {"name": "v"}, "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [on_b]}}}},
        PersistentVolume,
    )
    assert nodes_for(pod, snapshot, Facts(claims=cache_of(bound), volumes=cache_of(volume))) == ("b",)


WEB = {"matchLabels": {"app": "web"}}


def spread(key: str, **more: Any) -> dict[str, Any]:
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": WEB, **more}


def test_spread_over_zones_is_enforced() -> None:
    nodes = [make_node(name, labels={"zone": zone}) for name, zone in (("a", "1"), ("b", "1"), ("c", "2"))]
    snapshot = snapshot_of(*nodes, make_node("d"), a=[make_pod("there", labels={"app": "web"})])
    pod = make_pod("p", labels={"app": "web"}, topologySpreadConstraints=[spread("zone")])
    assert nodes_for(pod, snapshot) == ("c",)
    snapshot.remove_node("c")
    assert nodes_for(pod, snapshot) == ("b",)
    strict = make_pod("p", labels={"app": "web"}, topologySpreadConstraints=[spread("zone", minDomains=2)])
    assert refusal(strict, snapshot) == (
        "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), "
        "2 node(s) didn't match pod topology spread constraints."
    )


def test_pods_of_a_replica_set_are_spread_by_default() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}
    where = {"name": "web", "namespace": "default"}
    facts = Facts(replica_sets=cache_of(from_builtins({"metadata": where, "spec": {"selector": WEB}}, ReplicaSet)))

    def member(name: str) -> Pod:
        return make_pod(name, {"cpu": "10m"}, labels={"app": "web"}, ownerReferences=[owner])

    # The busier node is taken, since the other has one of this set.
    snapshot = snapshot_of(make_node("a"), make_node("b"), a=[member("1")], b=[make_pod("x", {"cpu": "1"})])
    assert nodes_for(member("2"), snapshot, facts) == ("b",)
    assert nodes_for(make_pod("alone"), snapshot, facts) == ("a",)


def test_pod_affinity_and_anti_affinity() -> None:
    def near(kind: str, **term: Any) -> dict[str, Any]:
        whole = {"topologyKey": "kubernetes.io/hostname", "labelSelector": WEB, **term}
        return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [whole]}}

    snapshot = snapshot_of(make_node("a"), make_node("b"), a=[make_pod("web", labels={"app": "web"})])
    assert nodes_for(make_pod("p", affinity=near("podAffinity")), snapshot) == ("a",)
    assert nodes_for(make_pod("p", affinity=near("podAntiAffinity")), snapshot) == ("b",)
    # Other namespaces are meant only when they are named or selected.
    elsewhere = make_pod("p", namespace="other", affinity=near("podAffinity"))
    assert refusal(elsewhere, snapshot) == "0/2 nodes are available: 2 node(s) didn't match pod affinity rules."
    everywhere = make_pod("p", namespace="other", affinity=near("podAffinity", namespaceSelector={}))
    assert nodes_for(everywhere, snapshot) == ("a",)
    teams = {"metadata": {"name": "default", "labels": {"team": "x"}}}
    chosen = near("podAffinity", namespaceSelector={"matchLabels": {"team": "x"}})
    facts = Facts(namespaces=cache_of(from_builtins(teams, Namespace)))
    assert nodes_for(make_pod("p", namespace="other", affinity=chosen), snapshot, facts) == ("a",)


def test_first_pod_of_a_group_that_wants_to_be_together_may_go_anywhere() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": WEB}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    snapshot = snapshot_of(make_node("a"), make_node("b"))
    assert nodes_for(make_pod("p", labels={"app": "web"}, affinity=affinity), snapshot) == ("a", "b")
    assert "pod affinity rules" in refusal(make_pod("p", affinity=affinity), snapshot)


def test_existing_pods_keep_others_away() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": WEB}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    snapshot = snapshot_of(make_node("a"), a=[make_pod("there", affinity=affinity)])
    assert refusal(make_pod("p", labels={"app": "web"}), snapshot) == (
        "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
    )
    assert nodes_for(make_pod("p"), snapshot) == ("a",)


def test_nodes_with_the_image_are_preferred() -> None:
    image = {"names": ["big:1"], "sizeBytes": 900 * 1024 * 1024}
    snapshot = snapshot_of(make_node("a"), make_node("b", images=[image]))
    assert nodes_for(make_pod("p", container={"image": "big:1"}), snapshot) == ("b",)


def test_emptiest_node_is_best_and_equal_ones_are_all_told() -> None:
    snapshot = snapshot_of(make_node("a"), make_node("b"), make_node("c"), a=[make_pod("x", {"cpu": "1"})])
    assert nodes_for(make_pod("p", {"cpu": "1", "memory": "1Gi"}), snapshot) == ("b", "c")


def test_sample_of_large_clusters() -> None:
    assert [sample_size(nodes) for nodes in (99, 100, 1000, 5000, 15000)] == [99, 100, 420, 500, 750]
    assert sample_size(5000, 100) == 5000


def test_search_goes_on_where_it_ended() -> None:
    snapshot = snapshot_of(*(make_node(f"n{number}") for number in range(300)))
    first = place(case_of(make_pod("p"), snapshot))
    assert isinstance(first, Placement)
    second = place(case_of(make_pod("p"), snapshot), first.evaluated)
    assert isinstance(second, Placement)
    assert not {*first.nodes} & {*second.nodes}


def test_zones_take_turns_in_the_list_of_nodes() -> None:
    zone = "topology.kubernetes.io/zone"
    nodes = [make_node(f"{name}", labels={zone: name[0]}) for name in ("a1", "a2", "a3", "b1", "b2")]
    assert [node.name for node in snapshot_of(*nodes).nodes] == ["a1", "b1", "a2", "b2", "a3"]


def test_room_for_a_nominated_pod_is_left_to_it() -> None:
    snapshot = snapshot_of(make_node("a", {"cpu": "1"}))
    vital = make_pod("vital", {"cpu": "1"}, priority=10)
    snapshot.nominate(PodInfo(vital), "a")
    assert refusal(make_pod("p", {"cpu": "1"}, priority=10), snapshot) == "0/1 nodes are available: 1 Insufficient cpu."
    assert nodes_for(make_pod("p", {"cpu": "1"}, priority=11), snapshot) == ("a",)
    assert nodes_for(vital, snapshot) == ("a",)


LABELS = st.sampled_from([{}, {"app": "web"}, {"app": "db"}])
TERM = {"topologyKey": "zone", "labelSelector": WEB}
AFFINITIES = st.sampled_from(
    [
        {},
        {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}},
        {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}},
    ]
)
CONSTRAINTS = st.lists(st.builds(spread, st.sampled_from(["zone", "kubernetes.io/hostname"])), max_size=2)


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    requests = {"cpu": f"{draw(st.integers(0, 2500))}m", "memory": f"{draw(st.integers(0, 5000))}Mi"}
    return make_pod(
        f"p{draw(st.integers(0, 10**9))}",
        requests,
        labels=draw(LABELS),
        affinity=draw(AFFINITIES),
        topologySpreadConstraints=draw(CONSTRAINTS),
        priority=draw(st.integers(0, 2)),
        nodeSelector=draw(st.sampled_from([{}, {"zone": "1"}])),
    )


@st.composite
def clusters(draw: st.DrawFn) -> Snapshot:
    snapshot = Snapshot()
    for number in range(draw(st.integers(1, 5))):
        labels = draw(st.sampled_from([{}, {"zone": "1"}, {"zone": "2"}]))
        taints = draw(st.sampled_from([[], [{"key": "t", "effect": "NoSchedule"}]]))
        allocatable = {"cpu": str(draw(st.integers(0, 4))), "pods": str(draw(st.integers(0, 4)))}
        snapshot.set_node(make_node(f"n{number}", allocatable, labels=labels, taints=taints))
    return snapshot


@settings(deadline=None, max_examples=150)
@given(clusters(), st.lists(pods(), max_size=12, unique_by=lambda pod: pod.metadata.uid))
def test_placements_never_exceed_what_nodes_have(snapshot: Snapshot, queue: list[Pod]) -> None:
    for pod in queue:
        case = case_of(pod, snapshot)
        filters = prepare(case)
        assert not isinstance(filters, Impossible)
        # The fast way and the explanations must agree, for every plug-in alone.
        for item in filters:
            assert item.keep(snapshot.nodes) == [node for node in snapshot.nodes if item.explain(node) is None]
        outcome = place(case)
        if isinstance(outcome, Unschedulable):
            assert outcome.rejections.keys() == {node.name for node in snapshot.nodes}
            continue
        for name in outcome.nodes:
            node = snapshot.node(name)
            assert node is not None
            assert explain(filters, node) is None
        snapshot.assume(case.pod, outcome.nodes[0])
    for node in snapshot.nodes:
        assert node.free_pods == node.pods_allowed - len(node.pods) >= 0
        assert node.free_cpu == node.cpu - sum(info.request.cpu for info in node.pods.values())
        assert node.free_cpu >= 0 or not any(info.request.cpu for info in node.pods.values())
        assert node.free_memory >= 0
