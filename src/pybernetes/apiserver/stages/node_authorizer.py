"""The Node authorizer: a kubelet reads what its own pods need, and writes what is its own.

A user `system:node:<name>` of the group `system:nodes` and a request go in; a decision comes out, or no opinion for
other users. What a pod refers to is read from memory. Who may change what about a Node or Pod in detail is then
decided by the admission plug-in NodeRestriction. Called by `authorization`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pybernetes.api.fields import SelectorError, parse_selector
from pybernetes.api.types.core_v1 import PersistentVolume, Pod
from pybernetes.api.types.rbac_v1 import PolicyRule
from pybernetes.api.types.resource_v1 import ResourceSlice
from pybernetes.api.types.storage_v1 import VolumeAttachment
from pybernetes.apiserver.pod_references import MIRROR, referenced, volume_secrets
from pybernetes.apiserver.reader import Reader
from pybernetes.apiserver.request import RequestInfo, UserInfo
from pybernetes.apiserver.stages.rbac import Decision, rules_allow

_NO_OPINION = Decision(False)
_ALLOWED = Decision(True)
_OWN_WRITES = ("get", "create", "update", "patch", "delete")


def node_name_of(user: UserInfo) -> str:
    """The node that a user is the kubelet of; empty for all other users."""
    if user.name.startswith("system:node:") and "system:nodes" in user.groups:
        return user.name.removeprefix("system:node:")
    return ""


class NodeAuthorizer:
    """Decides requests of kubelets. `rules` are those of the bootstrap ClusterRole `system:node`."""

    def __init__(self, reader: Reader, rules: Sequence[PolicyRule]) -> None:
        self._reader = reader
        self._rules = rules
        self._topics: dict[tuple[str, str], Callable[[str, RequestInfo, str | None], Decision]] = {
            ("", "secrets"): self._namespaced_object,
            ("", "configmaps"): self._namespaced_object,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._single_object,
            ("resource.k8s.io", "resourceclaims"): self._single_object,
            ("storage.k8s.io", "volumeattachments"): self._single_object,
            ("", "serviceaccounts"): self._token,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceslices"): self._slice,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
        }

    def authorize(self, user: UserInfo, info: RequestInfo, field_selector: str | None = None) -> Decision:
        """`field_selector` is the request's text, None when the caller does not know it (it then counts as fitting)."""
        node = node_name_of(user)
        if not node:
            return _NO_OPINION
        topic = self._topics.get((info.group, info.resource)) if info.is_resource else None
        if topic is not None:
            return topic(node, info, field_selector)
        return _ALLOWED if rules_allow(self._rules, info) else _NO_OPINION

    def _namespaced_object(self, node: str, info: RequestInfo, _selector: str | None) -> Decision:
        if info.verb not in ("get", "list", "watch"):
            return Decision(False, "can only read resources of this type")
        if info.subresource:
            return Decision(False, "cannot read subresource")
        if not info.namespace:
            return Decision(False, "can only read namespaced object of this type")
        return self._related(node, info)

    def _single_object(self, node: str, info: RequestInfo, _selector: str | None) -> Decision:
        if info.verb != "get":
            return Decision(False, "can only get individual resources of this type")
        if info.subresource:
            return Decision(False, "cannot get subresource")
        return self._related(node, info)

    def _claim(self, node: str, info: RequestInfo, selector: str | None) -> Decision:
        if info.subresource != "status":
            return self._single_object(node, info, selector)
        if info.verb not in ("update", "patch"):
            return Decision(False, "can only get/update/patch this type")
        return self._related(node, info)

    def _token(self, node: str, info: RequestInfo, _selector: str | None) -> Decision:
        if info.verb == "get" and not info.subresource:
            return self._related(node, info)
        if info.verb != "create" or not info.name:
            return Decision(False, "can only create tokens for individual service accounts")
        if info.subresource != "token":
            return Decision(False, "can only create token subresource of serviceaccount")
        return self._related(node, info)

    def _lease(self, node: str, info: RequestInfo, _selector: str | None) -> Decision:
        if info.verb not in _OWN_WRITES:
            return Decision(False, "can only get, create, update, patch, or delete a node lease")
        if info.namespace != "kube-node-lease":
            return Decision(False, 'can only access leases in the "kube-node-lease" system namespace')
        if info.verb != "create" and info.name != node:
            return Decision(False, "can only access node lease with the same name as the requesting node")
        return _ALLOWED

    def _csi_node(self, node: str, info: RequestInfo, _selector: str | None) -> Decision:
        if info.verb not in _OWN_WRITES:
            return Decision(False, "can only get, create, update, patch, or delete a CSINode")
        if info.subresource:
            return Decision(False, "cannot authorize CSINode subresources")
        if info.verb != "create" and info.name != node:
            return Decision(False, "can only access CSINode with the same name as the requesting node")
        return _ALLOWED

    def _slice(self, node: str, info: RequestInfo, selector: str | None) -> Decision:
        if info.subresource:
            return Decision(False, "cannot authorize ResourceSlice subresources")
        if info.verb == "create":
            return _ALLOWED
        if info.verb in ("get", "update", "patch", "delete"):
            return self._related(node, info)
        if info.verb in ("list", "watch", "deletecollection"):
            if _selects(selector, "spec.nodeName", node):
                return _ALLOWED
            return Decision(False, "can only list/watch/deletecollection resourceslices with nodeName field selector")
        verbs = "get, watch, list, create, update, patch, delete, deletecollection"
        return Decision(False, f"only the following verbs are allowed for a ResourceSlice: {verbs}")

    def _node(self, node: str, info: RequestInfo, selector: str | None) -> Decision:
        if info.subresource == "status":
            return _ALLOWED if info.verb in ("update", "patch") else _NO_OPINION
        if info.subresource:
            return _NO_OPINION
        if info.verb in ("create", "update", "patch"):
            return _ALLOWED
        if info.verb not in ("get", "list", "watch"):
            return _NO_OPINION
        if info.name == node or (not info.name and _selects(selector, "metadata.name", node)):
            return _ALLOWED
        what = f"'{info.name}'" if info.name else "all nodes"
        return Decision(False, f"node '{node}' cannot read {what}, only its own Node object")

    def _pod(self, node: str, info: RequestInfo, selector: str | None) -> Decision:
        if info.subresource == "status":
            return _ALLOWED if info.verb in ("update", "patch") else _NO_OPINION
        if info.subresource == "eviction":
            return _ALLOWED if info.verb == "create" else _NO_OPINION
        if info.subresource:
            return _NO_OPINION
        if info.verb in ("create", "delete"):
            return _ALLOWED
        if info.verb == "get":
            return self._related(node, info)
        if info.verb in ("list", "watch"):
            if _selects(selector, "spec.nodeName", node):
                return _ALLOWED
            if info.name:
                return self._related(node, info)
            return Decision(False, "can only list/watch pods with spec.nodeName field selector")
        return _NO_OPINION

    def _related(self, node: str, info: RequestInfo) -> Decision:
        if not info.name:
            return Decision(False, "No Object name found")
        if self._is_related(node, info):
            return _ALLOWED
        return Decision(False, f"no relationship found between node '{node}' and this object")

    def _is_related(self, node: str, info: RequestInfo) -> bool:
        if info.resource == "pods":
            pod = self._reader.get(Pod, info.name, info.namespace)
            return pod is not None and pod.spec.node_name == node
        if info.resource == "volumeattachments":
            attachment = self._reader.get(VolumeAttachment, info.name)
            return attachment is not None and attachment.spec.node_name == node
        if info.resource == "resourceslices":
            part = self._reader.get(ResourceSlice, info.name)
            return part is not None and part.spec.node_name == node
        if info.resource == "persistentvolumes":
            return self._uses_volume(node, self._reader.get(PersistentVolume, info.name))
        if any(info.name in referenced(pod, info.resource) for pod in self._pods(node, info.namespace)):
            return True
        return info.resource == "secrets" and any(
            (info.namespace, info.name) in volume_secrets(volume) and self._uses_volume(node, volume)
            for volume in self._reader.list(PersistentVolume)
        )

    def _pods(self, node: str, namespace: str) -> Iterator[Pod]:
        """A node's pods that can refer to anything: mirror pods cannot, since the kubelet makes them as it likes."""
        for pod in self._reader.list(Pod, namespace):
            if pod.spec.node_name == node and MIRROR not in pod.metadata.annotations:
                yield pod

    def _uses_volume(self, node: str, volume: PersistentVolume | None) -> bool:
        claim = volume.spec.claim_ref if volume is not None else None
        if claim is None:
            return False
        pods = self._pods(node, claim.namespace or "")
        return any(claim.name in referenced(pod, "persistentvolumeclaims") for pod in pods)


def _selects(selector: str | None, field_name: str, value: str) -> bool:
    if selector is None:
        return True
    try:
        return parse_selector(selector).required_value(field_name) == value
    except SelectorError:
        return False
