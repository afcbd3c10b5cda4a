"""The ReplicationController controller: the elder sibling of ReplicaSet, with a plain label map as its selector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pybernetes.api.types.core_v1 import (
    PodTemplateSpec,
    ReplicationController,
    ReplicationControllerCondition,
    ReplicationControllerStatus,
)
from pybernetes.controllers.ownership import Matches
from pybernetes.controllers.replicas import Counts, ReplicasController


class ReplicationControllerController(ReplicasController[ReplicationController]):
    """`replicationcontroller-controller`; its events name it `replication-controller`."""

    name = "replication-controller"
    kind_type = ReplicationController

    def matcher(self, owner: ReplicationController) -> Matches:
        wanted = owner.spec.selector.items()
        return lambda labels: bool(wanted) and wanted <= labels.items()

    def template(self, owner: ReplicationController) -> PodTemplateSpec:
        return owner.spec.template or PodTemplateSpec()

    def desired(self, owner: ReplicationController) -> int:
        return 1 if owner.spec.replicas is None else owner.spec.replicas

    def min_ready_seconds(self, owner: ReplicationController) -> int:
        return owner.spec.min_ready_seconds or 0

    def status(
        self, owner: ReplicationController, counts: Counts, conditions: Sequence[ReplicationControllerCondition]
    ) -> ReplicationControllerStatus:
        return ReplicationControllerStatus(
            replicas=counts.replicas,
            fully_labeled_replicas=counts.fully_labeled or None,
            ready_replicas=counts.ready or None,
            available_replicas=counts.available or None,
            observed_generation=owner.metadata.generation,
            conditions=list(conditions),
        )

    def failure_condition(self, reason: str, message: str, stamp: str) -> Any:
        return ReplicationControllerCondition(
            type="ReplicaFailure", status="True", reason=reason, message=message, last_transition_time=stamp
        )
