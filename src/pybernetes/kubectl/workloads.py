"""Pods and revisions of the things that make pods: which pods a Deployment has, which ReplicaSets are its history.

`logs` and `exec` ask for a workload's pods, `rollout` and `describe` for revisions. The choosing functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pybernetes.api import encoding, labels
from pybernetes.api.types.meta_v1 import LabelSelector
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.resources import built_in
from pybernetes.kubectl.selection import Target
from pybernetes.kubectl.session import Session

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
TEMPLATE_HASH = "pod-template-hash"


def selector_of(obj: Mapping[str, Any]) -> str:
    """The label selector of a workload or a service, as a query; `CommandError` when it has none."""
    selector = (obj.get("spec") or {}).get("selector")
    if not selector:
        raise error(f"cannot get the selector of {obj.get('kind')}")
    if obj.get("kind") in ("Service", "ReplicationController"):
        return str(labels.from_labels(selector))
    return str(labels.from_label_selector(encoding.from_value(selector, LabelSelector).object))


def owned(items: Sequence[dict[str, Any]], owner: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects that this one controls."""
    uid = owner["metadata"].get("uid")
    return [
        item
        for item in items
        if any(ref.get("controller") and ref["uid"] == uid for ref in item["metadata"].get("ownerReferences") or ())
    ]


def revision_of(obj: Mapping[str, Any]) -> int:
    """A ReplicaSet's or ControllerRevision's number; 0 when it has none."""
    if obj.get("kind") == "ControllerRevision" or "revision" in obj:
        return int(obj.get("revision", 0))
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


async def replica_sets(session: Session, deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A Deployment's ReplicaSets, the newest revision last."""
    return sorted(await _listed(session, "replicasets", deployment), key=revision_of)


async def controller_revisions(session: Session, workload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A DaemonSet's or StatefulSet's revisions, the newest last."""
    return sorted(await _listed(session, "controllerrevisions", workload), key=revision_of)


async def _listed(session: Session, plural: str, owner: Mapping[str, Any]) -> list[dict[str, Any]]:
    resource = built_in().find(plural)
    assert resource is not None
    path = resource.path(owner["metadata"]["namespace"])
    listed = await session.request("GET", path, [("labelSelector", selector_of(owner))])
    return owned(listed.get("items") or [], owner)


async def pods_of(session: Session, target: Target) -> list[dict[str, Any]]:
    """The pods of a workload, best first; the pod itself for a pod."""
    resource, namespace = target.resource, session.namespace_of(target.resource)
    found = await session.request("GET", resource.path(namespace, target.name))
    if resource.kind == "Pod":
        return [found]
    path = f"/api/v1/namespaces/{namespace}/pods"
    listed = await session.request("GET", path, [("labelSelector", selector_of({"kind": resource.kind, **found}))])
    return sorted(listed.get("items") or [], key=_rank)


def _rank(pod: Mapping[str, Any]) -> tuple[bool, bool, bool, str]:
    """Assigned before unassigned, running before pending, ready before unready, then older ones."""
    status = pod.get("status") or {}
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or ())
    return (
        not (pod.get("spec") or {}).get("nodeName"),
        status.get("phase") != "Running",
        not ready,
        pod["metadata"].get("creationTimestamp", ""),
    )


async def one_pod(session: Session, target: Target) -> dict[str, Any]:
    """The pod that stands for a workload; says which, when there are several."""
    pods = await pods_of(session, target)
    if not pods:
        raise error(f"no pods found for {target.resource.label}/{target.name}")
    if len(pods) > 1:
        session.warn(f"Found {len(pods)} pods, using pod/{pods[0]['metadata']['name']}")
    return pods[0]


def container_of(pod: Mapping[str, Any], wanted: str) -> tuple[str, str]:
    """The container to use, and what to tell the user about it (often nothing). `CommandError` for an unknown one."""
    spec = pod.get("spec") or {}
    own = [item["name"] for item in spec.get("containers") or ()]
    others = [item["name"] for item in spec.get("initContainers") or ()]
    debug = [item["name"] for item in spec.get("ephemeralContainers") or ()]
    name = pod["metadata"].get("name", "")
    if wanted:
        if wanted not in (*own, *others, *debug):
            raise error(f"container {wanted} is not valid for pod {name}")
        return wanted, ""
    preferred = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
    if preferred in own:
        return preferred, ""
    if not own:
        raise error(f"no containers in pod {name}")
    if len(own) + len(others) + len(debug) == 1:
        return own[0], ""
    listed = ", ".join([*own, *(f"{item} (init)" for item in others), *(f"{item} (ephem)" for item in debug)])
    return own[0], f'Defaulted container "{own[0]}" out of: {listed}'
