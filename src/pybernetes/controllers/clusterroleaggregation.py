"""The ClusterRole aggregation controller: roles with an aggregation rule get the rules of all roles that it selects."""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import copy
from pybernetes.api.types.rbac_v1 import ClusterRole, PolicyRule
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController


def aggregated(role: ClusterRole, roles: Iterable[ClusterRole]) -> list[PolicyRule]:
    """The rules of the selected roles, selector by selector, by name, each rule once."""
    rule = role.aggregation_rule
    result: list[PolicyRule] = []
    ordered = sorted(roles, key=lambda item: item.metadata.name or "")
    for selector in rule.cluster_role_selectors if rule is not None else ():
        wanted = from_label_selector(selector)
        for other in ordered:
            if other.metadata.name != role.metadata.name and wanted.matches(other.metadata.labels):
                result += [item for item in other.rules if item not in result]
    return result


class ClusterRoleAggregationController(KeyedController):
    """`clusterrole-aggregation-controller`."""

    name = "clusterrole-aggregation-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._roles = self.informer(ClusterRole)
        self._roles.on_change(self._role_changed)

    def _role_changed(self, old: ClusterRole | None, new: ClusterRole | None) -> None:
        """Any role may be part of any aggregation."""
        for role in self._roles.cache.list():
            if role.aggregation_rule is not None:
                self.enqueue(role)

    async def reconcile(self, key: str) -> float | None:
        role = self._roles.cache.get("", key)
        if role is None or role.aggregation_rule is None:
            return None
        rules = aggregated(role, self._roles.cache.list())
        if rules != role.rules:
            changed = copy(role)
            changed.rules = rules
            await self.client.update(changed)
        return None
