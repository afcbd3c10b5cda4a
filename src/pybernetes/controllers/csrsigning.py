"""Signs approved certificate signing requests of the four built-in signers with the cluster's authority.

Does nothing when the options carry no key.
"""

from __future__ import annotations

from pybernetes.api import time as api_time
from pybernetes.api.objects import copy
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest, CertificateSigningRequestCondition
from pybernetes.controllers import csr_rules
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.signing_authority import SigningAuthority, lifetime


def is_to_sign(request: CertificateSigningRequest) -> bool:
    """Whether a request waits for one of our signers."""
    if request.status.certificate or not csr_rules.is_true(request, "Approved"):
        return False
    refused = csr_rules.is_true(request, "Denied") or csr_rules.is_true(request, "Failed")
    return not refused and request.spec.signer_name in csr_rules.SIGNERS


class CSRSigningController(KeyedController):
    """`certificatesigningrequest-signing-controller`."""

    name = "certificatesigningrequest-signing-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        options = context.options
        self._authority: SigningAuthority | None = None
        if options.cluster_signing_key:
            self._authority = SigningAuthority(options.cluster_signing_certificate, options.cluster_signing_key)
        self._requests = self.watch_own(CertificateSigningRequest)

    async def reconcile(self, key: str) -> float | None:
        request = self._requests.cache.get("", key)
        if request is None or self._authority is None or not is_to_sign(request):
            return None
        parsed = csr_rules.parse(request.spec.request or b"")
        changed = copy(request)
        reason = csr_rules.violation(request.spec.signer_name, parsed, request.spec.usages)
        if reason:
            changed.status.conditions.append(self._failure(reason))
        else:
            seconds = lifetime(request.spec.expiration_seconds, self.context.options.cluster_signing_duration)
            # A positive number of 16 bytes, as RFC 5280 allows at most 20.
            serial = int.from_bytes(self.context.chance.secret(16)) >> 1 or 1
            usages, now = request.spec.usages, self.clock.now()
            changed.status.certificate = self._authority.sign(parsed, usages, seconds, now, serial)
        await self.client.update_status(changed)
        return None

    def _failure(self, reason: str) -> CertificateSigningRequestCondition:
        now = api_time.format(self.clock.now())
        return CertificateSigningRequestCondition(
            type="Failed",
            status="True",
            reason="SignerValidationFailure",
            message=reason,
            last_update_time=now,
            last_transition_time=now,
        )
