"""Strategies of the kinds that keep pods running: Deployment, ReplicaSet, DaemonSet, StatefulSet and their elders."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.apps_v1 import (
    DaemonSet,
    Deployment,
    ReplicaSet,
    RollingUpdateDaemonSet,
    RollingUpdateDeployment,
    RollingUpdateStatefulSetStrategy,
    StatefulSet,
    StatefulSetPersistentVolumeClaimRetentionPolicy,
)
from pybernetes.api.types.core_v1 import PodTemplate, ReplicationController
from pybernetes.api.whole_number import whole_number
from pybernetes.apiserver.resources.pod_template import default_template
from pybernetes.apiserver.resources.prepare import (
    clear_status_and_count,
    count_any_change_of,
    drop_unused,
    first_generation,
    keep_status_and_count,
    next_generation,
    only_status,
)
from pybernetes.apiserver.resources.strategy import Strategy
from pybernetes.apiserver.resources.volumes import default_claim_spec

_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def _default_deployment(deployment: Deployment) -> None:
    spec = deployment.spec
    default_template(spec.template)
    if spec.replicas is None:
        spec.replicas = 1
    strategy = spec.strategy
    strategy.type = strategy.type or "RollingUpdate"
    if strategy.type == "RollingUpdate":
        rolling = strategy.rolling_update or RollingUpdateDeployment()
        rolling.max_unavailable = "25%" if rolling.max_unavailable is None else rolling.max_unavailable
        rolling.max_surge = "25%" if rolling.max_surge is None else rolling.max_surge
        strategy.rolling_update = rolling
    if spec.revision_history_limit is None:
        spec.revision_history_limit = 10
    if spec.progress_deadline_seconds is None:
        spec.progress_deadline_seconds = 600


def _default_replica_set(replica_set: ReplicaSet) -> None:
    default_template(replica_set.spec.template)
    if replica_set.spec.replicas is None:
        replica_set.spec.replicas = 1


def _default_replication_controller(controller: ReplicationController) -> None:
    """A controller without selector and labels of its own takes those of its template."""
    spec = controller.spec
    if spec.replicas is None:
        spec.replicas = 1
    if spec.template is None:
        return
    default_template(spec.template)
    labels = spec.template.metadata.labels
    if labels:
        spec.selector = spec.selector or dict(labels)
        controller.metadata.labels = controller.metadata.labels or dict(labels)


def _default_daemon_set(daemon_set: DaemonSet) -> None:
    spec = daemon_set.spec
    default_template(spec.template)
    strategy = spec.update_strategy
    strategy.type = strategy.type or "RollingUpdate"
    if strategy.type == "RollingUpdate":
        rolling = strategy.rolling_update or RollingUpdateDaemonSet()
        rolling.max_unavailable = 1 if rolling.max_unavailable is None else rolling.max_unavailable
        rolling.max_surge = 0 if rolling.max_surge is None else rolling.max_surge
        strategy.rolling_update = rolling
    if spec.revision_history_limit is None:
        spec.revision_history_limit = 10


def _default_stateful_set(stateful_set: StatefulSet) -> None:
    spec = stateful_set.spec
    default_template(spec.template)
    spec.pod_management_policy = spec.pod_management_policy or "OrderedReady"
    strategy = spec.update_strategy
    if not strategy.type:
        strategy.type = "RollingUpdate"
        if strategy.rolling_update is None:
            strategy.rolling_update = RollingUpdateStatefulSetStrategy(partition=0)
    if strategy.rolling_update is not None and strategy.rolling_update.partition is None:
        strategy.rolling_update.partition = 0
    retention = spec.persistent_volume_claim_retention_policy or StatefulSetPersistentVolumeClaimRetentionPolicy()
    retention.when_deleted = retention.when_deleted or "Retain"
    retention.when_scaled = retention.when_scaled or "Retain"
    spec.persistent_volume_claim_retention_policy = retention
    if spec.replicas is None:
        spec.replicas = 1
    if spec.revision_history_limit is None:
        spec.revision_history_limit = 10
    spec.service_name = spec.service_name or ""
    if spec.ordinals is not None and spec.ordinals.start is None:
        spec.ordinals.start = 0
    for claim in spec.volume_claim_templates:
        default_claim_spec(claim.spec)
        claim.status.phase = claim.status.phase or "Pending"
    if stateful_set.status.available_replicas is None:
        stateful_set.status.available_replicas = 0


def _prepare_stateful_set(stateful_set: StatefulSet) -> None:
    clear_status_and_count(stateful_set)
    stateful_set.status.available_replicas = 0
    _drop_unavailable(stateful_set, None)


def _prepare_stateful_set_update(new: StatefulSet, old: StatefulSet) -> None:
    _drop_unavailable(new, old)
    keep_status_and_count(new, old)


def _drop_unavailable(new: StatefulSet, old: StatefulSet | None) -> None:
    """How many pods an update may stop at once is not to be chosen yet."""
    rolling = new.spec.update_strategy.rolling_update
    if rolling is not None:
        drop_unused(rolling, old.spec.update_strategy.rolling_update if old is not None else None, "max_unavailable")


def _prepare_daemon_set(daemon_set: DaemonSet) -> None:
    """Old clients read the generation of the template from an annotation."""
    clear_status_and_count(daemon_set)
    _count_templates(daemon_set, max(_templates(daemon_set), 1))


def _prepare_daemon_set_update(new: DaemonSet, old: DaemonSet) -> None:
    keep_status_and_count(new, old)
    _count_templates(new, _templates(old) + (new.spec.template != old.spec.template))


def _templates(daemon_set: DaemonSet) -> int:
    return whole_number(daemon_set.metadata.annotations.get(_TEMPLATE_GENERATION, "")) or 0


def _count_templates(daemon_set: DaemonSet, count: int) -> None:
    daemon_set.metadata.annotations = {**daemon_set.metadata.annotations, _TEMPLATE_GENERATION: str(count)}


def _prepare_deployment_update(new: Deployment, old: Deployment) -> None:
    """Annotations count as a change, since they go on to the replica sets."""
    new.status = old.status
    changed = new.spec != old.spec or new.metadata.annotations != old.metadata.annotations
    new.metadata.generation = next_generation(old, changed=changed)


def _prepare_deployment_status(new: Deployment, old: Deployment) -> None:
    only_status(new, old)
    new.metadata.labels = old.metadata.labels


def _replica_fields(controller: ReplicaSet | ReplicationController) -> Mapping[str, str]:
    return {"status.replicas": str(controller.status.replicas)}


_REPLICA_FIELD_NAMES = frozenset({"status.replicas"})

DEPLOYMENT = Strategy(
    default=_default_deployment,
    prepare_create=clear_status_and_count,
    prepare_update=_prepare_deployment_update,
    prepare_status=_prepare_deployment_status,
)
REPLICA_SET = Strategy(
    default=_default_replica_set,
    prepare_create=clear_status_and_count,
    prepare_update=keep_status_and_count,
    prepare_status=only_status,
)
REPLICATION_CONTROLLER = Strategy(
    default=_default_replication_controller,
    prepare_create=clear_status_and_count,
    prepare_update=keep_status_and_count,
    prepare_status=only_status,
    fields=_replica_fields,
    field_names=_REPLICA_FIELD_NAMES,
    orphans=True,
)
DAEMON_SET = Strategy(
    default=_default_daemon_set,
    prepare_create=_prepare_daemon_set,
    prepare_update=_prepare_daemon_set_update,
    prepare_status=only_status,
)
STATEFUL_SET = Strategy(
    default=_default_stateful_set,
    prepare_create=_prepare_stateful_set,
    prepare_update=_prepare_stateful_set_update,
    prepare_status=only_status,
)


def _default_pod_template(template: PodTemplate) -> None:
    default_template(template.template)


POD_TEMPLATE = Strategy(
    default=_default_pod_template,
    prepare_create=first_generation,
    prepare_update=count_any_change_of("template"),
    returns_deleted=True,
)
