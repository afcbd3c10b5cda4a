"""CronJobs: when their time comes, what they start, and what they keep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pybernetes.api import cron
from pybernetes.api.types.batch_v1 import CronJob, Job
from pybernetes.controllers.cronjob import due, job_of
from tests.controllers.world import World, made, play


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def tick(**spec: Any) -> CronJob:
    pod = {"containers": [{"name": "c", "image": "nginx"}], "restartPolicy": "Never"}
    template = {"spec": {"template": {"metadata": {"annotations": {"fake": "succeed"}}, "spec": pod}}}
    metadata = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    return made(CronJob, "tick", metadata=metadata, spec={"schedule": "* * * * *", "jobTemplate": template} | spec)


def test_only_the_newest_of_several_missed_times_is_made_up_for() -> None:
    schedule = cron.parse("* * * * *")
    assert due(tick(), schedule, at("2026-01-01T00:00:10")).at is None
    late = due(tick(), schedule, at("2026-01-01T00:03:10"))
    assert (late.at, late.again_after) == (at("2026-01-01T00:03"), 50)
    assert due(tick(startingDeadlineSeconds=5), schedule, at("2026-01-01T00:03:10")).at is None


def test_times_are_those_of_the_zone() -> None:
    berlin = tick(timeZone="Europe/Berlin", schedule="0 9 * * *")
    found = due(berlin, cron.parse("0 9 * * *"), at("2026-01-01T08:30"))
    assert found.at == at("2026-01-01T08:00")
    stamp = job_of(berlin, found.at).metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    assert stamp == "2026-01-01T09:00:00+01:00"


def test_it_starts_a_job_each_minute_and_keeps_the_last_one() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(tick(successfulJobsHistoryLimit=1))
        seen: set[str] = set()
        world.context.informers.of(Job).on_change(lambda _, new: seen.add(new.metadata.name or "") if new else None)

        async def three() -> bool:
            found = await world.client.get(CronJob, "tick", "default")
            return len(seen) >= 3 and bool(found.status.last_successful_time) and not found.status.active

        await world.until(three)
        jobs = (await world.client.list(Job, "default")).items
        assert [job.metadata.name for job in jobs] == [max(seen)]
        events = await world.events()
        assert ("CronJob", "SuccessfulCreate", f"Created job {max(seen)}") in events
        assert ("CronJob", "SawCompletedJob", f"Saw completed job: {min(seen)}, condition: Complete") in events
        assert not {"UnexpectedJob", "MissingJob"} & {reason for _, reason, _ in events}

    play(scenario)


def test_a_time_that_never_comes_is_told() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(tick(schedule="59 23 31 2 *"))
        message = "invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second"

        async def told() -> bool:
            return ("CronJob", "InvalidSchedule", message) in await world.events()

        await world.until(told)
        assert (await world.client.list(Job, "default")).items == []

    play(scenario)


def test_a_job_that_somebody_else_made_of_it_is_told_and_counts_when_it_succeeds() -> None:
    async def scenario(world: World) -> None:
        owner = await world.client.create(tick(suspend=True))
        manual = job_of(owner, at("2026-01-01T00:00"))
        manual.metadata.name = "manual"
        await world.client.create(manual)

        async def counted() -> str | None:
            return (await world.client.get(CronJob, "tick", "default")).status.last_successful_time

        assert await world.until(counted)
        message = "Saw a job that the controller did not create or forgot: manual"
        assert ("CronJob", "UnexpectedJob", message) in await world.events()

    play(scenario)
