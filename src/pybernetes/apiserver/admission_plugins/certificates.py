"""CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may do what with signing requests."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from pybernetes.api.types.certificates_v1 import CertificateSigningRequest
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, is_write, refusal
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.authorization import MASTERS, Authorizer

_GROUP, _RESOURCE = "certificates.k8s.io", "certificatesigningrequests"
_WATCHED = frozenset({f"{_RESOURCE}.{_GROUP}"})
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


def _may(authorizer: Authorizer, user: UserInfo, verb: str, signer: str) -> bool:
    """Whether a user may approve or sign for a signer, or for all signers of its domain."""
    for name in (signer, signer.partition("/")[0] + "/*"):
        info = RequestInfo("", verb, True, group=_GROUP, version="v1", resource="signers", name=name)
        if authorizer.authorize(user, info).allowed:
            return True
    return False


class CertificateApproval(Bystander):
    """Approving needs the verb `approve` on the signer."""

    name = "CertificateApproval"
    resources = _WATCHED

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, _GROUP, _RESOURCE, ("UPDATE",), "approval")

    async def validate(self, request: AdmissionRequest) -> None:
        old = request.old_object
        if not isinstance(old, CertificateSigningRequest):
            return
        signer = old.spec.signer_name
        if not _may(self._authorizer, request.user, "approve", signer):
            raise refusal(request, f'user not permitted to approve requests with signerName "{signer}"')


class CertificateSigning(Bystander):
    """Writing the certificate, or that signing has failed, needs the verb `sign` on the signer."""

    name = "CertificateSigning"
    resources = _WATCHED

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, _GROUP, _RESOURCE, ("UPDATE",), "status")

    async def validate(self, request: AdmissionRequest) -> None:
        new, old = request.object, request.old_object
        if not isinstance(new, CertificateSigningRequest) or not isinstance(old, CertificateSigningRequest):
            return
        if new.status.certificate == old.status.certificate and new.status.conditions == old.status.conditions:
            return
        signer = old.spec.signer_name
        if not _may(self._authorizer, request.user, "sign", signer):
            raise refusal(request, f'user not permitted to sign requests with signerName "{signer}"')


class CertificateSubjectRestriction(Bystander):
    """Nobody gets a client certificate of the group that may do everything."""

    name = "CertificateSubjectRestriction"
    resources = _WATCHED

    def handles(self, request: AdmissionRequest) -> bool:
        return is_write(request, _GROUP, _RESOURCE, ("CREATE",))

    async def validate(self, request: AdmissionRequest) -> None:
        wanted = request.object
        if not isinstance(wanted, CertificateSigningRequest) or wanted.spec.signer_name != _CLIENT_SIGNER:
            return
        try:
            parsed = x509.load_pem_x509_csr(wanted.spec.request or b"")
        except (ValueError, x509.InvalidVersion) as error:
            raise refusal(request, f"unable to parse csr: {error}") from error
        groups = parsed.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if any(group.value == MASTERS for group in groups):
            raise refusal(request, f"use of {_CLIENT_SIGNER} signer with {MASTERS} group is not allowed")
