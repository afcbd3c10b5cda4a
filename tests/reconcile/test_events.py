"""Events as they stand in the API server afterwards; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.environment.clock import LoopClock
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.reconcile import EventRecorder

POD = Pod(metadata=ObjectMeta(name="web", namespace="shop", uid="u1", resource_version="7"))


def recording(api: Any, scenario: Callable[[EventRecorder], Awaitable[None]]) -> list[dict[str, Any]]:
    """Runs a scenario beside a recorder; the events that are there at its end."""

    async def main() -> None:
        recorder = EventRecorder(api.client, LoopClock(datetime(2026, 1, 1, tzinfo=UTC)), "kubelet", "n1")
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(recorder.run())
            await scenario(recorder)
            await asyncio.sleep(200)
            running.cancel()

    run_virtual(main())
    return [obj for path, obj in api.objects.items() if "/events/" in path]


def test_an_event_says_what_happened_to_whom(api: Any) -> None:
    async def scenario(recorder: EventRecorder) -> None:
        recorder.event(POD, "Normal", "Pulled", "image present", "spec.containers{nginx}")

    (event,) = recording(api, scenario)
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "shop",
        "name": "web",
        "uid": "u1",
        "resourceVersion": "7",
        "fieldPath": "spec.containers{nginx}",
    }
    assert (event["type"], event["reason"], event["message"]) == ("Normal", "Pulled", "image present")
    assert event["source"] == {"component": "kubelet", "host": "n1"}
    assert (event["reportingComponent"], event["reportingInstance"]) == ("kubelet", "n1")
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-01-01T00:00:00Z"
    assert event["count"] == 1
    assert event["metadata"]["namespace"] == "shop"


def test_what_has_no_namespace_is_told_in_default(api: Any) -> None:
    async def scenario(recorder: EventRecorder) -> None:
        recorder.event(Node(metadata=ObjectMeta(name="n1")), "Normal", "NodeReady", "ready")

    (event,) = recording(api, scenario)
    assert event["metadata"]["namespace"] == "default"


def test_equal_events_are_counted(api: Any) -> None:
    async def scenario(recorder: EventRecorder) -> None:
        for _ in range(3):
            recorder.event(POD, "Warning", "BackOff", "restarting")
            await asyncio.sleep(60)

    (event,) = recording(api, scenario)
    assert event["count"] == 3
    assert (event["firstTimestamp"], event["lastTimestamp"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:02:00Z")


def test_a_counted_event_that_is_gone_is_written_anew(api: Any) -> None:
    async def scenario(recorder: EventRecorder) -> None:
        recorder.event(POD, "Warning", "BackOff", "restarting")
        await asyncio.sleep(1)
        api.objects.clear()
        recorder.event(POD, "Warning", "BackOff", "restarting")

    (event,) = recording(api, scenario)
    assert event["count"] == 2


def test_alike_events_are_combined_and_too_many_dropped(api: Any) -> None:
    async def scenario(recorder: EventRecorder) -> None:
        for number in range(40):
            recorder.event(POD, "Warning", "Failed", f"try {number}")

    events = recording(api, scenario)
    assert len(events) == 10
    combined = [event for event in events if event["message"].startswith("(combined from similar events): ")]
    assert [event["count"] for event in combined] == [16]
    assert sum(event["count"] for event in events) == 25


def test_events_wait_for_the_server(api: Any) -> None:
    async def scenario(recorder: EventRecorder) -> None:
        api.transport.cut()
        recorder.event(POD, "Normal", "Started", "started")
        await asyncio.sleep(25)
        api.transport.mend()

    (event,) = recording(api, scenario)
    assert event["lastTimestamp"] == "2026-01-01T00:00:00Z"


def test_the_caller_is_never_kept_waiting(api: Any) -> None:
    recorder = EventRecorder(api.client, LoopClock(datetime(2026, 1, 1, tzinfo=UTC)), "kubelet")

    async def flood() -> None:
        for number in range(3000):
            recorder.event(POD, "Normal", "Started", str(number))

    run_virtual(flood())
    assert recorder.dropped == 2000
