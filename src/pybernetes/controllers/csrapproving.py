"""Approves kubelets' requests for client certificates when the API server says that the requester may have them."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

from pybernetes.api import time as api_time
from pybernetes.api.objects import copy
from pybernetes.api.types.authorization_v1 import ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest, CertificateSigningRequestCondition
from pybernetes.controllers import csr_rules
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController


@dataclass(frozen=True)
class Permission:
    """A sub-resource that the requester must be allowed to create, and what is said when it is."""

    subresource: str
    message: str


SELF_NODE_CLIENT = Permission(
    "selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."
)
NODE_CLIENT = Permission("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")


def permissions(request: CertificateSigningRequest, parsed: x509.CertificateSigningRequest) -> list[Permission]:
    """Those of which one is enough to approve the request, in the order of asking; none: it is not ours to judge."""
    if request.spec.signer_name != csr_rules.KUBE_APISERVER_CLIENT_KUBELET:
        return []
    if csr_rules.kubelet_client_violation(parsed, request.spec.usages):
        return []
    own = request.spec.username == csr_rules.common_name(parsed)
    return [SELF_NODE_CLIENT, NODE_CLIENT] if own else [NODE_CLIENT]


class CSRApprovingController(KeyedController):
    """`certificatesigningrequest-approving-controller`."""

    name = "certificatesigningrequest-approving-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._requests = self.watch_own(CertificateSigningRequest)

    async def reconcile(self, key: str) -> float | None:
        request = self._requests.cache.get("", key)
        if request is None or request.status.certificate:
            return None
        if csr_rules.is_true(request, "Approved") or csr_rules.is_true(request, "Denied"):
            return None
        asked = permissions(request, csr_rules.parse(request.spec.request or b""))
        for permission in asked:
            if await self._may(request, permission.subresource):
                await self._approve(request, permission.message)
                return None
        if asked:
            tried = " ".join(item.subresource for item in asked)
            text = f'recognized csr "{key}" as [{tried}] but subject access review was not approved'
            raise PermissionError(text)
        return None

    async def _may(self, request: CertificateSigningRequest, subresource: str) -> bool:
        attributes = ResourceAttributes(
            verb="create",
            group="certificates.k8s.io",
            version="*",
            resource="certificatesigningrequests",
            subresource=subresource,
        )
        who = request.spec
        spec = SubjectAccessReviewSpec(
            resource_attributes=attributes, user=who.username, groups=who.groups, extra=who.extra, uid=who.uid
        )
        return (await self.client.create(SubjectAccessReview(spec=spec))).status.allowed

    async def _approve(self, request: CertificateSigningRequest, message: str) -> None:
        changed, now = copy(request), api_time.format(self.clock.now())
        condition = CertificateSigningRequestCondition(
            type="Approved",
            status="True",
            reason="AutoApproved",
            message=message,
            last_update_time=now,
            last_transition_time=now,
        )
        changed.status.conditions.append(condition)
        await self.client.update(changed, "approval")
