"""The revision annotations of a Deployment's ReplicaSets, which `kubectl rollout history` and `undo` read.

Pure functions over annotations and templates; `deployment_decision` calls them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pybernetes.api.types.apps_v1 import Deployment, ReplicaSet
from pybernetes.api.types.core_v1 import PodTemplateSpec
from pybernetes.api.whole_number import whole_number
from pybernetes.controllers.surge import DESIRED_REPLICAS, MAX_REPLICAS, annotated, max_surge, oldest_first, replicas_of

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
TEMPLATE_HASH = "pod-template-hash"
_HISTORY_CHARACTERS = 2000
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
    }
)


def without_hash(template: PodTemplateSpec) -> PodTemplateSpec:
    """The template as the Deployment has it: without the label that tells ReplicaSets apart."""
    if TEMPLATE_HASH not in template.metadata.labels:
        return template
    labels = {key: value for key, value in template.metadata.labels.items() if key != TEMPLATE_HASH}
    metadata = msgspec.structs.replace(template.metadata, labels=labels)
    return msgspec.structs.replace(template, metadata=metadata)


def find_new(deployment: Deployment, replica_sets: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """The oldest ReplicaSet whose template is the Deployment's."""
    wanted = without_hash(deployment.spec.template)
    same = (item for item in oldest_first(replica_sets) if without_hash(item.spec.template) == wanted)
    return next(same, None)


def revision_of(item: ReplicaSet) -> int:
    return annotated(item, REVISION) or 0


def next_revision(old: Iterable[ReplicaSet]) -> int:
    return max((revision_of(item) for item in old), default=0) + 1


def new_annotations(
    deployment: Deployment, current: Mapping[str, str], revision: int, *, exists: bool
) -> dict[str, str]:
    """The annotations that the new ReplicaSet must have; replica counts are only set at its creation here."""
    wanted = dict(current)
    wanted |= {key: value for key, value in deployment.metadata.annotations.items() if key not in _NOT_COPIED}
    before = current.get(REVISION)
    if (whole_number(before or "") or 0) < revision:
        wanted[REVISION] = str(revision)
        if before is not None:
            wanted[REVISION_HISTORY] = _longer_history(current.get(REVISION_HISTORY, ""), before)
    if not exists:
        wanted |= size_annotations(deployment)
    return wanted


def _longer_history(history: str, revision: str) -> str:
    """Appends a revision and drops the oldest ones when the text grows too long."""
    revisions = [item for item in history.split(",") if item]
    revisions.append(revision)
    while len(",".join(revisions)) > _HISTORY_CHARACTERS and len(revisions) > 1:
        revisions.pop(0)
    return ",".join(revisions)


def size_annotations(deployment: Deployment) -> dict[str, str]:
    """What the Deployment wanted when the ReplicaSet was last scaled; proportional scaling reads it."""
    desired = replicas_of(deployment)
    return {DESIRED_REPLICAS: str(desired), MAX_REPLICAS: str(desired + max_surge(deployment))}
