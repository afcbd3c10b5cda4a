"""Who may write which part of the status of a ResourceClaim."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import from_builtins
from pybernetes.api.status import StatusError
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, Role, RoleBinding
from pybernetes.api.types.resource_v1 import ResourceClaim
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.device_status_rights import DeviceStatusRights
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.stages.authorization import Authorizer

_DRIVER = "system:serviceaccount:kube-system:driver"
_HERE = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["here"]}]}
_ALLOCATED = {"allocation": {"nodeSelector": {"nodeSelectorTerms": [_HERE]}}}
_READY = {"driver": "d.example", "pool": "p", "device": "a", "conditions": []}
_OTHER = {"driver": "c.example", "pool": "p", "device": "a"}


def _grant(reader: Any, resource: str, *verbs: str, name: str = "", namespace: str = "") -> None:
    """Lets the driver's service account do it, everywhere or in one namespace."""
    rule = {"apiGroups": ["resource.k8s.io"], "resources": [f"resourceclaims/{resource}"], "verbs": list(verbs)}
    rule["resourceNames"] = [name] if name else []
    metadata = {"name": "r", **({"namespace": namespace} if namespace else {})}
    kinds = (Role, RoleBinding) if namespace else (ClusterRole, ClusterRoleBinding)
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kinds[0].__name__, "name": "r"}
    subject = {"kind": "ServiceAccount", "name": "driver", "namespace": "kube-system"}
    reader.objects.append(from_builtins({"metadata": metadata, "rules": [rule]}, kinds[0]))
    reader.objects.append(from_builtins({"metadata": metadata, "roleRef": ref, "subjects": [subject]}, kinds[1]))


async def _told(reader: Any, old: dict[str, Any], new: dict[str, Any], *, verb: str = "update", node: str = "") -> str:
    """What the service account, on a node or nowhere, is told of its write; nothing when it may."""
    after, before = (
        from_builtins({"metadata": {"name": "x", "namespace": "ns"}, "status": status}, ResourceClaim)
        for status in (new, old)
    )
    extra = {"authentication.kubernetes.io/node-name": (node,)} if node else {}
    user = UserInfo(_DRIVER, extra=extra)
    kind = kind_of(ResourceClaim)
    request = AdmissionRequest("UPDATE", kind, "status", "ns", "x", user, after, before, verb=verb)
    plugin = DeviceStatusRights(Authorizer(reader, ("RBAC",)))
    assert plugin.handles(request)
    try:
        await plugin.validate(request)
    except StatusError as error:
        assert error.code == 422
        return str(error)
    return ""


async def test_allocations_and_consumers_need_the_right_to_bind(reader: Any) -> None:
    consumers = {"reservedFor": [{"resource": "pods", "name": "p", "uid": "u"}]}
    assert await _told(reader, {}, _ALLOCATED) == (
        'ResourceClaim.resource.k8s.io "x" is invalid: status: Forbidden: changing status.allocation or '
        'status.reservedFor requires resource="resourceclaims/binding", verb="update" permission: '
        f'resourceclaims.resource.k8s.io is forbidden: User "{_DRIVER}" cannot update resource '
        '"resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope'
    )
    assert "changing status.allocation" in await _told(reader, _ALLOCATED, {**_ALLOCATED, **consumers})
    assert await _told(reader, _ALLOCATED, _ALLOCATED) == ""
    _grant(reader, "binding", "update")
    assert await _told(reader, {}, _ALLOCATED) == ""
    assert "changing status.allocation" in await _told(reader, {}, _ALLOCATED, verb="patch")


@pytest.mark.parametrize(
    ("verbs", "name", "node", "may"),
    [
        (("associated-node:update",), "d.example", "here", True),
        (("associated-node:update",), "d.example", "elsewhere", False),
        (("associated-node:update",), "d.example", "", False),
        (("associated-node:patch",), "d.example", "here", False),
        (("associated-node:update",), "c.example", "here", False),
        (("arbitrary-node:update",), "d.example", "", True),
        (("arbitrary-node:update",), "", "here", True),
        (("update",), "d.example", "here", False),
    ],
)
async def test_devices_are_written_by_their_drivers(
    reader: Any, verbs: tuple[str, ...], name: str, node: str, may: bool
) -> None:
    _grant(reader, "driver", *verbs, name=name, namespace="ns")
    told = await _told(reader, _ALLOCATED, {**_ALLOCATED, "devices": [_READY]}, node=node)
    assert may == (not told)
    if told:
        tried = "[associated-node:update arbitrary-node:update]" if node == "here" else "[arbitrary-node:update]"
        needed = f'changing status.devices requires resource="resourceclaims/driver", verb="{tried}" permission'
        assert needed in told


@pytest.mark.parametrize(
    ("old", "new", "drivers"),
    [
        ([_READY], [_READY], []),
        ([_READY], [{**_READY, "data": {"a": 1}}], ["d.example"]),
        ([_READY], [], ["d.example"]),
        ([_READY], [_READY, _OTHER], ["c.example"]),
        ([_READY], [_OTHER], ["c.example", "d.example"]),
        ([_READY], [{**_READY, "shareID": "s"}], ["d.example"]),
    ],
)
async def test_each_driver_whose_devices_change_needs_the_right(
    reader: Any, old: list[Any], new: list[Any], drivers: list[str]
) -> None:
    told = await _told(reader, {"devices": old}, {"devices": new})
    assert [name for name in ("c.example", "d.example") if f'"{name}" is forbidden' in told] == drivers
