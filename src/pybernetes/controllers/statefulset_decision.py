"""The next step of a StatefulSet: its pods have names and an order, and so has every step. Pure; `statefulset` acts.

`decide` looks at the pods by ordinal and stops where the order says to wait; the next look goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pybernetes.api.objects import copy
from pybernetes.api.types.apps_v1 import StatefulSet, StatefulSetStatus
from pybernetes.api.types.core_v1 import (
    PersistentVolumeClaim,
    PersistentVolumeClaimVolumeSource,
    Pod,
    PodTemplateSpec,
    Volume,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.controllers import pods as pod_facts
from pybernetes.controllers.pod_control import pod_from
from pybernetes.controllers.surge import scaled

REVISION = "controller-revision-hash"
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


@dataclass(frozen=True)
class Revision:
    """A revision's name (which pods carry as a label) and template."""

    name: str
    template: PodTemplateSpec


@dataclass
class Decision:
    """Pods to create, with what they need, and to delete; each list is carried out in order."""

    create: list[Pod] = field(default_factory=list)
    delete: list[Pod] = field(default_factory=list)


def replicas_of(owner: StatefulSet) -> int:
    return 1 if owner.spec.replicas is None else owner.spec.replicas


def start_of(owner: StatefulSet) -> int:
    ordinals = owner.spec.ordinals
    return ordinals.start or 0 if ordinals is not None else 0


def ordinal_of(owner: StatefulSet, pod: Pod) -> int | None:
    """The number in the pod's name; None when the pod is none of this set's by its name."""
    prefix, _, number = (pod.metadata.name or "").rpartition("-")
    return int(number) if prefix == owner.metadata.name and number.isdecimal() else None


def claim_name(template: PersistentVolumeClaim, owner: StatefulSet, ordinal: int) -> str:
    return f"{template.metadata.name}-{owner.metadata.name}-{ordinal}"


def claims_for(owner: StatefulSet, ordinal: int) -> list[PersistentVolumeClaim]:
    """The claims that the pod of this ordinal uses."""
    labels = owner.spec.selector.match_labels if owner.spec.selector is not None else {}
    result = []
    for template in owner.spec.volume_claim_templates:
        metadata = ObjectMeta(
            name=claim_name(template, owner, ordinal),
            namespace=owner.metadata.namespace,
            labels=template.metadata.labels | labels,
            annotations=dict(template.metadata.annotations),
        )
        result.append(PersistentVolumeClaim(metadata=metadata, spec=copy(template.spec)))
    return result


def new_pod(owner: StatefulSet, ordinal: int, revision: Revision) -> Pod:
    """The pod of an ordinal: its name, host name and volumes stay the same for ever."""
    name = f"{owner.metadata.name}-{ordinal}"
    pod = pod_from(revision.template, owner, name)
    pod.metadata.generate_name = f"{owner.metadata.name}-"
    pod.metadata.labels |= {POD_NAME: name, POD_INDEX: str(ordinal), REVISION: revision.name}
    pod.spec.hostname = name
    pod.spec.subdomain = owner.spec.service_name
    claims = {template.metadata.name: template for template in owner.spec.volume_claim_templates}
    kept = [volume for volume in pod.spec.volumes if volume.name not in claims]
    pod.spec.volumes = [
        *(
            Volume(
                name=claim or "",
                persistent_volume_claim=PersistentVolumeClaimVolumeSource(
                    claim_name=claim_name(template, owner, ordinal)
                ),
            )
            for claim, template in claims.items()
        ),
        *kept,
    ]
    return pod


def _is_healthy(pod: Pod) -> bool:
    return pod.status.phase == "Running" and pod_facts.is_ready(pod) and pod.metadata.deletion_timestamp is None


def _is_settled(owner: StatefulSet, pod: Pod, now: datetime) -> bool:
    """Healthy for as long as minReadySeconds."""
    return _is_healthy(pod) and pod_facts.is_available(pod, owner.spec.min_ready_seconds or 0, now)


def partition_of(owner: StatefulSet) -> int | None:
    rolling = owner.spec.update_strategy.rolling_update
    return rolling.partition if rolling is not None else None


def revision_for(owner: StatefulSet, ordinal: int, current: Revision, update: Revision) -> Revision:
    """Below the partition (or while the roll-out goes on below what it has reached) pods come up as they were."""
    if (owner.spec.update_strategy.type or "RollingUpdate") != "RollingUpdate":
        return update
    partition = partition_of(owner)
    if owner.status.current_revision != owner.status.update_revision and partition is None:
        return current if ordinal < start_of(owner) + (owner.status.current_replicas or 0) else update
    return current if partition is not None and ordinal < start_of(owner) + partition else update


