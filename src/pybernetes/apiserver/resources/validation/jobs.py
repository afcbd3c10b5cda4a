"""Rules for Jobs and CronJobs."""

from __future__ import annotations

import re
from typing import Any

from pybernetes.api.names import dns1123_subdomain
from pybernetes.api.objects import copy
from pybernetes.api.status import OMITTED, FieldError, invalid, not_supported, required
from pybernetes.api.types.batch_v1 import (
    CronJob,
    Job,
    JobSpec,
    PodFailurePolicyRule,
    SuccessPolicyRule,
)
from pybernetes.apiserver.resources.validation.internal_form import internal_template
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, validate_annotations, validate_labels
from pybernetes.apiserver.resources.validation.numbers import not_negative
from pybernetes.apiserver.resources.validation.pod_spec import validate_template
from pybernetes.apiserver.resources.validation.schedules import validate_schedule
from pybernetes.apiserver.resources.validation.selectors import matches, shown_selector, validate_selector

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
_MISMATCH = "`selector` does not match template `labels`"
_NOT_INDEXED = "requires indexed completion mode"
_MAX_INDEXED = 100_000
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")


def _labels(spec: JobSpec) -> Any:
    return dict(sorted(spec.template.metadata.labels.items())) or None


def validate_create(job: Job) -> list[FieldError]:
    spec = job.spec
    errors = _validate_generated_selector(job)
    errors += validate_spec(spec, "spec")
    return errors


def _validate_generated_selector(job: Job) -> list[FieldError]:
    """The labels that tie pods to the Job are the Job's own."""
    spec = job.spec
    if spec.manual_selector:
        return []
    errors: list[FieldError] = []
    uid, name = job.metadata.uid or "", job.metadata.name or ""
    labels = spec.template.metadata.labels
    for key, expected in (("controller-uid", uid), (CONTROLLER_UID, uid), ("job-name", name), (JOB_NAME, name)):
        where = f"spec.template.metadata.labels[{key}]"
        if key not in labels:
            errors.append(required(where, f"must be '{expected}'"))
        elif labels[key] != expected:
            errors.append(invalid(where, _labels(spec), f"must be '{expected}'"))
    selector = spec.selector
    generated = selector is not None and selector.match_labels == {CONTROLLER_UID: uid}
    if selector is not None and not (generated and not selector.match_expressions):
        errors.append(invalid("spec.selector", shown_selector(selector), "`selector` not auto-generated"))
    return errors


def validate_spec(spec: JobSpec, path: str, *, generated: bool = True) -> list[FieldError]:
    """The spec of a Job, also within a CronJob (`generated` false: its selector comes later)."""
    errors = _validate_counts(spec, path)
    if generated and spec.selector is None:
        errors.append(required(f"{path}.selector"))
    elif generated:
        errors += validate_selector(spec.selector, f"{path}.selector")
    errors += _validate_indexes(spec, path)
    errors += _validate_policies(spec, path)
    errors += validate_template(spec.template, f"{path}.template")
    errors += _validate_restart(spec, f"{path}.template.spec.restartPolicy")
    if generated and not matches(spec.selector, spec.template.metadata.labels):
        errors.append(invalid(f"{path}.template.metadata.labels", _labels(spec), _MISMATCH))
    return errors


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
    if spec.managed_by is not None:
        domain, _, rest = spec.managed_by.partition("/")
        if not domain or not rest:
            detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
            errors.append(invalid(f"{path}.managedBy", spec.managed_by, detail))
        else:
            texts = dns1123_subdomain(domain)
            errors += [invalid(f"{path}.managedBy", domain, text) for text in texts]
    return errors


