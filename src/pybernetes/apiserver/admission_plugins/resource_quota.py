"""ResourceQuota: refuses what would take a namespace over one of its quotas.

A write comes in last of all plug-ins. What is used is counted over the stored objects, plus what has been let through
but is not stored yet, so that simultaneous writes cannot slip past a quota together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pybernetes.api.objects import ApiObject
from pybernetes.api.quantity import canonical, compare
from pybernetes.api.quota import Amounts, growth, is_relevant, missing, total, usage
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import PersistentVolumeClaim, Pod, ResourceQuota, Service
from pybernetes.apiserver.admission import AdmissionRequest
from pybernetes.apiserver.admission_plugins.bystander import Bystander, refusal
from pybernetes.apiserver.reader import Reader

# How long a write may be on its way before it counts as failed.
_PENDING_SECONDS = 10.0
# Of these, updates can use more than before.
_GROWING = (Service, PersistentVolumeClaim)


class ResourceQuotaAdmission(Bystander):
    """Checks creates of everything, and updates of what can grow."""

    name = "ResourceQuota"
    repeats = True

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        # (namespace, group resource, name) -> (until when, object) of creates that were let through.
        self._pending: dict[tuple[str, str, str], tuple[float, ApiObject]] = {}

    def handles(self, request: AdmissionRequest) -> bool:
        if not request.namespace or request.subresource or request.kind.type is ResourceQuota:
            return False
        return request.operation == "CREATE" or (request.operation == "UPDATE" and request.kind.type in _GROWING)

    async def validate(self, request: AdmissionRequest) -> None:
        obj = request.object
        quotas = list(self._reader.list(ResourceQuota, request.namespace))
        if obj is None or not quotas:
            return
        request.unique = True
        old = request.old_object
        wanted = growth(usage(obj, request.kind), usage(old, request.kind) if old is not None else {})
        relevant = [quota for quota in quotas if is_relevant(quota, obj)]
        relevant.sort(key=lambda quota: quota.metadata.name or "")
        # What is not said at all is complained of before what is too much.
        for quota in relevant:
            if isinstance(obj, Pod) and (lacking := missing(obj, quota.spec.hard)):
                raise refusal(request, f"failed quota: {quota.metadata.name}: must specify {lacking}")
        for quota in relevant:
            self._check(request, quota, wanted)
        if not request.dry_run and request.operation == "CREATE":
            key = (request.namespace, request.kind.group_resource, obj.metadata.name or "")
            self._pending[key] = (asyncio.get_running_loop().time() + _PENDING_SECONDS, obj)

    def _check(self, request: AdmissionRequest, quota: ResourceQuota, wanted: Mapping[str, Quantity]) -> None:
        name, hard = quota.metadata.name, quota.spec.hard
        limited = {key: value for key, value in wanted.items() if key in hard}
        if not limited:
            return
        used = self._used(request, quota)
        after = total({key: used.get(key, 0) for key in limited}, limited)
        exceeded = sorted(key for key in limited if compare(after[key], hard[key]) > 0)
        if exceeded:
            parts = (("requested", limited), ("used", used), ("limited", hard))
            texts = [f"{label}: {_listed(amounts, exceeded)}" for label, amounts in parts]
            raise refusal(request, f"exceeded quota: {name}, {', '.join(texts)}")

    def _used(self, request: AdmissionRequest, quota: ResourceQuota) -> Amounts:
        kind, namespace = request.kind, request.namespace
        objects = {obj.metadata.name or "": obj for obj in self._reader.of_kind(kind, namespace)}
        now = asyncio.get_running_loop().time()
        for key, (until, obj) in list(self._pending.items()):
            if until < now:
                del self._pending[key]
            elif key[:2] == (namespace, kind.group_resource):
                if key[2] in objects:
                    del self._pending[key]
                else:
                    objects[key[2]] = obj
        summed: Amounts = {}
        for obj in objects.values():
            if is_relevant(quota, obj):
                summed = total(summed, usage(obj, kind))
        return summed


def _listed(amounts: Mapping[str, Quantity], keys: list[str]) -> str:
    return ",".join(f"{key}={canonical(amounts.get(key, 0))}" for key in keys)
