"""The set-up of `errors/`: who has which rights, and what is evicted."""

from __future__ import annotations

from typing import Any

from tests.oracle.ground import Ground
from tests.oracle.setup.preparing import MERGE, before, config_map, pod


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
    await ground.send("PATCH", f"{_BUDGET}/pdb/status", body, content_type=MERGE)


@before("errors/eviction-429", 0)
async def _evicted_pod(ground: Ground) -> None:
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await ground.create(pod("ev", "errors", node="n", labels={"e": "v"}, status=ready))
    await ground.create(budget("pdb", "errors", {"e": "v"}))


@before("errors/eviction-429", 1)
async def _no_disruption_allowed(ground: Ground) -> None:
    # Managers are listed in the order of their times.
    await ground.settle(1)
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
