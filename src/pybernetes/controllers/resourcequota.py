"""The resource quota controller: keeps `status.hard` and `status.used` of every ResourceQuota true.

All namespaced kinds flow in through informers; a change that a quota counts queues the quota. Custom resources that a
quota names (`count/<resource>.<group>`) are counted by asking, now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from pybernetes.api.kind import Kind
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject, copy
from pybernetes.api.partial import custom_kind
from pybernetes.api.quantity import canonical
from pybernetes.api.quota import Amounts, counts_for, may_count, same_amounts, total
from pybernetes.api.status import StatusError
from pybernetes.api.struct import Quantity
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.core_v1 import Event, ResourceQuota
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.garbagecollector import collected_kinds
from pybernetes.controllers.keyed import KeyedController
from pybernetes.reconcile import key_of, split_key

# As often as upstream everything is counted anew, and custom resources, of whose changes nobody tells.
RESYNC_SECONDS = 300.0
CUSTOM_SECONDS = 10.0
# What is new has been charged by the API server before it was stored. To count in the midst of that would undo the
# charges of what is still on its way, so that this waits until it has come to rest.
SETTLED_SECONDS = 2.0


def used_by(quota: ResourceQuota, contents: Iterable[tuple[Kind, Iterable[ApiObject]]], now: datetime) -> Amounts:
    """What the contents of the quota's namespace use, by every name that the quota limits and that one of the kinds
    can count for.
    """
    hard, contents = quota.spec.hard, [(kind, list(objects)) for kind, objects in contents]
    counted = {f"count/{kind.group_resource}" for kind, _ in contents}
    used: Amounts = {key: 0 for key in hard if not key.startswith("count/") or key in counted}
    for kind, objects in contents:
        for obj in objects:
            used = total(used, counts_for(quota, obj, kind, now))
    return {key: canonical(value) for key, value in used.items()}


def is_told(quota: ResourceQuota, used: Mapping[str, Quantity]) -> bool:
    """Whether the status says already what it should."""
    return same_amounts(quota.status.hard, quota.spec.hard) and same_amounts(quota.status.used, used)


class ResourceQuotaController(KeyedController):
    """`resourcequota-controller`."""

    name = "resourcequota-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._quotas = self.informer(ResourceQuota)
        self._quotas.on_change(self._quota_changed)
        self._definitions = self.informer(CustomResourceDefinition)
        self._kinds = [kind for kind in collected_kinds() if kind.namespaced and kind.type is not Event]
        for kind in self._kinds:
            self.informer(kind.type).on_change(self._callback(kind))

    def _quota_changed(self, old: ResourceQuota | None, new: ResourceQuota | None) -> None:
        if new is None:
            return
        if old is None or old.spec != new.spec or not new.status.hard:
            self.enqueue(new)
        else:
            self.queue.add_after(key_of(new), SETTLED_SECONDS)

    def _callback(self, kind: Kind) -> Callable[[ApiObject | None, ApiObject | None], None]:
        def changed(old: ApiObject | None, new: ApiObject | None) -> None:
            obj = new or old
            if obj is None:
                return
            now = self.clock.now()
            for quota in self._quotas.cache.list(obj.metadata.namespace or ""):
                before = counts_for(quota, old, kind, now) if old is not None else {}
                after = counts_for(quota, new, kind, now) if new is not None else {}
                if old is None and after:
                    self.queue.add_after(key_of(quota), SETTLED_SECONDS)
                elif before != after:
                    self.enqueue(quota)

        return changed

    async def reconcile(self, key: str) -> float | None:
        quota = self._quotas.cache.get(*split_key(key))
        if quota is None or quota.metadata.deletion_timestamp is not None:
            return None
        custom = await self._custom_contents(quota)
        used = used_by(quota, [*self._contents(quota), *custom], self.clock.now())
        if not is_told(quota, used):
            changed = copy(quota)
            changed.status.hard, changed.status.used = dict(quota.spec.hard), used
            try:
                await self.client.update_status(changed)
            except StatusError as error:
                if error.code != 404:
                    raise
        return CUSTOM_SECONDS if custom else RESYNC_SECONDS

    def _contents(self, quota: ResourceQuota) -> Iterable[tuple[Kind, Iterable[ApiObject]]]:
        namespace = quota.metadata.namespace or ""
        for kind in self._kinds:
            if may_count(kind, quota.spec.hard):
                yield kind, self.informer(kind.type).cache.list(namespace)

    async def _custom_contents(self, quota: ResourceQuota) -> list[tuple[Kind, list[ApiObject]]]:
        found: list[tuple[Kind, list[ApiObject]]] = []
        if not any(key.startswith("count/") and "." in key for key in quota.spec.hard):
            return found
        for definition in self._definitions.cache.list():
            name = definition.metadata.name or ""
            kind = custom_kind(definition) if f"count/{name}" in quota.spec.hard else None
            if kind is not None and kind.namespaced:
                objects = (await self.client.list(kind.type, quota.metadata.namespace)).items
                found.append((kind_of(kind.type), list(objects)))
        return found
