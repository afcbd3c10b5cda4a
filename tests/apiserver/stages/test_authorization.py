"""Users and requests in, decisions in Kubernetes' words out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import convert

from pybernetes.api.status import StatusError
from pybernetes.api.types import rbac_v1
from pybernetes.api.types.core_v1 import (
    LocalObjectReference,
    PersistentVolume,
    Pod,
    PodSpec,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.types.resource_v1 import ResourceSlice, ResourceSliceSpec
from pybernetes.apiserver.identify import selected
from pybernetes.apiserver.request import ANONYMOUS, RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer, Decision, forbidden_request
from pybernetes.apiserver.stages.impersonation import impersonate
from pybernetes.apiserver.stages.rbac import rule_matches

ALICE = UserInfo("alice", "alice-uid", ("dev", "system:authenticated"))
ADMIN = UserInfo("admin", groups=("system:masters", "system:authenticated"))
KUBELET = UserInfo("system:node:n1", groups=("system:nodes", "system:authenticated"))
ORACLE = Path(__file__).parents[4] / "shared/oracle/errors/auth.json"


def on(verb: str, resource: str, namespace: str = "", name: str = "", group: str = "") -> RequestInfo:
    resource, _, subresource = resource.partition("/")
    return RequestInfo(
        "",
        verb,
        True,
        group=group,
        version="v1",
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )


def role(name: str, namespace: str, *rules: rbac_v1.PolicyRule) -> rbac_v1.Role:
    return rbac_v1.Role(metadata=ObjectMeta(name=name, namespace=namespace), rules=list(rules))


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> rbac_v1.PolicyRule:
    return rbac_v1.PolicyRule(
        verbs=verbs.split(),
        resources=resources.split(),
        api_groups=groups.split() or [""],
        resource_names=names.split(),
    )


def binding(name: str, namespace: str, role_ref: rbac_v1.RoleRef, *subjects: rbac_v1.Subject) -> rbac_v1.RoleBinding:
    meta = ObjectMeta(name=name, namespace=namespace)
    return rbac_v1.RoleBinding(metadata=meta, role_ref=role_ref, subjects=list(subjects))


@pytest.fixture
def authorizer(reader):
    reader.objects += [
        role("reader", "ns", rule("get list", "pods pods/log"), rule("get", "secrets", names="one")),
        binding("reads", "ns", rbac_v1.RoleRef(kind="Role", name="reader"), rbac_v1.Subject(kind="Group", name="dev")),
        rbac_v1.ClusterRole(
            metadata=ObjectMeta(name="paths"),
            rules=[rbac_v1.PolicyRule(verbs=["get"], non_resource_urls=["/api/*", "/version"])],
        ),
        rbac_v1.ClusterRoleBinding(
            metadata=ObjectMeta(name="paths"),
            role_ref=rbac_v1.RoleRef(kind="ClusterRole", name="paths"),
            subjects=[
                rbac_v1.Subject(kind="ServiceAccount", name="robot", namespace="ns"),
                rbac_v1.Subject(kind="User", name="alice"),
            ],
        ),
    ]
    return Authorizer(reader)


def test_masters_may_do_everything(authorizer):
    assert authorizer.authorize(ADMIN, on("delete", "nodes", name="n")).allowed


def test_a_role_allows_what_it_lists_and_only_in_its_namespace(authorizer):
    reason = 'RBAC: allowed by RoleBinding "reads/ns" of Role "reader" to Group "dev"'
    assert authorizer.authorize(ALICE, on("list", "pods", "ns")) == Decision(True, reason)
    assert authorizer.authorize(ALICE, on("get", "pods/log", "ns", "p")).allowed
    for refused in (
        on("list", "pods", "other"),
        on("list", "pods"),
        on("delete", "pods", "ns", "p"),
        on("get", "pods/exec", "ns", "p"),
        on("list", "pods", "ns", group="apps"),
    ):
        assert authorizer.authorize(ALICE, refused) == Decision(False, "")
    assert not authorizer.authorize(ANONYMOUS, on("list", "pods", "ns")).allowed


def test_resource_names_narrow_a_rule(authorizer):
    assert authorizer.authorize(ALICE, on("get", "secrets", "ns", "one")).allowed
    assert not authorizer.authorize(ALICE, on("get", "secrets", "ns", "two")).allowed
    assert not authorizer.authorize(ALICE, on("list", "secrets", "ns")).allowed


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name=one", "one"),
        ("metadata.name==one,type=Opaque", "one"),
        ("metadata.name!=one", ""),
        ("metadata.namespace!=x\\,metadata.name=one", ""),
        ("metadata.namespace!=x\\,metadata.name\\=one", ""),
    ],
)
def test_a_list_of_one_name_is_about_that_name_only_if_it_selects_it(selector: str, name: str):
    assert selected(on("list", "secrets", "ns"), selector).name == name


def test_paths_and_service_accounts(authorizer):
    robot = UserInfo("system:serviceaccount:ns:robot")
    decision = authorizer.authorize(robot, RequestInfo("/api/v1", "get"))
    assert decision.reason == (
        'RBAC: allowed by ClusterRoleBinding "paths" of ClusterRole "paths" to ServiceAccount "robot/ns"'
    )
    assert not authorizer.authorize(robot, RequestInfo("/metrics", "get")).allowed


def test_the_right_to_all_paths_is_none_to_resources_that_read_like_them(reader):
    reader.objects += [
        rbac_v1.ClusterRole(
            metadata=ObjectMeta(name="paths"), rules=[rbac_v1.PolicyRule(verbs=["*"], non_resource_urls=["*"])]
        ),
        rbac_v1.ClusterRoleBinding(
            metadata=ObjectMeta(name="paths"),
            role_ref=rbac_v1.RoleRef(kind="ClusterRole", name="paths"),
            subjects=[rbac_v1.Subject(kind="User", name="alice")],
        ),
    ]
    authorizer = Authorizer(reader)
    # As a SelfSubjectAccessReview asks.
    assert authorizer.authorize(ALICE, RequestInfo("secrets", "list")).allowed
    assert not authorizer.authorize(ALICE, on("list", "secrets")).allowed


def test_decisions_last_until_rbac_objects_change(authorizer, reader):
    assert authorizer.authorize(ALICE, on("list", "pods", "ns")).allowed
    reader.objects.clear()
    authorizer.invalidate()
    assert not authorizer.authorize(ALICE, on("list", "pods", "ns")).allowed


def test_a_missing_role_is_told_in_the_reason(reader):
    reader.objects.append(
        binding("b", "ns", rbac_v1.RoleRef(kind="Role", name="gone"), rbac_v1.Subject(kind="User", name="alice"))
    )
    decision = Authorizer(reader).authorize(ALICE, on("list", "pods", "ns"))
    assert decision == Decision(False, 'RBAC: role.rbac.authorization.k8s.io "gone" not found')


@pytest.mark.parametrize(
    ("rule_resources", "asked", "matches"),
    [("*", "pods/exec", True), ("*/scale", "deployments/scale", True), ("pods", "pods/log", False)],
)
def test_resource_wildcards(rule_resources, asked, matches):
    assert rule_matches(rule("get", rule_resources), on("get", asked)) is matches


def test_modes_are_checked_by_name(reader):
    assert Authorizer(reader, ("AlwaysAllow",)).authorize(ANONYMOUS, on("list", "pods")).allowed
    assert not Authorizer(reader, ("AlwaysDeny",)).authorize(ALICE, on("list", "pods")).allowed
    with pytest.raises(ValueError, match="unknown authorization mode 'ABCD'"):
        Authorizer(reader, ("ABCD",))


def test_a_kubelet_reads_only_what_its_pods_need(reader):
    spec = PodSpec(node_name="n1", image_pull_secrets=[LocalObjectReference(name="pull")], service_account_name="sa")
    reader.objects += [
        Pod(metadata=ObjectMeta(name="mine", namespace="ns"), spec=spec),
        Pod(metadata=ObjectMeta(name="theirs", namespace="ns"), spec=PodSpec(node_name="n2")),
    ]
    authorizer = Authorizer(reader)
    nothing = "no relationship found between node 'n1' and this object"
    answers = {
        ("get", "secrets", "pull"): "",
        ("get", "secrets", "other"): nothing,
        ("list", "secrets", ""): "No Object name found",
        ("create", "serviceaccounts/token", "sa"): "",
        ("create", "serviceaccounts/token", "default"): nothing,
        ("get", "pods", "mine"): "",
        ("get", "pods", "theirs"): nothing,
        ("patch", "pods/status", "theirs"): "",  # refused later, by NodeRestriction
    }
    for (verb, resource, name), reason in answers.items():
        decision = authorizer.authorize(KUBELET, on(verb, resource, "ns", name))
        assert decision == Decision(not reason, reason), (verb, resource, name)


def test_a_kubelet_reads_the_secrets_of_the_volumes_that_its_pods_use(reader):
    claimed = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    references = {"nodeStageSecretRef": {"name": "stage", "namespace": "disks"}}
    references["controllerPublishSecretRef"] = {"name": "publish", "namespace": "disks"}
    reader.objects += [
        convert({"metadata": {"name": "p", "namespace": "ns"}, "spec": {"nodeName": "n1", "volumes": claimed}}, Pod),
        convert(
            {
                "metadata": {"name": "pv"},
                "spec": {
                    "claimRef": {"name": "c", "namespace": "ns"},
                    "csi": {"driver": "d", "volumeHandle": "h", **references},
                    "azureFile": {"secretName": "share"},
                },
            },
            PersistentVolume,
        ),
    ]
    authorizer = Authorizer(reader, ("Node",))

    def reads(namespace: str, name: str) -> bool:
        return authorizer.authorize(KUBELET, on("get", "secrets", namespace, name)).allowed

    assert reads("disks", "stage")
    assert reads("ns", "share")
    assert not reads("disks", "publish")
    reader.objects[0].metadata.annotations["kubernetes.io/config.mirror"] = "x"
    assert not reads("disks", "stage")


def test_a_kubelet_has_its_own_node_lease_and_pods(reader):
    authorizer = Authorizer(reader)

    def reason(info: RequestInfo, selector: str | None = "") -> str:
        return authorizer.authorize(KUBELET, info, selector).reason

    assert authorizer.authorize(KUBELET, on("list", "pods"), "spec.nodeName=n1").allowed
    for lie in (
        "metadata.name!=x\\,spec.nodeName=n1",
        "metadata.name!=x\\,spec.nodeName\\=n1",
        "spec.nodeName!=n1",
        "spec.nodeName=n2",
    ):
        assert not authorizer.authorize(KUBELET, on("list", "pods"), lie).allowed
    assert (
        reason(on("list", "pods"), "spec.nodeName=n2") == "can only list/watch pods with spec.nodeName field selector"
    )
    assert reason(on("get", "nodes", name="n2")) == "node 'n1' cannot read 'n2', only its own Node object"
    assert reason(on("list", "nodes")) == "node 'n1' cannot read all nodes, only its own Node object"
    assert authorizer.authorize(KUBELET, on("watch", "nodes"), "metadata.name=n1").allowed
    lease = on("get", "leases", "kube-node-lease", "n2", "coordination.k8s.io")
    assert reason(lease) == "can only access node lease with the same name as the requesting node"


@pytest.mark.skipif(not ORACLE.exists(), reason="recorded answers are not here")
def test_refusals_read_as_recorded(reader):
    from pybernetes.api.wire import Request
    from pybernetes.apiserver.identify import identify

    checked = 0
    for step in json.loads(ORACLE.read_text())["steps"]:
        request, body = step["request"], step["response"]["body"]
        if step["response"]["status"] != 403:
            continue
        if request["headers"].get("Authorization") != "<none>":
            continue
        query = tuple(request["query"].items())
        info = identify(Request(request["method"], request["path"], query))
        error = forbidden_request(ANONYMOUS, info)
        assert str(error) == body["message"]
        checked += 1
    assert checked > 20


TARGET = RequestInfo("", "list", is_resource=True, version="v1", resource="pods", namespace="ns")


def test_impersonation_needs_the_right_and_brings_groups(authorizer):
    bob = impersonate(
        ADMIN,
        {"impersonate-user": "bob", "impersonate-group": "g1", "impersonate-extra-scopes": "x"},
        TARGET,
        authorizer,
    )
    assert bob == UserInfo("bob", groups=("g1", "system:authenticated"), extra={"scopes": ("x",)})
    robot = impersonate(ADMIN, {"impersonate-user": "system:serviceaccount:ns:robot"}, TARGET, authorizer)
    assert robot.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated")
    with pytest.raises(StatusError) as error:
        impersonate(ALICE, {"impersonate-user": "bob"}, TARGET, authorizer)
    assert str(error.value) == (
        'pods is forbidden: User "alice" cannot impersonate-on:user-info:list resource "pods" in API group "" '
        'in the namespace "ns"'
    )
    assert impersonate(ALICE, {}, TARGET, authorizer) is ALICE


@pytest.fixture
def constrained(reader):
    """Alice holds every weaker right to impersonate, and no whole one."""
    everything = ["user-info", "serviceaccount", "arbitrary-node"]
    verbs = [f"impersonate:{mode}" for mode in everything] + [f"impersonate-on:{mode}:list" for mode in everything]
    reader.objects += [
        rbac_v1.ClusterRole(
            metadata=ObjectMeta(name="i"),
            rules=[rbac_v1.PolicyRule(verbs=verbs, api_groups=["*"], resources=["*"])],
        ),
        rbac_v1.ClusterRoleBinding(
            metadata=ObjectMeta(name="i"),
            role_ref=rbac_v1.RoleRef(kind="ClusterRole", name="i"),
            subjects=[rbac_v1.Subject(kind="User", name="alice")],
        ),
    ]
    return Authorizer(reader)


def test_the_weaker_right_to_impersonate_makes_nobody_a_master(constrained):
    for user in ("bob", "system:serviceaccount:ns:robot", "system:node:n1"):
        for groups in ("system:masters", "dev\nsystem:masters"):
            with pytest.raises(StatusError) as error:
                impersonate(ALICE, {"impersonate-user": user, "impersonate-group": groups}, TARGET, constrained)
            assert error.value.code == 403


def test_who_may_do_all_becomes_a_node_with_its_group(authorizer):
    node = impersonate(ADMIN, {"impersonate-user": "system:node:n1"}, TARGET, authorizer)
    assert node.groups == ("system:nodes", "system:authenticated")
    # Only the whole right brings groups of one's own choice.
    chosen = impersonate(ADMIN, {"impersonate-user": "system:node:n1", "impersonate-group": "g"}, TARGET, authorizer)
    assert chosen.groups == ("g", "system:authenticated")
    for name in ("system:node:", "system:node:A B", "system:serviceaccount:ns", "system:serviceaccount:a:b:c"):
        assert impersonate(ADMIN, {"impersonate-user": name}, TARGET, authorizer).groups == ("system:authenticated",)


def weaker(reader, names: str, *verbs: str) -> Authorizer:
    """What alice holds of rights to impersonate."""
    rules = [
        rbac_v1.PolicyRule(
            verbs=list(verbs), api_groups=["authentication.k8s.io"], resources=["*"], resource_names=names.split()
        ),
        rbac_v1.PolicyRule(verbs=["impersonate-on:associated-node:list"], api_groups=[""], resources=["pods"]),
        rbac_v1.PolicyRule(verbs=["impersonate-on:user-info:list"], api_groups=[""], resources=["pods"]),
    ]
    reader.objects += [
        rbac_v1.ClusterRole(metadata=ObjectMeta(name="w"), rules=rules),
        rbac_v1.ClusterRoleBinding(
            metadata=ObjectMeta(name="w"),
            role_ref=rbac_v1.RoleRef(kind="ClusterRole", name="w"),
            subjects=[
                rbac_v1.Subject(kind="User", name="alice"),
                rbac_v1.Subject(kind="ServiceAccount", name="agent", namespace="ns"),
            ],
        ),
    ]
    return Authorizer(reader)


def test_an_agent_may_become_the_node_that_it_runs_on(reader):
    may = weaker(reader, "*", "impersonate:associated-node")
    extra = {"authentication.kubernetes.io/node-name": ("n1",)}
    agent = UserInfo("system:serviceaccount:ns:agent", groups=("system:authenticated",), extra=extra)
    assert impersonate(agent, {"impersonate-user": "system:node:n1"}, TARGET, may).name == "system:node:n1"
    with pytest.raises(StatusError, match="impersonate-on:arbitrary-node:list"):
        impersonate(agent, {"impersonate-user": "system:node:n2"}, TARGET, may)


def test_the_right_to_all_groups_is_enough_for_many(reader):
    may = weaker(reader, "bob *", "impersonate:user-info")
    many = impersonate(ALICE, {"impersonate-user": "bob", "impersonate-group": "a\nb\nc\nd"}, TARGET, may)
    assert many.groups == ("a", "b", "c", "d", "system:authenticated")
    with pytest.raises(StatusError, match='cannot impersonate:user-info resource "groups"'):
        impersonate(ALICE, {"impersonate-user": "bob", "impersonate-group": "a\nb"}, TARGET, may)


def test_what_is_extra_is_named_with_a_domain_where_rights_are_weak(reader):
    may = weaker(reader, "bob x", "impersonate:user-info")
    wanted = {"impersonate-user": "bob", "impersonate-extra-acme.io%2fscope": "x"}
    assert impersonate(ALICE, wanted, TARGET, may).extra == {"acme.io/scope": ("x",)}
    with pytest.raises(StatusError, match="impersonating an invalid key in extra is not allowed"):
        impersonate(ALICE, {"impersonate-user": "bob", "impersonate-extra-scope": "x"}, TARGET, may)


def test_accounts_and_nodes_bring_their_own_groups_and_no_others(constrained):
    node = impersonate(ALICE, {"impersonate-user": "system:node:n1"}, TARGET, constrained)
    assert node.groups == ("system:nodes", "system:authenticated")
    robot = impersonate(ALICE, {"impersonate-user": "system:serviceaccount:ns:robot"}, TARGET, constrained)
    assert robot.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated")
    for more in ({"impersonate-group": "g"}, {"impersonate-uid": "u"}, {"impersonate-extra-a": "b"}):
        with pytest.raises(StatusError) as error:
            impersonate(ALICE, {"impersonate-user": "system:node:n1", **more}, TARGET, constrained)
        assert error.value.code == 403
    bob = impersonate(ALICE, {"impersonate-user": "bob", "impersonate-group": "g"}, TARGET, constrained)
    assert bob.groups == ("g", "system:authenticated")


def test_a_kubelet_has_its_own_resource_slices(reader):
    reader.objects += [
        ResourceSlice(metadata=ObjectMeta(name=f"of-{node}"), spec=ResourceSliceSpec(driver="d", node_name=node))
        for node in ("n1", "n2")
    ]
    authorizer = Authorizer(reader)

    def may(verb: str, name: str = "", selector: str = "") -> bool:
        return authorizer.authorize(KUBELET, on(verb, "resourceslices", "", name, "resource.k8s.io"), selector).allowed

    assert may("create")
    assert may("delete", "of-n1")
    assert not may("delete", "of-n2")
    assert may("deletecollection", selector="spec.nodeName=n1")
    assert not may("deletecollection")
    assert not may("list", selector="spec.nodeName=n2")


def test_groups_without_a_user_are_a_bad_request(authorizer):
    with pytest.raises(StatusError) as error:
        impersonate(ADMIN, {"impersonate-group": "g"}, TARGET, authorizer)
    assert str(error.value) == (
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} '
        "without impersonating a user name"
    )
