"""One step of a Job: how many pods it needs now, whether it has ended and why. Pure; `job` observes and acts.

`decide` gets the Job, its pods and the tally, and gives the pods to create and delete, the conditions and the wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pybernetes.api import time as api_time
from pybernetes.api.types.batch_v1 import Job, PodFailurePolicyRule
from pybernetes.api.types.core_v1 import Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod
from pybernetes.controllers import indexes
from pybernetes.controllers.job_tally import (
    INDEX,
    INDEX_FAILURES,
    INDEX_IGNORED_FAILURES,
    Tally,
    failures_of,
    index_of,
    is_indexed,
    living,
)
from pybernetes.controllers.pod_control import pod_from

FIRST_BACKOFF = 10.0
LONGEST_BACKOFF = 600.0
_ENVIRONMENT = "JOB_COMPLETION_INDEX"


@dataclass(frozen=True)
class End:
    """Why a Job is over."""

    succeeded: bool
    reason: str
    message: str


@dataclass
class Decision:
    """`create` are pods, `delete` pods that go without being counted, `abandon` pods of a Job that is over."""

    end: End | None = None
    create: list[Pod] = field(default_factory=list)
    delete: list[Pod] = field(default_factory=list)
    abandon: list[Pod] = field(default_factory=list)
    again_after: float | None = None


def completions_of(job: Job) -> int | None:
    return job.spec.completions


def parallelism_of(job: Job) -> int:
    return 1 if job.spec.parallelism is None else job.spec.parallelism


def decide(job: Job, pods: Sequence[Pod], tally: Tally, now: datetime) -> Decision:
    """`pods` are all that the Job controls."""
    decision = Decision(end=end_of(job, pods, tally, now))
    active = living(pods)
    if decision.end is not None:
        decision.abandon = active
        return decision
    if job.spec.suspend:
        decision.delete = active
        return decision
    decision.again_after = _seconds_to_deadline(job, now)
    terminating = [pod for pod in pods if _still_counts(job, pod)]
    wanted = _wanted(job, tally, len(active)) - len(active) - len(terminating)
    if wanted < 0:
        decision.delete = _newest(active, min(-wanted, len(active)))
    elif wanted > 0:
        wait = _backoff_left(job, pods, tally, now)
        if wait > 0:
            decision.again_after = min(wait, decision.again_after or wait)
        else:
            decision.create = _new_pods(job, pods, active, tally, wanted)
    return decision


def _still_counts(job: Job, pod: Pod) -> bool:
    """Under the policy `Failed` a pod is replaced only when it has really ended."""
    only_failed = job.spec.pod_replacement_policy == "Failed" or job.spec.pod_failure_policy is not None
    going = pod.metadata.deletion_timestamp is not None and pod.status.phase not in ("Succeeded", "Failed")
    return only_failed and going


def _newest(active: Iterable[Pod], count: int) -> list[Pod]:
    ordered = sorted(active, key=lambda pod: (pod.metadata.creation_timestamp or "", pod.metadata.name or ""))
    return ordered[len(ordered) - count :]


def _succeeded(job: Job, tally: Tally) -> int:
    return len(tally.completed_indexes) if is_indexed(job) else tally.all_succeeded


def _wanted(job: Job, tally: Tally, active: int) -> int:
    """How many pods should be at work."""
    completions = completions_of(job)
    if completions is None:
        return active if tally.all_succeeded else parallelism_of(job)
    left = completions - _succeeded(job, tally) - len(tally.failed_indexes)
    return max(min(parallelism_of(job), left), 0)


def end_of(job: Job, pods: Sequence[Pod], tally: Tally, now: datetime) -> End | None:
    """An end that the conditions say already stands; otherwise failures come before success."""
    for condition in job.status.conditions:
        if condition.status == "True" and condition.type in ("FailureTarget", "SuccessCriteriaMet"):
            return End(condition.type == "SuccessCriteriaMet", condition.reason or "", condition.message or "")
    return _failure(job, pods, tally, now) or _success(job, pods, tally)


def _failure(job: Job, pods: Sequence[Pod], tally: Tally, now: datetime) -> End | None:
    for pod in tally.newly_failed:
        matched = failure_rule(job, pod)
        if matched is not None and matched[0] == "FailJob":
            return End(False, "PodFailurePolicy", matched[1])
    limit = 6 if job.spec.backoff_limit is None else job.spec.backoff_limit
    if tally.all_failed > limit or _restarts_too_often(job, pods, limit):
        return End(False, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left = _seconds_to_deadline(job, now)
    if left is not None and left <= 0:
        return End(False, "DeadlineExceeded", "Job was active longer than specified deadline")
    if not is_indexed(job):
        return None
    most = job.spec.max_failed_indexes
    if most is not None and len(tally.failed_indexes) > most:
        return End(False, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
    over = len(tally.failed_indexes | tally.completed_indexes) >= (job.spec.completions or 0)
    if tally.failed_indexes and over:
        return End(False, "FailedIndexes", "Job has failed indexes")
    return None


def _restarts_too_often(job: Job, pods: Iterable[Pod], limit: int) -> bool:
    if job.spec.template.spec.restart_policy != "OnFailure":
        return False
    statuses = (
        status
        for pod in pods
        if pod.status.phase in ("Running", "Pending")
        for status in [*pod.status.init_container_statuses, *pod.status.container_statuses]
    )
    restarts = sum(status.restart_count for status in statuses)
    return restarts > 0 if limit == 0 else restarts >= limit


def _success(job: Job, pods: Iterable[Pod], tally: Tally) -> End | None:
    rules = job.spec.success_policy.rules if job.spec.success_policy is not None else []
    for number, rule in enumerate(rules):
        named = indexes.parse(rule.succeeded_indexes) if rule.succeeded_indexes is not None else None
        done = tally.completed_indexes if named is None else tally.completed_indexes & named
        needed = rule.succeeded_count if rule.succeeded_count is not None else len(named or ())
        met = done == named if named is not None and rule.succeeded_count is None else len(done) >= needed
        if met:
            return End(True, "SuccessPolicy", f"Matched rules at index {number}")
    completions = completions_of(job)
    reached = End(True, "CompletionsReached", "Reached expected number of succeeded pods")
    if completions is None:
        return reached if tally.all_succeeded and not living(pods) else None
    return reached if _succeeded(job, tally) >= completions else None


def policy_actions(job: Job, pods: Iterable[Pod]) -> dict[str, str]:
    """What the failure policy says of the failed pods, by uid."""
    matched = ((pod, failure_rule(job, pod)) for pod in pods if pod.status.phase == "Failed")
    return {pod.metadata.uid or "": rule[0] for pod, rule in matched if rule is not None}


def failure_rule(job: Job, pod: Pod) -> tuple[str, str] | None:
    """(action, message) of the first rule of the pod failure policy that matches a failed pod."""
    policy = job.spec.pod_failure_policy
    for number, rule in enumerate(policy.rules if policy is not None else ()):
        message = _matching(rule, pod, number)
        if message is not None:
            return rule.action, message
    return None


def _matching(rule: PodFailurePolicyRule, pod: Pod, number: int) -> str | None:
    where = f"pod {pod.metadata.namespace}/{pod.metadata.name}"
    codes = rule.on_exit_codes
    for status in [*pod.status.container_statuses, *pod.status.init_container_statuses] if codes is not None else ():
        ended = status.state.terminated
        if codes is None or ended is None or ended.exit_code == 0 or codes.container_name not in (None, status.name):
            continue
        if (ended.exit_code in codes.values) == (codes.operator == "In"):
            code = ended.exit_code
            return f"Container {status.name} for {where} failed with exit code {code} matching {rule.action} rule at index {number}"  # noqa: E501
    for pattern in rule.on_pod_conditions:
        for condition in pod.status.conditions:
            if (condition.type, condition.status) == (pattern.type, pattern.status or "True"):
                return f"Pod {pod.metadata.namespace}/{pod.metadata.name} has condition {condition.type} matching {rule.action} rule at index {number}"  # noqa: E501
    return None


def _seconds_to_deadline(job: Job, now: datetime) -> float | None:
    limit = job.spec.active_deadline_seconds
    if limit is None or not job.status.start_time or job.spec.suspend:
        return None
    return (api_time.parse(job.status.start_time) + timedelta(seconds=limit) - now).total_seconds()


def _backoff_left(job: Job, pods: Iterable[Pod], tally: Tally, now: datetime) -> float:
    """After failures new pods wait, each time twice as long."""
    if not tally.all_failed and not tally.newly_failed:
        return 0.0
    ended = [stamp for pod in pods if pod.status.phase == "Failed" for stamp in (_ended_at(pod),) if stamp is not None]
    if not ended:
        return 0.0
    failures = max(tally.all_failed, 1)
    if job.spec.backoff_limit_per_index is not None:
        failures = 1
    pause = min(FIRST_BACKOFF * 2.0 ** min(failures - 1, 20), LONGEST_BACKOFF)
    return pause - (now - max(ended)).total_seconds()


def _ended_at(pod: Pod) -> datetime | None:
    """When its last container ended; else when the pod last changed its mind about being ready."""
    stamps = [
        status.state.terminated.finished_at
        for status in pod.status.container_statuses
        if status.state.terminated is not None and status.state.terminated.finished_at
    ]
    stamps += [item.last_transition_time for item in pod.status.conditions if item.last_transition_time]
    return api_time.parse(max(stamps)) if stamps else None


def _new_pods(job: Job, pods: Sequence[Pod], active: Sequence[Pod], tally: Tally, count: int) -> list[Pod]:
    if not is_indexed(job):
        return [pod_from(job.spec.template, job) for _ in range(count)]
    taken = {index_of(pod) for pod in active} | tally.completed_indexes | tally.failed_indexes
    taken |= {index_of(pod) for pod in pods if _still_counts(job, pod)}
    free = [index for index in range(job.spec.completions or 0) if index not in taken]
    return [_indexed_pod(job, index, pods) for index in free[:count]]


def _indexed_pod(job: Job, index: int, pods: Iterable[Pod]) -> Pod:
    pod = pod_from(job.spec.template, job)
    pod.metadata.generate_name = f"{job.metadata.name}-{index}-"
    pod.metadata.annotations[INDEX] = str(index)
    pod.metadata.labels[INDEX] = str(index)
    if job.spec.backoff_limit_per_index is not None:
        failed = [item for item in pods if index_of(item) == index and item.status.phase == "Failed"]
        _count_failures(pod, failed, policy_actions(job, failed))
    pod.spec.hostname = f"{job.metadata.name}-{index}"
    for container in [*pod.spec.init_containers, *pod.spec.containers]:
        _tell_index(container)
    return pod


def _count_failures(pod: Pod, failed: Iterable[Pod], actions: Mapping[str, str]) -> None:
    """How often the pod's index has failed, and, if ever, how often that did not count."""
    counts = {INDEX_FAILURES: 0, INDEX_IGNORED_FAILURES: 0}
    for item in failed:
        ignored = actions.get(item.metadata.uid or "") == "Ignore"
        for annotation, adds in ((INDEX_FAILURES, not ignored), (INDEX_IGNORED_FAILURES, ignored)):
            counts[annotation] = max(counts[annotation], failures_of(item, annotation) + adds)
    pod.metadata.annotations[INDEX_FAILURES] = str(counts[INDEX_FAILURES])
    if counts[INDEX_IGNORED_FAILURES]:
        pod.metadata.annotations[INDEX_IGNORED_FAILURES] = str(counts[INDEX_IGNORED_FAILURES])


def _tell_index(container: Container) -> None:
    if any(item.name == _ENVIRONMENT for item in container.env):
        return
    source = ObjectFieldSelector(api_version="v1", field_path=f"metadata.labels['{INDEX}']")
    container.env = [*container.env, EnvVar(name=_ENVIRONMENT, value_from=EnvVarSource(field_ref=source))]