def _validate_indexes(spec: JobSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if spec.max_failed_indexes is not None and spec.backoff_limit_per_index is None:
        errors.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if spec.completion_mode not in ("NonIndexed", "Indexed"):
        errors.append(not_supported(f"{path}.completionMode", spec.completion_mode, ("NonIndexed", "Indexed")))
    if spec.completion_mode == "Indexed":
        return errors + _validate_indexed(spec, path)
    for name, value in (
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ):
        if value is not None:
            errors.append(invalid(f"{path}.{name}", value, _NOT_INDEXED))
    if spec.success_policy is not None:
        rules = [
            {"SucceededIndexes": rule.succeeded_indexes, "SucceededCount": rule.succeeded_count}
            for rule in spec.success_policy.rules
        ]
        errors.append(invalid(f"{path}.successPolicy", {"Rules": rules}, _NOT_INDEXED))
    return errors


def _validate_indexed(spec: JobSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    mode = "when completion mode is Indexed"
    if spec.completions is None:
        errors.append(required(f"{path}.completions", f"{mode}"))
    if (spec.parallelism or 0) > _MAX_INDEXED:
        detail = f"must be less than or equal to {_MAX_INDEXED} {mode}"
        errors.append(invalid(f"{path}.parallelism", spec.parallelism, detail))
    failed = spec.max_failed_indexes
    if spec.completions is not None and failed is not None and failed > spec.completions:
        errors.append(invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if spec.success_policy is not None:
        where = f"{path}.successPolicy.rules"
        if not spec.success_policy.rules:
            detail = "at least one rules must be specified when the successPolicy is specified"
            errors.append(required(where, detail))
        for index, rule in enumerate(spec.success_policy.rules):
            errors += _validate_success(rule, spec.completions or 0, f"{where}[{index}]")
    return errors


def _validate_success(rule: SuccessPolicyRule, completions: int, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if rule.succeeded_count is None and rule.succeeded_indexes is None:
        detail = "at least one of succeededCount or succeededIndexes must be specified"
        errors.append(required(path, detail))
    if rule.succeeded_indexes is not None:
        problem = _index_problem(rule.succeeded_indexes, completions)
        if problem:
            detail = f"error parsing succeededIndexes: {problem}"
            errors.append(invalid(f"{path}.succeededIndexes", rule.succeeded_indexes, detail))
    return errors + not_negative(rule.succeeded_count, f"{path}.succeededCount")


def _index_problem(text: str, completions: int) -> str:
    """What is wrong with indexes such as `0,2-4`; empty when nothing is."""
    previous = -1
    for part in text.split(","):
        first, dash, last = part.partition("-")
        for number in (first, last) if dash else (first,):
            if not re.fullmatch("[0-9]+", number):
                return f'cannot convert string to integer for index: "{number}"'
            if int(number) >= completions:
                return f'too large index: "{number}"'
        if int(first) <= previous:
            return f"non-increasing order, previous: {previous}, current: {int(first)}"
        previous = int(last) if dash else int(first)
        if dash and int(last) <= int(first):
            return f"non-increasing order, previous: {int(first)}, current: {int(last)}"
    return ""


def _validate_policies(spec: JobSpec, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    replacement = spec.pod_replacement_policy
    supported = ("Failed",) if spec.pod_failure_policy is not None else ("Failed", "TerminatingOrFailed")
    if replacement is not None and replacement not in supported:
        errors.append(not_supported(f"{path}.podReplacementPolicy", replacement, supported))
    if spec.pod_failure_policy is not None:
        where = f"{path}.podFailurePolicy.rules"
        for index, rule in enumerate(spec.pod_failure_policy.rules):
            errors += _validate_failure(rule, f"{where}[{index}]")
    return errors


def _validate_failure(rule: PodFailurePolicyRule, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not rule.action:
        shown = " ".join(f'"{action}"' for action in _ACTIONS)
        errors.append(required(f"{path}.action", f"valid values: [{shown}]"))
    elif rule.action not in _ACTIONS:
        errors.append(not_supported(f"{path}.action", rule.action, _ACTIONS))
    codes = rule.on_exit_codes
    if codes is not None:
        where = f"{path}.onExitCodes"
        if codes.operator not in ("In", "NotIn"):
            errors.append(not_supported(f"{where}.operator", codes.operator, ("In", "NotIn")))
        if not codes.values:
            errors.append(invalid(f"{where}.values", [], "at least one value is required"))
        for index, value in enumerate(codes.values):
            if codes.operator == "In" and value == 0:
                errors.append(invalid(f"{where}.values[{index}]", value, "must not be 0 for the In operator"))
    if codes is not None and rule.on_pod_conditions:
        detail = "specifying both OnExitCodes and OnPodConditions is not supported"
        errors.append(invalid(path, OMITTED, detail))
    elif codes is None and not rule.on_pod_conditions:
        errors.append(invalid(path, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required"))
    return errors


def _validate_restart(spec: JobSpec, path: str) -> list[FieldError]:
    policy = spec.template.spec.restart_policy
    if policy == "Always":
        return [required(path, 'valid values: "OnFailure", "Never"')]
    if policy == "OnFailure" and spec.pod_failure_policy is not None:
        return [invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    return []


def validate_update(new: Job, old: Job) -> list[FieldError]:
    """Only what does not change which pods the Job makes may change."""
    spec, before = new.spec, old.spec
    errors = validate_create(new) if spec != before else []
    if spec.completions != before.completions:
        elastic = spec.completion_mode == "Indexed" and spec.completions == spec.parallelism
        if not elastic:
            errors.append(invalid("spec.completions", spec.completions, IMMUTABLE))
    if spec.selector != before.selector:
        errors.append(invalid("spec.selector", shown_selector(spec.selector), IMMUTABLE))
    if not _same_template(spec, before, started=old.status.start_time is not None):
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


def _same_template(new: JobSpec, old: JobSpec, *, started: bool) -> bool:
    """The template stays, but for where a suspended Job that has not started will be scheduled."""
    if new.template == old.template:
        return True
    if not old.suspend or started:
        return False
    template = copy(old.template)
    template.metadata.annotations = new.template.metadata.annotations
    template.metadata.labels = new.template.metadata.labels
    for name in ("affinity", "node_selector", "tolerations", "scheduling_gates"):
        setattr(template.spec, name, getattr(new.template.spec, name))
    for mine, theirs in zip(template.spec.containers, new.template.spec.containers, strict=False):
        mine.resources = theirs.resources
    return template == new.template


def validate_cron_job(cron_job: CronJob) -> list[FieldError]:
    spec = cron_job.spec
    errors: list[FieldError] = []
    name = cron_job.metadata.name or ""
    if len(name) > 52:
        errors.append(invalid("metadata.name", name, "must be no more than 52 characters"))
    errors += validate_schedule(spec.schedule, spec.time_zone)
    errors += not_negative(spec.starting_deadline_seconds, "spec.startingDeadlineSeconds")
    if spec.concurrency_policy not in ("Allow", "Forbid", "Replace"):
        choices = ("Allow", "Forbid", "Replace")
        errors.append(not_supported("spec.concurrencyPolicy", spec.concurrency_policy, choices))
    template = spec.job_template
    errors += validate_labels(template.metadata.labels, "spec.jobTemplate.labels")
    errors += validate_annotations(template.metadata.annotations, "spec.jobTemplate.annotations")
    errors += _validate_job_template(template.spec)
    errors += not_negative(spec.successful_jobs_history_limit, "spec.successfulJobsHistoryLimit")
    return errors + not_negative(spec.failed_jobs_history_limit, "spec.failedJobsHistoryLimit")


def _validate_job_template(spec: JobSpec) -> list[FieldError]:
    """The Jobs are defaulted when they are made, so their absent mode is the plain one here."""
    errors: list[FieldError] = []
    if spec.manual_selector:
        errors.append(not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false")))
    checked = copy(spec)
    checked.completion_mode = checked.completion_mode or "NonIndexed"
    return errors + validate_spec(checked, "spec.jobTemplate.spec", generated=False)


def validate_cron_job_update(new: CronJob, old: CronJob) -> list[FieldError]:
    return validate_cron_job(new) if new.spec != old.spec else []
