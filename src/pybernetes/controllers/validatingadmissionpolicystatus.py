"""Says of every ValidatingAdmissionPolicy that its expressions' types were looked at. Thin: they are taken to be right;
the API server has compiled them, and warnings of wrong field names do not come from here yet.
"""

from __future__ import annotations

from pybernetes.api.status import StatusError
from pybernetes.api.types.admissionregistration_v1 import (
    TypeChecking,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyStatus,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController

_MANAGER = "validatingadmissionpolicy-status"


class ValidatingAdmissionPolicyStatusController(KeyedController):
    """`validatingadmissionpolicy-status-controller`."""

    name = "validatingadmissionpolicy-status-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._policies = self.watch_own(ValidatingAdmissionPolicy)

    async def reconcile(self, key: str) -> float | None:
        policy = self._policies.cache.get("", key)
        if policy is None or policy.status.observed_generation == policy.metadata.generation:
            return None
        status = ValidatingAdmissionPolicyStatus(
            observed_generation=policy.metadata.generation, type_checking=TypeChecking()
        )
        applied = ValidatingAdmissionPolicy(metadata=ObjectMeta(name=key), status=status)
        try:
            await self.client.apply(applied, _MANAGER, "status")
        except StatusError as error:
            if error.code != 404:
                raise
        return None
