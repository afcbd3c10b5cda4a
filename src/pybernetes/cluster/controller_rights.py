"""The rights of the controller managers: those that their controllers need, and no more.

Upstream's controllers can each act as a service account of their own; here one identity is bound to each of their
`system:controller:*` roles. The cloud controllers have a role of their own, as cloud providers ship it. Made sure of by
an administrator's client before the controllers start.
"""

from __future__ import annotations

from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject
from pybernetes.client import Client

_USER = "system:kube-controller-manager"
_GROUP = "rbac.authorization.k8s.io"
_PREFIX = "system:controller:"


_CLOUD = "system:cloud-controller-manager"
_READ = ["get", "list", "watch"]


async def ensure_controller_rights(client: Client) -> None:
    """Creates the roles and bindings that are missing."""
    roles = {item.metadata.name or "": item for item in (await client.list(ClusterRole)).items}
    bound = {item.metadata.name for item in (await client.list(ClusterRoleBinding)).items}
    if _CLOUD not in roles:
        await client.create(cloud_role())
    wanted = [binding_of(name) for name in roles if name.startswith(_PREFIX)]
    for binding in [*wanted, _binding(_CLOUD, _CLOUD, _CLOUD)]:
        if binding.metadata.name not in bound:
            await client.create(binding)


def binding_of(role: str) -> ClusterRoleBinding:
    """The binding of the controller manager to a controller's role. Pure."""
    return _binding(f"{_USER}:{role.removeprefix(_PREFIX)}", role, _USER)


def cloud_role() -> ClusterRole:
    """What the cloud controllers may do. Pure."""
    rules = [
        PolicyRule(api_groups=[""], resources=["nodes"], verbs=[*_READ, "patch", "update", "delete"]),
        PolicyRule(api_groups=[""], resources=["nodes/status"], verbs=["patch", "update"]),
        PolicyRule(api_groups=[""], resources=["services"], verbs=[*_READ, "patch", "update"]),
        PolicyRule(api_groups=[""], resources=["services/status"], verbs=["patch", "update"]),
        PolicyRule(api_groups=[""], resources=["events"], verbs=["create", "patch", "update"]),
        PolicyRule(api_groups=["coordination.k8s.io"], resources=["leases"], verbs=[*_READ, "create", "update"]),
    ]
    return ClusterRole(metadata=ObjectMeta(name=_CLOUD), rules=rules)


def _binding(name: str, role: str, user: str) -> ClusterRoleBinding:
    return ClusterRoleBinding(
        metadata=ObjectMeta(name=name),
        role_ref=RoleRef(api_group=_GROUP, kind="ClusterRole", name=role),
        subjects=[Subject(kind="User", api_group=_GROUP, name=user)],
    )
