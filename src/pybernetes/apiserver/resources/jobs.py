"""Strategies of Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.batch_v1 import CronJob, Job, JobSpec
from pybernetes.api.types.meta_v1 import LabelSelector
from pybernetes.apiserver.resources.pod_template import default_template
from pybernetes.apiserver.resources.prepare import clear_status_and_count, keep_status_and_count, only_status
from pybernetes.apiserver.resources.strategy import Strategy

_MAX_INT32 = 2**31 - 1
_LEFT_BEHIND = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them "
    "or set propagationPolicy=Orphan to suppress this warning"
)
CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
# The same two labels under the names they had before they got a prefix.
LEGACY_CONTROLLER_UID = "controller-uid"
LEGACY_JOB_NAME = "job-name"


def _default_job(job: Job) -> None:
    """A plain Job runs one pod to completion."""
    spec = job.spec
    default_template(spec.template)
    _label_from_template(job)
    if spec.completions is None and spec.parallelism is None:
        spec.completions = spec.parallelism = 1
    if spec.parallelism is None:
        spec.parallelism = 1
    if spec.backoff_limit is None:
        spec.backoff_limit = 6 if spec.backoff_limit_per_index is None else _MAX_INT32
    spec.completion_mode = spec.completion_mode or "NonIndexed"
    spec.suspend = bool(spec.suspend)
    spec.manual_selector = spec.manual_selector if spec.manual_selector is not None else False
    if spec.pod_failure_policy is not None:
        _default_failure_policy(spec)
    if not spec.pod_replacement_policy:
        spec.pod_replacement_policy = "TerminatingOrFailed" if spec.pod_failure_policy is None else "Failed"


def _default_failure_policy(spec: JobSpec) -> None:
    assert spec.pod_failure_policy is not None
    for rule in spec.pod_failure_policy.rules:
        for pattern in rule.on_pod_conditions:
            pattern.status = pattern.status or "True"


def _prepare_create(job: Job) -> None:
    """Unless the client selects pods by hand, the Job's uid is the label that ties its pods to it."""
    clear_status_and_count(job)
    if job.spec.manual_selector:
        return
    uid, name = job.metadata.uid or "", job.metadata.name or ""
    own = {LEGACY_CONTROLLER_UID: uid, LEGACY_JOB_NAME: name, CONTROLLER_UID: uid, JOB_NAME: name}
    template = job.spec.template.metadata
    template.labels = {**own, **template.labels}
    selector = job.spec.selector or LabelSelector()
    selector.match_labels = {CONTROLLER_UID: uid, **selector.match_labels}
    job.spec.selector = selector


def _label_from_template(job: Job) -> None:
    """A Job without labels of its own shows those of its template."""
    if not job.metadata.labels:
        job.metadata.labels = dict(job.spec.template.metadata.labels)


def _prepare_create_and_label(job: Job) -> None:
    _prepare_create(job)
    _label_from_template(job)


def _default_cron_job(cron_job: CronJob) -> None:
    spec = cron_job.spec
    default_template(spec.job_template.spec.template)
    spec.concurrency_policy = spec.concurrency_policy or "Allow"
    spec.suspend = bool(spec.suspend)
    if spec.successful_jobs_history_limit is None:
        spec.successful_jobs_history_limit = 3
    if spec.failed_jobs_history_limit is None:
        spec.failed_jobs_history_limit = 1


def _fields(job: Job) -> Mapping[str, str]:
    return {"status.successful": str(job.status.succeeded or 0)}


JOB = Strategy(
    default=_default_job,
    prepare_create=_prepare_create_and_label,
    prepare_update=keep_status_and_count,
    prepare_status=only_status,
    fields=_fields,
    field_names=frozenset({"status.successful"}),
    orphans=True,
    orphan_warning=_LEFT_BEHIND,
)
CRON_JOB = Strategy(
    default=_default_cron_job,
    prepare_create=clear_status_and_count,
    prepare_update=keep_status_and_count,
    prepare_status=only_status,
)
