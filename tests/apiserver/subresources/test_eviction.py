"""Evictions: which pods may go though a budget is in the way, and what is said of those that may not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apiserver.conftest import Caller

PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
MESSAGE = "Cannot evict pod as it would violate the pod's disruption budget."


async def guarded(call: Caller, *, ready: bool, spec: dict[str, Any], **budget: Any) -> str:
    """A running pod under a budget of that status; answers the pod's resourceVersion."""
    labels = {"app": "web"}
    containers = [{"name": "c", "image": "nginx"}]
    body = {"metadata": {"name": "web", "labels": labels}, "spec": {"nodeName": "n", "containers": containers}}
    _, pod = await call("POST", PODS, body)
    pod["status"]["phase"] = "Running"
    pod["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]
    _, pod = await call("PUT", f"{PODS}/web/status", pod)
    body = {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}, **spec}}
    _, made = await call("POST", BUDGETS, body)
    made["status"] = {"observedGeneration": 1, "expectedPods": 1, **budget}
    assert (await call("PUT", f"{BUDGETS}/b/status", made))[0] == 200
    version: str = pod["metadata"]["resourceVersion"]
    return version


async def evict(call: Caller, **options: Any) -> tuple[int, Any]:
    return await call("POST", f"{PODS}/web/eviction", {"metadata": {"name": "web"}, "deleteOptions": options})


NONE = {"currentHealthy": 0, "desiredHealthy": 1, "disruptionsAllowed": 0}
ENOUGH = {"currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0}


@pytest.mark.parametrize(
    ("ready", "policy", "budget", "code"),
    [
        (True, None, ENOUGH, 429),
        (False, None, ENOUGH, 201),
        (False, "IfHealthyBudget", NONE, 429),
        (False, "AlwaysAllow", NONE, 201),
        (True, "AlwaysAllow", NONE, 429),
    ],
)
async def test_a_pod_that_is_not_ready_needs_no_disruption_where_nobody_loses_by_it(
    call: Caller, ready: bool, policy: str | None, budget: dict[str, int], code: int
) -> None:
    await guarded(call, ready=ready, spec={"unhealthyPodEvictionPolicy": policy} if policy else {}, **budget)
    assert (await evict(call))[0] == code
    _, after = await call("GET", f"{BUDGETS}/b")
    assert "disruptedPods" not in after["status"]


@pytest.mark.parametrize(
    ("condition", "healthy", "why"),
    [
        (None, 1, "The disruption budget b needs 1 healthy pods and has 1 currently"),
        ("SyncFailed", 0, "The disruption budget b does not allow evicting pods currently because it failed sync: no"),
        ("Other", 2, "The disruption budget b does not allow evicting pods currently (Other): no"),
        (None, 2, "The disruption budget b does not allow evicting pods currently"),
    ],
)
async def test_who_may_not_evict_is_told_why(call: Caller, condition: str | None, healthy: int, why: str) -> None:
    allowed = {"type": "DisruptionAllowed", "status": "False", "reason": condition, "message": "no"}
    conditions = [{**allowed, "lastTransitionTime": "2030-01-01T00:00:00Z"}] if condition else []
    numbers = {"currentHealthy": healthy, "desiredHealthy": 1, "disruptionsAllowed": 0}
    await guarded(call, ready=True, spec={}, conditions=conditions, **numbers)
    code, status = await evict(call)
    assert (code, status["message"]) == (429, MESSAGE)
    assert status["details"]["causes"] == [{"reason": "DisruptionBudget", "message": why}]


async def test_a_disruption_is_spent_once(call: Caller) -> None:
    await guarded(call, ready=True, spec={}, currentHealthy=2, desiredHealthy=1, disruptionsAllowed=1)
    assert (await evict(call))[0] == 201
    _, budget = await call("GET", f"{BUDGETS}/b")
    assert budget["status"]["disruptionsAllowed"] == 0
    assert list(budget["status"]["disruptedPods"]) == ["web"]
    _, pod = await call("GET", f"{PODS}/web")
    assert pod["status"]["conditions"][-1]["reason"] == "EvictionByEvictionAPI"
    # It goes already, and so takes nothing from the budget.
    assert (await evict(call))[0] == 201


async def test_only_the_pod_that_is_meant_is_evicted(call: Caller) -> None:
    version = await guarded(call, ready=True, spec={}, currentHealthy=2, desiredHealthy=1, disruptionsAllowed=2)
    code, status = await evict(call, preconditions={"resourceVersion": "1"})
    assert (code, status["reason"]) == (409, "Conflict")
    assert (await evict(call, preconditions={"resourceVersion": version}, gracePeriodSeconds=0))[0] == 201
    assert (await call("GET", f"{PODS}/web"))[0] == 404


async def test_nothing_is_evicted_from_a_namespace_that_goes(call: Caller) -> None:
    assert (await call("POST", "/api/v1/namespaces", {"metadata": {"name": "away"}}))[0] == 201
    away = "/api/v1/namespaces/away"
    await call("POST", f"{away}/serviceaccounts", {"metadata": {"name": "default"}})
    spec = {"containers": [{"name": "c", "image": "i"}]}
    assert (await call("POST", f"{away}/pods", {"metadata": {"name": "web"}, "spec": spec}))[0] == 201
    assert (await call("DELETE", away))[0] == 200
    code, status = await call("POST", f"{away}/pods/web/eviction", {"metadata": {"name": "web"}})
    assert (code, status["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    assert (await call("DELETE", f"{away}/pods/web"))[0] == 200


async def test_a_trial_changes_nothing(call: Caller) -> None:
    version = await guarded(call, ready=True, spec={}, currentHealthy=2, desiredHealthy=1, disruptionsAllowed=1)
    assert (await evict(call, dryRun=["All"]))[0] == 201
    assert (await call("GET", f"{PODS}/web"))[1]["metadata"]["resourceVersion"] == version
    assert (await call("GET", f"{BUDGETS}/b"))[1]["status"]["disruptionsAllowed"] == 1
