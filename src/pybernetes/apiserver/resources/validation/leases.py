"""Rules for Leases."""

from __future__ import annotations

from pybernetes.api.status import FieldError, invalid
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.apiserver.resources.validation.numbers import not_negative


def validate_lease(lease: Lease) -> list[FieldError]:
    spec = lease.spec
    errors: list[FieldError] = []
    if spec.lease_duration_seconds is not None and spec.lease_duration_seconds <= 0:
        errors.append(invalid("spec.leaseDurationSeconds", spec.lease_duration_seconds, "must be greater than 0"))
    return errors + not_negative(spec.lease_transitions, "spec.leaseTransitions")
