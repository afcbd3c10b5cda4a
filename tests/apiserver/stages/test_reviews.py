"""Questions in, answers out, as a real API server gave them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pybernetes.api.kinds import find_kind
from pybernetes.api.status import StatusError
from pybernetes.api.types.authentication_v1 import TokenReview, TokenReviewSpec
from pybernetes.api.types.meta_v1 import LabelSelector, ObjectMeta
from pybernetes.api.types.rbac_v1 import (
    AggregationRule,
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    RoleRef,
    Subject,
)
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.bootstrap.default_rbac import default_rbac, node_rules
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.stages.authentication import Authenticator, StaticTokens
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.stages.rbac_escalation import RbacEscalation
from pybernetes.apiserver.stages.reviews import review

ORACLE = Path(__file__).parents[4] / "shared/oracle/defaults/authorization.reviews.json"
ADMIN = UserInfo("admin", "admin", ("system:masters", "system:authenticated"))
ALICE = UserInfo("alice", "alice-uid", ("dev", "system:authenticated"))


@pytest.fixture
def authorizer(reader):
    reader.objects += default_rbac()
    reader.objects.append(
        RoleBinding(
            metadata=ObjectMeta(name="carol-view", namespace="defaults"),
            role_ref=RoleRef(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="system:node"),
            subjects=[Subject(kind="User", name="carol")],
        )
    )
    return Authorizer(reader, node_rules=node_rules())


@pytest.fixture
def authenticator(manual_clock):
    return Authenticator(StaticTokens({"t": ADMIN}), clock=manual_clock, audiences=("https://api",))


def by_text(rules: list[dict]) -> list[str]:
    return sorted(json.dumps(rule, sort_keys=True) for rule in rules)


@pytest.mark.skipif(not ORACLE.exists(), reason="recorded answers are not here")
def test_reviews_are_answered_as_recorded(authorizer, authenticator):
    steps = json.loads(ORACLE.read_text())["steps"]
    for step in steps:
        body, recorded = step["request"]["body"], step["response"]["body"]
        kind = find_kind(body["apiVersion"], body["kind"])
        assert kind is not None
        obj = msgspec.convert(body, kind.type)
        if "/namespaces/" in step["request"]["path"]:
            obj.metadata.namespace = "defaults"
        user = ALICE if "alice" in step["request"].get("headers", {}).get("Authorization", "") else ADMIN
        try:
            answer = msgspec.to_builtins(review(kind, obj, user, authorizer, authenticator))
        except StatusError as error:
            assert (error.code, str(error)) == (step["response"]["status"], recorded["message"])
            continue
        assert answer["spec"] == recorded["spec"]
        ours, theirs = answer["status"], recorded["status"]
        for key in ("resourceRules", "nonResourceRules"):
            listed = [rule for rule in theirs.pop(key, []) if "/.well-known" not in rule.get("nonResourceURLs", [])]
            # The recorded server let everybody read the issuer's documents; the default is service accounts.
            assert by_text(ours.pop(key, [])) == by_text(listed)
        if "public-info-viewer" in theirs.get("reason", ""):
            # Two bindings allow this, and which one upstream finds first is chance.
            theirs["reason"] = theirs["reason"].replace("public-info-viewer", "discovery")
        assert ours == theirs, body
    assert len(steps) == 19


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"fieldSelector": {"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}]}},
            'fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements',
        ),
        (
            {"labelSelector": {}},
            "labelSelector.requirements: Required value: when spec.resourceAttributes.labelSelector is specified, "
            "requirements or rawSelector is required",
        ),
        (
            {"fieldSelector": {"requirements": [{"operator": "In"}]}},
            "[spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be specified, "
            "spec.resourceAttributes.fieldSelector.requirements[0].values: Required value: "
            "must be specified when `operator` is 'In' or 'NotIn']",
        ),
        (
            {"labelSelector": {"requirements": [{"key": "a", "operator": "Exists", "values": ["b"]}]}},
            "labelSelector.requirements[0].values: Forbidden: "
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
        ({"fieldSelector": {"requirements": [{"key": "a", "operator": "YetToCome"}]}}, ""),
    ],
)
def test_questions_about_selectors_are_checked(authorizer, authenticator, changes, message):
    kind = find_kind("authorization.k8s.io/v1", "SubjectAccessReview")
    assert kind is not None
    obj = msgspec.convert({"spec": {"user": "x", "resourceAttributes": {"verb": "list", **changes}}}, kind.type)
    try:
        review(kind, obj, ADMIN, authorizer, authenticator)
    except StatusError as error:
        assert str(error).endswith(message)
        assert message
    else:
        assert not message


def test_questions_are_no_objects(authorizer, authenticator):
    for name, rest in (("SelfSubjectAccessReview", {}), ("LocalSubjectAccessReview", {"user": "x"})):
        kind = find_kind("authorization.k8s.io/v1", name)
        assert kind is not None
        body = {"metadata": {"name": "q"}, "spec": {"resourceAttributes": {"verb": "get"}, **rest}}
        with pytest.raises(StatusError, match=r'metadata: Invalid value: {"name":"q"}: must be empty'):
            review(kind, msgspec.convert(body, kind.type), ADMIN, authorizer, authenticator)


def test_rules_that_cannot_be_found_are_told_of(reader, authorizer, authenticator):
    reader.objects.append(
        RoleBinding(
            metadata=ObjectMeta(name="lost", namespace="ns"),
            role_ref=RoleRef(kind="Role", name="nosuch"),
            subjects=[Subject(kind="User", name="system:node:n1")],
        )
    )
    kind = find_kind("authorization.k8s.io/v1", "SelfSubjectRulesReview")
    assert kind is not None
    kubelet = UserInfo("system:node:n1", groups=("system:nodes",))
    asked = msgspec.convert({"spec": {"namespace": "ns"}}, kind.type)
    status = review(kind, asked, kubelet, authorizer, authenticator).status
    assert (status.incomplete, status.evaluation_error) == (
        True,
        '[node authorizer does not support user rule resolution, role.rbac.authorization.k8s.io "nosuch" not found]',
    )


def test_token_reviews(authorizer, authenticator):
    kind = find_kind("authentication.k8s.io/v1", "TokenReview")
    assert kind is not None

    def asked(token: str, *audiences: str) -> dict:
        obj = TokenReview(spec=TokenReviewSpec(token=token, audiences=list(audiences)))
        return msgspec.to_builtins(review(kind, obj, ADMIN, authorizer, authenticator))["status"]

    assert asked("t") == {
        "authenticated": True,
        "user": {"username": "admin", "uid": "admin", "groups": ["system:masters", "system:authenticated"]},
        "audiences": ["https://api"],
    }
    assert asked("nosuch") == {"error": "invalid bearer token", "user": {}}
    assert "authenticated" not in asked("t", "other")
    with pytest.raises(StatusError, match="token is required for TokenReview in authentication"):
        asked("")


def writing(obj, old=None) -> AdmissionRequest:
    kind = find_kind(obj.api_version, obj.kind)
    assert kind is not None
    return AdmissionRequest(
        operation="UPDATE" if old else "CREATE",
        kind=kind,
        subresource="",
        namespace=obj.metadata.namespace or "",
        name=obj.metadata.name or "",
        user=ALICE,
        object=obj,
        old_object=old,
    )


def role(name: str, *rules: PolicyRule) -> Role:
    return Role(metadata=ObjectMeta(name=name, namespace="ns"), rules=list(rules))


READS = PolicyRule(verbs=["get", "list"], api_groups=[""], resources=["pods"])


async def test_nobody_grants_more_than_he_holds(reader, authorizer):
    reader.objects += [
        role("own", READS),
        RoleBinding(
            metadata=ObjectMeta(name="own", namespace="ns"),
            role_ref=RoleRef(kind="Role", name="own"),
            subjects=[Subject(kind="User", name="alice")],
        ),
    ]
    check = RbacEscalation(authorizer)
    await check.admit(writing(role("less", PolicyRule(verbs=["get"], api_groups=[""], resources=["pods"]))))
    more = role("more", READS, PolicyRule(verbs=["delete", "get"], api_groups=[""], resources=["secrets"]))
    with pytest.raises(StatusError) as error:
        await check.admit(writing(more))
    assert str(error.value) == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "alice" (groups=["dev" "system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["delete" "get"]}'
    )
    # Who changes such a role must hold its rules too, unless only to let it be collected.
    labelled = role("more", *more.rules)
    labelled.metadata.labels = {"a": "b"}
    with pytest.raises(StatusError):
        await check.admit(writing(labelled, old=more))
    collected = role("more", *more.rules)
    collected.metadata.finalizers = ["orphan"]
    await check.admit(writing(collected, old=more))


async def test_what_gathers_rules_needs_all_of_them(reader, authorizer):
    gathering = ClusterRole(
        metadata=ObjectMeta(name="g"), aggregation_rule=AggregationRule(cluster_role_selectors=[LabelSelector()])
    )
    check = RbacEscalation(authorizer)
    for new, old in ((gathering, None), (ClusterRole(metadata=ObjectMeta(name="g")), gathering)):
        with pytest.raises(StatusError, match="must have cluster-admin privileges to use the aggregationRule"):
            await check.admit(writing(new, old))


async def test_paths_are_told_verb_by_verb(authorizer):
    paths = ClusterRole(
        metadata=ObjectMeta(name="p"), rules=[PolicyRule(verbs=["get", "post"], non_resource_urls=["/x"])]
    )
    with pytest.raises(StatusError) as error:
        await RbacEscalation(authorizer).admit(writing(paths))
    assert str(error.value).splitlines()[1:] == [
        '{NonResourceURLs:["/x"], Verbs:["get"]}',
        '{NonResourceURLs:["/x"], Verbs:["post"]}',
    ]


async def test_binding_a_stronger_role_is_refused_as_recorded(authorizer):
    strong = RoleBinding(
        metadata=ObjectMeta(name="esc", namespace="ns"),
        role_ref=RoleRef(api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="cluster-admin"),
        subjects=[Subject(kind="User", name="alice")],
    )
    with pytest.raises(StatusError) as error:
        await RbacEscalation(authorizer).admit(writing(strong))
    assert str(error.value) == (
        'rolebindings.rbac.authorization.k8s.io "esc" is forbidden: user "alice" '
        '(groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}'
    )


async def test_the_verbs_escalate_and_bind_let_it_pass(reader, authorizer):
    rules = [
        PolicyRule(
            verbs=["escalate", "bind"], api_groups=["rbac.authorization.k8s.io"], resources=["roles", "clusterroles"]
        )
    ]
    reader.objects += [
        ClusterRole(metadata=ObjectMeta(name="granter"), rules=rules),
        ClusterRoleBinding(
            metadata=ObjectMeta(name="granter"),
            role_ref=RoleRef(kind="ClusterRole", name="granter"),
            subjects=[Subject(kind="Group", name="dev")],
        ),
    ]
    authorizer.invalidate()
    check = RbacEscalation(authorizer)
    await check.admit(writing(role("more", PolicyRule(verbs=["*"], api_groups=["*"], resources=["*"]))))
    gone = RoleRef(kind="Role", name="nosuch")
    await check.admit(writing(RoleBinding(metadata=ObjectMeta(name="b", namespace="ns"), role_ref=gone)))
