"""What a DELETE does to objects whose deletion has begun, and which finalizers it leaves them with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pybernetes.api.types.core_v1 import ConfigMap
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta
from pybernetes.apiserver.deletion import wanted_finalizers
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.store.contract import KeyValue
from pybernetes.store.embedded import EmbeddedStore
from tests.apiserver.conftest import Caller

_PODS = "/api/v1/namespaces/default/pods"
_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"


@pytest.mark.parametrize(
    ("before", "options", "kind", "after"),
    [
        (["x"], DeleteOptions(), Strategy(), ["x"]),
        (["x"], DeleteOptions(), Strategy(orphans=True), ["x", _ORPHAN]),
        (["x", _FOREGROUND], DeleteOptions(), Strategy(orphans=True), ["x", _FOREGROUND]),
        ([_FOREGROUND, "x"], DeleteOptions(propagation_policy="Foreground"), Strategy(), [_FOREGROUND, "x"]),
        ([_FOREGROUND, "x"], DeleteOptions(propagation_policy="Orphan"), Strategy(), ["x", _ORPHAN]),
        (["x", _ORPHAN], DeleteOptions(propagation_policy="Background"), Strategy(orphans=True), ["x"]),
        ([], DeleteOptions(orphan_dependents=True), Strategy(), [_ORPHAN]),
        ([_ORPHAN], DeleteOptions(orphan_dependents=False), Strategy(), []),
        ([], DeleteOptions(propagation_policy="Foreground"), Strategy(has_dependents=False), []),
    ],
)
def test_finalizers_follow_the_propagation_policy(
    before: list[str], options: DeleteOptions, kind: Strategy, after: list[str]
) -> None:
    assert wanted_finalizers(ConfigMap(metadata=ObjectMeta(finalizers=before)), options, kind) == after


async def _terminating(call: Caller, grace: int, **metadata: Any) -> dict[str, Any]:
    """A pod of a node that has been told to end within `grace` seconds."""
    pod = {
        "metadata": {"name": "p", **metadata},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "nginx"}]},
    }
    code, created = await call("POST", _PODS, pod)
    assert code == 201, created
    code, marked = await call("DELETE", f"{_PODS}/p", {"gracePeriodSeconds": grace})
    assert (code, marked["metadata"]["deletionGracePeriodSeconds"]) == (200, grace)
    return dict(marked)


@pytest.mark.parametrize(
    "options",
    [None, {"gracePeriodSeconds": 60}, {"gracePeriodSeconds": 100}, {"propagationPolicy": "Foreground"}],
)
async def test_a_deletion_under_way_is_not_prolonged(call: Caller, options: dict[str, Any] | None) -> None:
    marked = await _terminating(call, 60)
    assert await call("DELETE", f"{_PODS}/p", options) == (200, marked)


async def test_a_pod_that_has_ended_meanwhile_keeps_its_time(call: Caller) -> None:
    marked = await _terminating(call, 60)
    marked["status"]["phase"] = "Succeeded"
    code, ended = await call("PUT", f"{_PODS}/p/status", marked)
    assert code == 200
    assert await call("DELETE", f"{_PODS}/p") == (200, ended)


async def test_a_deletion_is_hastened_from_its_beginning(call: Caller) -> None:
    marked = await _terminating(call, 60)
    code, hastened = await call("DELETE", f"{_PODS}/p", {"gracePeriodSeconds": 10})
    assert (code, hastened["metadata"]["deletionGracePeriodSeconds"]) == (200, 10)
    due = [datetime.fromisoformat(pod["metadata"]["deletionTimestamp"]) for pod in (marked, hastened)]
    assert due[0] - due[1] == timedelta(seconds=50)
    assert hastened["metadata"]["generation"] == marked["metadata"]["generation"]
    code, _last = await call("DELETE", f"{_PODS}/p", {"gracePeriodSeconds": 0})
    assert code == 200
    assert (await call("GET", f"{_PODS}/p"))[0] == 404


async def test_finalizers_change_only_before_the_time_runs(call: Caller) -> None:
    marked = await _terminating(call, 60, finalizers=["example.com/x"])
    assert await call("DELETE", f"{_PODS}/p", {"propagationPolicy": "Orphan"}) == (200, marked)
    code, forced = await call("DELETE", f"{_PODS}/p", {"gracePeriodSeconds": 0, "propagationPolicy": "Orphan"})
    assert (code, forced["metadata"]["finalizers"]) == (200, ["example.com/x", _ORPHAN])


async def test_events_have_no_dependents_to_wait_for(call: Caller) -> None:
    events = "/api/v1/namespaces/default/events"
    event = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"}}
    assert (await call("POST", events, event))[0] == 201
    assert (await call("DELETE", f"{events}/e", {"propagationPolicy": "Foreground"}))[0] == 200
    assert (await call("GET", f"{events}/e"))[0] == 404


@pytest.mark.parametrize(
    ("finalizers", "options", "code"),
    [
        ([], {"orphanDependents": False}, 200),
        (["example.com/x"], None, 200),
        (["example.com/x"], {"propagationPolicy": "Foreground"}, 200),
        (["example.com/x"], {"orphanDependents": True}, 200),
        (["example.com/x"], {"orphanDependents": False}, 202),
    ],
)
async def test_some_are_told_that_a_deletion_waits(
    call: Caller, finalizers: list[str], options: dict[str, Any] | None, code: int
) -> None:
    maps = "/api/v1/namespaces/default/configmaps"
    assert (await call("POST", maps, {"metadata": {"name": "m", "finalizers": finalizers}}))[0] == 201
    assert (await call("DELETE", f"{maps}/m", options))[0] == code


async def test_a_pod_that_someone_else_removes_once_it_is_marked_has_been_deleted(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = EmbeddedStore.delete

    async def overtaken(store: EmbeddedStore, key: str, expected: int | None = None) -> KeyValue:
        await real(store, key)
        return await real(store, key, expected)

    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    assert (await call("POST", _PODS, pod))[0] == 201
    monkeypatch.setattr(EmbeddedStore, "delete", overtaken)
    code, last = await call("DELETE", f"{_PODS}/p", {"gracePeriodSeconds": 0})
    assert (code, last["metadata"]["deletionGracePeriodSeconds"]) == (200, 0)
    assert (await call("GET", f"{_PODS}/p"))[0] == 404
