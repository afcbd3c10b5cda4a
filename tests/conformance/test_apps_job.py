"""[sig-apps] Job. Where each index has its own end, no node runs the pods and the test says how they ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.conformance.bodies import job
from tests.conformance.driving import Json, Simulated, condition, ready, simulated

NOWHERE = {"e2e.example.com/nowhere": "true"}
INDEX = "batch.kubernetes.io/job-completion-index"
Outcome = Callable[[int], int | None]


def path_of(api: Simulated, name: str = "e2e") -> str:
    return api.at("batch/v1", "jobs", name)


async def create(api: Simulated, simulate: str = "", *, restart: str = "Never", **spec: object) -> Json:
    body = job("e2e", simulate, restart=restart, **spec)
    made: Json = await api.post(api.at("batch/v1", "jobs"), body)
    return made


async def ended(api: Simulated, kind: str, reason: str) -> Json:
    """Waits for a condition; its reason must be this one. The Job."""

    async def look() -> Json | None:
        obj: Json = await api.get(path_of(api))
        return obj if condition(obj, kind) == "True" else None

    obj: Json = await api.until(look)
    assert [each["reason"] for each in obj["status"]["conditions"] if each["type"] == kind] == [reason]
    return obj


def over(obj: Json) -> bool:
    """What every finished Job's status says."""
    status = obj["status"]
    return (status.get("active", 0), status["ready"], status["terminating"]) == (0, 0, 0)


@asynccontextmanager
async def indexed(api: Simulated, outcome: Outcome, **spec: object) -> AsyncIterator[None]:
    """An indexed Job whose pods end with the exit code of their index; None: they stay as they are."""
    body = job("e2e", "", completionMode="Indexed", **spec)
    body["spec"]["template"]["spec"]["nodeSelector"] = NOWHERE
    await api.post(api.at("batch/v1", "jobs"), body)
    playing = asyncio.ensure_future(play(api, outcome))
    yield
    playing.cancel()
    await asyncio.wait([playing])


async def play(api: Simulated, outcome: Outcome) -> None:
    async with api.watch(api.at("v1", "pods?labelSelector=job%3De2e")) as watching:
        while True:
            obj = await watching.until("ADDED")
            code = outcome(int(obj["metadata"]["labels"][INDEX]))
            if code is not None and obj["status"]["phase"] == "Pending":
                await finish(api, obj["metadata"]["name"], code)


async def finish(api: Simulated, name: str, code: int) -> None:
    ending = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
    container = {"name": "c", "image": "i", "imageID": "i", "ready": False, "restartCount": 0, "state": ending}
    status = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [container]}
    await api.patch(api.at("v1", "pods", name, "status"), {"status": status}, "strategic")


def odd_fail(index: int) -> int:
    return index % 2


@simulated
async def test_indexes_and_host_names(api: Simulated) -> None:
    """Job should create pods for an Indexed job with completion indexes and specified hostname."""
    await create(api, "exit=0 after=1s", completionMode="Indexed", parallelism=2, completions=4, backoffLimit=6)
    obj = await ended(api, "Complete", "CompletionsReached")
    assert (obj["status"]["completedIndexes"], obj["status"]["succeeded"]) == ("0-3", 4)
    pods = {int(each["metadata"]["labels"][INDEX]): each for each in await api.pods("job=e2e")}
    assert sorted(pods) == [0, 1, 2, 3]
    for index, each in pods.items():
        assert each["metadata"]["annotations"][INDEX] == str(index)
        assert each["spec"]["hostname"] == f"e2e-{index}"
        [variable] = each["spec"]["containers"][0]["env"]
        assert variable["name"] == "JOB_COMPLETION_INDEX"
        assert variable["valueFrom"]["fieldRef"]["fieldPath"] == f"metadata.labels['{INDEX}']"


@simulated
async def test_success_policy_when_all_indexes_succeeded(api: Simulated) -> None:
    """Job with successPolicy should succeeded when all indexes succeeded."""
    policy = {"rules": [{"succeededCount": 2}]}
    async with indexed(api, lambda _: 0, parallelism=2, completions=2, successPolicy=policy):
        await ended(api, "SuccessCriteriaMet", "SuccessPolicy")
        obj = await ended(api, "Complete", "SuccessPolicy")
        assert over(obj) and not obj["status"].get("failed")


@simulated
async def test_success_policy_of_indexes(api: Simulated) -> None:
    """Job with successPolicy succeededIndexes rule should succeeded even when some indexes remain pending."""
    await successful(api, {"succeededIndexes": "0"})


@simulated
async def test_success_policy_of_a_count(api: Simulated) -> None:
    """Job with successPolicy succeededCount rule should succeeded even when some indexes remain pending."""
    await successful(api, {"succeededCount": 1})


