"""The garbage collector: deletes what has lost its owners, and works off foreground and orphaning deletions.

All deletable kinds, custom ones too, flow in through informers into an `OwnerGraph`; keys of the queue are uids. Before
anything is deleted the API server is asked whether the owners are really gone: another kind's watch may be behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.meta_v1 import DeleteOptions, OwnerReference, Preconditions
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.custom_kinds import CustomKinds
from pybernetes.controllers.keyed import KeyedController
from pybernetes.controllers.kind_lookup import look_up
from pybernetes.controllers.owner_graph import FOREGROUND, ORPHAN, Node, OwnerGraph, Verdict, is_meant, judge, node_of

log = logging.getLogger(__name__)

_NEEDED_VERBS = frozenset({"delete", "get", "list", "patch", "watch"})
# Events have no owners and are many.
_IGNORED = frozenset({"events"})


def collected_kinds() -> list[Kind]:
    """The kinds that can be owners or dependents; a resource served in two groups or versions counts once."""
    found: dict[tuple[str, str], Kind] = {}
    for kind in KINDS:
        if kind.verbs >= _NEEDED_VERBS and kind.resource not in _IGNORED:
            found.setdefault((kind.group, kind.resource), kind)
    return list(found.values())


class GarbageCollector(KeyedController):
    """`garbage-collector-controller`."""

    name = "garbage-collector-controller"
    workers = 20

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._graph = OwnerGraph()
        self._kinds = {(kind.group, kind.name): kind for kind in collected_kinds()}
        for kind in self._kinds.values():
            self.informer(kind.type).on_change(self._callback(kind))
        self._custom = CustomKinds(context, self.informer(CustomResourceDefinition), self)

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._custom.run(), name="custom kinds")
            await super().run()

    def _callback(self, kind: Kind) -> Callable[[ApiObject | None, ApiObject | None], None]:
        return lambda old, new: self.changed(kind, old, new)

    def changed(self, kind: Kind, old: ApiObject | None, new: ApiObject | None) -> None:
        """An object as an informer tells of it."""
        if new is not None:
            self._put(node_of(kind, new))
        elif old is not None:
            self._remove(old.metadata.uid or "")

    def kind_added(self, kind: Kind) -> None:
        """A custom kind, or another version of one; owners of it can be asked after from now on."""
        self._kinds[kind.group, kind.name] = kind

    def kind_synced(self, kind: Kind, uids: frozenset[str]) -> None:
        """All objects of the kind are known: others of it have gone while nobody looked."""
        for node in self._graph.of_kind(kind.group, kind.resource):
            if node.uid not in uids:
                self._remove(node.uid)
        self._enqueue_all(self._graph.owned_by(kind.group, kind.name))

    def kind_removed(self, kind: Kind) -> None:
        """The definition has gone, and with it every object of the kind."""
        self._kinds.pop((kind.group, kind.name), None)
        for node in self._graph.of_kind(kind.group, kind.resource):
            self._remove(node.uid)

    def _put(self, node: Node) -> None:
        old = self._graph.put(node)
        if old is not None and (old.owners, old.finalizers, old.deleting) == (
            node.owners,
            node.finalizers,
            node.deleting,
        ):
            return
        if node.owners or node.deletes_dependents or node.orphans_dependents:
            self.queue.add(node.uid)
        if node.deletes_dependents:
            self._enqueue_all(self._graph.dependents(node.uid))
        self._enqueue_owners(node, *(old.owners if old is not None else ()))

    def _remove(self, uid: str) -> None:
        old = self._graph.remove(uid)
        self._enqueue_all(self._graph.dependents(uid))
        if old is not None:
            self._enqueue_owners(old)

    def _enqueue_all(self, nodes: list[Node]) -> None:
        for node in nodes:
            self.queue.add(node.uid)

    def _enqueue_owners(self, node: Node, *former: OwnerReference) -> None:
        """An owner that waits for its dependents may now be able to go."""
        for reference in (*node.owners, *former):
            owner = self._graph.get(reference.uid)
            if owner is not None and owner.deletes_dependents:
                self.queue.add(owner.uid)

    async def reconcile(self, key: str) -> float | None:
        node = self._graph.get(key)
        if node is None:
            return None
        if node.orphans_dependents:
            await self._orphan(node)
        elif node.deletes_dependents:
            await self._delete_in_foreground(node)
        elif node.owners and not node.deleting:
            await self._examine(node)
        return None

    async def _orphan(self, node: Node) -> None:
        for dependent in self._graph.dependents(node.uid):
            await self._drop_owners(dependent, (node.uid,))
        await self._drop_finalizer(node, ORPHAN)

    async def _delete_in_foreground(self, node: Node) -> None:
        blocking = self._graph.blocking(node.uid)
        if not blocking:
            await self._drop_finalizer(node, FOREGROUND)
        self._enqueue_all([item for item in blocking if not item.deleting])

    async def _examine(self, node: Node) -> None:
        owners: dict[str, Node | None] = {}
        for reference in node.owners:
            owner = self._graph.get(reference.uid)
            if owner is not None and not is_meant(reference, owner, node):
                owner = None
            if owner is None and await self._exists(reference, node):
                return
            owners[reference.uid] = owner
        if not any(owner is None or owner.deletes_dependents for owner in owners.values()):
            return
        await self._carry_out(node, judge(node, owners, self._graph.dependents(node.uid)))

    async def _exists(self, reference: OwnerReference, node: Node) -> bool:
        """Asks the server about an owner that no informer has shown; one that cannot be asked after is left alone."""
        if self._graph.is_gone(reference.uid):
            return False
        kind = await self._kind(reference)
        if kind is None or (kind.namespaced and not node.namespace):
            return True
        try:
            owner = await self.client.get(kind.type, reference.name, node.namespace if kind.namespaced else "")
        except StatusError as error:
            if error.code == 404:
                return False
            raise
        return owner.metadata.uid == reference.uid

    async def _kind(self, reference: OwnerReference) -> Kind | None:
        """The row of an owner's kind; one that is not collected itself is looked up. None when it is not served."""
        group = reference.api_version.rpartition("/")[0]
        kind = self._kinds.get((group, reference.kind))
        if kind is not None:
            return kind
        return await look_up(self.client, reference.api_version, reference.kind)

    async def _carry_out(self, node: Node, verdict: Verdict) -> None:
        if verdict.drop:
            await self._drop_owners(node, verdict.drop)
        if verdict.unblock:
            await self._unblock(node)
        if verdict.delete:
            await self._delete(node, verdict.delete)

    async def _fresh(self, node: Node) -> ApiObject | None:
        """The object as it is now; None when it is gone or another one has its name."""
        try:
            obj = await self.client.get(node.kind.type, node.name, node.namespace)
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        return obj if obj.metadata.uid == node.uid else None

    async def _delete(self, node: Node, policy: str) -> None:
        fresh = await self._fresh(node)
        if fresh is None or fresh.metadata.deletion_timestamp is not None:
            return
        if {item.uid for item in fresh.metadata.owner_references} != {item.uid for item in node.owners}:
            return
        log.info("deleting %s %s/%s, whose owners are gone (%s)", node.kind.name, node.namespace, node.name, policy)
        preconditions = Preconditions(uid=node.uid, resource_version=fresh.metadata.resource_version)
        options = DeleteOptions(propagation_policy=policy, preconditions=preconditions)
        try:
            await self.client.delete(node.kind.type, node.name, node.namespace, options)
        except StatusError as error:
            if error.code != 404:
                raise

    async def _drop_owners(self, node: Node, uids: tuple[str, ...]) -> None:
        fresh = await self._fresh(node)
        if fresh is None:
            return
        kept = [item for item in fresh.metadata.owner_references if item.uid not in uids]
        if len(kept) != len(fresh.metadata.owner_references):
            await self._patch(node, fresh, {"ownerReferences": [_plain(item) for item in kept] or None})

    async def _unblock(self, node: Node) -> None:
        fresh = await self._fresh(node)
        if fresh is None:
            return
        references = [_plain(item) | {"blockOwnerDeletion": False} for item in fresh.metadata.owner_references]
        await self._patch(node, fresh, {"ownerReferences": references})

    async def _drop_finalizer(self, node: Node, finalizer: str) -> None:
        fresh = await self._fresh(node)
        if fresh is None or finalizer not in fresh.metadata.finalizers:
            return
        kept = [item for item in fresh.metadata.finalizers if item != finalizer]
        await self._patch(node, fresh, {"finalizers": kept or None})

    async def _patch(self, node: Node, fresh: ApiObject, metadata: dict[str, Any]) -> None:
        metadata |= {"uid": node.uid, "resourceVersion": fresh.metadata.resource_version}
        try:
            await self.client.patch(node.kind.type, node.name, node.namespace, {"metadata": metadata})
        except StatusError as error:
            if error.code != 404:
                raise


def _plain(reference: OwnerReference) -> dict[str, Any]:
    plain = {
        "apiVersion": reference.api_version,
        "kind": reference.kind,
        "name": reference.name,
        "uid": reference.uid,
        "controller": reference.controller,
        "blockOwnerDeletion": reference.block_owner_deletion,
    }
    return {name: value for name, value in plain.items() if value is not None}
