"""Topology spread constraints, compiled: the pod's own, or upstream's defaults for pods that have none.

The defaults spread the pods of one Service, ReplicaSet, StatefulSet or ReplicationController over hosts and zones.
"""

from __future__ import annotations

from typing import NamedTuple

from pybernetes.api.labels import EQUALS, Requirement, Selector, SelectorError, from_label_selector, from_labels
from pybernetes.api.types.core_v1 import TopologySpreadConstraint
from pybernetes.scheduler.decide.node_selection import RequiredNodes
from pybernetes.scheduler.decide.tolerations import untolerated
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.matches import Condition
from pybernetes.scheduler.node_info import ZONE, NodeInfo
from pybernetes.scheduler.pod_info import PodInfo

HOSTNAME = "kubernetes.io/hostname"
HARD, SOFT = "DoNotSchedule", "ScheduleAnyway"


class Constraint(NamedTuple):
    """`condition` says which pods are to be spread."""

    max_skew: int
    key: str
    condition: Condition
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False

    def counts_node(self, pod: PodInfo, required: RequiredNodes, node: NodeInfo) -> bool:
        """Whether the node's domain and pods count at all for this pod."""
        if self.honor_affinity and not required.matches(node):
            return False
        return not (self.honor_taints and untolerated(pod.pod.spec.tolerations, node.taints) is not None)


def own_constraints(pod: PodInfo, action: str) -> list[Constraint]:
    """The constraints that the pod's spec gives, of one `whenUnsatisfiable`."""
    return [
        _compiled(pod, item) for item in pod.pod.spec.topology_spread_constraints if item.when_unsatisfiable == action
    ]


def _compiled(pod: PodInfo, item: TopologySpreadConstraint) -> Constraint:
    try:
        selector = from_label_selector(item.label_selector)
    except SelectorError:
        selector = Selector(nothing=True)
    more = [
        Requirement(key, EQUALS, frozenset({pod.labels[key]})) for key in item.match_label_keys if key in pod.labels
    ]
    if more:
        selector = Selector((*selector.requirements, *more), selector.nothing)
    return Constraint(
        item.max_skew,
        item.topology_key,
        Condition(frozenset({pod.namespace}), (selector,), without_terminating=True),
        item.min_domains or 1,
        item.node_affinity_policy != "Ignore",
        item.node_taints_policy == "Honor",
    )


def default_constraints(pod: PodInfo, facts: Facts) -> list[Constraint]:
    """Upstream's defaults, all of them soft; none for a pod that belongs to nothing."""
    selector = default_selector(pod, facts)
    if selector.is_empty:
        return []
    condition = Condition(frozenset({pod.namespace}), (selector,), without_terminating=True)
    return [Constraint(3, HOSTNAME, condition), Constraint(5, ZONE, condition)]


def default_selector(pod: PodInfo, facts: Facts) -> Selector:
    """The pods that this one shares its Services and its controller with."""
    equal: dict[str, str] = {}
    for service in facts.services.list(pod.namespace):
        wanted = service.spec.selector
        if wanted and wanted.items() <= pod.labels.items():
            equal.update(wanted)
    requirements = from_labels(equal).requirements
    for owner in pod.pod.metadata.owner_references:
        if not owner.controller:
            continue
        name = owner.name
        if owner.kind == "ReplicationController" and owner.api_version == "v1":
            replication = facts.replication_controllers.get(pod.namespace, name)
            if replication is not None:
                requirements += from_labels(replication.spec.selector).requirements
        elif owner.kind == "ReplicaSet" and owner.api_version == "apps/v1":
            replica_set = facts.replica_sets.get(pod.namespace, name)
            if replica_set is not None:
                requirements += from_label_selector(replica_set.spec.selector).requirements
        elif owner.kind == "StatefulSet" and owner.api_version == "apps/v1":
            stateful_set = facts.stateful_sets.get(pod.namespace, name)
            if stateful_set is not None:
                requirements += from_label_selector(stateful_set.spec.selector).requirements
    return Selector(tuple(dict.fromkeys(requirements)))
