"""One pod on every node that a DaemonSet wants: which pods to create and to delete, and what the status says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from pybernetes.api.objects import copy
from pybernetes.api.types.apps_v1 import DaemonSet, DaemonSetStatus
from pybernetes.api.types.core_v1 import (
    Affinity,
    Node,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    PodSpec,
    PodTemplateSpec,
    Toleration,
)
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.node_match import wants
from pybernetes.controllers.surge import scaled
from pybernetes.controllers.tolerations import untolerated

REVISION_HASH = "controller-revision-hash"
_NODE_NAME = "metadata.name"
_REPELLING = frozenset({"NoSchedule", "NoExecute"})
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


@dataclass
class Decision:
    """`create` are node names; `tell` are (type, reason, message) of events."""

    create: list[str] = field(default_factory=list)
    delete: list[Pod] = field(default_factory=list)
    tell: list[tuple[str, str, str]] = field(default_factory=list)


def tolerations_of(spec: PodSpec) -> list[Toleration]:
    """The template's own, and those that every daemon has: it must not leave a node in trouble."""
    result = list(spec.tolerations)
    for key, effect in (*_TOLERATED, *([_NETWORK] if spec.host_network else [])):
        toleration = Toleration(key=key, operator="Exists", effect=effect)
        if toleration not in result:
            result.append(toleration)
    return result


def should_run(spec: PodSpec, node: Node) -> tuple[bool, bool]:
    """(a pod should be started there, a pod that is there may stay)."""
    if not wants(spec, node):
        return False, False
    tolerations = tolerations_of(spec)
    fits = untolerated(node.spec.taints, tolerations, _REPELLING) is None
    stays = untolerated(node.spec.taints, tolerations, frozenset({"NoExecute"})) is None
    return fits, stays


def template_for(template: PodTemplateSpec, node: str) -> PodTemplateSpec:
    """The template bound to one node: the scheduler then has no choice, but all its checks."""
    result = copy(template)
    field_term = NodeSelectorRequirement(key=_NODE_NAME, operator="In", values=[node])
    affinity = result.spec.affinity or Affinity()
    node_affinity = affinity.node_affinity or NodeAffinity()
    required = node_affinity.required_during_scheduling_ignored_during_execution
    terms = required.node_selector_terms if required is not None else [NodeSelectorTerm()]
    bound = [msgspec.structs.replace(term, match_fields=[field_term]) for term in terms]
    node_affinity.required_during_scheduling_ignored_during_execution = NodeSelector(node_selector_terms=bound)
    affinity.node_affinity = node_affinity
    result.spec.affinity = affinity
    result.spec.tolerations = tolerations_of(template.spec)
    return result


def node_of(pod: Pod) -> str:
    """The node that the pod is on, or is meant for."""
    if pod.spec.node_name:
        return pod.spec.node_name
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity is not None else None
    for term in required.node_selector_terms if required is not None else ():
        for item in term.match_fields:
            if item.key == _NODE_NAME and item.operator == "In" and len(item.values) == 1:
                return item.values[0]
    return ""


def by_node(pods: Iterable[Pod]) -> dict[str, list[Pod]]:
    """Each node's pods, the oldest first."""
    result: dict[str, list[Pod]] = {}
    ordered = sorted(pods, key=lambda pod: (pod.metadata.creation_timestamp or "", pod.metadata.name or ""))
    for pod in ordered:
        result.setdefault(node_of(pod), []).append(pod)
    return result


def decide(daemon_set: DaemonSet, nodes: Sequence[Node], pods: Sequence[Pod]) -> Decision:
    """What must be there and is not, and what must not be there and is. Updates are `decide_update`."""
    decision = Decision()
    placed = by_node(pods)
    for node in nodes:
        name = node.metadata.name or ""
        _decide_node(daemon_set, node, placed.pop(name, []), decision)
    # What is left over is meant for nodes that do not exist; bound ones are the pod collector's.
    lost = [pod for rest in placed.values() for pod in rest]
    decision.delete += [pod for pod in lost if not pod.spec.node_name and not pod.metadata.deletion_timestamp]
    return decision


def _decide_node(daemon_set: DaemonSet, node: Node, pods: list[Pod], decision: Decision) -> None:
    fits, stays = should_run(daemon_set.spec.template.spec, node)
    living = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    if not stays:
        decision.delete += living
        return
    running = []
    for pod in living:
        if not pod_facts.is_finished(pod):
            running.append(pod)
            continue
        decision.delete.append(pod)
        decision.tell.append(_told(pod, node))
    old_and_new = _surge(daemon_set, running)
    decision.delete += old_and_new
    if fits and not pods:
        decision.create.append(node.metadata.name or "")


def _told(pod: Pod, node: Node) -> tuple[str, str, str]:
    where = f"daemon pod {pod.metadata.namespace}/{pod.metadata.name} on node {node.metadata.name}"
    if pod.status.phase == "Failed":
        return "Warning", "FailedDaemonPod", f"Found failed {where}, will try to kill it"
    return "Normal", "SucceededDaemonPod", f"Found succeeded {where}, will try to delete it"


