"""What has become of a Job's pods so far: counted once each, whatever the controller forgets or sees twice.

A finished pod is first noted by uid in the status, then loses its tracking finalizer, then is counted. `tally` is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pybernetes.api.types.batch_v1 import Job, UncountedTerminatedPods
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.whole_number import whole_number
from pybernetes.controllers import indexes
from pybernetes.controllers import pods as pod_facts

FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"
_NO_ACTIONS: Mapping[str, str] = {}


def is_tracked(pod: Pod) -> bool:
    return FINALIZER in pod.metadata.finalizers


def is_indexed(job: Job) -> bool:
    return job.spec.completion_mode == "Indexed"


def index_of(pod: Pod) -> int | None:
    return whole_number(pod.metadata.annotations.get(INDEX, ""))


def has_failed(job: Job, pod: Pod) -> bool:
    """A pod on its way out counts as failed at once, unless only really failed ones are to be replaced."""
    if pod.status.phase == "Failed":
        return True
    if (
        job.spec.pod_replacement_policy or "TerminatingOrFailed"
    ) == "Failed" or job.spec.pod_failure_policy is not None:
        return False
    return pod.metadata.deletion_timestamp is not None and pod.status.phase != "Succeeded"


@dataclass
class Tally:
    """Counted and noted pods. `release` are noted pods that still have the finalizer."""

    succeeded: int
    failed: int
    uncounted: UncountedTerminatedPods
    completed_indexes: set[int] = field(default_factory=set)
    failed_indexes: set[int] = field(default_factory=set)
    release: list[Pod] = field(default_factory=list)
    newly_failed: list[Pod] = field(default_factory=list)

    @property
    def all_succeeded(self) -> int:
        return self.succeeded + len(self.uncounted.succeeded)

    @property
    def all_failed(self) -> int:
        return self.failed + len(self.uncounted.failed)


def tally(job: Job, pods: Sequence[Pod], actions: Mapping[str, str] = _NO_ACTIONS) -> Tally:
    """`actions` are what the failure policy says of failed pods, by uid."""
    noted = job.status.uncounted_terminated_pods or UncountedTerminatedPods()
    tracked = {pod.metadata.uid or "": pod for pod in pods if is_tracked(pod)}
    result = Tally(job.status.succeeded or 0, job.status.failed or 0, UncountedTerminatedPods())
    result.completed_indexes = indexes.parse(job.status.completed_indexes)
    result.failed_indexes = indexes.parse(job.status.failed_indexes)
    _settle(result, noted, tracked)
    _note(result, job, tracked, actions)
    if is_indexed(job):
        _count_indexes(result, job, pods, actions)
    return result


def _settle(result: Tally, noted: UncountedTerminatedPods, tracked: dict[str, Pod]) -> None:
    """What was noted and has lost its finalizer is counted now."""
    for uid in noted.succeeded:
        if uid in tracked:
            result.uncounted.succeeded.append(uid)
            result.release.append(tracked[uid])
        else:
            result.succeeded += 1
    for uid in noted.failed:
        if uid in tracked:
            result.uncounted.failed.append(uid)
            result.release.append(tracked[uid])
        else:
            result.failed += 1


def _note(result: Tally, job: Job, tracked: dict[str, Pod], actions: Mapping[str, str]) -> None:
    known = {*result.uncounted.succeeded, *result.uncounted.failed}
    for uid, pod in tracked.items():
        if uid in known:
            continue
        if pod.status.phase == "Succeeded":
            result.uncounted.succeeded.append(uid)
            result.release.append(pod)
        elif has_failed(job, pod):
            result.release.append(pod)
            result.newly_failed.append(pod)
            if actions.get(uid) != "Ignore":
                result.uncounted.failed.append(uid)


def _count_indexes(result: Tally, job: Job, pods: Iterable[Pod], actions: Mapping[str, str]) -> None:
    """For an indexed Job an index succeeds once, however many pods it took."""
    limit = job.spec.backoff_limit_per_index
    for pod in pods:
        index = index_of(pod)
        if index is None or index >= (job.spec.completions or 0):
            continue
        if pod.status.phase == "Succeeded":
            result.completed_indexes.add(index)
        elif limit is not None and has_failed(job, pod):
            action = actions.get(pod.metadata.uid or "")
            if action == "FailIndex" or (action != "Ignore" and failures_of(pod) >= limit):
                result.failed_indexes.add(index)
    result.failed_indexes -= result.completed_indexes


def failures_of(pod: Pod, annotation: str = INDEX_FAILURES) -> int:
    """How often the pod's index had failed before it."""
    return whole_number(pod.metadata.annotations.get(annotation, "")) or 0


def living(pods: Iterable[Pod]) -> list[Pod]:
    """Pods that work, or may still: neither finished nor going."""
    return [pod for pod in pods if pod_facts.is_active(pod)]
