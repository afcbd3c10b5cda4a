"""The base of admission plug-ins: takes part in nothing, refuses as Kubernetes refuses.

Plug-ins derive from it and override the half of admission that they take part in.
"""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.status import StatusError, aggregate, forbidden
from pybernetes.apiserver.admission import AdmissionRequest


class Bystander:
    """Changes nothing and lets everything pass."""

    name = ""
    # The only resources (`pods`, `ingresses.networking.k8s.io`) that it ever wants to see; empty: it is asked for each.
    resources: frozenset[str] = frozenset()
    # See `admission.Plugin`; to be claimed by each plug-in for itself.
    repeats = False

    async def admit(self, request: AdmissionRequest) -> None:
        return None

    async def validate(self, request: AdmissionRequest) -> None:
        return None


def refusal(request: AdmissionRequest, *reasons: str) -> StatusError:
    """403 `pods "p" is forbidden: why`; a name that is yet to be generated is shown by its beginning."""
    return forbidden(request.kind, _shown_name(request), aggregate(reasons))


def _shown_name(request: AdmissionRequest) -> str:
    if request.name:
        return request.name
    meta = request.object.metadata if request.object is not None else None
    return (meta and (meta.name or meta.generate_name)) or "Unknown"


def is_write(
    request: AdmissionRequest, group: str, resource: str, operations: Sequence[str], subresource: str = ""
) -> bool:
    """Whether the request is one of these operations on this resource."""
    return (
        request.operation in operations
        and request.kind.resource == resource
        and request.kind.group == group
        and request.subresource == subresource
    )
