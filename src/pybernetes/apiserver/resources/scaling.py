"""Strategies of HorizontalPodAutoscalers (both versions) and PodDisruptionBudgets."""

from __future__ import annotations

from typing import Any

from pybernetes.api.types import autoscaling_v1, autoscaling_v2
from pybernetes.api.types.autoscaling_v2 import HPAScalingPolicy, HPAScalingRules, MetricSpec, MetricTarget
from pybernetes.api.types.policy_v1 import PodDisruptionBudget, PodDisruptionBudgetStatus
from pybernetes.apiserver.resources.amounts import canonical_or_none
from pybernetes.apiserver.resources.prepare import clear_status, keep_status, keep_status_and_count, only_status
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver import autoscalers


def _default_v1(autoscaler: autoscaling_v1.HorizontalPodAutoscaler) -> None:
    spec = autoscaler.spec
    spec.min_replicas = 1 if spec.min_replicas is None else spec.min_replicas
    if spec.target_cpu_utilization_percentage is None:
        spec.target_cpu_utilization_percentage = 80


def _default_v2(autoscaler: autoscaling_v2.HorizontalPodAutoscaler) -> None:
    """Without metrics of its own it aims at 80 % of the CPU that is asked for; v1's annotations are v1's."""
    annotations = autoscaler.metadata.annotations
    autoscaler.metadata.annotations = {
        name: text for name, text in annotations.items() if name not in autoscalers.CARRIERS
    }
    spec = autoscaler.spec
    spec.min_replicas = 1 if spec.min_replicas is None else spec.min_replicas
    if not spec.metrics:
        target = MetricTarget(type="Utilization", average_utilization=80)
        cpu = autoscaling_v2.ResourceMetricSource(name="cpu", target=target)
        spec.metrics = [MetricSpec(type="Resource", resource=cpu)]
    for metric in spec.metrics:
        _canonicalize(metric)
    if spec.behavior is not None:
        spec.behavior.scale_up = _rules(spec.behavior.scale_up, up=True)
        spec.behavior.scale_down = _rules(spec.behavior.scale_down, up=False)


def _canonicalize(metric: MetricSpec) -> None:
    source: Any
    for source in (metric.resource, metric.container_resource, metric.pods, metric.object, metric.external):
        if source is not None:
            source.target.value = canonical_or_none(source.target.value)
            source.target.average_value = canonical_or_none(source.target.average_value)


def _rules(rules: HPAScalingRules | None, *, up: bool) -> HPAScalingRules:
    """Up: at once, by 4 pods or 100 % in 15 s, whichever is more; down: by 100 % in 15 s."""
    rules = rules or HPAScalingRules()
    rules.select_policy = rules.select_policy or "Max"
    rules.tolerance = canonical_or_none(rules.tolerance)
    if up and rules.stabilization_window_seconds is None:
        rules.stabilization_window_seconds = 0
    if not rules.policies:
        percent = HPAScalingPolicy(type="Percent", value=100, period_seconds=15)
        pods = HPAScalingPolicy(type="Pods", value=4, period_seconds=15)
        rules.policies = [pods, percent] if up else [percent]
    return rules


def _prepare_budget(budget: PodDisruptionBudget) -> None:
    """The counts are written even when they are zero."""
    budget.metadata.generation = 1
    budget.status = PodDisruptionBudgetStatus(
        current_healthy=0, desired_healthy=0, disruptions_allowed=0, expected_pods=0
    )


def _default_budget(budget: PodDisruptionBudget) -> None:
    status = budget.status
    status.current_healthy = status.current_healthy or 0
    status.desired_healthy = status.desired_healthy or 0
    status.disruptions_allowed = status.disruptions_allowed or 0
    status.expected_pods = status.expected_pods or 0


AUTOSCALER_V1 = Strategy(
    default=_default_v1, prepare_create=clear_status, prepare_update=keep_status, prepare_status=only_status
)
AUTOSCALER_V2 = Strategy(
    default=_default_v2, prepare_create=clear_status, prepare_update=keep_status, prepare_status=only_status
)
POD_DISRUPTION_BUDGET = Strategy(
    default=_default_budget,
    prepare_create=_prepare_budget,
    prepare_update=keep_status_and_count,
    prepare_status=only_status,
    unconditional_update=False,
)
