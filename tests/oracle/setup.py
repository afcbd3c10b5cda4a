"""What the recordings did without a step, scenario by scenario: rebuilt from what the answers show.

`BEFORE[scenario, step]` runs before that step; `DURING[scenario]` while all steps (watches) of a scenario are open;
in `CONTROLLED` scenarios the controllers run.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.oracle.ground import Ground
from tests.oracle.tables import capacity, tables

Prepare = Callable[[Ground], Awaitable[None]]
BEFORE: dict[tuple[str, int], Prepare] = {}
DURING: dict[str, Prepare] = {}
CONTROLLED: frozenset[str] = frozenset()
# Their set-up makes everything, so that nothing is to be guessed from answers.
COMPLETE = frozenset(
    {"list-watch/paging", "list-watch/watch", "list-watch/watch-expired", "list-watch/continue-expired"}
)
NO_NAMESPACES = frozenset({"nosuch", "ps-baseline", "ps-restricted", "ps-warn"})


_MERGE = "application/merge-patch+json"


def before(scenario: str, step: int = 0) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        BEFORE[scenario, step] = prepare
        return prepare

    return register


def config_map(name: str, namespace: str, **metadata: Any) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace, **metadata}}


def pod(name: str, namespace: str, *, node: str = "", **more: Any) -> dict[str, Any]:
    """A pod of one container; `labels`, `status` and fields of the spec as wanted."""
    metadata = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    if labels := more.pop("labels", None):
        metadata["labels"] = labels
    status = more.pop("status", None)
    spec = {"containers": [{"name": "c", "image": "nginx"}], **({"nodeName": node} if node else {}), **more}
    obj = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec}
    return {**obj, "status": status} if status else obj


@before("errors/auth", 84)
async def _rights_of_alice(ground: Ground) -> None:
    rules = [
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
    ]
    await _grant(ground, "errors", "alice", rules)


async def _grant(ground: Ground, namespace: str, user: str, rules: list[dict[str, Any]]) -> None:
    group = "rbac.authorization.k8s.io"
    metadata = {"name": user, "namespace": namespace}
    api = {"apiVersion": f"{group}/v1", "metadata": metadata}
    await ground.create({**api, "kind": "Role", "rules": rules})
    reference = {"apiGroup": group, "kind": "Role", "name": user}
    subjects = [{"kind": "User", "name": user, "apiGroup": group}]
    await ground.create({**api, "kind": "RoleBinding", "roleRef": reference, "subjects": subjects})


def budget(name: str, namespace: str, labels: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    spec = {"minAvailable": 1, "selector": {"matchLabels": labels}}
    return {"kind": "PodDisruptionBudget", "apiVersion": "policy/v1", "metadata": metadata, "spec": spec}


_BUDGET = "/apis/policy/v1/namespaces/errors/poddisruptionbudgets"


async def _set_budget(ground: Ground, **status: Any) -> None:
    body = {"status": {"observedGeneration": 1, "desiredHealthy": 1, "expectedPods": 1, **status}}
    await ground.send("PATCH", f"{_BUDGET}/pdb/status", body, content_type=_MERGE)


@before("errors/eviction-429", 0)
async def _evicted_pod(ground: Ground) -> None:
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await ground.create(pod("ev", "errors", node="n", labels={"e": "v"}, status=ready))
    await ground.create(budget("pdb", "errors", {"e": "v"}))


@before("errors/eviction-429", 1)
async def _no_disruption_allowed(ground: Ground) -> None:
    await _set_budget(ground, disruptionsAllowed=0, currentHealthy=1)


@before("errors/eviction-429", 3)
async def _second_budget(ground: Ground) -> None:
    await ground.create(budget("pdb2", "errors", {"e": "v"}))


@before("errors/eviction-429", 4)
async def _disruption_allowed(ground: Ground) -> None:
    await ground.call("DELETE", f"{_BUDGET}/pdb2")
    await _set_budget(ground, disruptionsAllowed=1, currentHealthy=2)


@before("errors/fieldvalidation", 13)
async def _patched_object(ground: Ground) -> None:
    made = await ground.create({**config_map("fv", "errors"), "data": {"a": "b"}})
    ground.bind("<uid:7>", made["metadata"]["uid"])


@before("defaults/authorization.reviews", 0)
async def _rights_of_carol(ground: Ground) -> None:
    group = "rbac.authorization.k8s.io"
    await ground.create(
        {
            "kind": "RoleBinding",
            "apiVersion": f"{group}/v1",
            "metadata": {"name": "carol-view", "namespace": "defaults"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "system:node"},
            "subjects": [{"kind": "User", "name": "carol", "apiGroup": group}],
        }
    )


@before("defaults/subresources.binding-eviction", 0)
async def _pods_of_defaults(ground: Ground) -> None:
    await ground.replay_creates("defaults/core.nodes", "defaults/core.pods")


@before("defaults/subresources.token", 0)
async def _pods_for_tokens(ground: Ground) -> None:
    await ground.replay_creates("defaults/core.nodes", "defaults/core.pods")
    await _bind(ground, "min", "def-rich")


@before("defaults/subresources.scale-status", 0)
async def _workloads_of_defaults(ground: Ground) -> None:
    await ground.replay_creates(
        "defaults/api*", "defaults/core.*", "defaults/apps.*", "defaults/certificates.*", "defaults/example.*"
    )


async def _bind(ground: Ground, name: str, node: str) -> None:
    body = {"target": {"kind": "Node", "name": node}, "metadata": {"name": name}}
    await ground.call("POST", "/api/v1/namespaces/defaults/bindings", body)


@before("defaults/core.pods", 0)
async def _nodes_of_defaults(ground: Ground) -> None:
    await ground.replay_creates("defaults/core.nodes")


@before("defaults/subresources.scale-status", 34)
async def _evicted_before(ground: Ground) -> None:
    await _bind(ground, "min", "def-rich")
    body = {"metadata": {"name": "min"}}
    await ground.call("POST", "/api/v1/namespaces/defaults/pods/min/eviction", body)


_TOKENS = "defaults/subresources.token"


@before(_TOKENS, 1)
async def _keep_plain_token(ground: Ground) -> None:
    ground.bind("<plain token>", ground.bindings.values["<token>"])
    ground.bind("<plain token uid>", ground.bindings.values.get("<uid:2>", ""))


@before(_TOKENS, 9)
async def _review_plain_token(ground: Ground) -> None:
    ground.bind("<bound token>", ground.bindings.values.get("<first bound token>", ""))
    await _use_token(ground, "<plain token>")


@before(_TOKENS, 2)
async def _keep_bound_token(ground: Ground) -> None:
    ground.bind("<first bound token>", ground.bindings.values["<token>"])


async def _use_token(ground: Ground, name: str) -> None:
    for placeholder in ("<token>", "<service account token>"):
        ground.bind(placeholder, ground.bindings.values[name])


for _step, _name in ((13, "<bound token>"), (15, "<plain token>"), (19, "<bound token>"), (20, "<plain token>")):

    @before(_TOKENS, _step)
    async def _use(ground: Ground, name: str = _name) -> None:
        await _use_token(ground, name)


@before("list-watch/selectors", 0)
async def _selected_objects(ground: Ground) -> None:
    await ground.replay_creates(
        "defaults/api*", "defaults/core.no*", "defaults/certificates.*", "defaults/resource.resourceslices"
    )
    for name in ("def-min", "def-rich", "defaults", "defaults-quota", "err-upd", "errors", "patch"):
        await ground.namespace(name)
    await ground.create(config_map("c", "err-term"))
    await ground.call("DELETE", "/api/v1/namespaces/err-term")
    for name in ("err-upd", "patch-node"):
        await ground.create({"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}})
    running = {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}
    await ground.create(pod("s0", "lw", node="n0", labels={"a": "1", "env": "prod"}, status=running))
    await ground.create(pod("s1", "lw", node="n1", labels={"a": "2", "env": "dev"}, restartPolicy="Never"))
    await ground.create(pod("s2", "lw", labels={"a": "3"}))
    await ground.create(pod("s3", "lw", hostNetwork=True))


async def _numbered_maps(ground: Ground, namespace: str = "lw", count: int = 7) -> None:
    for number in range(count):
        labels = {"even": "false" if number % 2 else "true"}
        await ground.create(config_map(f"p{number}", namespace, labels=labels))


@before("list-watch/paging", 0)
async def _maps_to_page(ground: Ground) -> None:
    await _numbered_maps(ground)


@before("list-watch/paging", 1)
async def _changed_between_pages(ground: Ground) -> None:
    await ground.call("DELETE", "/api/v1/namespaces/lw/configmaps/p5")
    await ground.create(config_map("p55", "lw"))


@before("list-watch/watch", 0)
async def _maps_to_watch(ground: Ground) -> None:
    for number in (0, 1, 2, 3, 4, 6):
        labels = {"even": "false" if number % 2 else "true"}
        made = await ground.create(config_map(f"p{number}", "lw", labels=labels))
        ground.bind(f"<rv:{min(number + 1, 6)}>", made["metadata"]["resourceVersion"])
    await ground.create(config_map("p55", "lw"))
    ground.bind("<rv:7>", ground.revision)


async def _watched_changes(ground: Ground) -> None:
    path = "/api/v1/namespaces/lw/configmaps"

    async def patch(**body: Any) -> None:
        await ground.send("PATCH", f"{path}/wa", body, content_type=_MERGE)

    await ground.create(config_map("wa", "lw", labels={"w": "1"}))
    await patch(data={"x": "1"})
    await patch(metadata={"labels": {"w": "2"}})
    await patch(data={"x": "2"})
    await patch(metadata={"labels": {"w": "1"}})
    await patch(metadata={"labels": None})
    await patch(metadata={"labels": {"w": "3"}})
    await ground.create(config_map("wb", "lw"))
    await patch(metadata={"finalizers": ["a.b/c"]})
    await ground.call("DELETE", f"{path}/wa")
    await patch(metadata={"finalizers": None})
    await ground.call("DELETE", f"{path}/wb")


DURING["list-watch/watch"] = _watched_changes


@before("list-watch/watch-expired", 0)
async def _compacted(ground: Ground) -> None:
    for number in (0, 1, 2, 3, 4, 6):
        await ground.create(config_map(f"p{number}", "lw", labels={"even": "false" if number % 2 else "true"}))
    await ground.store.compact(ground.revision)
    await ground.create(config_map("p55", "lw"))
    ground.bind("<rv:10>", ground.revision)


@before("list-watch/watch-expired", 4)
async def _second_page_token(ground: Ground) -> None:
    answer = await ground.call("GET", "/api/v1/namespaces/lw/configmaps?limit=2")
    ground.bind("<continue>", answer["metadata"]["continue"])


def _token(**fields: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


async def _compacted_and_token(ground: Ground) -> None:
    await ground.namespace("lw-exp")
    for number in range(5):
        await ground.create(config_map(f"p{number}", "lw-exp"))
    await ground.store.compact(ground.revision)
    await ground.create(config_map("z", "lw"))


def _tokens_of_notes() -> None:
    """The continue tokens are described by the steps' notes: `token decodes to {...}`."""
    for step in range(8):

        @before("list-watch/continue-expired", step)
        async def use(ground: Ground, step: int = step) -> None:
            if step == 0:
                await _compacted_and_token(ground)
            if step == 1:
                return
            fields = json.loads(ground.steps[step].note.split("token decodes to ")[1])
            if fields["rv"] == "<number>":
                fields["rv"] = ground.revision
            ground.bind("<continue>", _token(**fields))


