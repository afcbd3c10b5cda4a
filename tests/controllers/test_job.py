"""Jobs: pods are counted once, ends are told as upstream tells them, and nothing keeps a finalizer for ever."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.types.batch_v1 import Job
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.controllers import indexes
from pybernetes.controllers.job_tally import FINALIZER
from tests.controllers.world import World, made, play


def job(fate: str, **spec: Any) -> Job:
    template = {
        "metadata": {"annotations": {"fake": fate}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}], "restartPolicy": "Never"},
    }
    return made(Job, "work", spec={"template": template} | spec)


async def ended(world: World) -> Job:
    async def over() -> Job | None:
        found = await world.client.get(Job, "work", "default")
        return found if {item.type for item in found.status.conditions} & {"Complete", "Failed"} else None

    result: Job = await world.until(over)
    return result


def told(found: Job) -> list[tuple[str, str | None, str | None]]:
    return [(item.type, item.reason, item.message) for item in found.status.conditions]


def test_it_runs_until_enough_pods_have_succeeded() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(job("succeed", completions=3, parallelism=2))
        found = await ended(world)
        message = "Reached expected number of succeeded pods"
        assert told(found) == [
            ("SuccessCriteriaMet", "CompletionsReached", message),
            ("Complete", "CompletionsReached", message),
        ]
        assert (found.status.succeeded, found.status.failed, found.status.active, found.status.ready) == (
            3,
            None,
            None,
            0,
        )
        assert found.status.completion_time
        pods = await world.pods(**{"job-name": "work"})
        assert [pod.metadata.finalizers for pod in pods] == [[], [], []]
        assert ("Job", "Completed", "Job completed") in await world.events()

    play(scenario)


def test_indexed_each_pod_knows_its_index() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(job("succeed", completions=3, parallelism=3, completionMode="Indexed"))
        found = await ended(world)
        assert (found.status.succeeded, found.status.completed_indexes) == (3, "0-2")
        pods = await world.pods(**{"job-name": "work"})
        assert sorted(pod.spec.hostname or "" for pod in pods) == ["work-0", "work-1", "work-2"]
        assert {pod.spec.containers[0].env[0].name for pod in pods} == {"JOB_COMPLETION_INDEX"}

    play(scenario)


@pytest.mark.parametrize(
    ("fate", "spec", "reason", "message"),
    [
        ("fail", {"backoffLimit": 0}, "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        ("fail", {"backoffLimit": 2}, "BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        ("run", {"activeDeadlineSeconds": 1}, "DeadlineExceeded", "Job was active longer than specified deadline"),
        (
            "fail",
            {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 0},
            "FailedIndexes",
            "Job has failed indexes",
        ),
    ],
)
def test_how_it_fails(fate: str, spec: dict[str, Any], reason: str, message: str) -> None:
    async def scenario(world: World) -> None:
        await world.client.create(job(fate, **spec))
        found = await ended(world)
        assert told(found) == [("FailureTarget", reason, message), ("Failed", reason, message)]
        limit = spec.get("backoffLimit", 0)
        assert found.status.failed == (2 if reason == "FailedIndexes" else limit + 1)
        assert ("Job", reason, message) in await world.events()

    play(scenario)


def test_suspended_its_pods_go_uncounted_and_come_back() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(job("run", completions=2, parallelism=2))

        async def active(number: int | None) -> Job | None:
            found = await world.client.get(Job, "work", "default")
            return found if found.status.active == number else None

        await world.until(lambda: active(2))
        await world.client.patch(Job, "work", "default", {"spec": {"suspend": True}})
        found = await world.until(lambda: active(None))
        assert told(found) == [("Suspended", "JobSuspended", "Job suspended")]
        assert (found.status.failed, found.status.start_time) == (None, None)
        await world.client.patch(Job, "work", "default", {"spec": {"suspend": False}})
        found = await world.until(lambda: active(2))
        assert told(found) == [("Suspended", "JobResumed", "Job resumed")]

    play(scenario)


def test_deleted_in_the_foreground_it_waits_for_its_pods_and_goes() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(job("run"))

        async def running() -> bool:
            pods = await world.pods(**{"job-name": "work"})
            return [pod.status.phase for pod in pods] == ["Running"]

        await world.until(running)
        await world.client.delete(Job, "work", "default", DeleteOptions(propagation_policy="Foreground"))
        await world.until(lambda: world.gone(Job, "work"))
        assert await world.pods(**{"job-name": "work"}) == []

    play(scenario)


def test_its_time_to_live_ends_and_deleted_it_leaves_nothing_behind() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(job("succeed", ttlSecondsAfterFinished=1))
        await world.until(lambda: world.gone(Job, "work"))
        await world.client.create(job("run"))

        async def running() -> bool:
            pods = await world.pods(**{"job-name": "work"})
            return [pod.status.phase for pod in pods] == ["Running"]

        await world.until(running)
        assert (await world.pods(**{"job-name": "work"}))[0].metadata.finalizers == [FINALIZER]
        await world.client.delete(Job, "work", "default", DeleteOptions(propagation_policy="Background"))

        async def nothing() -> bool:
            return not await world.pods(**{"job-name": "work"})

        await world.until(nothing)

    play(scenario)


def test_index_lists() -> None:
    assert indexes.parse("0-2,5,7-8") == {0, 1, 2, 5, 7, 8}
    assert indexes.format({0, 1, 2, 5, 7, 8}) == "0-2,5,7,8"
    assert (indexes.parse(""), indexes.format([])) == (set(), "")
