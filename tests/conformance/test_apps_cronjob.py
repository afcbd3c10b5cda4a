"""[sig-apps] CronJob."""

from __future__ import annotations

from tests.conformance.bodies import job
from tests.conformance.driving import Json, Simulated, condition, simulated


async def create(api: Simulated, policy: str, **spec: object) -> None:
    body = job("", "exit=0 after=300s", restart="OnFailure", parallelism=1, completions=1, backoffLimit=1)
    spec |= {"schedule": "*/1 * * * ?", "concurrencyPolicy": policy, "jobTemplate": {"spec": body["spec"]}}
    await api.post(api.at("batch/v1", "cronjobs"), {"metadata": {"name": "cron"}, "spec": spec})


async def active(api: Simulated) -> list[str]:
    """The names of the Jobs that the status tells of."""
    obj = await api.get(api.at("batch/v1", "cronjobs", "cron"))
    return [each["name"] for each in obj["status"].get("active", [])]


async def unfinished(api: Simulated) -> list[Json]:
    jobs = await api.items(api.at("batch/v1", "jobs"))
    return [
        each for each in jobs if condition(each, "Complete") is None and "deletionTimestamp" not in each["metadata"]
    ]


async def at_least(api: Simulated, count: int) -> None:
    async def look() -> bool:
        return len(await active(api)) >= count

    await api.until(look, 300)


@simulated
async def test_jobs_run_side_by_side(api: Simulated) -> None:
    """CronJob should schedule multiple jobs concurrently."""
    await create(api, "Allow")
    await at_least(api, 2)
    assert len(await unfinished(api)) >= 2
    await api.delete(api.at("batch/v1", "cronjobs", "cron"), propagationPolicy="Background")


@simulated
async def test_nothing_is_scheduled_while_suspended(api: Simulated) -> None:
    """CronJob should not schedule jobs when suspended."""
    await create(api, "Allow", suspend=True)

    async def any_jobs() -> bool:
        return bool(await active(api) or await api.items(api.at("batch/v1", "jobs")))

    await api.never(any_jobs, 300)


@simulated
async def test_one_job_at_a_time(api: Simulated) -> None:
    """CronJob should not schedule new jobs when ForbidConcurrent."""
    await create(api, "Forbid")
    await at_least(api, 1)
    assert len(await active(api)) == 1 and len(await unfinished(api)) == 1

    async def two() -> bool:
        return len(await active(api)) >= 2

    await api.never(two, 300)


@simulated
async def test_a_job_is_replaced(api: Simulated) -> None:
    """CronJob should replace jobs when ReplaceConcurrent."""
    await create(api, "Replace")
    await at_least(api, 1)
    assert len(await active(api)) == 1
    [first] = await unfinished(api)

    async def replaced() -> bool:
        alive = await unfinished(api)
        assert len(alive) <= 1
        return bool(alive) and alive[0]["metadata"]["name"] != first["metadata"]["name"]

    await api.until(replaced, 300)