def _surge(daemon_set: DaemonSet, running: list[Pod]) -> list[Pod]:
    """Two pods on one node: the younger goes, unless an update with surge wants both for a while."""
    if len(running) < 2 or max_surge(daemon_set, 1) > 0:
        return []
    return running[1:]


def max_surge(daemon_set: DaemonSet, desired: int) -> int:
    rolling = daemon_set.spec.update_strategy.rolling_update
    return scaled(rolling.max_surge, desired, round_up=True) if rolling is not None else 0


def max_unavailable(daemon_set: DaemonSet, desired: int) -> int:
    rolling = daemon_set.spec.update_strategy.rolling_update
    value = rolling.max_unavailable if rolling is not None else None
    return scaled(1 if value is None else value, desired, round_up=True)


def decide_update(
    daemon_set: DaemonSet, nodes: Sequence[Node], pods: Sequence[Pod], hash_: str, now: datetime
) -> Decision:
    """The next step towards pods of the revision `hash_`, never beyond maxUnavailable and maxSurge."""
    decision = Decision()
    if (daemon_set.spec.update_strategy.type or "RollingUpdate") != "RollingUpdate":
        return decision
    template = daemon_set.spec.template.spec
    wanted = [node.metadata.name or "" for node in nodes if should_run(template, node)[0]]
    placed = by_node(pod for pod in pods if not pod_facts.is_finished(pod))
    surge = max_surge(daemon_set, len(wanted))
    if surge > 0:
        candidates, surging = _update_with_surge(daemon_set, wanted, placed, hash_, now, decision)
        decision.create += candidates[: max(surge - surging, 0)]
    else:
        _update_in_place(daemon_set, wanted, placed, hash_, now, decision)
    return decision


def _available(daemon_set: DaemonSet, pod: Pod, now: datetime) -> bool:
    return pod_facts.is_active(pod) and pod_facts.is_available(pod, daemon_set.spec.min_ready_seconds or 0, now)


def _is_new(pod: Pod, hash_: str) -> bool:
    return pod.metadata.labels.get(REVISION_HASH) == hash_


def _update_in_place(
    daemon_set: DaemonSet,
    wanted: Sequence[str],
    placed: Mapping[str, Sequence[Pod]],
    hash_: str,
    now: datetime,
    decision: Decision,
) -> None:
    unavailable = 0
    candidates: list[Pod] = []
    for name in wanted:
        pods = placed.get(name, ())
        available = any(_available(daemon_set, pod, now) for pod in pods)
        unavailable += not available
        for pod in pods:
            if _is_new(pod, hash_) or pod.metadata.deletion_timestamp is not None:
                continue
            if available:
                candidates.append(pod)
            else:
                # It serves nobody: replacing it costs nothing.
                decision.delete.append(pod)
    room = max_unavailable(daemon_set, len(wanted)) - unavailable
    decision.delete += candidates[: max(room, 0)]


def _update_with_surge(
    daemon_set: DaemonSet,
    wanted: Sequence[str],
    placed: Mapping[str, Sequence[Pod]],
    hash_: str,
    now: datetime,
    decision: Decision,
) -> tuple[list[str], int]:
    """(nodes that could get their new pod beside the old one, how many have both now)."""
    candidates: list[str] = []
    surging = 0
    for name in wanted:
        living = [pod for pod in placed.get(name, ()) if pod.metadata.deletion_timestamp is None]
        old = [pod for pod in living if not _is_new(pod, hash_)]
        new = [pod for pod in living if _is_new(pod, hash_)]
        if old and new:
            surging += 1
            if any(_available(daemon_set, pod, now) for pod in new):
                decision.delete += old
        elif old and _available(daemon_set, old[0], now):
            candidates.append(name)
        else:
            decision.delete += old
    return candidates, surging


def status_of(
    daemon_set: DaemonSet, nodes: Sequence[Node], pods: Sequence[Pod], hash_: str, now: datetime
) -> DaemonSetStatus:
    """The numbers; `hash_` is the newest revision's."""
    status = DaemonSetStatus(
        observed_generation=daemon_set.metadata.generation,
        collision_count=daemon_set.status.collision_count,
        conditions=daemon_set.status.conditions,
    )
    placed = by_node(pods)
    updated = available = 0
    for node in nodes:
        mine = placed.get(node.metadata.name or "", [])
        if not should_run(daemon_set.spec.template.spec, node)[0]:
            status.number_misscheduled += bool(mine)
            continue
        status.desired_number_scheduled += 1
        if not mine:
            continue
        status.current_number_scheduled += 1
        ready = [pod for pod in mine if pod_facts.is_ready(pod)]
        status.number_ready += bool(ready)
        available += any(pod_facts.is_available(pod, daemon_set.spec.min_ready_seconds or 0, now) for pod in ready)
        updated += any(_is_new(pod, hash_) for pod in mine)
    status.number_available = available or None
    status.updated_number_scheduled = updated or None
    status.number_unavailable = status.desired_number_scheduled - available or None
    return status