def decide(owner: StatefulSet, pods: Sequence[Pod], current: Revision, update: Revision, now: datetime) -> Decision:
    """`pods` are those that the set controls."""
    by_ordinal = {number: pod for pod in pods if (number := ordinal_of(owner, pod)) is not None}
    first, count = start_of(owner), replicas_of(owner)
    wanted = range(first, first + count)
    ordered = (owner.spec.pod_management_policy or "OrderedReady") == "OrderedReady"
    decision = Decision()
    if not _bring_up(owner, wanted, by_ordinal, (current, update), ordered, now, decision):
        return decision
    if not _scale_down(owner, wanted, by_ordinal, ordered, now, decision):
        return decision
    if (owner.spec.update_strategy.type or "RollingUpdate") == "RollingUpdate":
        _update(owner, wanted, by_ordinal, update, decision)
    return decision


def _bring_up(  # noqa: PLR0913 - the parts of one decision
    owner: StatefulSet,
    wanted: range,
    by_ordinal: dict[int, Pod],
    revisions: tuple[Revision, Revision],
    ordered: bool,
    now: datetime,
    decision: Decision,
) -> bool:
    """Creates what is missing and replaces what has ended; False where the order says to wait."""
    for ordinal in wanted:
        pod = by_ordinal.get(ordinal)
        if pod is None:
            decision.create.append(new_pod(owner, ordinal, revision_for(owner, ordinal, *revisions)))
        elif pod.metadata.deletion_timestamp is None and pod_facts.is_finished(pod):
            decision.delete.append(pod)
        elif _is_settled(owner, pod, now):
            continue
        if ordered:
            return False
    return not decision.create and not decision.delete


def _scale_down(
    owner: StatefulSet, wanted: range, by_ordinal: dict[int, Pod], ordered: bool, now: datetime, decision: Decision
) -> bool:
    """Takes away what is beyond, the highest first; False while something is on its way out.

    In order, a pod that is not well goes only when none below it is unhealthy: it may be what those wait for.
    """
    condemned = sorted((number for number in by_ordinal if number not in wanted), reverse=True)
    unhealthy = min((number for number, pod in by_ordinal.items() if not _is_healthy(pod)), default=None)
    for ordinal in condemned:
        pod = by_ordinal[ordinal]
        if pod.metadata.deletion_timestamp is not None:
            if ordered:
                return False
            continue
        if ordered and ordinal != unhealthy and not _is_settled(owner, pod, now):
            return False
        decision.delete.append(pod)
        if ordered:
            return False
    return not condemned


def _update(
    owner: StatefulSet, wanted: range, by_ordinal: dict[int, Pod], update: Revision, decision: Decision
) -> None:
    """From the highest ordinal down to the partition, waiting for each pod to be healthy before the next one goes."""
    rolling = owner.spec.update_strategy.rolling_update
    given = rolling.max_unavailable if rolling is not None else None
    room = 1 if given is None else max(scaled(given, len(wanted), round_up=True), 1)
    room -= sum(ordinal not in by_ordinal or not _is_healthy(by_ordinal[ordinal]) for ordinal in wanted)
    lowest = wanted.start + (partition_of(owner) or 0)
    for ordinal in reversed(wanted):
        pod = by_ordinal.get(ordinal)
        if ordinal < lowest or pod is None:
            break
        old = pod.metadata.labels.get(REVISION) != update.name
        if old and pod.metadata.deletion_timestamp is None:
            if room <= 0 and _is_healthy(pod):
                return
            decision.delete.append(pod)
            room -= _is_healthy(pod)
            if room <= 0:
                return
        elif not _is_healthy(pod) and room <= 0:
            return


def status_of(
    owner: StatefulSet, pods: Sequence[Pod], current: Revision, update: Revision, now: datetime
) -> StatefulSetStatus:
    """The numbers, and the end of a roll-out: then the update revision becomes the current one."""
    first = start_of(owner)
    mine = [pod for pod in pods if (ordinal_of(owner, pod) or 0) >= first]
    ready = sum(pod.status.phase == "Running" and pod_facts.is_ready(pod) for pod in mine)
    seconds = owner.spec.min_ready_seconds or 0
    living = [pod for pod in mine if pod.metadata.deletion_timestamp is None]
    in_current = sum(pod.metadata.labels.get(REVISION) == current.name for pod in living)
    in_update = sum(pod.metadata.labels.get(REVISION) == update.name for pod in living)
    current_name = current.name
    rolling = (owner.spec.update_strategy.type or "RollingUpdate") == "RollingUpdate"
    if rolling and in_update == len(mine) == ready == replicas_of(owner):
        current_name, in_current = update.name, in_update
    return StatefulSetStatus(
        observed_generation=owner.metadata.generation,
        replicas=len(mine),
        ready_replicas=ready or None,
        available_replicas=sum(pod_facts.is_available(pod, seconds, now) for pod in mine),
        current_replicas=in_current or None,
        updated_replicas=in_update or None,
        current_revision=current_name,
        update_revision=update.name,
        collision_count=owner.status.collision_count or 0,
        conditions=owner.status.conditions,
    )
