"""The one word that sums up a pod."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Pod
from pybernetes.apiserver.printing.pods import pod_conditions, pod_row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = {"type": "Ready", "status": "True"}
RUNNING = {"running": {"startedAt": "2025-12-31T23:00:00Z"}}


def pod(
    status: dict[str, Any], *, init: list[dict[str, Any]] | None = None, count: int = 1, deleted: bool = False
) -> Pod:
    metadata = {"name": "p", "creationTimestamp": "2025-12-31T23:59:50Z"}
    if deleted:
        metadata["deletionTimestamp"] = "2025-12-31T23:59:55Z"
    containers = [{"name": f"c{index}", "image": "i"} for index in range(count)]
    document = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": {"containers": containers, "initContainers": init or []},
        "status": status,
    }
    return from_builtins(document, Pod)


def container(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "c0", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state, **more}


def terminated(**more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": 0, **more}}


def cells(made: Pod) -> list[Any]:
    return pod_row(made, NOW)


@pytest.mark.parametrize(
    ("status", "ready", "word"),
    [
        ({"phase": "Pending"}, "0/1", "Pending"),
        ({"phase": "Running", "containerStatuses": [container(RUNNING, ready=True)]}, "1/1", "Running"),
        (
            {"phase": "Running", "containerStatuses": [container({"waiting": {"reason": "CrashLoopBackOff"}})]},
            "0/1",
            "CrashLoopBackOff",
        ),
        (
            {"phase": "Succeeded", "containerStatuses": [container(terminated(reason="Completed"))]},
            "0/1",
            "Completed",
        ),
        ({"phase": "Failed", "containerStatuses": [container(terminated(exitCode=7))]}, "0/1", "ExitCode:7"),
        ({"phase": "Failed", "containerStatuses": [container(terminated(exitCode=137, signal=9))]}, "0/1", "Signal:9"),
        ({"phase": "Failed", "reason": "Evicted"}, "0/1", "Evicted"),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            },
            "0/1",
            "SchedulingGated",
        ),
    ],
)
def test_the_status_of_plain_pods(status: dict[str, Any], ready: str, word: str) -> None:
    assert cells(pod(status))[1:3] == [ready, word]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"waiting": {"reason": "PodInitializing"}}, "Init:0/2"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, "Init:ImagePullBackOff"),
        (terminated(exitCode=3), "Init:ExitCode:3"),
        (terminated(exitCode=1, signal=11), "Init:Signal:11"),
        (terminated(exitCode=1, reason="Error"), "Init:Error"),
    ],
)
def test_the_first_init_container_that_is_not_done_gives_the_word(state: dict[str, Any], word: str) -> None:
    init = [{"name": "i0", "image": "i"}, {"name": "i1", "image": "i"}]
    status = {"phase": "Pending", "initContainerStatuses": [container(state, name="i0")]}
    assert cells(pod(status, init=init))[2] == word


def test_sidecars_count_as_containers() -> None:
    init = [{"name": "side", "image": "i", "restartPolicy": "Always"}]
    side = container(RUNNING, name="side", started=True, ready=True, restartCount=1)
    status = {
        "phase": "Running",
        "initContainerStatuses": [side],
        "containerStatuses": [container(RUNNING, ready=True, restartCount=2)],
    }
    row = cells(pod(status, init=init))
    assert row[1:4] == ["2/2", "Running", "3"]


def test_restarts_say_when_the_last_one_was() -> None:
    ended = {"terminated": {"exitCode": 1, "finishedAt": "2025-12-31T23:59:55Z"}}
    status = {
        "phase": "Running",
        "containerStatuses": [container(RUNNING, ready=True, restartCount=1, lastState=ended)],
    }
    assert cells(pod(status))[3] == "1 (5s ago)"


def test_a_pod_with_one_completed_and_one_running_container_is_running_when_ready() -> None:
    statuses = [container(terminated(reason="Completed")), container(RUNNING, name="c1", ready=True)]
    running = {"phase": "Running", "containerStatuses": statuses}
    assert cells(pod({**running, "conditions": [READY]}, count=2))[1:3] == ["1/2", "Running"]
    assert cells(pod(running, count=2))[2] == "NotReady"


def test_deletion_shows_unless_the_pod_is_over_or_its_node_lost() -> None:
    assert cells(pod({"phase": "Running"}, deleted=True))[2] == "Terminating"
    assert cells(pod({"phase": "Succeeded"}, deleted=True))[2] == "Succeeded"
    assert cells(pod({"phase": "Running", "reason": "NodeLost"}, deleted=True))[2] == "Unknown"


def test_wide_cells_and_the_row_s_conditions() -> None:
    made = pod({"phase": "Succeeded", "podIPs": [{"ip": "10.0.0.1"}], "nominatedNodeName": "n2"})
    assert cells(made)[4:] == ["10s", "10.0.0.1", "<none>", "n2", "<none>"]
    assert pod_conditions(made)[0]["reason"] == "Succeeded"
    assert pod_conditions(pod({"phase": "Running"})) == []


def test_sidecars_behind_one_that_fails_are_not_counted() -> None:
    def sidecar(name: str, state: dict[str, Any], restarts: int, **more: Any) -> dict[str, Any]:
        return {**container(state, **more), "name": name, "restartCount": restarts}

    init = [{"name": name, "image": "i", "restartPolicy": "Always"} for name in ("a", "b", "c")]
    status = {
        "phase": "Running",
        "conditions": [{"type": "Initialized", "status": "True"}],
        "initContainerStatuses": [
            sidecar("a", RUNNING, 1, ready=True, started=True),
            sidecar("b", terminated(exitCode=1), 2),
            sidecar("c", RUNNING, 4, ready=True, started=True),
        ],
        "containerStatuses": [container(RUNNING, ready=True)],
    }
    assert cells(pod(status, init=init))[1:4] == ["2/4", "Init:ExitCode:1", "3"]
