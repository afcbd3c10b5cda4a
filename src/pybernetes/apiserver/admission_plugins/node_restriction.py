"""NodeRestriction: a kubelet changes only its own node, its own lease and the pods that run on it.

Writes of users `system:node:<name>` come in; those that reach beyond the node are refused. The other half of what
keeps kubelets apart is the Node authorizer.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.x509 import InvalidVersion
from cryptography.x509 import load_pem_x509_csr as load_signing_request
from cryptography.x509.oid import NameOID

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.status import not_found
from pybernetes.api.types.authentication_v1 import TokenRequest
from pybernetes.api.types.certificates_v1 import CertificateSigningRequest
from pybernetes.api.types.core_v1 import (
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimStatus,
    Pod,
    Volume,
)
from pybernetes.api.types.resource_v1 import ResourceSlice
from pybernetes.api.types.storage_v1 import CSIDriver
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.pod_references import MIRROR, first_reference
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import RequestInfo
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.stages.node_authorizer import node_name_of

_OWN_LABELS = frozenset(
    {
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
    }
)
_OWN_LABEL_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_SIGNERS = ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet")


class NodeRestriction(Bystander):
    """Checks the writes of kubelets."""

    name = "NodeRestriction"

    def __init__(self, reader: Reader, authorizer: Authorizer) -> None:
        self._reader = reader
        self._authorizer = authorizer

    def handles(self, request: AdmissionRequest) -> bool:
        return bool(node_name_of(request.user)) and request.operation != "CONNECT"

    async def admit(self, request: AdmissionRequest) -> None:
        node = node_name_of(request.user)
        match (request.kind.group_resource, request.subresource):
            case ("pods", _):
                self._check_pod(request, node)
            case ("nodes", _):
                _check_node(request, node)
            case ("leases.coordination.k8s.io", _):
                if request.namespace != "kube-node-lease":
                    raise refusal(request, 'can only access leases in the "kube-node-lease" system namespace')
                if _name(request) != node:
                    raise refusal(request, "can only access node lease with the same name as the requesting node")
            case ("csinodes.storage.k8s.io", _):
                if _name(request) != node:
                    raise refusal(request, "can only access CSINode with the same name as the requesting node")
            case ("resourceslices.resource.k8s.io", _):
                _check_slice(request, node)
            case ("persistentvolumeclaims", subresource):
                if subresource != "status":
                    raise refusal(request, "may only update PVC status")
                _check_claim(request, node)
            case ("certificatesigningrequests.certificates.k8s.io", _):
                _check_signing_request(request, node)
            case ("serviceaccounts", "token"):
                self._check_token(request, node)

    def _check_pod(self, request: AdmissionRequest, node: str) -> None:
        match request.subresource, request.operation:
            case "eviction", _:
                if self._pod(request, _name(request)).spec.node_name != node:
                    raise refusal(request, f"node {node} can only evict pods with spec.nodeName set to itself")
            case "", "DELETE":
                if self._pod(request, _name(request)).spec.node_name != node:
                    raise refusal(request, f'node "{node}" can only delete pods with spec.nodeName set to itself')
            case "", "CREATE":
                if isinstance(request.object, Pod):
                    self._check_mirror(request, request.object, node)
            case "", _:
                why = (
                    f'unexpected operation "{request.operation}", node "{node}" can only create and delete mirror pods'
                )
                raise refusal(request, why)
            case "status", _:
                _check_status(request, node)
            case other, _:
                why = f"unexpected pod subresource \"{other}\", only 'status' and 'eviction' are allowed"
                raise refusal(request, why)

    def _pod(self, request: AdmissionRequest, name: str) -> Pod:
        """A stored pod of the request's namespace; 404 when there is none."""
        pod = self._reader.get(Pod, name, request.namespace)
        if pod is None:
            raise not_found(kind_of(Pod), name)
        return pod

    def _check_mirror(self, request: AdmissionRequest, pod: Pod, node: str) -> None:
        if MIRROR not in pod.metadata.annotations:
            end = f'annotation, node "{node}" can only create mirror pods'
            raise refusal(request, f'pod does not have "{MIRROR}" {end}')
        if pod.spec.node_name != node:
            raise refusal(request, f'node "{node}" can only create pods with spec.nodeName set to itself')
        self._check_owner(request, pod, node)
        if reference := first_reference(pod):
            raise refusal(request, f'node "{node}" can not create pods that reference {reference}')

    def _check_owner(self, request: AdmissionRequest, pod: Pod, node: str) -> None:
        owners = pod.metadata.owner_references
        may_only = f'node "{node}" can only create pods with'
        if len(owners) > 1:
            raise refusal(request, f"{may_only} a single owner reference set to itself")
        if [(owner.api_version, owner.kind, owner.name) for owner in owners] != [("v1", "Node", node)]:
            raise refusal(request, f"{may_only} an owner reference set to itself")
        owner = owners[0]
        if not owner.controller:
            raise refusal(request, f"{may_only} a controller owner reference set to itself")
        if owner.block_owner_deletion:
            raise refusal(request, f'node "{node}" must not set blockOwnerDeletion on an owner reference')
        own = self._reader.get(Node, node)
        if own is None:
            raise not_found(kind_of(Node), node)
        if own.metadata.uid != owner.uid:
            raise refusal(request, f"node {node} UID mismatch: expected {owner.uid} got {own.metadata.uid}")

    def _check_token(self, request: AdmissionRequest, node: str) -> None:
        wanted = request.object
        reference = wanted.spec.bound_object_ref if isinstance(wanted, TokenRequest) else None
        if reference is None or reference.kind != "Pod" or reference.api_version != "v1" or not reference.name:
            raise refusal(request, "node requested token not bound to a pod")
        if not reference.uid:
            raise refusal(request, "node requested token with a pod binding without a uid")
        pod = self._pod(request, reference.name)
        if reference.uid != pod.metadata.uid:
            why = f"the UID in the bound object reference ({reference.uid}) does not match the UID in record"
            raise refusal(request, f"{why}. The object might have been deleted and then recreated")
        if pod.spec.node_name != node:
            raise refusal(request, "node requested token bound to a pod scheduled on a different node")
        self._check_audiences(request, pod)

    def _check_audiences(self, request: AdmissionRequest, pod: Pod) -> None:
        """Tokens are for whom the pod's volumes say, unless the node was given the right to ask for others."""
        wanted = request.object
        audiences = wanted.spec.audiences if isinstance(wanted, TokenRequest) else []
        if len(audiences) > 1:
            raise refusal(request, "node may only request 0 or 1 audiences")
        audience = audiences[0] if audiences else ""
        if audience in _audiences(pod, self._reader):
            return
        asked = RequestInfo(
            "",
            "request-serviceaccounts-token-audience",
            True,
            resource=audience,
            namespace=request.namespace,
            name=request.name,
        )
        if not self._authorizer.authorize(request.user, asked).allowed:
            why = f'audience "{audience}" not found in pod spec volume'
            raise refusal(request, f"{why}, {request.user.name} is not authorized to request tokens for this audience")


