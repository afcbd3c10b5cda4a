"""What exists from the start, compared with what a real API server made."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from tests.apiserver.conftest import TOKENS, Caller

from pybernetes.api.types.core_v1 import Namespace
from pybernetes.api.types.meta_v1 import LabelSelector, ObjectMeta
from pybernetes.api.types.rbac_v1 import AggregationRule, ClusterRole, ClusterRoleBinding, PolicyRule
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.bootstrap.default_rbac import default_rbac, node_rules
from pybernetes.apiserver.bootstrap.objects import BootstrapOptions, bootstrap_objects, reconciled
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore

ORACLE = Path(__file__).parents[4] / "shared/oracle/controllers/clusterrole-aggregation.json"


def made() -> dict[tuple[str, str, str], dict]:
    objects = bootstrap_objects(BootstrapOptions(advertise_address="192.0.2.10", secure_port=26443))
    return {
        (obj.kind, obj.metadata.namespace or "", obj.metadata.name or ""): msgspec.to_builtins(obj) for obj in objects
    }


@pytest.mark.skipif(not ORACLE.exists(), reason="recorded answers are not here")
def test_the_objects_are_those_of_a_real_server():
    recorded = []
    for step in json.loads(ORACLE.read_text())["steps"]:
        body = step["response"]["body"]
        if step["request"]["method"] == "GET" and body.get("kind", "").endswith("List"):
            recorded += [{"kind": body["kind"].removesuffix("List"), **item} for item in body["items"]]
    ours, compared = made(), 0
    for item in recorded:
        meta = item["metadata"]
        if not meta["name"].startswith("system") and meta.get("labels", {}).get("kubernetes.io/bootstrapping") is None:
            continue
        own = ours[(item["kind"], meta.get("namespace", ""), meta["name"])]
        assert own["metadata"].get("labels", {}) == meta.get("labels", {})
        assert own["metadata"].get("annotations", {}) == meta.get("annotations", {})
        for key in ("aggregationRule", "roleRef", "subjects", "spec", "value", "description"):
            if key in item and key != "spec":
                assert own.get(key) == item[key], meta["name"]
        theirs = sorted(json.dumps(rule, sort_keys=True) for rule in item.get("rules") or [])
        assert sorted(json.dumps(rule, sort_keys=True) for rule in own.get("rules", [])) == theirs, meta["name"]
        compared += 1
    assert compared > 120


def test_the_service_of_the_api_server_has_the_first_address_of_the_range():
    service = made()[("Service", "default", "kubernetes")]
    assert service["spec"]["clusterIP"] == "10.96.0.1"
    assert service["spec"]["ports"] == [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 26443}]


def test_the_default_roles_let_the_components_work(reader):
    reader.objects += default_rbac()
    authorizer = Authorizer(reader, node_rules=node_rules())

    def may(user: str, verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> bool:
        info = RequestInfo("", verb, True, group=group, version="v1", resource=resource, namespace=namespace, name=name)
        return authorizer.authorize(UserInfo(user, groups=("system:authenticated",)), info).allowed

    assert may("system:kube-scheduler", "watch", "", "pods")
    assert may("system:kube-controller-manager", "create", "", "serviceaccounts", "kube-system")
    assert may("system:kube-proxy", "watch", "discovery.k8s.io", "endpointslices")
    assert not may("system:kube-proxy", "delete", "", "nodes")
    assert authorizer.authorize(
        UserInfo("x", groups=("system:unauthenticated",)), RequestInfo("/version", "get")
    ).allowed
    kubelet = UserInfo("system:node:n", groups=("system:nodes",))
    create = RequestInfo("", "create", True, version="v1", resource="events", namespace="default")
    assert authorizer.authorize(kubelet, create).allowed


def test_nothing_is_written_when_all_is_there():
    for wanted in bootstrap_objects(BootstrapOptions(client_ca="pem")):
        assert reconciled(None, wanted) is wanted
        assert reconciled(msgspec.structs.replace(wanted), wanted) is None, wanted.metadata.name


def test_a_role_regains_its_rules_and_keeps_additions():
    wanted = next(obj for obj in default_rbac() if obj.metadata.name == "system:discovery")
    assert isinstance(wanted, ClusterRole)
    own = PolicyRule(verbs=["get"], non_resource_urls=["/own"])
    existing = msgspec.structs.replace(wanted, rules=[own])
    changed = reconciled(existing, wanted)
    assert isinstance(changed, ClusterRole)
    assert changed.rules == [own, *wanted.rules]
    protected = msgspec.structs.replace(
        existing,
        metadata=ObjectMeta(
            name="system:discovery", annotations={"rbac.authorization.kubernetes.io/autoupdate": "false"}
        ),
    )
    assert reconciled(protected, wanted) is None


def test_what_people_say_of_roles_otherwise_or_besides_stays():
    wanted = next(
        obj for obj in default_rbac() if obj.metadata.name == "system:kube-dns" and isinstance(obj, ClusterRole)
    )
    existing = msgspec.convert(msgspec.to_builtins(wanted), ClusterRole)
    existing.metadata.labels["kubernetes.io/bootstrapping"] = "mine"
    existing.rules = [PolicyRule(verbs=["*"], api_groups=[""], resources=["endpoints", "services", "pods"])]
    assert reconciled(existing, wanted) is None
    view = next(obj for obj in default_rbac() if obj.metadata.name == "view" and isinstance(obj, ClusterRole))
    existing = msgspec.convert(msgspec.to_builtins(view), ClusterRole)
    mine = LabelSelector(match_labels={"mine": "true"})
    existing.aggregation_rule = AggregationRule(cluster_role_selectors=[mine])
    changed = reconciled(existing, view)
    assert changed.aggregation_rule.cluster_role_selectors == [mine, *view.aggregation_rule.cluster_role_selectors]


async def test_a_binding_to_another_role_is_made_anew(service_account_key):
    clock = SystemClock()
    store, options = await EmbeddedStore.open(None, clock), ApiServerOptions(service_account_key, tokens=TOKENS)
    first = await ApiServer.start(options, store, clock, Chance(1))
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:basic-user"
    _, binding = await Caller(first)("GET", path)
    await Caller(first)("DELETE", path)
    binding["roleRef"]["name"] = "view"
    del binding["metadata"]["resourceVersion"]
    status, _ = await Caller(first)("POST", path.rpartition("/")[0], binding)
    assert status == 201
    second = await ApiServer.start(options, store, clock, Chance(2))
    assert (await Caller(second)("GET", path))[1]["roleRef"]["name"] == "system:basic-user"


def test_a_moved_server_takes_its_endpoints_along():
    old = bootstrap_objects(BootstrapOptions(advertise_address="192.0.2.1"))
    new = bootstrap_objects(BootstrapOptions(advertise_address="192.0.2.2"))
    changed = [obj.kind for obj in map(reconciled, old, new) if obj is not None]
    assert changed == ["Endpoints", "EndpointSlice"]


def test_people_keep_their_namespaces_and_bindings():
    wanted = Namespace(metadata=ObjectMeta(name="default"))
    assert reconciled(Namespace(metadata=ObjectMeta(name="default", labels={"a": "b"})), wanted) is None
    binding = next(obj for obj in default_rbac() if isinstance(obj, ClusterRoleBinding))
    more = msgspec.structs.replace(binding, subjects=[])
    regained = reconciled(more, binding)
    assert isinstance(regained, ClusterRoleBinding)
    assert regained.subjects == binding.subjects
