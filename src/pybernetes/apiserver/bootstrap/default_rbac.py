"""The default roles and bindings, from the data file beside this module.

Nothing goes in; ClusterRoles, Roles and their bindings come out, with the rules of aggregated roles (admin, edit, view)
already gathered as the aggregation controller would. Called by `objects` and, for the Node authorizer, by the owner
of the pipeline.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

import msgspec

from pybernetes.api.objects import ApiObject
from pybernetes.api.types.rbac_v1 import (
    AggregationRule,
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
)

AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_LABEL = ("kubernetes.io/bootstrapping", "rbac-defaults")
_TYPES: dict[str, type[ApiObject]] = {
    "clusterroles": ClusterRole,
    "clusterrolebindings": ClusterRoleBinding,
    "roles": Role,
    "rolebindings": RoleBinding,
}


def default_rbac() -> list[ApiObject]:
    """All default RBAC objects; private to the caller."""
    objects = [_object(type_, item) for section, type_ in _TYPES.items() for item in _data()[section]]
    roles = [obj for obj in objects if isinstance(obj, ClusterRole)]
    # Three rounds, since `admin` gathers `edit`, which gathers `view`.
    for _round in range(3):
        for role in roles:
            if role.aggregation_rule is not None:
                role.rules = aggregated_rules(role.aggregation_rule, role.metadata.name or "", roles)
    return objects


def node_rules() -> list[PolicyRule]:
    """The rules of the ClusterRole `system:node`, which the Node authorizer grants to every kubelet."""
    found = next(item for item in _data()["clusterroles"] if item["name"] == "system:node")
    return msgspec.convert(found["rules"], list[PolicyRule])


@functools.cache
def _data() -> dict[str, list[dict[str, Any]]]:
    text = resources.files(__package__).joinpath("rbac.json").read_text()
    loaded: dict[str, list[dict[str, Any]]] = json.loads(text)
    return loaded


def _object(type_: type[ApiObject], item: dict[str, Any]) -> ApiObject:
    meta: dict[str, Any] = {
        "name": item["name"],
        "labels": {_LABEL[0]: _LABEL[1], **item.get("labels", {})},
        "annotations": {AUTO_UPDATE: "true"},
    }
    if "namespace" in item:
        meta["namespace"] = item["namespace"]
    rest: dict[str, Any] = {
        key: item[key] for key in ("rules", "aggregationRule", "roleRef", "subjects") if key in item
    }
    rest["metadata"] = meta
    return msgspec.convert(rest, type_)


def aggregated_rules(rule: AggregationRule, own_name: str, roles: Iterable[ClusterRole]) -> list[PolicyRule]:
    """The rules of all roles that a selector of the aggregation rule finds, in order of name, each once."""
    gathered: list[PolicyRule] = []
    for selector in rule.cluster_role_selectors:
        wanted = selector.match_labels.items()
        for role in sorted(roles, key=lambda role: role.metadata.name or ""):
            if role.metadata.name != own_name and wanted <= role.metadata.labels.items():
                gathered += [entry for entry in role.rules if entry not in gathered]
    return gathered
