"""VolumeBinding: a pod's claims must exist, be bound or wait for their first consumer, and be usable from the node.

Thin: a claim that waits for its consumer is taken to be provisioned wherever the pod goes, within allowedTopologies.
"""

from __future__ import annotations

from pybernetes.api.types.core_v1 import PersistentVolumeClaim
from pybernetes.api.types.storage_v1 import StorageClass
from pybernetes.scheduler.decide.node_selection import Term, terms
from pybernetes.scheduler.decide.plugin import Case, Filter, Impossible, Rejection
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.pod_info import PodInfo

NAME = "VolumeBinding"
_ELSEWHERE = Rejection(NAME, ("node(s) didn't match PersistentVolume's node affinity",))
_NO_VOLUME = Rejection(NAME, ("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",))
_NONE_FOUND = Rejection(NAME, ("node(s) didn't find available persistent volumes to bind",))
WAIT = "WaitForFirstConsumer"


class VolumeBinding(Filter):
    name = NAME

    def __init__(self, bound: list[tuple[Term, ...]], waiting: list[StorageClass], *, missing: bool) -> None:
        self._bound = bound
        self._waiting = waiting
        self._missing = missing

    def explain(self, node: NodeInfo) -> Rejection | None:
        if self._missing:
            return _NO_VOLUME
        for places in self._bound:
            if not any(term.matches(node) for term in places):
                return _ELSEWHERE
        return None if all(_allowed(class_, node) for class_ in self._waiting) else _NONE_FOUND


def _allowed(class_: StorageClass, node: NodeInfo) -> bool:
    if not class_.allowed_topologies:
        return True
    return any(
        all(node.labels.get(wanted.key) in wanted.values for wanted in topology.match_label_expressions)
        for topology in class_.allowed_topologies
    )


def claim_names(pod: PodInfo) -> list[str]:
    """The claims that the pod uses: named ones, and those made for its ephemeral volumes."""
    names: list[str] = []
    for volume in pod.pod.spec.volumes:
        if volume.persistent_volume_claim is not None:
            names.append(volume.persistent_volume_claim.claim_name)
        elif volume.ephemeral is not None:
            names.append(f"{pod.pod.metadata.name}-{volume.name}")
    return names


def waiting_claims(pod: PodInfo, facts: Facts) -> list[PersistentVolumeClaim]:
    """The pod's claims that have no volume yet."""
    found = [facts.claims.get(pod.namespace, name) for name in claim_names(pod)]
    return [claim for claim in found if claim is not None and not claim.spec.volume_name]


def prepare(case: Case) -> Filter | Impossible | None:
    pod, _, facts = case
    names = claim_names(pod)
    if not names:
        return None
    bound: list[tuple[Term, ...]] = []
    waiting: list[StorageClass] = []
    missing = immediate = False
    for name in names:
        claim = facts.claims.get(pod.namespace, name)
        if problem := _problem(name, claim):
            return Impossible(NAME, problem)
        assert claim is not None
        if not claim.spec.volume_name:
            class_ = facts.storage_classes.get("", claim.spec.storage_class_name or "")
            if class_ is None or class_.volume_binding_mode != WAIT:
                immediate = True
            else:
                waiting.append(class_)
            continue
        volume = facts.volumes.get("", claim.spec.volume_name)
        if volume is None:
            missing = True
        elif volume.spec.node_affinity is not None and volume.spec.node_affinity.required is not None:
            bound.append(terms(volume.spec.node_affinity.required))
    if immediate:
        return Impossible(NAME, "pod has unbound immediate PersistentVolumeClaims")
    return VolumeBinding(bound, waiting, missing=missing)


def _problem(name: str, claim: PersistentVolumeClaim | None) -> str:
    if claim is None:
        return f'persistentvolumeclaim "{name}" not found'
    if claim.metadata.deletion_timestamp is not None:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if claim.status.phase == "Lost":
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.spec.volume_name}"'
    return ""