_tokens_of_notes()


_APPROVED = {"type": "Approved", "status": "True", "reason": "ok", "message": "m"}
_EXAMPLE = {"apiVersion": "example.com/v1"}
_PATCHED_NODE = {
    "kind": "Node",
    "apiVersion": "v1",
    "metadata": {"name": "patch-node"},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "192.0.2.5"}],
    },
}


@before("list-watch/tables", 0)
async def _objects_in_tables(ground: Ground) -> None:
    await ground.replay_creates("defaults/*", "errors/*", "patch/*")
    for name in ("lw", "patch"):
        await ground.namespace(name)
    if not await ground.exists("/api/v1/nodes/patch-node"):
        await ground.create(_PATCHED_NODE)
    approval = "/apis/certificates.k8s.io/v1/certificatesigningrequests/rich/approval"
    await ground.send("PATCH", approval, {"status": {"conditions": [_APPROVED]}}, content_type=_MERGE)
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "capacity": {"cpu": "2"}, "allocatable": {"cpu": "2"}}
    await ground.send("PATCH", "/api/v1/nodes/def-min/status", {"status": ready}, content_type=_MERGE)
    await ground.create(config_map("c", "err-term"))
    await ground.call("DELETE", "/api/v1/namespaces/err-term")
    example = "/apis/example.com/v1"
    for name in ("g", "tg"):
        await ground.call("POST", f"{example}/gadgets", {**_EXAMPLE, "kind": "Gadget", "metadata": {"name": name}})
    for obj in tables():
        await ground.create(obj)
    widget = {**_EXAMPLE, "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}}
    made = await ground.call("POST", f"{example}/namespaces/tables/widgets", widget)
    await ground.send("PUT", f"{example}/namespaces/tables/widgets/w/status", {**made, "status": {"phase": "Up"}})
    await ground.call("DELETE", "/api/v1/namespaces/tables/pods/terminating")
    await ground.create(capacity())


def _with_widgets() -> None:
    """The scenarios that speak of the custom resources defined in `defaults/apiextensions.*`."""
    scenarios = ("errors/custom-resource", "errors/auth", "errors/fieldvalidation", "patch/apply-custom", *COMPLETE)
    for scenario in (*scenarios, "defaults/example.gadgets", "defaults/example.widgets"):
        others = BEFORE.get((scenario, 0))

        @before(scenario)
        async def prepare(ground: Ground, others: Prepare | None = others) -> None:
            await ground.replay_creates("defaults/apiextensions.*")
            if others is not None:
                await others(ground)


_with_widgets()


@before("patch/managed-fields", 10)
async def _many_managers(ground: Ground) -> None:
    path = "/apis/apps/v1/namespaces/patch/deployments/mf?fieldManager=m"
    for number in range(12):
        body = {"metadata": {"annotations": {f"k{number}": "v"}}}
        await ground.send("PATCH", f"{path}{number}", body, content_type="application/merge-patch+json")


_DELETED = "/api/v1/namespaces/del/configmaps"


@before("delete/basic-preconditions-finalizers", 3)
async def _object_with_preconditions(ground: Ground) -> None:
    made = await ground.create(config_map("b", "del"))
    ground.bind("<uid:3>", made["metadata"]["uid"])
    ground.bind("<rv:1>", made["metadata"]["resourceVersion"])


@before("delete/basic-preconditions-finalizers", 25)
async def _objects_to_delete_together(ground: Ground) -> None:
    for number in range(4):
        finalizers = {} if number else {"finalizers": ["a.b/c"]}
        await ground.create(config_map(f"c{number}", "del", labels={"x": str(number % 2)}, **finalizers))


@before("delete/basic-preconditions-finalizers", 29)
async def _collected_meanwhile(ground: Ground) -> None:
    for name in ("h", "o", "p"):
        await ground.send("PATCH", f"{_DELETED}/{name}", {"metadata": {"finalizers": None}}, content_type=_MERGE)
    # What every namespace has.
    await ground.create(config_map("kube-root-ca.crt", "del"))


@before("delete/pods", 0)
async def _begin_of_the_watch(ground: Ground) -> None:
    await ground.namespace("del-pods")
    ground.bind("<rv:1>", ground.revision)


@before("delete/pods", 18)
async def _finalizer_gone(ground: Ground) -> None:
    path = "/api/v1/namespaces/del-pods/pods/fin"
    await ground.send("PATCH", path, {"metadata": {"finalizers": None}}, content_type=_MERGE)


@before("delete/namespace", 0)
async def _namespace_with_content(ground: Ground) -> None:
    await ground.create(config_map("stuck", "del-ns", finalizers=["a.b/c"]))
    ground.bind("<rv:2>", ground.revision)


@before("delete/namespace", 5)
async def _namespace_controller(ground: Ground) -> None:
    # Managers are listed in the order of their times.
    await ground.settle(1)
    ground.start_controllers()
    await ground.settle(5)


@before("delete/namespace", 8)
async def _content_gone(ground: Ground) -> None:
    path = "/api/v1/namespaces/del-ns/configmaps/stuck"
    await ground.send("PATCH", path, {"metadata": {"finalizers": None}}, content_type=_MERGE)
    await ground.settle(30)


_CONTROLLERS = "kube-controller-manager/v1"


@before("admission/noderestriction", 0)
async def _nodes_and_pods(ground: Ground) -> None:
    await ground.namespace("adm-node")
    await ground.call("POST", "/api/v1/nodes", {"metadata": {"name": "node-2"}})
    shown = ground.steps[24].response["body"]
    root = {"metadata": {key: shown["metadata"][key] for key in ("name", "annotations")}, "data": {"ca.crt": "x"}}
    path = "/api/v1/namespaces/adm-node"
    await ground.send("POST", f"{path}/configmaps", root, user_agent=_CONTROLLERS)


@before("admission/noderestriction", 3)
async def _ttl_controller(ground: Ground) -> None:
    body = {"metadata": {"annotations": {"node.alpha.kubernetes.io/ttl": "0"}}}
    strategic = "application/strategic-merge-patch+json"
    await ground.send("PATCH", "/api/v1/nodes/node-1", body, user_agent=_CONTROLLERS, content_type=strategic)


@before("admission/noderestriction", 14)
async def _pods_on_nodes(ground: Ground) -> None:
    for name, node, secret in (("mine", "node-1", "s1"), ("theirs", "node-2", "s2")):
        secret_of = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": secret, "namespace": "adm-node"}}
        await ground.create(secret_of)
        volumes = [{"name": "s", "secret": {"secretName": secret}}]
        await ground.create(pod(name, "adm-node", node=node, volumes=volumes))


_SECURITY = {
    "ps-baseline": {"enforce": "baseline"},
    "ps-restricted": {"enforce": "restricted"},
    "ps-warn": {"warn": "restricted", "warn-version": "v1.25", "audit": "baseline"},
}


@before("admission/podsecurity", 0)
async def _secured_namespaces(ground: Ground) -> None:
    for name, levels in _SECURITY.items():
        labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
        body = {"metadata": {"name": name, "labels": labels}}
        await ground.call("POST", "/api/v1/namespaces", body)
        await ground.namespace(name)


@before("admission/resourcequota", 0)
async def _root_certificate(ground: Ground) -> None:
    for name in ("adm-rq", "adm-rq2"):
        await ground.create(config_map("kube-root-ca.crt", name))


@before("admission/misc", 2)
async def _signed_request(ground: Ground) -> None:
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/m/status"
    body = {"status": {"certificate": _CERTIFICATE}}
    await ground.send("PATCH", path, body, user_agent=_CONTROLLERS, content_type=_MERGE)


_CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n").decode()


_ADMISSION = "admission/serviceaccount-priority-tolerations"


@before(_ADMISSION, 20)
async def _default_class_gone(ground: Ground) -> None:
    await ground.call("DELETE", "/apis/scheduling.k8s.io/v1/priorityclasses/dflt")


@before(_ADMISSION, 32)
async def _a_second_later(ground: Ground) -> None:
    await ground.settle(1)


@before(_ADMISSION, 36)
async def _claim_bound(ground: Ground) -> None:
    path = "/api/v1/namespaces/adm-misc/persistentvolumeclaims/def"
    await ground.send("PATCH", f"{path}/status", {"status": {"phase": "Bound"}}, content_type=_MERGE)


@before("discovery/aggregated", 2)
async def _current_tag(ground: Ground) -> None:
    step = ground.steps[2]
    response = await ground.send("GET", step.request["path"], accept=step.request["headers"]["Accept"])
    step.request["headers"]["If-None-Match"] = response.headers["etag"]


@before("openapi/v3-index", 3)
async def _right_hash(ground: Ground) -> None:
    index = await ground.call("GET", "/openapi/v3")
    url = index["paths"]["api/v1"]["serverRelativeURL"]
    ground.bind("<hash>", url.partition("hash=")[2])


async def _replicas(ground: Ground, name: str, *revisions: int) -> None:
    """A replica set whose controller has made its two pods; binds the revision after that."""
    if not ground.has_controllers:
        ground.start_controllers()
    template = {"metadata": {"labels": {"n": name}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"n": name}}, "template": template}
    metadata = {"name": name, "namespace": "del-prop"}
    await ground.create({"kind": "ReplicaSet", "apiVersion": "apps/v1", "metadata": metadata, "spec": spec})
    await ground.settle(5)
    for revision in revisions:
        ground.bind(f"<rv:{revision}>", ground.revision)


for _step, _policy, _revisions in (
    (0, "background", (1, 2)),
    (5, "foreground", (9,)),
    (10, "orphan", (21, 22)),
    (15, "default", (30,)),
):

    @before("delete/propagation", _step)
    async def _with_replicas(ground: Ground, name: str = _policy, revisions: tuple[int, ...] = _revisions) -> None:
        await ground.namespace("del-prop")
        await _replicas(ground, name, *revisions)


@before("delete/propagation", 21)
async def _owner_and_dependent(ground: Ground) -> None:
    owner = await ground.create(config_map("owner", "del-prop"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    blocking = [{**reference, "blockOwnerDeletion": True}]
    await ground.create(config_map("dep", "del-prop", ownerReferences=blocking))
    ground.bind("<uid:13>", owner["metadata"]["uid"])
    await ground.settle()


@before("delete/propagation", 22)
async def _owner_collected(ground: Ground) -> None:
    await ground.settle(5)
