"""The plug-ins of admission policies while nobody has any: what evaluates policies is imported with the first binding.

`order` puts them in; a write that comes when there is a binding is handed to the plug-in proper. CEL and all that goes
with it would else be a tenth of the server's start, and most clusters have no policy.
"""

from __future__ import annotations

from functools import cached_property

from pybernetes.api.types.admissionregistration_v1 import (
    MutatingAdmissionPolicyBinding,
    ValidatingAdmissionPolicyBinding,
)
from pybernetes.apiserver.admission import AdmissionRequest, Plugin
from pybernetes.apiserver.admission_plugins.bystander import Bystander
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.admission_plugins import mutating_admission_policy, validating_admission_policy

_Binding = type[MutatingAdmissionPolicyBinding] | type[ValidatingAdmissionPolicyBinding]


class _Asleep(Bystander):
    repeats = True
    bindings: _Binding

    def __init__(self, reader: Reader, authorizer: Authorizer) -> None:
        self._reader, self._authorizer = reader, authorizer

    @cached_property
    def _awake(self) -> Plugin:
        raise NotImplementedError

    def handles(self, request: AdmissionRequest) -> bool:
        bound = next(iter(self._reader.list(self.bindings)), None)
        return bound is not None and self._awake.handles(request)


class MutatingPolicies(_Asleep):
    """Stands for `mutating_admission_policy`."""

    name = "MutatingAdmissionPolicy"
    bindings = MutatingAdmissionPolicyBinding

    @cached_property
    def _awake(self) -> Plugin:
        return mutating_admission_policy.MutatingAdmissionPolicyAdmission(self._reader, self._authorizer)

    async def admit(self, request: AdmissionRequest) -> None:
        await self._awake.admit(request)


class ValidatingPolicies(_Asleep):
    """Stands for `validating_admission_policy`."""

    name = "ValidatingAdmissionPolicy"
    bindings = ValidatingAdmissionPolicyBinding

    @cached_property
    def _awake(self) -> Plugin:
        return validating_admission_policy.ValidatingAdmissionPolicyAdmission(self._reader, self._authorizer)

    async def validate(self, request: AdmissionRequest) -> None:
        await self._awake.validate(request)
