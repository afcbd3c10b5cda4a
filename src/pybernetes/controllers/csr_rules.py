"""What the built-in signers ask of a certificate signing request. Pure functions of a parsed request and its usages.

The approving and the signing controllers call them; refusals are worded as upstream words them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from pybernetes.api.types.certificates_v1 import CertificateSigningRequest

KUBE_APISERVER_CLIENT = "kubernetes.io/kube-apiserver-client"
KUBE_APISERVER_CLIENT_KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY_UNKNOWN = "kubernetes.io/legacy-unknown"
SIGNERS = (KUBELET_SERVING, KUBE_APISERVER_CLIENT_KUBELET, KUBE_APISERVER_CLIENT, LEGACY_UNKNOWN)

_CLIENT_USAGES = frozenset({"digital signature", "client auth"})
_SERVING_USAGES = frozenset({"digital signature", "server auth"})
_OPTIONAL = "key encipherment"


def parse(pem: bytes) -> x509.CertificateSigningRequest:
    """The request in a CertificateSigningRequest's `spec.request`; ValueError when it is none."""
    try:
        return x509.load_pem_x509_csr(pem)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error


def is_true(request: CertificateSigningRequest, type_: str) -> bool:
    """Whether a condition (Approved, Denied, Failed) holds."""
    return any(item.type == type_ and item.status in ("", "True") for item in request.status.conditions)


def common_name(request: x509.CertificateSigningRequest) -> str:
    """The subject's common name, or nothing."""
    return next(iter(_subject(request, NameOID.COMMON_NAME)), "")


def violation(signer: str, request: x509.CertificateSigningRequest, usages: Sequence[str]) -> str:
    """Why a signer must not sign the request; empty when it may."""
    if signer == KUBELET_SERVING:
        return kubelet_serving_violation(request, usages)
    if signer == KUBE_APISERVER_CLIENT_KUBELET:
        return kubelet_client_violation(request, usages)
    return _client_violation(usages) if signer == KUBE_APISERVER_CLIENT else ""


def kubelet_client_violation(request: x509.CertificateSigningRequest, usages: Sequence[str]) -> str:
    """Why this is no request for a kubelet's client certificate."""
    if _subject(request, NameOID.ORGANIZATION_NAME) != ["system:nodes"]:
        return "subject organization is not system:nodes"
    names = _alternative_names(request)
    for type_, label in ((x509.DNSName, "DNS"), (x509.RFC822Name, "Email"), (x509.IPAddress, "IP")):
        if any(isinstance(name, type_) for name in names):
            return f"{label} subjectAltNames are not allowed"
    if any(isinstance(name, x509.UniformResourceIdentifier) for name in names):
        return "URI subjectAltNames are not allowed"
    return _name_violation(request) or _usage_violation(usages, _CLIENT_USAGES)


def kubelet_serving_violation(request: x509.CertificateSigningRequest, usages: Sequence[str]) -> str:
    """Why this is no request for a kubelet's serving certificate."""
    if _subject(request, NameOID.ORGANIZATION_NAME) != ["system:nodes"]:
        return "subject organization is not system:nodes"
    names = _alternative_names(request)
    if not any(isinstance(name, x509.DNSName | x509.IPAddress) for name in names):
        return "DNS or IP subjectAltName is required"
    if any(isinstance(name, x509.RFC822Name) for name in names):
        return "Email subjectAltNames are not allowed"
    if any(isinstance(name, x509.UniformResourceIdentifier) for name in names):
        return "URI subjectAltNames are not allowed"
    return _usage_violation(usages, _SERVING_USAGES) or _name_violation(request)


def _name_violation(request: x509.CertificateSigningRequest) -> str:
    is_node = common_name(request).startswith("system:node:")
    return "" if is_node else "subject common name does not begin with system:node:"


def _usage_violation(usages: Sequence[str], needed: frozenset[str]) -> str:
    matches = frozenset(usages) - {_OPTIONAL} == needed
    return "" if matches else f"usages did not match {_listed({*needed, _OPTIONAL})}"


def _client_violation(usages: Sequence[str]) -> str:
    for usage in usages:
        if usage not in _CLIENT_USAGES | {_OPTIONAL}:
            return f"invalid usage for client certificate: {usage}"
    return "" if "client auth" in usages else "missing required usage for client certificate: client auth"


def _listed(usages: Iterable[str]) -> str:
    return f"[{' '.join(sorted(usages))}]"


def _subject(request: x509.CertificateSigningRequest, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(item.value) for item in request.subject.get_attributes_for_oid(oid)]


def _alternative_names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    try:
        extension = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(extension.value)