def _check_slice(request: AdmissionRequest, node: str) -> None:
    # Of updates the authorizer knows whose the stored slice is, and validation keeps it so.
    for verb, obj in (("create", request.object), ("delete", request.old_object)):
        if request.operation == verb.upper() and isinstance(obj, ResourceSlice) and obj.spec.node_name != node:
            raise refusal(request, f"can only {verb} ResourceSlice with the same NodeName as the requesting node")


def _check_signing_request(request: AdmissionRequest, node: str) -> None:
    wanted = request.object
    if request.operation != "CREATE" or not isinstance(wanted, CertificateSigningRequest):
        return
    if wanted.spec.signer_name not in _KUBELET_SIGNERS:
        return
    try:
        subject = load_signing_request(wanted.spec.request or b"").subject
    except (ValueError, InvalidVersion) as error:
        raise refusal(request, f"unable to parse csr: {error}") from error
    if [name.value for name in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] != [f"system:node:{node}"]:
        raise refusal(request, f"can only create a node CSR with CN=system:node:{node}")


def _audiences(pod: Pod, reader: Reader) -> set[str]:
    """Whom the tokens in a pod's volumes are for; the empty one is the API server."""
    found: set[str] = set()
    for volume in pod.spec.volumes:
        if volume.projected is not None:
            tokens = [source.service_account_token for source in volume.projected.sources]
            found |= {token.audience or "" for token in tokens if token is not None}
        driver = reader.get(CSIDriver, name) if (name := _driver(pod, volume, reader)) else None
        found |= {request.audience or "" for request in driver.spec.token_requests} if driver else set()
    return found


