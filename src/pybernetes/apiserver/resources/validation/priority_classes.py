"""Rules for PriorityClasses: only Kubernetes' own are above a billion, and none changes its value."""

from __future__ import annotations

from pybernetes.api.status import FieldError, forbidden_field
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.texts import none_or_one_of

_USER_PRIORITY_MAX = 1_000_000_000
_SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def validate_priority_class(priority: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    name, value = priority.metadata.name or "", priority.value or 0
    if name.startswith("system-"):
        known = _SYSTEM_CLASSES.get(name)
        if known is None or known != value:
            why = (
                f"{name} is not a known system priority class"
                if known is None
                else f"value of {name} PriorityClass must be {known}"
            )
            detail = f"priority class names with 'system-' prefix are reserved for system use only. error: {why}"
            errors.append(forbidden_field("metadata.name", detail))
    elif value > _USER_PRIORITY_MAX:
        detail = f"maximum allowed value of a user defined priority is {_USER_PRIORITY_MAX}"
        errors.append(forbidden_field("value", detail))
    return errors + none_or_one_of(priority.preemption_policy, ("PreemptLowerPriority", "Never"), "preemptionPolicy")


def validate_priority_class_update(new: PriorityClass, old: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    if new.value != old.value:
        errors.append(forbidden_field("value", "may not be changed in an update."))
    return errors + immutable(new.preemption_policy, old.preemption_policy, "preemptionPolicy")
