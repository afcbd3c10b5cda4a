"""Rules for CertificateSigningRequests: what may be asked; `approval` decides, and `status` issues."""

from __future__ import annotations

import base64
from collections.abc import Callable

from pybernetes.api.names import dns1123_label, dns1123_subdomain
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest, CertificateSigningRequestCondition
from pybernetes.apiserver.resources.validation.certificate_content import certificate_problem, request_problem
from pybernetes.apiserver.resources.validation.conditions import CONDITION_STATUSES
from pybernetes.apiserver.resources.validation.lists import no_twins
from pybernetes.apiserver.resources.validation.metadata import validate_metadata_update
from pybernetes.apiserver.resources.validation.texts import each_one_of, no_longer, required_one_of

_USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
_DECISIONS = ("Approved", "Denied")
_LASTING = (*_DECISIONS, "Failed")
_LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
_DOMAIN_LIMIT = 253
_SIGNER_LIMIT = _DOMAIN_LIMIT + 1 + 253 + 1 + 63


def validate_request(request: CertificateSigningRequest) -> list[FieldError]:
    spec = request.spec
    errors: list[FieldError] = []
    problem = request_problem(spec.request or b"")
    if problem:
        shown = base64.b64encode(spec.request).decode() if spec.request else None
        errors.append(invalid("spec.request", shown, problem))
    if not spec.usages:
        errors.append(required("spec.usages"))
    errors += each_one_of(spec.usages, _USAGES, "spec.usages")
    errors += no_twins(spec.usages, "spec.usages")
    errors += _validate_signer(spec.signer_name, "spec.signerName")
    seconds = spec.expiration_seconds
    if seconds is not None and seconds < 600:
        detail = "may not specify a duration less than 600 seconds (10 minutes)"
        errors.append(invalid("spec.expirationSeconds", seconds, detail))
    return errors


def _validate_signer(signer: str, path: str) -> list[FieldError]:
    if signer == _LEGACY_SIGNER:
        return [invalid(path, signer, "the legacy signerName is not allowed via this API version")]
    if not signer:
        return [required(path)]
    domain, slash, rest = signer.partition("/")
    if not slash or "/" in rest:
        detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        return [invalid(path, signer, detail)]
    errors = no_longer(domain, _DOMAIN_LIMIT, path)
    labels = domain.split(".")
    errors += _first_problem(domain, labels, path, dns1123_label)
    if len(labels) < 2:
        errors.append(invalid(path, domain, "should be a domain with at least two segments separated by dots"))
    errors += _first_problem(rest, rest.split("."), path, dns1123_subdomain)
    return errors + no_longer(signer, _SIGNER_LIMIT, path)


def _first_problem(whole: str, parts: list[str], path: str, rule: Callable[[str], list[str]]) -> list[FieldError]:
    for part in parts:
        texts = rule(part)
        if texts:
            return [invalid(path, whole, f'validating label "{part}": {text}') for text in texts]
    return []


def validate_approval(new: CertificateSigningRequest, old: CertificateSigningRequest) -> list[FieldError]:
    return validate_metadata_update(new.metadata, old.metadata, namespaced=False) + _validate_status(new, old)


def validate_status(new: CertificateSigningRequest, old: CertificateSigningRequest) -> list[FieldError]:
    """Who issues certificates does not decide, and what was issued stays."""
    errors = _validate_status(new, old)
    for kind in _DECISIONS:
        before, after = _of(old, kind), _of(new, kind)
        if len(after) > len(before):
            detail = f'updates may not add a condition of type "{kind}"'
            errors.append(forbidden_field("status.conditions", detail))
    if old.status.certificate and new.status.certificate != old.status.certificate:
        detail = "updates may not modify existing certificate content"
        errors.append(forbidden_field("status.certificate", detail))
    return errors


def _of(request: CertificateSigningRequest, kind: str) -> list[CertificateSigningRequestCondition]:
    return [condition for condition in request.status.conditions if condition.type == kind]


def _validate_status(new: CertificateSigningRequest, old: CertificateSigningRequest) -> list[FieldError]:
    path = "status.conditions"
    errors = _validate_conditions(new, old, path)
    given, known = new.status.certificate or b"", old.status.certificate or b""
    # What was stored before this rule may be followed by its like.
    if given and given != known and not (known and certificate_problem(known)):
        problem = certificate_problem(given)
        if problem:
            errors.append(invalid("status.certificate", "<certificate data>", problem))
    for kind in _LASTING:
        if len(_of(new, kind)) < len(_of(old, kind)):
            errors.append(forbidden_field(path, f'updates may not remove a condition of type "{kind}"'))
    return errors


def _validate_conditions(new: CertificateSigningRequest, old: CertificateSigningRequest, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    before = [condition.type for condition in old.status.conditions]
    undecided = not {*_DECISIONS} <= {*before}
    twins, nameless = len({*before}) < len(before), "" in before
    for index, condition in enumerate(new.status.conditions):
        where, kind = f"{path}[{index}]", condition.type
        if not kind and not nameless:
            errors.append(required(f"{where}.type"))
        allowed = ("True",) if kind in _LASTING else CONDITION_STATUSES
        errors += required_one_of(condition.status, allowed, f"{where}.status")
        if undecided and kind in _DECISIONS and seen & (set(_DECISIONS) - {kind}):
            detail = "Approved and Denied conditions are mutually exclusive"
            errors.append(invalid(path, kind, detail))
        if kind in seen and not twins:
            errors.append(duplicate(f"{where}.type", kind))
        seen.add(kind)
    return errors