def _driver(pod: Pod, volume: Volume, reader: Reader) -> str:
    """The CSI driver behind a volume, be it the volume's own or that of its claim; empty when there is none."""
    if volume.csi is not None:
        return volume.csi.driver
    namespace, claim_name = pod.metadata.namespace or "", ""
    if volume.ephemeral is not None:
        claim_name = f"{pod.metadata.name}-{volume.name}"
    elif volume.persistent_volume_claim is not None:
        claim_name = volume.persistent_volume_claim.claim_name
    claim = reader.get(PersistentVolumeClaim, claim_name, namespace) if claim_name else None
    bound = reader.get(PersistentVolume, claim.spec.volume_name) if claim and claim.spec.volume_name else None
    return bound.spec.csi.driver if bound is not None and bound.spec.csi is not None else ""


# What of a claim's status a kubelet has to say: how far growing has come.
_GROWING = ("capacity", "conditions", "allocated_resources", "allocated_resource_statuses")


def _check_claim(request: AdmissionRequest, node: str) -> None:
    new, old = request.object, request.old_object
    if not isinstance(new, PersistentVolumeClaim) or not isinstance(old, PersistentVolumeClaim):
        return
    before, after = copy(old), copy(new)
    for claim in (before, after):
        claim.metadata.managed_fields = []
        claim.metadata.resource_version = None
        for name in _GROWING:
            setattr(claim.status, name, getattr(PersistentVolumeClaimStatus(), name))
    if before != after:
        why = f"node {node!r} is not allowed to update fields other than status.quantity and status.conditions"
        raise refusal(request, why.replace("'", '"'))


def _name(request: AdmissionRequest) -> str:
    meta = request.object.metadata if request.object is not None else None
    return request.name or (meta.name if meta else "") or ""


def _check_status(request: AdmissionRequest, node: str) -> None:
    new, old = request.object, request.old_object
    if not isinstance(new, Pod) or not isinstance(old, Pod):
        return
    if old.spec.node_name != node:
        why = f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'
        raise refusal(request, why)
    if new.metadata.labels != old.metadata.labels:
        raise refusal(request, f'node "{node}" cannot update labels through pod status')
    if new.status.resource_claim_statuses != old.status.resource_claim_statuses:
        raise refusal(request, f'node "{node}" cannot update resource claim statues')
    if new.status.extended_resource_claim_status != old.status.extended_resource_claim_status:
        raise refusal(request, f'node "{node}" cannot update extended resource claim status')


def _check_node(request: AdmissionRequest, node: str) -> None:
    name = _name(request)
    if name != node:
        raise refusal(request, f'node "{node}" is not allowed to modify node "{name}"')
    new, old = request.object, request.old_object
    if not isinstance(new, Node):
        return
    before = old if isinstance(old, Node) else None
    forbidden = ", ".join(_forbidden_labels(_changed_labels(new, before)))
    said = f'node "{node}" is not allowed to'
    if before is None:
        if new.spec.config_source is not None:
            raise refusal(request, f"{said} create pods with a non-nil configSource")
        if forbidden:
            raise refusal(request, f"{said} set the following labels: {forbidden}")
        return
    if new.spec.config_source not in (None, before.spec.config_source):
        raise refusal(request, f"{said} update configSource to a new non-nil configSource")
    if new.spec.taints != before.spec.taints:
        raise refusal(request, f"{said} modify taints")
    if new.metadata.owner_references != before.metadata.owner_references:
        raise refusal(request, f"{said} modify ownerReferences")
    if forbidden:
        raise refusal(request, f"is not allowed to modify labels: {forbidden}")


def _changed_labels(new: ApiObject, old: ApiObject | None) -> set[str]:
    before: Mapping[str, str] = old.metadata.labels if old is not None else {}
    after = new.metadata.labels
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


def _forbidden_labels(changed: set[str]) -> list[str]:
    return sorted(key for key in changed if not _may_change(key))


def _may_change(key: str) -> bool:
    domain, slash, _name = key.partition("/")
    if not slash:
        return True
    if _within(domain, "node-restriction.kubernetes.io"):
        return False
    if not (_within(domain, "kubernetes.io") or _within(domain, "k8s.io")):
        return True
    return key in _OWN_LABELS or any(_within(domain, own) for own in _OWN_LABEL_DOMAINS)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith("." + parent)
