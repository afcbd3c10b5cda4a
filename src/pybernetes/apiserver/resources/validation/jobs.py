"""Rules for Jobs and CronJobs."""

from __future__ import annotations

from pybernetes.api.names import dns1123_label
from pybernetes.api.objects import copy
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.batch_v1 import CronJob, CronJobSpec, Job, JobSpec
from pybernetes.api.types.core_v1 import Affinity
from pybernetes.apiserver.resources.jobs import CONTROLLER_UID, JOB_NAME, LEGACY_CONTROLLER_UID, LEGACY_JOB_NAME
from pybernetes.apiserver.resources.validation.domain_path import validate_domain_path
from pybernetes.apiserver.resources.validation.internal_form import internal_template
from pybernetes.apiserver.resources.validation.job_policies import (
    validate_failure_policy,
    validate_replacement,
    validate_success_policy,
)
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, validate_annotations, validate_labels
from pybernetes.apiserver.resources.validation.numbers import not_negative
from pybernetes.apiserver.resources.validation.pod_spec import validate_template
from pybernetes.apiserver.resources.validation.schedules import validate_schedule, validate_zone
from pybernetes.apiserver.resources.validation.selectors import (
    finds,
    matches,
    same_selector,
    shown_labels,
    shown_selector,
    validate_selector,
)
from pybernetes.apiserver.resources.validation.texts import no_longer, one_of

_NOT_INDEXED = "requires indexed completion mode"
_MAX_INDEXED = 100_000
_MANY = 100_000
_MAX_OF_MANY = 10_000
_MANAGER_LIMIT = 63


def validate_create(job: Job, *, prefixed: bool = True) -> list[FieldError]:
    """`prefixed` says that the template has to have the generated labels with a prefix too."""
    errors = _validate_generated_selector(job, prefixed=prefixed) + _validate_spec(job.spec, "spec")
    return errors + _validate_pod_names(job)


