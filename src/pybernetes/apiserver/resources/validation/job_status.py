"""Rules for the status of a Job: how it can end, and what may not change any more.

Most rules speak up only when what they are about has changed, so that Jobs of older servers can still be written.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.api.objects import to_builtins
from pybernetes.api.status import OMITTED, FieldError, duplicate, invalid, required
from pybernetes.api.types.batch_v1 import Job, UncountedTerminatedPods
from pybernetes.apiserver.resources.validation.indexes import first_overlap, index_problem
from pybernetes.apiserver.resources.validation.numbers import not_negative

_CONDITIONS = "status.conditions"
_TERMINAL = ("Failed", "Complete", "FailureTarget")


def _has(job: Job, kind: str) -> bool:
    return any(condition.type == kind and condition.status == "True" for condition in job.status.conditions)


def _finished(job: Job) -> bool:
    return _has(job, "Complete") or _has(job, "Failed")


def validate_job_status(new: Job, old: Job) -> list[FieldError]:
    errors = _validate_counts(new)
    errors += _validate_end(new, old)
    errors += _validate_finished(new, old)
    errors += _validate_indexes(new, old)
    errors += _validate_conditions(new)
    return errors + list(_changes(new, old))


def _validate_counts(job: Job) -> list[FieldError]:
    status = job.status
    counts = (
        ("active", status.active),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("ready", status.ready),
        ("terminating", status.terminating),
    )
    errors = [error for name, value in counts for error in not_negative(value, f"status.{name}")]
    if status.uncounted_terminated_pods is not None:
        errors += _validate_uncounted(status.uncounted_terminated_pods, "status.uncountedTerminatedPods")
    return errors


def _validate_uncounted(pods: UncountedTerminatedPods, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for name, uids in (("succeeded", pods.succeeded), ("failed", pods.failed)):
        for index, uid in enumerate(uids):
            where = f"{path}.{name}[{index}]"
            if not uid:
                errors.append(invalid(where, uid, "must not be empty"))
            elif uid in seen:
                errors.append(duplicate(where, uid))
            seen.add(uid)
    return errors


def _validate_end(new: Job, old: Job) -> list[FieldError]:
    """What a Job needs to be called complete or failed, and when that was."""
    status, before, errors = new.status, old.status, []
    complete, failed = _has(new, "Complete"), _has(new, "Failed")
    completed, gave_up = complete != _has(old, "Complete"), failed != _has(old, "Failed")
    aimed = _has(new, "FailureTarget") != _has(old, "FailureTarget")
    timed = status.completion_time != before.completion_time
    where, time = "status.completionTime", status.completion_time
    if (completed or gave_up) and complete and failed:
        errors.append(invalid(_CONDITIONS, OMITTED, "cannot set Complete=True and Failed=true conditions"))
    if (completed or aimed) and complete and _has(new, "FailureTarget"):
        errors.append(invalid(_CONDITIONS, OMITTED, "cannot set Complete=True and FailureTarget=true conditions"))
    if (completed or timed) and time is not None and not complete:
        detail = "cannot set completionTime when there is no Complete=True condition"
        errors.append(invalid(where, time, detail))
    if (completed or timed) and time is None and complete:
        errors.append(required(where, "completionTime is required for Complete jobs"))
    start = status.start_time
    if (timed or start != before.start_time) and start is not None and time is not None and time < start:
        errors.append(invalid(where, time, "completionTime cannot be set before startTime"))
    if gave_up and failed and not _has(new, "FailureTarget"):
        detail = "cannot set Failed=True condition without the FailureTarget=true condition"
        errors.append(invalid(_CONDITIONS, OMITTED, detail))
    if completed and complete and not _has(new, "SuccessCriteriaMet"):
        detail = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        errors.append(invalid(_CONDITIONS, OMITTED, detail))
    return errors


def _validate_finished(new: Job, old: Job) -> list[FieldError]:
    """A Job that has ended has started, and has no pods left."""
    status, before, spec = new.status, old.status, new.spec
    if not _finished(new):
        return []
    ended = not _finished(old)
    errors: list[FieldError] = []
    if (ended or status.active != before.active) and (status.active or 0) > 0:
        errors.append(invalid("status.active", status.active, "active>0 is invalid for finished job"))
    idle = spec.suspend and spec.completions == 0
    if (ended or status.start_time != before.start_time) and status.start_time is None and not idle:
        errors.append(required("status.startTime", "startTime is required for finished job"))
    uncounted = status.uncounted_terminated_pods
    changed = ended or uncounted != before.uncounted_terminated_pods
    if changed and uncounted is not None and (uncounted.succeeded or uncounted.failed):
        detail = "uncountedTerminatedPods needs to be empty for finished job"
        errors.append(invalid("status.uncountedTerminatedPods", to_builtins(uncounted), detail))
    return errors


def _validate_indexes(new: Job, old: Job) -> list[FieldError]:
    status, spec, errors = new.status, new.spec, []
    done, failed = status.completed_indexes or "", status.failed_indexes
    done_changed = done != (old.status.completed_indexes or "")
    failed_changed = failed != old.status.failed_indexes
    by_index, path = spec.backoff_limit_per_index is not None, "status.failedIndexes"
    total = spec.completions
    if done_changed and total is not None and (problem := index_problem(done, total)):
        errors.append(invalid("status.completedIndexes", done, f"error parsing completedIndexes: {problem}"))
    if failed_changed and by_index and total is not None and (problem := index_problem(failed or "", total)):
        errors.append(invalid(path, failed, f"error parsing failedIndexes: {problem}"))
    if done_changed and done and spec.completion_mode != "Indexed":
        detail = "cannot set non-empty completedIndexes when non-indexed completion mode"
        errors.append(invalid("status.completedIndexes", done, detail))
    if failed_changed and failed is not None and not by_index:
        detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        errors.append(invalid(path, failed, detail))
    if (failed_changed or done_changed) and failed is not None and total is not None:
        index = first_overlap(done, failed, total)
        if index is not None:
            detail = f"failedIndexes and completedIndexes overlap at index: {index}"
            errors.append(invalid(path, failed, detail))
    return errors + _validate_pods(new, old)


def _validate_pods(new: Job, old: Job) -> list[FieldError]:
    status, before = new.status, old.status
    errors: list[FieldError] = []
    ended = _finished(new) != _finished(old)
    if (ended or status.terminating != before.terminating) and (status.terminating or 0) > 0 and _finished(new):
        errors.append(invalid("status.terminating", status.terminating, "terminating>0 is invalid for finished job"))
    changed = status.ready != before.ready or status.active != before.active
    if changed and status.ready is not None and status.ready > (status.active or 0):
        errors.append(invalid("status.ready", status.ready, "cannot set more ready pods than active"))
    return errors


def _validate_conditions(job: Job) -> list[FieldError]:
    met = _has(job, "SuccessCriteriaMet")
    details = []
    if met and _has(job, "Failed"):
        details.append("cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if met and _has(job, "FailureTarget"):
        details.append("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    if job.spec.success_policy is not None and not met and _has(job, "Complete"):
        details.append("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")
    return [invalid(_CONDITIONS, OMITTED, detail) for detail in details]


def _changes(new: Job, old: Job) -> Iterator[FieldError]:
    """What was so stays so."""
    status, before = new.status, old.status
    for kind in _TERMINAL:
        if _has(old, kind) and not _has(new, kind):
            yield invalid(_CONDITIONS, OMITTED, f"cannot disable the terminal {kind}=True condition")
    if (status.failed or 0) < (before.failed or 0):
        yield invalid("status.failed", status.failed or 0, "cannot decrease the failed counter")
    elastic = new.spec.completion_mode == "Indexed" and new.spec.completions == new.spec.parallelism
    if (status.succeeded or 0) < (before.succeeded or 0) and not elastic:
        yield invalid("status.succeeded", status.succeeded or 0, "cannot decrease the succeeded counter")
    times = status.completion_time, before.completion_time
    if None not in times and times[0] != times[1]:
        yield invalid("status.completionTime", status.completion_time, "completionTime cannot be mutated")
    if before.start_time is not None and status.start_time != before.start_time and not new.spec.suspend:
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")
    if _has(old, "SuccessCriteriaMet") and not _has(new, "SuccessCriteriaMet"):
        yield invalid(_CONDITIONS, OMITTED, "cannot disable the SuccessCriteriaMet=True condition")
    if _has(old, "Complete") and not _has(old, "SuccessCriteriaMet") and _has(new, "SuccessCriteriaMet"):
        detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        yield invalid(_CONDITIONS, OMITTED, detail)
