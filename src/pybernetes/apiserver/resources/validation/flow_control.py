"""Rules of flowcontrol.apiserver.k8s.io: how a priority level answers those that it has no seat for."""

from __future__ import annotations

from pybernetes.api.status import FieldError, not_supported, required
from pybernetes.api.types.flowcontrol_v1 import PriorityLevelConfiguration

_RESPONSES = ("Queue", "Reject")


def validate_priority_level(level: PriorityLevelConfiguration) -> list[FieldError]:
    limited = level.spec.limited
    if level.spec.type != "Limited" or limited is None:
        return []
    response, path = limited.limit_response, "spec.limited.limitResponse"
    if response.type not in _RESPONSES:
        return [not_supported(f"{path}.type", response.type, _RESPONSES)]
    if response.type == "Queue" and response.queuing is None:
        return [required(f"{path}.queuing", "must not be empty if limited.limitResponse.type is Limited")]
    return []
