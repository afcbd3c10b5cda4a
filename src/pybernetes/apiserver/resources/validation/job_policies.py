"""Rules for what a Job makes of pods that fail, of indexes that succeed, and of when a pod is replaced."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence

from pybernetes.api.names import qualified_name
from pybernetes.api.status import OMITTED, FieldError, duplicate, invalid, required
from pybernetes.api.types.batch_v1 import (
    JobSpec,
    PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
    SuccessPolicyRule,
)
from pybernetes.apiserver.resources.validation.conditions import CONDITION_STATUSES
from pybernetes.apiserver.resources.validation.indexes import NotIndexes, count_indexes
from pybernetes.apiserver.resources.validation.lists import at_most, each, repeated
from pybernetes.apiserver.resources.validation.numbers import not_negative
from pybernetes.apiserver.resources.validation.texts import no_longer, none_or_one_of, obeys, one_of

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_MOST_RULES = 20
_MOST_CODES = 255
_MOST_PATTERNS = 20
_INDEXES_LIMIT = 64 * 1024
_NOT_A_CONTAINER = "must be one of the container or initContainer names in the pod template"


def _chosen(value: str, known: Sequence[str], path: str) -> list[FieldError]:
    """A word of a few, which whoever gives none is told."""
    if value:
        return one_of(value, known, path)
    return [required(path, f"valid values: [{' '.join(json.dumps(each) for each in known)}]")]


def validate_replacement(spec: JobSpec, path: str) -> list[FieldError]:
    policy = spec.pod_replacement_policy
    supported = ("Failed",) if spec.pod_failure_policy is not None else ("Failed", "TerminatingOrFailed")
    return none_or_one_of(policy, supported, path)


def validate_failure_policy(spec: JobSpec, path: str) -> list[FieldError]:
    """The rules of the policy; `path` leads to them."""
    assert spec.pod_failure_policy is not None
    rules, pod = spec.pod_failure_policy.rules, spec.template.spec
    names = {container.name for container in (*pod.containers, *pod.init_containers)}
    by_index = spec.backoff_limit_per_index is not None

    def rule(item: PodFailurePolicyRule, where: str) -> list[FieldError]:
        return _validate_failure(item, names, where, by_index=by_index)

    return at_most(rules, _MOST_RULES, path) + each(rules, rule, path)


def _validate_failure(
    rule: PodFailurePolicyRule, names: Container[str], path: str, *, by_index: bool
) -> list[FieldError]:
    errors = _chosen(rule.action, _ACTIONS, f"{path}.action")
    if rule.action == "FailIndex" and not by_index:
        errors.append(invalid(f"{path}.action", rule.action, "requires the backoffLimitPerIndex to be set"))
    codes, patterns = rule.on_exit_codes, rule.on_pod_conditions
    if codes is not None:
        errors += _validate_codes(codes, names, f"{path}.onExitCodes")
    if patterns:
        where = f"{path}.onPodConditions"
        errors += at_most(patterns, _MOST_PATTERNS, where) + each(patterns, _validate_pattern, where)
    if codes is not None and patterns:
        detail = "specifying both OnExitCodes and OnPodConditions is not supported"
        errors.append(invalid(path, OMITTED, detail))
    if codes is None and not patterns:
        errors.append(invalid(path, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required"))
    return errors


def _validate_pattern(pattern: PodFailurePolicyOnPodConditionsPattern, path: str) -> list[FieldError]:
    errors = obeys(pattern.type, qualified_name, f"{path}.type")
    return errors + _chosen(pattern.status or "", CONDITION_STATUSES, f"{path}.status")


def _validate_codes(
    codes: PodFailurePolicyOnExitCodesRequirement, names: Container[str], path: str
) -> list[FieldError]:
    errors = _chosen(codes.operator, _OPERATORS, f"{path}.operator")
    if codes.container_name is not None and codes.container_name not in names:
        errors.append(invalid(f"{path}.containerName", codes.container_name, _NOT_A_CONTAINER))
    where, values = f"{path}.values", codes.values
    if not values:
        errors.append(invalid(where, [], "at least one value is required"))
    errors += at_most(values, _MOST_CODES, where)
    again = repeated(values)
    for index, value in enumerate(values):
        place = f"{where}[{index}]"
        if codes.operator == "In" and value == 0:
            errors.append(invalid(place, value, "must not be 0 for the In operator"))
        if index in again:
            errors.append(duplicate(place, value))
    if list(values) != sorted(values):
        errors.append(invalid(where, list(values), "must be ordered"))
    return errors


def validate_success_policy(spec: JobSpec, path: str) -> list[FieldError]:
    assert spec.success_policy is not None
    rules, completions = spec.success_policy.rules, spec.completions or 0

    def rule(item: SuccessPolicyRule, where: str) -> list[FieldError]:
        return _validate_success(item, completions, where)

    if not rules:
        detail = "at least one rules must be specified when the successPolicy is specified"
        return [required(path, detail)]
    return at_most(rules, _MOST_RULES, path) + each(rules, rule, path)


def _validate_success(rule: SuccessPolicyRule, completions: int, path: str) -> list[FieldError]:
    indexes, count = rule.succeeded_indexes, rule.succeeded_count
    if count is None and indexes is None:
        return [required(path, "at least one of succeededCount or succeededIndexes must be specified")]
    errors: list[FieldError] = []
    total = 0
    if indexes is not None:
        where = f"{path}.succeededIndexes"
        errors += no_longer(indexes, _INDEXES_LIMIT, where)
        try:
            total = count_indexes(indexes, completions)
        except NotIndexes as problem:
            errors.append(invalid(where, indexes, f"error parsing succeededIndexes: {problem}"))
    if count is None:
        return errors
    where = f"{path}.succeededCount"
    errors += not_negative(count, where)
    limits = [(completions, "the number of specified completions")]
    if indexes is not None:
        limits.append((total, "the number of indexes in the specified succeededIndexes field"))
    for limit, what in limits:
        if count > limit:
            errors.append(invalid(where, count, f"must be less than or equal to {limit} ({what})"))
    return errors
