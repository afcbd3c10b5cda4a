"""Rules for HorizontalPodAutoscalers and PodDisruptionBudgets."""

from __future__ import annotations

from typing import Any

from pybernetes.api.names import dns1123_label, path_segment_name
from pybernetes.api.quantity import amount
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.types import autoscaling_v1, autoscaling_v2
from pybernetes.api.types.autoscaling_v2 import HPAScalingRules, MetricSpec, MetricTarget
from pybernetes.api.types.policy_v1 import PodDisruptionBudget
from pybernetes.apiserver.resources.validation.conditions import validate_conditions
from pybernetes.apiserver.resources.validation.internal_form import internal_part
from pybernetes.apiserver.resources.validation.numbers import (
    at_most_all,
    container_resource_name,
    int_or_percent,
    not_negative,
    not_negative_quantity,
)
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.apiserver.resources.validation.texts import none_or_one_of, obeys, one_of, required_text

_METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")
_POSITIVE = "must be greater than zero"
_ABOVE_NOTHING = "must be greater than 0"


def _validate_bounds(spec: Any, old: Any) -> list[FieldError]:
    """Some that are stored scale down to nothing."""
    errors: list[FieldError] = []
    least = 0 if old is not None and old.min_replicas == 0 else 1
    lowest = 1 if spec.min_replicas is None else spec.min_replicas
    if lowest < least:
        errors.append(invalid("spec.minReplicas", lowest, f"must be greater than or equal to {least}"))
    if spec.max_replicas < 1:
        errors.append(required("spec.maxReplicas", "must be set and greater than 0"))
    if spec.max_replicas < lowest:
        detail = "must be greater than or equal to `minReplicas`"
        errors.append(invalid("spec.maxReplicas", spec.max_replicas, detail))
    return errors


def _validate_target(reference: Any, old: Any) -> list[FieldError]:
    path = "spec.scaleTargetRef"
    errors = _validate_described(reference, path)
    problem = "" if old is not None and _target_problem(old.scale_target_ref) else _target_problem(reference)
    return [*errors, invalid(f"{path}.apiVersion", reference.api_version or "", problem)] if problem else errors


def _target_problem(reference: Any) -> str:
    """What is wrong with the version of what is scaled: of kinds without a group only one can be scaled."""
    version = reference.api_version or ""
    if problem := _version_problem(version):
        return problem
    has_group = bool(version.rpartition("/")[0])
    return "" if has_group or reference.kind == "ReplicationController" else "apiVersion must specify API group"


def _version_problem(version: str) -> str:
    return f"unexpected GroupVersion string: {version}" if version.count("/") > 1 else ""


def validate_v1(
    autoscaler: autoscaling_v1.HorizontalPodAutoscaler, old: autoscaling_v1.HorizontalPodAutoscaler | None = None
) -> list[FieldError]:
    spec, before = autoscaler.spec, old.spec if old is not None else None
    errors = _validate_bounds(spec, before) + _validate_target(spec.scale_target_ref, before)
    share = spec.target_cpu_utilization_percentage
    if share is not None and share < 1:
        # The field is what this version has of the others' metrics.
        errors.append(invalid("spec.metrics[0].resource.target.averageUtilization", share, _ABOVE_NOTHING))
    return errors


def validate_v2(
    autoscaler: autoscaling_v2.HorizontalPodAutoscaler, old: autoscaling_v2.HorizontalPodAutoscaler | None = None
) -> list[FieldError]:
    spec, before = autoscaler.spec, old.spec if old is not None else None
    errors = _validate_bounds(spec, before) + _validate_target(spec.scale_target_ref, before)
    is_lax = before is not None and any(map(_describes_nonsense, before.metrics))
    for index, metric in enumerate(spec.metrics):
        errors += _validate_metric(metric, f"spec.metrics[{index}]", is_lax=is_lax)
    if spec.min_replicas == 0 and not any(metric.type in ("Object", "External") for metric in spec.metrics):
        detail = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(forbidden_field("spec.metrics", detail))
    if spec.behavior is not None:
        for name, rules in (("scaleUp", spec.behavior.scale_up), ("scaleDown", spec.behavior.scale_down)):
            if rules is not None:
                errors += _validate_rules(rules, f"spec.behavior.{name}")
    return errors


def _describes_nonsense(metric: MetricSpec) -> bool:
    source = metric.object
    return source is not None and bool(_version_problem(source.described_object.api_version or ""))


def _validate_metric(metric: MetricSpec, path: str, *, is_lax: bool) -> list[FieldError]:
    """`is_lax` lets versions of described objects pass that cannot be read."""
    given: dict[str, Any] = {
        "object": metric.object,
        "external": metric.external,
        "pods": metric.pods,
        "resource": metric.resource,
        "containerResource": metric.container_resource,
    }
    named = [name for name, source in given.items() if source is not None]
    unknown = one_of(metric.type, _METRICS, f"{path}.type")
    errors = [] if metric.type else [required(f"{path}.type", "must specify a metric source type")]
    errors += unknown
    if named:
        errors += _validate_source(given[named[0]], f"{path}.{named[0]}", named[0])
    if named[:1] == ["object"] and not is_lax and _describes_nonsense(metric):
        version = given["object"].described_object.api_version
        errors.append(invalid(f"{path}.object.describedObject.apiVersion", version, _version_problem(version)))
    expected = metric.type[:1].lower() + metric.type[1:]
    errors += unknown
    if not unknown and given[expected] is None:
        errors.append(required(f"{path}.{expected}", "must populate information for the given metric source"))
    if len(named) > 1:
        detail = "must populate the given metric source only"
        errors += [forbidden_field(f"{path}.{name}", detail) for name in sorted(named) if name != expected]
    return errors


