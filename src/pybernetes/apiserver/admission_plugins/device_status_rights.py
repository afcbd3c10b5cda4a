"""Who may write which part of a ResourceClaim's status: allocations are the scheduler's, devices their drivers'.

Writes of the status come in; one that changes what its user has no right to is refused as an invalid field, as
upstream's storage of claims does it. The rights are those to sub-resources that are nowhere served:
`resourceclaims/binding` for allocation and consumers, and `resourceclaims/driver` by the name of the driver for
devices, with verbs that tell a driver on the claim's own node (`associated-node:`) from one anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.api.status import FieldError, forbidden_field, invalid_object
from pybernetes.api.types.resource_v1 import AllocationResult, ResourceClaim, ResourceClaimStatus
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer, forbidden_request
from pybernetes.apiserver.stages.impersonation import OWN_NODE, account_of
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.apiserver.resources.validation import devices

_GROUP, _RESOURCE = "resource.k8s.io", "resourceclaims"


class DeviceStatusRights(Bystander):
    """The check as an admission plug-in, which nobody can turn off."""

    name = "DeviceStatusRights"
    resources = frozenset({f"{_RESOURCE}.{_GROUP}"})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, request: AdmissionRequest) -> bool:
        return request.subresource == "status" and request.operation == "UPDATE"

    async def validate(self, request: AdmissionRequest) -> None:
        new, old = request.object, request.old_object
        if not isinstance(new, ResourceClaim) or not isinstance(old, ResourceClaim):
            return
        errors = [*self._binding(request, new.status, old.status), *self._drivers(request, new.status, old.status)]
        if errors:
            raise invalid_object(request.kind, request.name, errors)

    def _binding(
        self, request: AdmissionRequest, new: ResourceClaimStatus, old: ResourceClaimStatus
    ) -> Iterator[FieldError]:
        if new.allocation == old.allocation and new.reserved_for == old.reserved_for:
            return
        why = self._refusal(request.user, _right(request.verb, "binding"))
        if why:
            needed = f'resource="resourceclaims/binding", verb="{request.verb}" permission'
            detail = f"changing status.allocation or status.reservedFor requires {needed}: {why}"
            yield forbidden_field("status", detail)

    def _drivers(
        self, request: AdmissionRequest, new: ResourceClaimStatus, old: ResourceClaimStatus
    ) -> Iterator[FieldError]:
        verbs = [f"arbitrary-node:{request.verb}"]
        if _is_at_home(request.user, new.allocation):
            verbs.insert(0, f"associated-node:{request.verb}")
        for driver in sorted(_changed_drivers(new, old)):
            rights = (_right(verb, "driver", request.namespace, driver) for verb in verbs)
            refusals = [self._refusal(request.user, right) for right in rights]
            if all(refusals):
                needed = f'resource="resourceclaims/driver", verb="[{" ".join(verbs)}]" permission'
                yield forbidden_field("status", f"changing status.devices requires {needed}: {refusals[0]}")

    def _refusal(self, user: UserInfo, right: RequestInfo) -> str:
        """What somebody without the right is told; empty for others."""
        decision = self._authorizer.authorize(user, right)
        return "" if decision.allowed else str(forbidden_request(user, right, decision.reason))


def _right(verb: str, part: str, namespace: str = "", name: str = "") -> RequestInfo:
    return RequestInfo("", verb, True, _GROUP, "v1", _RESOURCE, part, namespace, name)


def _changed_drivers(new: ResourceClaimStatus, old: ResourceClaimStatus) -> set[str]:
    """The drivers of all devices whose status comes, goes or becomes another."""
    before = {devices.identity(device): device for device in old.devices}
    changed = {device.driver for device in new.devices if before.pop(devices.identity(device), None) != device}
    return changed | {device.driver for device in before.values()}


def _is_at_home(user: UserInfo, allocation: AllocationResult | None) -> bool:
    """Whether the user is a service account on the one node that the claim's devices can be used on."""
    node = _only_node(allocation)
    return bool(node) and account_of(user) is not None and user.extra.get(OWN_NODE) == (node,)


def _only_node(allocation: AllocationResult | None) -> str:
    selector = allocation.node_selector if allocation is not None else None
    if selector is None or len(selector.node_selector_terms) != 1:
        return ""
    term = selector.node_selector_terms[0]
    if term.match_expressions or len(term.match_fields) != 1:
        return ""
    field = term.match_fields[0]
    named = field.key == "metadata.name" and field.operator == "In" and len(field.values) == 1
    return field.values[0] if named else ""
