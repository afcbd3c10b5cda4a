"""The rights of the controller manager: those of all its controllers' roles, and no more.

Upstream's controllers can each act as a service account of their own; here one identity is bound to each of their
`system:controller:*` roles. Made sure of by an administrator's client before the controllers start.
"""

from __future__ import annotations

from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, RoleRef, Subject
from pybernetes.client import Client

_USER = "system:kube-controller-manager"
_GROUP = "rbac.authorization.k8s.io"
_PREFIX = "system:controller:"


async def ensure_controller_rights(client: Client) -> None:
    """Creates the bindings that are missing."""
    roles = await client.list(ClusterRole)
    bound = {item.metadata.name for item in (await client.list(ClusterRoleBinding)).items}
    for role in roles.items:
        name = role.metadata.name or ""
        if name.startswith(_PREFIX) and (binding := binding_of(name)).metadata.name not in bound:
            await client.create(binding)


def binding_of(role: str) -> ClusterRoleBinding:
    """The binding of the controller manager to a controller's role. Pure."""
    return ClusterRoleBinding(
        metadata=ObjectMeta(name=f"system:kube-controller-manager:{role.removeprefix(_PREFIX)}"),
        role_ref=RoleRef(api_group=_GROUP, kind="ClusterRole", name=role),
        subjects=[Subject(kind="User", api_group=_GROUP, name=_USER)],
    )
