"""Conditions of pods that the API server itself writes, in binding and in eviction. Pure functions of a status."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import PodCondition, PodStatus


def update_condition(status: PodStatus, fresh: PodCondition) -> None:
    """Puts a condition where that of its type stands, or else last; its time stays as long as it says the same."""
    conditions = status.conditions
    place = next((index for index, condition in enumerate(conditions) if condition.type == fresh.type), len(conditions))
    for before in conditions[place : place + 1]:
        if before.status == fresh.status:
            fresh.last_transition_time = before.last_transition_time
    status.conditions = [*conditions[:place], fresh, *conditions[place + 1 :]]