def _validate_pod_names(job: Job) -> list[FieldError]:
    """The pods of an indexed Job have its name and their index as their host's name."""
    spec, name = job.spec, job.metadata.name or ""
    if spec.completion_mode != "Indexed" or not spec.completions or spec.completions < 0:
        return []
    host = f"{name}-{spec.completions - 1}"
    if not dns1123_label(host):
        return []
    return [invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {host}")]


def _validate_generated_selector(job: Job, *, prefixed: bool = True) -> list[FieldError]:
    """The labels that tie pods to the Job are the Job's own; old Jobs have only those without a prefix."""
    spec, selector = job.spec, job.spec.selector
    if spec.manual_selector or selector is None:
        return []
    uid, name = job.metadata.uid or "", job.metadata.name or ""
    own = {LEGACY_CONTROLLER_UID: uid, LEGACY_JOB_NAME: name}
    if prefixed:
        own |= {CONTROLLER_UID: uid, JOB_NAME: name}
    errors: list[FieldError] = []
    labels = spec.template.metadata.labels
    for key, expected in own.items():
        where = f"spec.template.metadata.labels[{key}]"
        if key not in labels:
            errors.append(required(where, f"must be '{expected}'"))
        elif labels[key] != expected:
            errors.append(invalid(where, shown_labels(labels), f"must be '{expected}'"))
    if not validate_selector(selector, "") and not matches(selector, own):
        errors.append(invalid("spec.selector", shown_selector(selector), "`selector` not auto-generated"))
    return errors


def _validate_spec(spec: JobSpec, path: str, *, generated: bool = True) -> list[FieldError]:
    """The spec of a Job, also within a CronJob (`generated` false: its selector comes later)."""
    errors = _validate_counts(spec, path)
    errors += _validate_indexes(spec, path)
    if spec.pod_failure_policy is not None:
        errors += validate_failure_policy(spec, f"{path}.podFailurePolicy.rules")
    errors += _validate_success_policy(spec, path)
    errors += validate_replacement(spec, f"{path}.podReplacementPolicy")
    errors += validate_template(spec.template, f"{path}.template")
    errors += _validate_restart(spec, f"{path}.template.spec.restartPolicy")
    if not generated:
        return errors
    if spec.selector is None:
        errors.append(required(f"{path}.selector"))
    if problems := validate_selector(spec.selector, f"{path}.selector"):
        return errors + problems
    return errors + finds(spec.selector, spec.template.metadata.labels, f"{path}.template.metadata.labels")


def _validate_counts(spec: JobSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, value in (
        ("parallelism", spec.parallelism),
        ("completions", spec.completions),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ):
        errors += not_negative(value, f"{path}.{name}")
    if spec.max_failed_indexes is not None and spec.backoff_limit_per_index is None:
        errors.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if spec.managed_by is not None:
        errors += validate_domain_path(spec.managed_by, f"{path}.managedBy")
        errors += no_longer(spec.managed_by, _MANAGER_LIMIT, f"{path}.managedBy")
    return errors


def _validate_indexes(spec: JobSpec, path: str) -> list[FieldError]:
    errors = one_of(spec.completion_mode, ("NonIndexed", "Indexed"), f"{path}.completionMode")
    if spec.completion_mode == "Indexed":
        return errors + _validate_indexed(spec, path)
    if spec.completion_mode == "NonIndexed":
        for name, value in (
            ("backoffLimitPerIndex", spec.backoff_limit_per_index),
            ("maxFailedIndexes", spec.max_failed_indexes),
        ):
            if value is not None:
                errors.append(invalid(f"{path}.{name}", value, _NOT_INDEXED))
    return errors


def _validate_indexed(spec: JobSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    mode = "when completion mode is Indexed"
    completions, parallelism, failed = spec.completions, spec.parallelism or 0, spec.max_failed_indexes
    if completions is None:
        errors.append(required(f"{path}.completions", mode))
    if parallelism > _MAX_INDEXED:
        detail = f"must be less than or equal to {_MAX_INDEXED} {mode}"
        errors.append(invalid(f"{path}.parallelism", parallelism, detail))
    if completions is not None and failed is not None and failed > completions:
        errors.append(invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if failed is not None and failed > _MAX_INDEXED:
        errors.append(invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {_MAX_INDEXED}"))
    if completions is not None and completions > _MANY and spec.backoff_limit_per_index is not None:
        errors += _validate_many(parallelism, failed, path)
    return errors


def _validate_many(parallelism: int, failed: int | None, path: str) -> list[FieldError]:
    """With very many indexes, fewer pods may run or fail at once."""
    needed = required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {_MANY}")
    errors = [needed] if failed is None else []
    for name, value in (("parallelism", parallelism), ("maxFailedIndexes", failed or 0)):
        if value > _MAX_OF_MANY:
            detail = (
                f"must be less than or equal to {_MAX_OF_MANY} when completions are above {_MANY} "
                "and used with backoff limit per index"
            )
            errors.append(invalid(f"{path}.{name}", value, detail))
    return errors


def _validate_success_policy(spec: JobSpec, path: str) -> list[FieldError]:
    if spec.success_policy is None:
        return []
    if spec.completion_mode == "Indexed":
        return validate_success_policy(spec, f"{path}.successPolicy.rules")
    rules = [
        {"SucceededIndexes": rule.succeeded_indexes, "SucceededCount": rule.succeeded_count}
        for rule in spec.success_policy.rules
    ]
    return [invalid(f"{path}.successPolicy", {"Rules": rules}, _NOT_INDEXED)]


def _validate_restart(spec: JobSpec, path: str) -> list[FieldError]:
    policy = spec.template.spec.restart_policy
    if policy == "Always":
        return [required(path, 'valid values: "OnFailure", "Never"')]
    if policy not in ("OnFailure", "Never"):
        return [not_supported(path, policy, ("OnFailure", "Never"))]
    if policy == "OnFailure" and spec.pod_failure_policy is not None:
        return [invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    return []


def validate_update(new: Job, old: Job) -> list[FieldError]:
    """Only what does not change which pods the Job makes may change."""
    spec, before = new.spec, old.spec
    # As upstream, which looks at the spec of an update twice and says so twice.
    prefixed = {CONTROLLER_UID, JOB_NAME} <= before.template.metadata.labels.keys()
    errors = validate_create(new, prefixed=prefixed) + _validate_spec(spec, "spec") if spec != before else []
    if spec.completions != before.completions:
        if spec.completion_mode != "Indexed":
            errors.append(invalid("spec.completions", spec.completions, IMMUTABLE))
        elif spec.completions is not None and spec.completions != spec.parallelism:
            detail = "can only be modified in tandem with spec.parallelism"
            errors.append(invalid("spec.completions", spec.completions, detail))
    errors += same_selector(spec.selector, before.selector, "spec.selector")
    if not _same_template(spec, old):
        errors.append(invalid("spec.template", internal_template(spec.template), IMMUTABLE))
    for name, after, earlier in (
        ("completionMode", spec.completion_mode, before.completion_mode),
        ("podFailurePolicy", spec.pod_failure_policy, before.pod_failure_policy),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index, before.backoff_limit_per_index),
        ("managedBy", spec.managed_by, before.managed_by),
        ("successPolicy", spec.success_policy, before.success_policy),
    ):
        if after != earlier:
            shown = after if after is None or isinstance(after, str | int) else {"Rules": list(after.rules)}
            errors.append(invalid(f"spec.{name}", shown, IMMUTABLE))
    return errors


def _same_template(new: JobSpec, old: Job) -> bool:
    """The template stays, but for where the pods of a Job at rest will be scheduled and what they will be given."""
    if new.template == old.spec.template:
        return True
    if not _rests(old):
        return False
    template = copy(old.spec.template)
    template.metadata.annotations = new.template.metadata.annotations
    template.metadata.labels = new.template.metadata.labels
    kept, given = template.spec, new.template.spec
    for name in ("node_selector", "tolerations", "scheduling_gates"):
        setattr(kept, name, getattr(given, name))
    kept.affinity = _with_node_affinity(kept.affinity, given.affinity)
    for mine, theirs in (
        *zip(kept.init_containers, given.init_containers, strict=False),
        *zip(kept.containers, given.containers, strict=False),
    ):
        mine.resources = theirs.resources
    return template == new.template


def _rests(job: Job) -> bool:
    """Whether a Job is suspended and has no pods: those of one that had started are known to be gone."""
    status = job.status
    said = any(condition.type == "Suspended" and condition.status == "True" for condition in status.conditions)
    return bool(job.spec.suspend) and not status.active and (status.start_time is None or said)


def _with_node_affinity(kept: Affinity | None, given: Affinity | None) -> Affinity | None:
    """What is kept, with the affinity to nodes that is given; none where nothing is left."""
    result = kept or Affinity()
    result.node_affinity = given.node_affinity if given is not None else None
    return result if given is not None or result != Affinity() else None


def validate_cron_job(cron_job: CronJob) -> list[FieldError]:
    errors = _validate_cron_spec(cron_job.spec, None)
    name = cron_job.metadata.name or ""
    if len(name) > 52:
        errors.append(invalid("metadata.name", name, "must be no more than 52 characters"))
    return errors


def _validate_cron_spec(spec: CronJobSpec, old: CronJobSpec | None) -> list[FieldError]:
    errors = validate_schedule(spec.schedule, spec.time_zone, zoned=old is not None and "TZ" in old.schedule)
    errors += not_negative(spec.starting_deadline_seconds, "spec.startingDeadlineSeconds")
    if old is None or old.time_zone != spec.time_zone:
        errors += validate_zone(spec.time_zone)
    errors += one_of(spec.concurrency_policy, ("Allow", "Forbid", "Replace"), "spec.concurrencyPolicy")
    template = spec.job_template
    errors += validate_labels(template.metadata.labels, "spec.jobTemplate.labels")
    errors += validate_annotations(template.metadata.annotations, "spec.jobTemplate.annotations")
    errors += _validate_job_template(template.spec)
    errors += not_negative(spec.successful_jobs_history_limit, "spec.successfulJobsHistoryLimit")
    return errors + not_negative(spec.failed_jobs_history_limit, "spec.failedJobsHistoryLimit")


def _validate_job_template(spec: JobSpec) -> list[FieldError]:
    """The Jobs are defaulted when they are made, so their absent mode is the plain one here."""
    path = "spec.jobTemplate.spec"
    checked = copy(spec)
    checked.completion_mode = checked.completion_mode or "NonIndexed"
    errors = _validate_spec(checked, path, generated=False)
    if spec.selector is not None:
        detail = "`selector` will be auto-generated"
        errors.append(invalid(f"{path}.selector", shown_selector(spec.selector), detail))
    if spec.manual_selector:
        errors.append(not_supported(f"{path}.manualSelector", True, ("nil", "false")))
    return errors


def validate_cron_job_update(new: CronJob, old: CronJob) -> list[FieldError]:
    return _validate_cron_spec(new.spec, old.spec) if new.spec != old.spec else []
