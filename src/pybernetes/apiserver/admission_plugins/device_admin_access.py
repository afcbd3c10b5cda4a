"""Claims that want a device as its administrator, beside whoever uses it, are for labelled namespaces only.

Writes of ResourceClaims and their templates come in; what a namespace does not allow is refused as an invalid field,
as upstream's storage of claims does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pybernetes.api.status import forbidden_field, invalid_object
from pybernetes.api.types.core_v1 import Namespace
from pybernetes.api.types.resource_v1 import DeviceRequest, ResourceClaim, ResourceClaimTemplate
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander
from pybernetes.apiserver.reader import Reader

_LABEL = "resource.kubernetes.io/admin-access"
_REFUSAL = f"admin access to devices requires the `{_LABEL}: true` label on the containing namespace"


class DeviceAdminAccess(Bystander):
    """The check as an admission plug-in, which nobody can turn off."""

    name = "DeviceAdminAccess"
    resources = frozenset({"resourceclaims.resource.k8s.io", "resourceclaimtemplates.resource.k8s.io"})

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def handles(self, request: AdmissionRequest) -> bool:
        return request.object is not None and request.subresource == ("status" if request.old_object else "")

    async def validate(self, request: AdmissionRequest) -> None:
        path = next(_wishes(request), None)
        if path is None:
            return
        namespace = self._reader.get(Namespace, request.namespace)
        if namespace is None or namespace.metadata.labels.get(_LABEL) != "true":
            raise invalid_object(request.kind, request.name, [forbidden_field(path, _REFUSAL)])


def _wishes(request: AdmissionRequest) -> Iterator[str]:
    """Where a write asks for what was not asked for before; specs never change."""
    obj, old = request.object, request.old_object
    if isinstance(obj, ResourceClaim) and isinstance(old, ResourceClaim):
        if next(_granted(old), None) is None:
            yield from _granted(obj)
    elif isinstance(obj, ResourceClaim):
        yield from _wanted(obj.spec.devices.requests)
    elif isinstance(obj, ResourceClaimTemplate):
        yield from _wanted(obj.spec.spec.devices.requests)


def _wanted(requests: Sequence[DeviceRequest]) -> Iterator[str]:
    for index, request in enumerate(requests):
        if request.exactly is not None and request.exactly.admin_access:
            yield f"spec.devices.requests[{index}].adminAccess"


def _granted(claim: ResourceClaim) -> Iterator[str]:
    results = claim.status.allocation.devices.results if claim.status.allocation is not None else []
    for index, result in enumerate(results):
        if result.admin_access:
            yield f"status.allocation.devices.results[{index}].adminAccess"
