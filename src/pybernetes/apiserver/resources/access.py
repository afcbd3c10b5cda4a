"""Strategies of rbac.authorization.k8s.io, CertificateSigningRequests and Leases: who may, who is, who leads."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.objects import copy
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.api.types.rbac_v1 import ClusterRoleBinding, RoleBinding
from pybernetes.apiserver.resources.prepare import clear_status, keep_generation, keep_status, only_status
from pybernetes.apiserver.resources.strategy import Asker, Strategy

RBAC_GROUP = "rbac.authorization.k8s.io"


def _default_binding(binding: RoleBinding | ClusterRoleBinding) -> None:
    """Roles, users and groups belong to the RBAC group; service accounts to the core group."""
    binding.role_ref.api_group = binding.role_ref.api_group or RBAC_GROUP
    for subject in binding.subjects:
        if subject.kind in ("User", "Group") and not subject.api_group:
            subject.api_group = RBAC_GROUP


def _keep_request(new: CertificateSigningRequest, old: CertificateSigningRequest) -> None:
    """What was asked for, and who asked, cannot be changed."""
    keep_status(new, old)
    new.spec = old.spec


def _keep_decisions(new: CertificateSigningRequest, old: CertificateSigningRequest) -> None:
    """Who issues may not decide: decisions stay as they are, unless some come or go, which validation refuses."""
    only_status(new, old)
    for kind in ("Approved", "Denied"):
        known = [condition for condition in old.status.conditions if condition.type == kind]
        places = [index for index, condition in enumerate(new.status.conditions) if condition.type == kind]
        if len(known) == len(places):
            for index, condition in zip(places, known, strict=True):
                new.status.conditions[index] = copy(condition)


def _stamp(new: CertificateSigningRequest, old: CertificateSigningRequest | None, asker: Asker, now: str) -> None:
    """Who asks is what the server has authenticated, whatever the request says; conditions tell when they came."""
    if old is None:
        spec = new.spec
        spec.username, spec.uid, spec.groups = asker.name, asker.uid or None, list(asker.groups)
        spec.extra = {key: list(values) for key, values in asker.extra.items()}
        return
    before = {condition.type: condition for condition in old.status.conditions}
    for condition in new.status.conditions:
        known = before.get(condition.type)
        condition.last_update_time = condition.last_update_time or now
        same = known is not None and known.status == condition.status
        kept = known.last_transition_time if known is not None and same else None
        condition.last_transition_time = condition.last_transition_time or kept or now


def _drop_election(lease: Lease) -> None:
    """Elections that the server itself decides are a feature that is off."""
    lease.spec.strategy = lease.spec.preferred_holder = None


def _prepare_lease_update(new: Lease, old: Lease) -> None:
    _drop_election(new)
    keep_generation(new, old)


def _signer(request: CertificateSigningRequest) -> Mapping[str, str]:
    return {"spec.signerName": request.spec.signer_name}


ROLE = Strategy(prepare_update=keep_generation, creates_on_update=True)
BINDING = Strategy(default=_default_binding, prepare_update=keep_generation, creates_on_update=True)
CERTIFICATE_SIGNING_REQUEST = Strategy(
    prepare_create=clear_status,
    prepare_update=_keep_request,
    prepare_status=_keep_decisions,
    stamp=_stamp,
    fields=_signer,
    field_names=frozenset({"spec.signerName"}),
)
LEASE = Strategy(
    prepare_create=_drop_election,
    prepare_update=_prepare_lease_update,
    creates_on_update=True,
    unconditional_update=False,
)
