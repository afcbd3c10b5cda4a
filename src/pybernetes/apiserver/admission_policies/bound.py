"""Which policies a request meets, and their expressions, compiled when a request first meets them.

Policies and bindings come from the reader; an admission request goes in, pairs of policy and binding come out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from pybernetes.api.kind import Kind
from pybernetes.api.types.admissionregistration_v1 import (
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
)
from pybernetes.api.types.core_v1 import Namespace
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_policies.expressions import PolicyExpressions, policy_expressions
from pybernetes.apiserver.admission_policies.matching import is_exempt, matched_kind, names_objects
from pybernetes.apiserver.reader import Reader

_MOST_COMPILED = 1000
Policy = TypeVar("Policy", ValidatingAdmissionPolicy, MutatingAdmissionPolicy)
Binding = TypeVar("Binding", ValidatingAdmissionPolicyBinding, MutatingAdmissionPolicyBinding)


class BoundPolicies(Generic[Policy, Binding]):
    """The policies of one kind with their bindings."""

    def __init__(self, reader: Reader, policies: type[Policy], bindings: type[Binding]) -> None:
        self._reader = reader
        self._policies: type[Policy] = policies
        self._bindings: type[Binding] = bindings
        # Name -> (uid, generation) and the expressions of that state.
        self._compiled: dict[str, tuple[tuple[Any, Any], PolicyExpressions]] = {}

    def concern(self, request: AdmissionRequest) -> bool:
        """Whether there is any binding, and the request is one that policies may be about; cheap."""
        return next(iter(self._reader.list(self._bindings)), None) is not None and not is_exempt(request)

    def namespace(self, request: AdmissionRequest) -> Namespace | None:
        """The namespace that the request is in; that of a namespace is not told."""
        if not request.namespace or request.kind.type is Namespace:
            return None
        return self._reader.get(Namespace, request.namespace)

    def meeting(self, request: AdmissionRequest) -> Iterator[tuple[Policy, Binding, Kind]]:
        """The bindings that are about a request, by their policies' names, and what the policy takes it for.

        What a policy says of one object does not hold for the next: such a write is like no other.
        """
        namespace = self.namespace(request)
        labels = namespace.metadata.labels if namespace is not None else {} if request.namespace else None
        for binding in sorted(self._reader.list(self._bindings), key=_order):
            policy = self._reader.get(self._policies, binding.spec.policy_name or "")
            if policy is None:
                continue
            meant = (policy.spec.match_constraints, binding.spec.match_resources)
            # That it passes over one name says nothing of other names.
            request.unique |= any(names_objects(match) for match in meant)
            kind, bound = (matched_kind(match, request, labels) for match in meant)
            if kind is not None and bound is not None:
                request.unique = True
                yield policy, binding, kind

    def expressions(self, policy: Policy) -> PolicyExpressions:
        """The compiled expressions of a policy."""
        name, state = policy.metadata.name or "", (policy.metadata.uid, policy.metadata.generation)
        known = self._compiled.get(name)
        if known is None or known[0] != state:
            if len(self._compiled) >= _MOST_COMPILED:
                # Most of so many are of policies that have gone.
                self._compiled.clear()
            known = self._compiled[name] = state, policy_expressions(policy.spec)
        return known[1]


def _order(binding: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding) -> tuple[str, str]:
    return binding.spec.policy_name or "", binding.metadata.name or ""
