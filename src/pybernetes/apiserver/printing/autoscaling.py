"""Rows of HorizontalPodAutoscalers and PodDisruptionBudgets. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pybernetes.api import quantity
from pybernetes.api.struct import Quantity
from pybernetes.api.types.autoscaling_v2 import HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricValueStatus
from pybernetes.api.types.policy_v1 import PodDisruptionBudget
from pybernetes.apiserver.printing.cells import NONE, UNKNOWN, UNSET, age, columns, name

AUTOSCALER_COLUMNS = columns("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age")
DISRUPTION_BUDGET_COLUMNS = columns("Name", "Min Available", "Max Unavailable", "Allowed Disruptions:integer", "Age")
_MOST_METRICS = 2
_NIL = "<nil>"
_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "container_resource",
}


def autoscaler_row(autoscaler: HorizontalPodAutoscaler, now: datetime) -> list[Any]:
    """The cells of a HorizontalPodAutoscaler, which is stored as autoscaling/v2."""
    spec, status = autoscaler.spec, autoscaler.status
    return [
        name(autoscaler),
        f"{spec.scale_target_ref.kind}/{spec.scale_target_ref.name}",
        _metrics(spec.metrics, status.current_metrics),
        UNSET if spec.min_replicas is None else str(spec.min_replicas),
        spec.max_replicas,
        status.current_replicas or 0,
        age(autoscaler, now),
    ]


def _metrics(specs: list[MetricSpec], statuses: list[MetricStatus]) -> str:
    if not specs:
        return NONE
    listed = [_metric(spec, statuses[i] if i < len(statuses) else None) for i, spec in enumerate(specs)]
    text = ", ".join(listed[:_MOST_METRICS])
    more = len(listed) - _MOST_METRICS
    return f"{text} + {more} more..." if more > 0 else text


def _metric(spec: MetricSpec, status: MetricStatus | None) -> str:
    """`current/target` of one metric."""
    field = _FIELDS.get(spec.type)
    if field is None:
        return "<unknown type>"
    source = getattr(spec, field)
    measured = getattr(status, field) if status is not None else None
    current: MetricValueStatus = measured.current if measured is not None else MetricValueStatus()
    target = source.target
    # What was measured otherwise than asked for is shown as Go shows the lack of it.
    lacking = UNKNOWN if measured is None else _NIL
    if spec.type in ("Resource", "ContainerResource"):
        if target.average_value is not None:
            return f"{source.name}: {_amount(current.average_value, lacking)}/{_amount(target.average_value)}"
        used = current.average_utilization
        wanted = "<auto>" if target.average_utilization is None else f"{target.average_utilization}%"
        return f"{source.name}: {UNKNOWN if used is None else f'{used}%'}/{wanted}"
    if spec.type == "Pods":
        return f"{_amount(current.average_value, lacking)}/{_amount(target.average_value)}"
    if target.average_value is not None:
        return f"{_amount(current.average_value, UNKNOWN)}/{_amount(target.average_value)} (avg)"
    return f"{_amount(current.value, lacking)}/{_amount(target.value)}"


def _amount(value: Quantity | None, lacking: str = _NIL) -> str:
    return lacking if value is None else quantity.canonical(value)


def disruption_budget_row(budget: PodDisruptionBudget, now: datetime) -> list[Any]:
    """The cells of a PodDisruptionBudget."""
    spec = budget.spec
    bounds = ["N/A" if bound is None else str(bound) for bound in (spec.min_available, spec.max_unavailable)]
    return [name(budget), *bounds, budget.status.disruptions_allowed or 0, age(budget, now)]
