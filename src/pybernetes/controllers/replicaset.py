"""The ReplicaSet controller: as many pods of the template as `spec.replicas` says. `replicas` has the work, this
file the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pybernetes.api.labels import from_label_selector
from pybernetes.api.types.apps_v1 import ReplicaSet, ReplicaSetCondition, ReplicaSetStatus
from pybernetes.api.types.core_v1 import Pod, PodTemplateSpec
from pybernetes.api.types.meta_v1 import LabelSelector
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.ownership import Matches, controller_of
from pybernetes.controllers.pod_index import controlled_by, index_by_controller
from pybernetes.controllers.replicas import Counts, ReplicasController


class ReplicaSetController(ReplicasController[ReplicaSet]):
    """`replicaset-controller`."""

    name = "replicaset-controller"
    kind_type = ReplicaSet

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        index_by_controller(self.owners)

    def matcher(self, owner: ReplicaSet) -> Matches:
        return from_label_selector(owner.spec.selector or LabelSelector()).matches

    def template(self, owner: ReplicaSet) -> PodTemplateSpec:
        return owner.spec.template

    def desired(self, owner: ReplicaSet) -> int:
        return 1 if owner.spec.replicas is None else owner.spec.replicas

    def min_ready_seconds(self, owner: ReplicaSet) -> int:
        return owner.spec.min_ready_seconds or 0

    def status(self, owner: ReplicaSet, counts: Counts, conditions: Sequence[ReplicaSetCondition]) -> ReplicaSetStatus:
        return ReplicaSetStatus(
            replicas=counts.replicas,
            fully_labeled_replicas=counts.fully_labeled or None,
            ready_replicas=counts.ready or None,
            available_replicas=counts.available or None,
            terminating_replicas=counts.terminating,
            observed_generation=owner.metadata.generation,
            conditions=list(conditions),
        )

    def failure_condition(self, reason: str, message: str, stamp: str) -> Any:
        return ReplicaSetCondition(
            type="ReplicaFailure", status="True", reason=reason, message=message, last_transition_time=stamp
        )

    def related(self, owner: ReplicaSet, owned: list[Pod]) -> list[Pod]:
        """The pods of all ReplicaSets of the same Deployment."""
        parent = controller_of(owner)
        if parent is None:
            return owned
        siblings = controlled_by(self.owners, parent.uid)
        return [pod for item in siblings for pod in controlled_by(self.pods, item.metadata.uid)]
