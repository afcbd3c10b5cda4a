"""What a HorizontalPodAutoscaler is to do: a pure decision, and the conditions and events that tell of it.

There is no metrics API here: a target within its bounds keeps its size, and the conditions say what is missing. Bounds
are kept in any case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pybernetes.api import time as api_time
from pybernetes.api.types.autoscaling_v2 import (
    HorizontalPodAutoscalerCondition,
    HorizontalPodAutoscalerSpec,
    MetricSpec,
)

_NOT_FOUND = "the server could not find the requested resource (get pods.metrics.k8s.io)"
_RESOURCE = "unable to get metrics for resource {}: unable to fetch metrics from resource metrics API: " + _NOT_FOUND
_CUSTOM = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
_EXTERNAL = (
    "unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered"
)
_GOT_SCALE = "the HPA controller was able to get the target's current scale"


@dataclass(frozen=True)
class Said:
    """A condition without its time."""

    type: str
    status: str
    reason: str
    message: str


GOT_SCALE = Said("AbleToScale", "True", "SucceededGetScale", _GOT_SCALE)


def no_scale(error: str) -> Said:
    """The target cannot be found or has no scale."""
    message = f"the HPA controller was unable to get the target's current scale: {error}"
    return Said("AbleToScale", "False", "FailedGetScale", message)


def rescaled(desired: int) -> Said:
    """The target has a new size."""
    message = f"the HPA controller was able to update the target scale to {desired}"
    return Said("AbleToScale", "True", "SucceededRescale", message)


def not_rescaled(error: str) -> Said:
    """The target refused its new size."""
    message = f"the HPA controller was unable to update the target scale: {error}"
    return Said("AbleToScale", "False", "FailedUpdateScale", message)


@dataclass(frozen=True)
class ScalePlan:
    """The size that the target is to have, with the reason if it is a new one; `is_measured`: a size was found."""

    desired: int = 0
    rescale: str = ""
    is_measured: bool = True
    conditions: tuple[Said, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()  # reason and message of events


def decide(spec: HorizontalPodAutoscalerSpec, current: int, selector: str) -> ScalePlan:
    """What to do when the target has so many replicas, and pods that match the selector."""
    least = spec.min_replicas if spec.min_replicas is not None else 1
    if current == 0 and least != 0:
        message = "scaling is disabled since the replica count of the target is zero"
        return ScalePlan(conditions=(Said("ScalingActive", "False", "ScalingDisabled", message),))
    if current > spec.max_replicas:
        return ScalePlan(spec.max_replicas, "Current number of replicas above Spec.MaxReplicas")
    if current < least:
        return ScalePlan(least, "Current number of replicas below Spec.MinReplicas")
    if not selector:
        condition = Said("ScalingActive", "False", "InvalidSelector", "the HPA target's scale is missing a selector")
        warnings = (("SelectorRequired", "selector is required"),)
        text = "selector is required"
        return ScalePlan(is_measured=False, conditions=(condition,), warnings=(*warnings, _failed(text)))
    return _unmeasured(spec.metrics)


def _unmeasured(metrics: list[MetricSpec]) -> ScalePlan:
    failures = [_failure(metric) for metric in metrics]
    if not failures:
        return ScalePlan(is_measured=False)
    reason, text, whole = failures[0]
    message = f"the HPA was unable to compute the replica count: {text}"
    count = len(failures)
    first = f"invalid metrics ({count} invalid out of {count}), first error is: {whole}"
    warnings = tuple((reason, text) for reason, text, _ in failures)
    condition = Said("ScalingActive", "False", reason, message)
    return ScalePlan(is_measured=False, conditions=(condition,), warnings=(*warnings, _failed(first)))


def _failed(text: str) -> tuple[str, str]:
    return "FailedComputeMetricsReplicas", text


def _failure(metric: MetricSpec) -> tuple[str, str, str]:
    """(reason, what failed, the same as seen from above) of a metric that nobody serves."""
    if metric.resource is not None:
        name, target = metric.resource.name, metric.resource.target
        what = "utilization" if target.average_utilization is not None else "usage"
        text = f"failed to get {name} {what}: {_RESOURCE.format(name)}"
        return "FailedGetResourceMetric", text, f"failed to get {name} resource metric value: {text}"
    if metric.container_resource is not None:
        name, target = metric.container_resource.name, metric.container_resource.target
        what = "utilization" if target.average_utilization is not None else "usage"
        text = f"failed to get {name} {what}: {_RESOURCE.format(name)}"
        return "FailedGetContainerResourceMetric", text, f"failed to get {name} container metric value: {text}"
    if metric.pods is not None:
        text = f"unable to get metric {metric.pods.metric.name}: {_CUSTOM}"
        return "FailedGetPodsMetric", text, f"failed to get pods metric value: {text}"
    if metric.object is not None:
        text = f"unable to get metric {metric.object.metric.name}: {_CUSTOM}"
        return "FailedGetObjectMetric", text, f"failed to get object metric value: {text}"
    name = metric.external.metric.name if metric.external is not None else ""
    text = f"unable to get external metric {name}: {_EXTERNAL}"
    return "FailedGetExternalMetric", text, f"failed to get {name} external metric value: {text}"


def with_conditions(
    before: Iterable[HorizontalPodAutoscalerCondition], said: Iterable[Said], now: datetime
) -> list[HorizontalPodAutoscalerCondition]:
    """The conditions with what is said now; a status that stays keeps its time."""
    result = {item.type: item for item in before}
    for item in said:
        old = result.get(item.type)
        kept = old.last_transition_time if old is not None and old.status == item.status else None
        result[item.type] = HorizontalPodAutoscalerCondition(
            type=item.type,
            status=item.status,
            reason=item.reason,
            message=item.message,
            last_transition_time=kept or api_time.format(now),
        )
    return list(result.values())