def _validate_source(source: Any, path: str, kind: str) -> list[FieldError]:
    """What is measured, then what it should be."""
    errors: list[FieldError] = []
    if kind == "object":
        errors += _validate_described(source.described_object, f"{path}.describedObject")
    if kind in ("object", "external", "pods"):
        errors += _validate_metric_name(source.metric.name, f"{path}.metric.name")
    elif not source.name:
        errors.append(required(f"{path}.name", "must specify a resource name"))
    elif kind == "containerResource":
        errors += container_resource_name(source.name, f"{path}.name")
    if kind == "containerResource":
        if not source.container:
            errors.append(required(f"{path}.container", "must specify a container"))
        else:
            errors += obeys(source.container, dns1123_label, f"{path}.container")
    errors += _validate_metric_target(source.target, f"{path}.target")
    return errors + _validate_choice(source.target, f"{path}.target", kind)


def _validate_described(reference: Any, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, value in (("kind", reference.kind), ("name", reference.name)):
        errors += required_text(value, path_segment_name, f"{path}.{name}")
    return errors


def _validate_metric_name(name: str, path: str) -> list[FieldError]:
    return obeys(name, path_segment_name, path) if name else [required(path, "must specify a metric name")]


def _validate_choice(target: MetricTarget, path: str, kind: str) -> list[FieldError]:
    """Which of the target's numbers a kind of metric takes."""
    value, average, share = target.value, target.average_value, target.average_utilization
    if kind == "pods":
        if average is None:
            return [required(f"{path}.averageValue", "must specify a positive target averageValue")]
    elif kind in ("object", "external"):
        if value is None and average is None:
            external = "must set either a target value for metric or a per-pod target"
            detail = external if kind == "external" else "must set either a target value or averageValue"
            return [required(f"{path}.averageValue", detail)]
        if kind == "external" and value is not None and average is not None:
            detail = "may not set both a target value for metric and a per-pod target"
            return [forbidden_field(f"{path}.value", detail)]
    elif share is None and average is None:
        detail = "must set either a target raw value or a target utilization"
        return [required(f"{path}.averageUtilization", detail)]
    elif share is not None and average is not None:
        detail = "may not set both a target raw value and a target utilization"
        return [forbidden_field(f"{path}.averageValue", detail)]
    return []


def _validate_metric_target(target: MetricTarget, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not target.type:
        errors.append(required(f"{path}.type", "must specify a metric target type"))
    if target.type not in ("Utilization", "Value", "AverageValue"):
        errors.append(invalid(f"{path}.type", target.type, "must be either Utilization, Value, or AverageValue"))
    for name, value in (("value", target.value), ("averageValue", target.average_value)):
        if value is not None and amount(value).nano <= 0:
            errors.append(invalid(f"{path}.{name}", value, "must be positive"))
    if target.average_utilization is not None and target.average_utilization < 1:
        errors.append(invalid(f"{path}.averageUtilization", target.average_utilization, _ABOVE_NOTHING))
    return errors


def _validate_rules(rules: HPAScalingRules, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    window = rules.stabilization_window_seconds
    if window is not None and window < 0:
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    elif window is not None and window > 3600:
        detail = "must be less than or equal to 3600"
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, detail))
    errors += none_or_one_of(rules.select_policy, ("Disabled", "Max", "Min"), f"{path}.selectPolicy")
    if not rules.policies:
        errors.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.policies):
        where = f"{path}.policies[{index}]"
        errors += one_of(policy.type, ("Percent", "Pods"), f"{where}.type")
        if policy.value <= 0:
            errors.append(invalid(f"{where}.value", policy.value, _POSITIVE))
        if policy.period_seconds <= 0:
            errors.append(invalid(f"{where}.periodSeconds", policy.period_seconds, _POSITIVE))
        elif policy.period_seconds > 1800:
            detail = "must be less than or equal to 1800"
            errors.append(invalid(f"{where}.periodSeconds", policy.period_seconds, detail))
    if rules.tolerance is not None:
        errors += not_negative_quantity(rules.tolerance, f"{path}.tolerance")
    return errors


def validate_autoscaler_status(new: Any, _old: Any) -> list[FieldError]:
    errors = not_negative(new.status.current_replicas, "status.currentReplicas")
    return errors + not_negative(new.status.desired_replicas, "status.desiredReplicas")


def validate_budget_status(new: PodDisruptionBudget, _old: PodDisruptionBudget) -> list[FieldError]:
    status = new.status
    errors = validate_conditions(status.conditions, "status.conditions")
    for name, value in (
        ("disruptionsAllowed", status.disruptions_allowed),
        ("currentHealthy", status.current_healthy),
        ("desiredHealthy", status.desired_healthy),
        ("expectedPods", status.expected_pods),
    ):
        errors += not_negative(value, f"status.{name}")
    return errors


def validate_budget(budget: PodDisruptionBudget) -> list[FieldError]:
    spec = budget.spec
    errors: list[FieldError] = []
    if spec.min_available is not None and spec.max_unavailable is not None:
        errors.append(invalid("spec", internal_part(spec), "minAvailable and maxUnavailable cannot be both set"))
    for name, value in (("minAvailable", spec.min_available), ("maxUnavailable", spec.max_unavailable)):
        errors += int_or_percent(value, f"spec.{name}")
        errors += at_most_all(value, f"spec.{name}")
    errors += validate_selector(spec.selector, "spec.selector")
    policy = spec.unhealthy_pod_eviction_policy
    return errors + none_or_one_of(policy, ("AlwaysAllow", "IfHealthyBudget"), "spec.unhealthyPodEvictionPolicy")
