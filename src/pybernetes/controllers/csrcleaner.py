"""Removes certificate signing requests that nobody needs any more: an hour after they were decided, a day after they
were made when nobody decided, and once their certificate has ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509

from pybernetes.api import time as api_time
from pybernetes.api.status import StatusError
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController
from pybernetes.reconcile import key_of

_DECIDED = timedelta(hours=1)
_PENDING = timedelta(hours=24)
# Upstream looks at all of them once an hour.
_LONGEST_WAIT = timedelta(hours=1)


def expires(request: CertificateSigningRequest) -> datetime:
    """When a request is to be removed."""
    created = api_time.parse(request.metadata.creation_timestamp or "")
    ends = [
        api_time.parse(item.last_update_time) + _DECIDED
        for item in request.status.conditions
        if item.type in ("Approved", "Denied", "Failed") and item.last_update_time
    ]
    if not request.status.conditions:
        ends.append(created + _PENDING)
    if request.status.certificate:
        certificates = x509.load_pem_x509_certificates(request.status.certificate)
        ends.append(certificates[0].not_valid_after_utc)
    return min(ends, default=created + _PENDING)


class CSRCleanerController(KeyedController):
    """`certificatesigningrequest-cleaner-controller`."""

    name = "certificatesigningrequest-cleaner-controller"
    workers = 1

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._requests = self.watch_own(CertificateSigningRequest)

    async def reconcile(self, key: str) -> float | None:
        request = self._requests.cache.get("", key)
        if request is None:
            return None
        left = expires(request) - self.clock.now()
        if left > timedelta():
            return min(left, _LONGEST_WAIT).total_seconds()
        try:
            await self.client.delete(CertificateSigningRequest, key_of(request))
        except StatusError as error:
            if error.code != 404:
                raise
        return None
