"""Quotas hold exactly, whoever writes at the same time, and tell at once what is used."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.apiserver.conftest import Caller

QUOTAS = "/api/v1/namespaces/default/resourcequotas"
PODS = "/api/v1/namespaces/default/pods"


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


@pytest.fixture
async def call(api) -> Caller:
    return Caller(api)


async def limit(call: Caller, hard: dict[str, str], name: str = "q", **spec: Any) -> None:
    """Makes a quota and counts, as the controller would, that nothing is used."""
    status, _ = await call("POST", QUOTAS, {"metadata": {"name": name}, "spec": {"hard": hard, **spec}})
    assert status == 201
    await tell(call, hard, dict.fromkeys(hard, "0"), name)


async def tell(call: Caller, hard: dict[str, str], used: dict[str, str], name: str = "q") -> None:
    change = {"status": {"hard": hard, "used": used}}
    merge = "application/merge-patch+json"
    status, _ = await call("PATCH", f"{QUOTAS}/{name}/status?fieldManager=counter", change, content_type=merge)
    assert status == 200


async def used(call: Caller, name: str = "q") -> dict[str, str]:
    return (await call("GET", f"{QUOTAS}/{name}"))[1]["status"]["used"]


async def test_of_many_at_once_as_many_are_let_in_as_the_quota_allows(call):
    await limit(call, {"pods": "7", "count/pods": "50"})
    answers = await asyncio.gather(*(call("POST", PODS, pod(f"p{number}")) for number in range(20)))
    assert sorted(status for status, _ in answers) == [201] * 7 + [403] * 13
    assert await used(call) == {"pods": "7", "count/pods": "7"}
    managers = (await call("GET", f"{QUOTAS}/q"))[1]["metadata"]["managedFields"]
    assert [(entry["manager"], entry.get("subresource")) for entry in managers if entry["manager"][0] == "k"] == [
        ("kube-apiserver", "status")
    ]


async def test_a_count_that_came_too_late_lets_nobody_in(call):
    hard = {"pods": "2"}
    await limit(call, hard)
    for name in ("a", "b"):
        await call("POST", PODS, pod(name))
    await tell(call, hard, {"pods": "0"})
    status, answer = await call("POST", PODS, pod("c"))
    assert (status, answer["message"]) == (
        403,
        'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
    )


async def test_a_quota_that_nobody_has_counted_yet_holds_too(call):
    await call("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}})
    assert [(await call("POST", PODS, pod(name)))[0] for name in "ab"] == [201, 403]
    await tell(call, {"pods": "9"}, {})
    assert (await call("POST", PODS, pod("c")))[1]["message"].endswith("status unknown for quota: q, resources: pods")


async def test_trying_uses_nothing_and_deleting_waits_for_the_count(call):
    hard = {"pods": "1", "resourcequotas": "3"}
    await limit(call, hard)
    assert (await call("POST", f"{PODS}?dryRun=All", pod("a")))[0] == 201
    assert await used(call) == {"pods": "0", "resourcequotas": "0"}
    await call("POST", PODS, pod("a"))
    await call("DELETE", f"{PODS}/a?gracePeriodSeconds=0")
    assert (await call("POST", PODS, pod("b")))[0] == 403
    await tell(call, hard, {"pods": "0"})
    assert (await call("POST", PODS, pod("b")))[0] == 201
    assert (await call("POST", QUOTAS, {"metadata": {"name": "r"}, "spec": {"hard": {"pods": "1"}}}))[0] == 201
    assert (await used(call))["resourcequotas"] == "2"


async def test_a_pod_that_gets_a_deadline_counts_for_other_quotas(call):
    await limit(call, {"pods": "5"}, "open", scopes=["NotTerminating"])
    await limit(call, {"pods": "0"}, "ending", scopes=["Terminating"])
    await call("POST", PODS, pod("a"))
    merge = "application/merge-patch+json"
    change = {"spec": {"activeDeadlineSeconds": 60}}
    status, answer = await call("PATCH", f"{PODS}/a", change, content_type=merge)
    assert (status, "exceeded quota: ending" in answer["message"]) == (403, True)
    assert await used(call, "open") == {"pods": "1"}


async def test_a_pod_that_grows_in_place_must_fit(call):
    await limit(call, {"requests.cpu": "1"})
    resources = {"requests": {"cpu": "600m"}}
    container = {"name": "c", "image": "i", "resources": resources}
    assert (await call("POST", PODS, pod("a", containers=[container])))[0] == 201
    change = {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1100m"}}}]}}
    strategic = "application/strategic-merge-patch+json"
    status, answer = await call("PATCH", f"{PODS}/a/resize", change, content_type=strategic)
    assert (status, answer["message"]) == (
        403,
        'pods "a" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, '
        "limited: requests.cpu=1",
    )


async def test_what_a_pod_says_as_a_whole_is_enough(call):
    await limit(call, {"requests.cpu": "1", "requests.ephemeral-storage": "1Gi"})
    status, answer = await call("POST", PODS, pod("a"))
    assert (status, answer["message"]) == (
        403,
        'pods "a" is forbidden: failed quota: q: must specify requests.cpu for: c',
    )
    assert (await call("POST", PODS, pod("a", resources={"requests": {"cpu": "400m"}})))[0] == 201
    assert (await used(call))["requests.cpu"] == "400m"


async def test_many_objects_are_counted_with_pauses_and_none_is_missed(call):
    maps = "/api/v1/namespaces/default/configmaps"
    for number in range(250):
        await call("POST", maps, {"metadata": {"name": f"m{number}"}})
    hard = {"count/configmaps": "252"}
    await limit(call, hard)
    names = [f"n{number}" for number in range(5)]
    answers = await asyncio.gather(
        *(call("POST", maps, {"metadata": {"name": name}}) for name in names), call("DELETE", f"{maps}/m0")
    )
    assert sorted(status for status, _ in answers) == [200, 201, 201, 403, 403, 403]
    assert await used(call) == {"count/configmaps": "252"}
