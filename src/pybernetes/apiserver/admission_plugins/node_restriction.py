"""NodeRestriction: a kubelet changes only its own node, its own lease and the pods that run on it.

Writes of users `system:node:<name>` come in; those that reach beyond the node are refused. The other half of what
keeps kubelets apart is the Node authorizer.
"""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.types.authentication_v1 import TokenRequest
from pybernetes.api.types.core_v1 import Node, PersistentVolumeClaim, PersistentVolumeClaimStatus, Pod
from pybernetes.api.types.resource_v1 import ResourceSlice
from pybernetes.api.types.storage_v1 import CSIDriver
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import RequestInfo
from pybernetes.apiserver.stages.authorization import Authorizer
from pybernetes.apiserver.stages.node_authorizer import node_name_of, referenced

_MIRROR = "kubernetes.io/config.mirror"
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
_REFERENCES = ("secrets", "configmaps", "persistentvolumeclaims")


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
        match (request.kind.resource, request.subresource):
            case ("pods", "" | "status" | "eviction"):
                self._check_pod(request, node)
            case ("pods", other):
                raise refusal(
                    request, f'unexpected pod subresource "{other}", only "status" and "eviction" are allowed'
                )
            case ("nodes", "" | "status"):
                _check_node(request, node)
            case ("leases", ""):
                if request.namespace == "kube-node-lease" and _name(request) != node:
                    raise refusal(request, "can only access node lease with the same name as the requesting node")
            case ("csinodes", ""):
                if _name(request) != node:
                    raise refusal(request, "can only access CSINode with the same name as the requesting node")
            case ("resourceslices", ""):
                self._check_slice(request, node)
            case ("persistentvolumeclaims", "status"):
                _check_claim(request, node)
            case ("serviceaccounts", "token"):
                self._check_token(request, node)

    def _check_pod(self, request: AdmissionRequest, node: str) -> None:
        if request.subresource == "eviction":
            if not self._is_own(request, node):
                raise refusal(request, f"node {node} can only evict pods with spec.nodeName set to itself")
        elif request.operation == "DELETE":
            if not self._is_own(request, node):
                raise refusal(request, f'node "{node}" can only delete pods with spec.nodeName set to itself')
        elif request.subresource == "status":
            _check_status(request, node)
        elif request.operation == "CREATE" and isinstance(request.object, Pod):
            self._check_mirror(request, request.object, node)
        else:
            raise refusal(request, f'unexpected operation "{request.operation}", node "{node}" cannot update pods')

    def _is_own(self, request: AdmissionRequest, node: str) -> bool:
        pod = request.old_object
        if not isinstance(pod, Pod):
            pod = self._reader.get(Pod, _name(request), request.namespace)
        # Of a pod that does not exist the sub-resource itself says so.
        return pod is None or pod.spec.node_name == node

    def _check_mirror(self, request: AdmissionRequest, pod: Pod, node: str) -> None:
        if _MIRROR not in pod.metadata.annotations:
            end = f'annotation, node "{node}" can only create mirror pods'
            raise refusal(request, f'pod does not have "{_MIRROR}" {end}')
        if pod.spec.node_name != node:
            raise refusal(request, f'node "{node}" can only create pods with spec.nodeName set to itself')
        self._check_owner(request, pod, node)
        if pod.spec.service_account_name:
            raise refusal(request, f'node "{node}" can not create pods that reference a service account')
        for resource in _REFERENCES:
            if referenced(pod, resource):
                raise refusal(request, f'node "{node}" can not create pods that reference {resource}')

    def _check_owner(self, request: AdmissionRequest, pod: Pod, node: str) -> None:
        owners = pod.metadata.owner_references
        own = self._reader.get(Node, node)
        if len(owners) > 1:
            raise refusal(request, f'node "{node}" can only create pods with a single owner reference set to itself')
        if not owners:
            raise refusal(request, f'node "{node}" can only create pods with an owner reference set to itself')
        owner = owners[0]
        if (owner.api_version, owner.kind, owner.name) != ("v1", "Node", node) or not owner.controller:
            why = f'node "{node}" can only create pods with a controlling owner reference set to itself'
            raise refusal(request, why)
        if own is None or own.metadata.uid != owner.uid:
            raise refusal(request, f"node {node} UID mismatch: expected {own and own.metadata.uid} got {owner.uid}")

    def _check_token(self, request: AdmissionRequest, node: str) -> None:
        wanted = request.object
        reference = wanted.spec.bound_object_ref if isinstance(wanted, TokenRequest) else None
        if reference is None or reference.kind != "Pod" or reference.api_version != "v1" or not reference.name:
            raise refusal(request, "node requested token not bound to a pod")
        if not reference.uid:
            raise refusal(request, "node requested token with a pod binding without a uid")
        pod = self._reader.get(Pod, reference.name, request.namespace)
        if pod is not None and reference.uid != pod.metadata.uid:
            why = f"the UID in the bound object reference ({reference.uid}) does not match the UID in record"
            raise refusal(request, f"{why}. The object might have been deleted and then recreated")
        if pod is None or pod.spec.node_name != node:
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
            raise refusal(request, f'audience "{audience}" not found in pod spec volume')

    def _check_slice(self, request: AdmissionRequest, node: str) -> None:
        for each in (request.object, request.old_object):
            if isinstance(each, ResourceSlice) and each.spec.node_name != node:
                verb = {"CREATE": "create", "DELETE": "delete"}.get(request.operation, "update")
                raise refusal(request, f"can only {verb} ResourceSlice with the same NodeName as the requesting node")


def _audiences(pod: Pod, reader: Reader) -> set[str]:
    """Whom the tokens in a pod's volumes are for; the empty one is the API server."""
    found: set[str] = set()
    for volume in pod.spec.volumes:
        if volume.projected is not None:
            tokens = [source.service_account_token for source in volume.projected.sources]
            found |= {token.audience or "" for token in tokens if token is not None}
        if volume.csi is not None:
            driver = reader.get(CSIDriver, volume.csi.driver)
            found |= {request.audience or "" for request in driver.spec.token_requests} if driver else set()
    return found


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
        raise refusal(request, f'node "{node}" cannot update resource claim statuses')


def _check_node(request: AdmissionRequest, node: str) -> None:
    name = _name(request)
    if name != node:
        raise refusal(request, f'node "{node}" is not allowed to modify node "{name}"')
    new, old = request.object, request.old_object
    if request.operation == "CREATE" and new is not None:
        forbidden = _forbidden_labels(_changed_labels(new, None))
        if forbidden:
            raise refusal(request, f"is not allowed to set the following labels: {', '.join(forbidden)}")
    if request.operation != "UPDATE" or not isinstance(new, Node) or not isinstance(old, Node):
        return
    if new.metadata.owner_references != old.metadata.owner_references:
        raise refusal(request, f'node "{node}" is not allowed to modify ownerReferences')
    if new.spec.taints != old.spec.taints:
        raise refusal(request, f'node "{node}" is not allowed to modify taints')
    forbidden = _forbidden_labels(_changed_labels(new, old))
    if forbidden:
        raise refusal(request, f"is not allowed to modify labels: {', '.join(forbidden)}")


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
