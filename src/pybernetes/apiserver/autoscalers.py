"""HorizontalPodAutoscalers between autoscaling/v1 and autoscaling/v2, as plain documents. Called by `conversion`.

What v1 has no fields for (metrics other than the use of CPU, behavior, what was measured, conditions) it carries in
annotations, so that nothing is lost when an object is read and written back there. v2 never shows those annotations.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pybernetes.api.types import autoscaling_v2

_METRICS, _MEASURED, _BEHAVIOR, _CONDITIONS = CARRIERS = tuple(
    f"autoscaling.alpha.kubernetes.io/{name}" for name in ("metrics", "current-metrics", "behavior", "conditions")
)
_SELECTED = (("metricName", "metric.name"), ("metricSelector", "metric.selector"))
_OF_RESOURCE = (
    ("name", "name"),
    ("{}AverageUtilization", "{}.averageUtilization"),
    ("{}AverageValue", "{}.averageValue"),
)
# Source of a metric -> (name in the annotation, path in v2), in the order in which Go writes them; `{}` is target for
# what is aimed at and current for what is measured.
_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "object": (
        ("target", "describedObject"),
        ("metricName", "metric.name"),
        ("{}Value", "{}.value"),
        ("selector", "metric.selector"),
        ("averageValue", "{}.averageValue"),
    ),
    "pods": (
        ("metricName", "metric.name"),
        ("{}AverageValue", "{}.averageValue"),
        ("selector", "metric.selector"),
    ),
    "resource": _OF_RESOURCE,
    "containerResource": (*_OF_RESOURCE, ("container", "container")),
    "external": (*_SELECTED, ("{}Value", "{}.value"), ("{}AverageValue", "{}.averageValue")),
}
# Amounts that Go writes even when there is none.
_ALWAYS = {
    "target": {"object": "targetValue", "pods": "targetAverageValue"},
    "current": {
        "object": "currentValue",
        "pods": "currentAverageValue",
        "resource": "currentAverageValue",
        "containerResource": "currentAverageValue",
        "external": "currentValue",
    },
}
_RULES = ("StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance")
_POLICY = ("Type", "Value", "PeriodSeconds")


def to_v2(document: dict[str, Any]) -> dict[str, Any]:
    """A v1 document as v2; annotations that carry nonsense are dropped like the others."""
    spec, status = dict(document.get("spec") or {}), dict(document.get("status") or {})
    metadata = document.get("metadata") or {}
    carried = metadata.get("annotations") or {}
    metrics = _carried(carried.get(_METRICS), list[autoscaling_v2.MetricSpec], "target")
    if (target := spec.pop("targetCPUUtilizationPercentage", None)) is not None:
        metrics = [*metrics, _cpu("target", {"type": "Utilization", "averageUtilization": target})]
    if metrics:
        spec["metrics"] = metrics
    if (current := status.pop("currentCPUUtilizationPercentage", None)) is not None:
        status["currentMetrics"] = [_cpu("current", {"averageUtilization": current})]
    if measured := _carried(carried.get(_MEASURED), list[autoscaling_v2.MetricStatus], "current"):
        status["currentMetrics"] = measured
    if behavior := _carried(carried.get(_BEHAVIOR), autoscaling_v2.HorizontalPodAutoscalerBehavior, ""):
        spec["behavior"] = behavior
    if conditions := _carried(carried.get(_CONDITIONS), list[autoscaling_v2.HorizontalPodAutoscalerCondition], ""):
        status["conditions"] = conditions
    return {**document, "metadata": _annotated(metadata, {}), "spec": spec, "status": status}


def from_v2(document: dict[str, Any]) -> dict[str, Any]:
    """A v2 document as v1."""
    spec, status = dict(document.get("spec") or {}), dict(document.get("status") or {})
    metrics, measured = spec.pop("metrics", None) or [], status.pop("currentMetrics", None) or []
    carried: dict[str, Any] = {
        _METRICS: [_metric(metric, "target") for metric in metrics if _use_of_cpu(metric, "target") is None],
        _MEASURED: [_metric(metric, "current") for metric in measured],
        _BEHAVIOR: _behavior(spec.pop("behavior", None) or {}),
        _CONDITIONS: status.pop("conditions", None) or [],
    }
    for part, found, name, key in (
        (spec, metrics, "targetCPUUtilizationPercentage", "target"),
        (status, measured, "currentCPUUtilizationPercentage", "current"),
    ):
        uses = [use for metric in found if (use := _use_of_cpu(metric, key)) is not None]
        if uses:
            part[name] = uses[0]
    texts = {name: msgspec.json.encode(value).decode() for name, value in carried.items() if value}
    return {**document, "metadata": _annotated(document.get("metadata") or {}, texts), "spec": spec, "status": status}


def _annotated(metadata: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    given = metadata.get("annotations") or {}
    kept = {name: text for name, text in given.items() if name not in CARRIERS} | texts
    rest = {name: value for name, value in metadata.items() if name != "annotations"}
    return {**rest, "annotations": kept} if kept else rest


def _cpu(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "cpu", key: value}}


def _use_of_cpu(metric: dict[str, Any], key: str) -> int | None:
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    use: int | None = (resource.get(key) or {}).get("averageUtilization")
    return use


def _metric(metric: dict[str, Any], key: str) -> dict[str, Any]:
    """A metric as the annotation has it; `key` is target or current."""
    result: dict[str, Any] = {"type": metric.get("type", "")}
    for source, fields in _FIELDS.items():
        if metric.get(source) is None:
            continue
        told = {name.format(key): _at(metric[source], path.format(key)) for name, path in fields}
        always = _ALWAYS[key].get(source)
        if always and told[always] is None:
            told[always] = "0"
        result[source] = {name: value for name, value in told.items() if value is not None}
    return result


def _at(value: dict[str, Any], path: str) -> Any:
    first, _, rest = path.partition(".")
    found = value.get(first)
    return found if not rest or found is None else _at(found, rest)


def _metric_back(metric: dict[str, Any], key: str) -> dict[str, Any]:
    result: dict[str, Any] = {"type": metric.get("type", "")}
    for source, fields in _FIELDS.items():
        if metric.get(source) is None:
            continue
        told = result[source] = {}
        for name, path in fields:
            value = metric[source].get(name.format(key))
            if value is not None:
                first, _, rest = path.format(key).partition(".")
                if rest:
                    told.setdefault(first, {})[rest] = value
                else:
                    told[first] = value
        if key == "target":
            _set_type(source, told.setdefault(key, {}))
    return result


def _set_type(source: str, target: dict[str, Any]) -> None:
    """The annotation does not say which amount is aimed at: the one that is there, a whole before its share."""
    if source == "object" and "averageValue" in target and target.get("value") == "0":
        del target["value"]
    if "averageUtilization" in target:
        target["type"] = "Utilization"
    elif source == "object":
        target["type"] = "AverageValue" if "averageValue" in target else "Value"
    else:
        target["type"] = "Value" if "value" in target else "AverageValue"


def _behavior(behavior: dict[str, Any]) -> dict[str, Any]:
    """With the names of Go's own fields, which is how upstream writes this one."""
    if not behavior:
        return {}
    return {_upper(name): _rules(behavior.get(name)) for name in ("scaleUp", "scaleDown")}


def _rules(rules: dict[str, Any] | None) -> dict[str, Any] | None:
    if rules is None:
        return None
    policies = [{name: policy.get(_lower(name)) for name in _POLICY} for policy in rules.get("policies") or []]
    return {name: rules.get(_lower(name)) for name in _RULES} | {"Policies": policies or None}


def _carried(text: str | None, type_: Any, key: str) -> Any:
    """What an annotation carries, as v2 writes it; nothing where it is not of the type."""
    if not text:
        return []
    try:
        value = msgspec.json.decode(text)
        if key:
            value = [_metric_back(metric, key) for metric in value]
        elif isinstance(value, dict):
            value = _lowered(value)
        return msgspec.to_builtins(msgspec.convert(value, type_))
    # Whatever is wrong with the text of a stranger: types, depth, or that it is no JSON.
    except (ValueError, TypeError, AttributeError, RecursionError):
        return []


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {_lower(name): _lowered(held) for name, held in value.items() if held is not None}
    return [_lowered(item) for item in value] if isinstance(value, list) else value


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
