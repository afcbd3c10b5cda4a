"""Rules for HorizontalPodAutoscalers and PodDisruptionBudgets."""

from __future__ import annotations

from typing import Any

from pybernetes.api.quantity import amount
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types import autoscaling_v1, autoscaling_v2
from pybernetes.api.types.autoscaling_v2 import HPAScalingRules, MetricSpec, MetricTarget
from pybernetes.api.types.policy_v1 import PodDisruptionBudget
from pybernetes.apiserver.resources.validation.numbers import at_most_all, int_or_percent
from pybernetes.apiserver.resources.validation.selectors import validate_selector

_METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")
_POSITIVE = "must be greater than zero"


def _validate_bounds(spec: Any) -> list[FieldError]:
    errors: list[FieldError] = []
    lowest = 1 if spec.min_replicas is None else spec.min_replicas
    if lowest < 1:
        detail = "must be greater than or equal to 1"
        errors.append(invalid("spec.minReplicas", lowest, detail))
    if spec.max_replicas < 1:
        errors.append(required("spec.maxReplicas", "must be set and greater than 0"))
    if spec.max_replicas < lowest:
        detail = "must be greater than or equal to `minReplicas`"
        errors.append(invalid("spec.maxReplicas", spec.max_replicas, detail))
    return errors


def _validate_target(reference: Any) -> list[FieldError]:
    errors: list[FieldError] = []
    path = "spec.scaleTargetRef"
    if not reference.kind:
        errors.append(required(f"{path}.kind"))
    if not reference.name:
        errors.append(required(f"{path}.name"))
    if "/" not in (reference.api_version or "") and reference.api_version != "v1":
        detail = "apiVersion must specify API group"
        errors.append(invalid(f"{path}.apiVersion", reference.api_version or "", detail))
    return errors


def validate_v1(autoscaler: autoscaling_v1.HorizontalPodAutoscaler) -> list[FieldError]:
    spec = autoscaler.spec
    return _validate_bounds(spec) + _validate_target(spec.scale_target_ref)


def validate_v2(autoscaler: autoscaling_v2.HorizontalPodAutoscaler) -> list[FieldError]:
    spec = autoscaler.spec
    errors = _validate_bounds(spec) + _validate_target(spec.scale_target_ref)
    for index, metric in enumerate(spec.metrics):
        errors += _validate_metric(metric, f"spec.metrics[{index}]")
    if spec.min_replicas == 0 and not any(metric.type in ("Object", "External") for metric in spec.metrics):
        detail = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(forbidden_field("spec.metrics", detail))
    if spec.behavior is not None:
        for name, rules in (("scaleUp", spec.behavior.scale_up), ("scaleDown", spec.behavior.scale_down)):
            if rules is not None:
                errors += _validate_rules(rules, f"spec.behavior.{name}")
    return errors


def _validate_metric(metric: MetricSpec, path: str) -> list[FieldError]:
    if not metric.type:
        return [required(f"{path}.type", "must specify a metric source type")]
    if metric.type not in _METRICS:
        return [not_supported(f"{path}.type", metric.type, _METRICS)] * 2
    name = metric.type[0].lower() + metric.type[1:]
    sources: dict[str, Any] = {
        "containerResource": metric.container_resource,
        "external": metric.external,
        "object": metric.object,
        "pods": metric.pods,
        "resource": metric.resource,
    }
    source = sources[name]
    if source is None:
        return [required(f"{path}.{name}", "must populate information for the given metric source")]
    return _validate_metric_target(source.target, f"{path}.{name}.target", name)


def _validate_metric_target(target: MetricTarget, path: str, source: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not target.type:
        errors.append(required(f"{path}.type", "must specify a metric target type"))
    elif target.type not in ("Utilization", "Value", "AverageValue"):
        errors.append(invalid(f"{path}.type", target.type, "must be either Utilization, Value, or AverageValue"))
    if target.average_utilization is not None and target.average_utilization < 1:
        detail = "must be greater than 0"
        errors.append(invalid(f"{path}.averageUtilization", target.average_utilization, detail))
    for name, value in (("value", target.value), ("averageValue", target.average_value)):
        if value is not None and amount(value).nano <= 0:
            errors.append(invalid(f"{path}.{name}", value, "must be positive"))
    if source in ("resource", "containerResource"):
        if target.average_utilization is None and target.average_value is None:
            detail = "must set either a target raw value or a target utilization"
            errors.append(required(f"{path}.averageUtilization", detail))
    elif source == "pods" and target.average_value is None:
        errors.append(required(f"{path}.averageValue", "must specify a positive target averageValue"))
    return errors


def _validate_rules(rules: HPAScalingRules, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    window = rules.stabilization_window_seconds
    if window is not None and window < 0:
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    elif window is not None and window > 3600:
        detail = "must be less than or equal to 3600"
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, detail))
    choices = ("Disabled", "Max", "Min")
    if rules.select_policy is not None and rules.select_policy not in choices:
        errors.append(not_supported(f"{path}.selectPolicy", rules.select_policy, choices))
    if not rules.policies:
        errors.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.policies):
        where = f"{path}.policies[{index}]"
        if policy.type not in ("Percent", "Pods"):
            errors.append(not_supported(f"{where}.type", policy.type, ("Percent", "Pods")))
        if policy.value <= 0:
            errors.append(invalid(f"{where}.value", policy.value, _POSITIVE))
        if policy.period_seconds <= 0:
            errors.append(invalid(f"{where}.periodSeconds", policy.period_seconds, _POSITIVE))
        elif policy.period_seconds > 1800:
            detail = "must be less than or equal to 1800"
            errors.append(invalid(f"{where}.periodSeconds", policy.period_seconds, detail))
    return errors


def validate_budget(budget: PodDisruptionBudget) -> list[FieldError]:
    spec = budget.spec
    errors: list[FieldError] = []
    if spec.min_available is not None and spec.max_unavailable is not None:
        shown = {"MinAvailable": spec.min_available, "MaxUnavailable": spec.max_unavailable}
        errors.append(invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
    for name, value in (("minAvailable", spec.min_available), ("maxUnavailable", spec.max_unavailable)):
        errors += int_or_percent(value, f"spec.{name}")
        errors += at_most_all(value, f"spec.{name}")
    errors += validate_selector(spec.selector, "spec.selector")
    policy = spec.unhealthy_pod_eviction_policy
    if policy not in (None, "IfHealthyBudget", "AlwaysAllow"):
        choices = ("AlwaysAllow", "IfHealthyBudget")
        errors.append(not_supported("spec.unhealthyPodEvictionPolicy", policy, choices))
    return errors