async def successful(api: Simulated, rule: Json) -> None:
    async with indexed(api, odd_fail, parallelism=2, completions=5, successPolicy={"rules": [rule]}):
        await ended(api, "SuccessCriteriaMet", "SuccessPolicy")
        obj = await ended(api, "Complete", "SuccessPolicy")
        assert over(obj) and obj["status"]["completedIndexes"] == "0"


@simulated
async def test_backoff_limit_per_index(api: Simulated) -> None:
    """Job should execute all indexes despite some failing when using backoffLimitPerIndex."""
    async with indexed(api, odd_fail, parallelism=2, completions=4, backoffLimitPerIndex=1):
        status = (await ended(api, "Failed", "FailedIndexes"))["status"]
        assert (status["failedIndexes"], status["completedIndexes"]) == ("1,3", "0,2")
        assert (status["failed"], status["succeeded"]) == (4, 2)


@simulated
async def test_too_many_failed_indexes(api: Simulated) -> None:
    """Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes."""
    limits = {"backoffLimitPerIndex": 0, "maxFailedIndexes": 0}
    async with indexed(api, lambda _: 1, parallelism=1, completions=4, **limits):
        status = (await ended(api, "Failed", "MaxFailedIndexesExceeded"))["status"]
        assert (status["failedIndexes"], status["failed"]) == ("0", 1)


@simulated
async def test_failure_policy_fails_an_index(api: Simulated) -> None:
    """Job should mark indexes as failed when the FailIndex action is matched in podFailurePolicy."""
    rule = {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [1]}}
    policy = {"rules": [rule]}
    limits = {"backoffLimitPerIndex": 1, "podFailurePolicy": policy}
    async with indexed(api, odd_fail, parallelism=2, completions=2, **limits):
        status = (await ended(api, "Failed", "FailedIndexes"))["status"]
        assert (status["failedIndexes"], status["completedIndexes"]) == ("1", "0")
        assert (status["failed"], status["succeeded"]) == (1, 1)


@simulated
async def test_failure_policy_fails_the_job(api: Simulated) -> None:
    """Job should allow to use the pod failure policy on exit code to fail the job early."""
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}
    limits = {"parallelism": 1, "completions": 4, "backoffLimit": 1, "podFailurePolicy": {"rules": [rule]}}
    await create(api, "exit=1 after=1s", **limits)
    await ended(api, "FailureTarget", "PodFailurePolicy")
    obj = await ended(api, "Failed", "PodFailurePolicy")
    assert over(obj) and obj["status"]["failed"] == 1


@simulated
async def test_failure_policy_ignores_disruptions(api: Simulated) -> None:
    """Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition."""
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    policy = {"rules": [rule, {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [0]}}]}
    limits = {"completionMode": "Indexed", "parallelism": 2, "completions": 2, "backoffLimit": 0}
    # It does not listen to SIGTERM and is killed in the end.
    await create(api, "term=never", podFailurePolicy=policy, **limits)
    first = await api.running("job=e2e", 2)
    for each in first:
        name = each["metadata"]["name"]
        body = {"metadata": {"name": name, "namespace": api.namespace}}
        await api.post(api.at("v1", "pods", name, "eviction"), body)
    gone = {each["metadata"]["name"] for each in first}

    async def replaced() -> list[Json] | None:
        pods = [each for each in await api.pods("job=e2e") if each["metadata"]["name"] not in gone]
        return pods if len(pods) == 2 and all(map(ready, pods)) else None

    await api.until(replaced)
    obj = await api.get(path_of(api))
    assert not obj["status"].get("failed") and condition(obj, "Failed") is None


@simulated
async def test_tasks_that_fail_and_are_restarted_where_they_are(api: Simulated) -> None:
    """Job should run a job to completion when tasks sometimes fail and are locally restarted."""
    # The first run of each pod is killed by the test, the second ends well.
    await create(api, "exit=0 after=20s", restart="OnFailure", parallelism=2, completions=4, backoffLimit=6)
    killed: set[str] = set()

    async def complete() -> bool:
        for each in await api.pods("job=e2e"):
            uid = each["metadata"]["uid"]
            if uid not in killed and ready(each):
                killed.add(uid)
                await crash(api, each)
        return condition(await api.get(path_of(api)), "Complete") == "True"

    await api.until(complete)
    obj = await api.get(path_of(api))
    assert (obj["status"]["succeeded"], obj["status"].get("failed", 0)) == (4, 0)
    restarts = [each["status"]["containerStatuses"][0]["restartCount"] for each in await api.pods("job=e2e")]
    assert restarts == [1] * 4


async def crash(api: Simulated, pod: Json) -> None:
    runtime = api.cluster.runtimes[pod["spec"]["nodeName"]]
    runtime.kill(pod["metadata"]["uid"], "c", exit_code=1)


@simulated
async def test_a_job_is_deleted(api: Simulated) -> None:
    """Job should delete a job."""
    await create(api, "", parallelism=2, completions=4)
    await api.running("job=e2e", 2)
    assert (await api.get(path_of(api)))["status"]["active"] == 2
    await api.delete(path_of(api), propagationPolicy="Foreground")
    await api.until(lambda: api.gone(path_of(api)))
    assert not await api.pods("job=e2e")


@simulated
async def test_orphans_are_adopted_and_strangers_released(api: Simulated) -> None:
    """Job should adopt matching orphans and release non-matching pods."""
    made = await create(api, "", parallelism=2, completions=4)
    first, _ = await api.running("job=e2e", 2)
    path = api.at("v1", "pods", first["metadata"]["name"])

    def orphan(obj: Json) -> None:
        del obj["metadata"]["ownerReferences"]

    def unlabel(obj: Json) -> None:
        del obj["metadata"]["labels"]

    async def owners() -> list[str]:
        return [each["uid"] for each in (await api.get(path))["metadata"].get("ownerReferences", [])]

    async def adopted() -> bool:
        return await owners() == [made["metadata"]["uid"]]

    async def released() -> bool:
        return await owners() == []

    await api.edit(path, orphan)
    await api.until(adopted)
    await api.edit(path, unlabel)
    await api.until(released)


@simulated
async def test_changes_to_the_status_of_a_job(api: Simulated) -> None:
    """Job should apply changes to a job status."""
    made = await create(api, "", parallelism=2, completions=4)
    await api.running("job=e2e", 2)
    status = f"{path_of(api)}/status"
    custom = {"type": "CustomConditionType", "status": "True", "lastTransitionTime": "2030-01-01T00:00:00Z"}
    body = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"conditions": [custom]}}
    patched = await api.patch(status, body)
    assert patched["metadata"]["annotations"]["patchedstatus"] == "true"
    assert patched["status"]["conditions"][0]["lastTransitionTime"] == "2030-01-01T00:00:00Z"

    def later(obj: Json) -> None:
        obj["status"]["conditions"][0]["lastTransitionTime"] = "2030-01-01T00:00:01Z"

    updated = await api.edit(path_of(api), later, write=status)
    assert updated["status"]["conditions"][0]["lastTransitionTime"] == "2030-01-01T00:00:01Z"
    assert (await api.get(status))["metadata"]["uid"] == made["metadata"]["uid"]


@simulated
async def test_lifecycle_of_a_job(api: Simulated) -> None:
    """Job should manage the lifecycle of a job."""
    place = api.at("batch/v1", "jobs")
    chosen = "labelSelector=e2e-job-label%3De2e"
    since = (await api.get(place))["metadata"]["resourceVersion"]
    body = job("e2e", "exit=0 after=1s", parallelism=2, completions=4, suspend=True)
    body["metadata"]["labels"] = {"e2e-job-label": "e2e"}
    made = await api.post(place, body)
    async with api.watch(f"{place}?{chosen}&resourceVersion={since}") as watching:
        patched = await api.patch(path_of(api), {"metadata": {"labels": {"e2e": "patched"}}}, "strategic")
        assert int(patched["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
        await watching.until("MODIFIED", lambda obj: obj["metadata"]["labels"].get("e2e") == "patched")

        def resume(obj: Json) -> None:
            obj["spec"]["suspend"] = False
            obj["metadata"].setdefault("annotations", {})["updated"] = "true"

        updated = await api.edit(path_of(api), resume)
        assert updated["metadata"]["annotations"]["updated"] == "true"
        await watching.until("MODIFIED", lambda obj: "updated" in obj["metadata"].get("annotations", {}))
        assert len(await api.items(f"/apis/batch/v1/jobs?{chosen}")) == 1
        assert (await ended(api, "Complete", "CompletionsReached"))["status"]["succeeded"] == 4
        await api.delete(f"{place}?{chosen}", propagationPolicy="Background")
        await watching.until("DELETED")
    assert not await api.items(f"/apis/batch/v1/jobs?{chosen}")


@simulated
async def test_a_job_of_another_manager_is_left_alone(api: Simulated) -> None:
    """Job should allow to delegate reconciliation to external controller."""
    await create(api, "", parallelism=2, completions=4, managedBy="example.com/custom-job-controller")

    async def touched() -> bool:
        return bool((await api.get(path_of(api)))["status"]) or bool(await api.pods("job=e2e"))

    await api.never(touched, 3)
