"""Who depends on whom, over all kinds: the garbage collector's memory, kept up to date from informers.

Nodes hold metadata only. Pure bookkeeping, and pure questions on it (`blocking`, `judge`); `garbagecollector` acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.types.meta_v1 import OwnerReference

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
# How many deleted owners are remembered, as upstream does.
_REMEMBERED = 500


@dataclass(frozen=True)
class Node:
    """One object."""

    uid: str
    kind: Kind
    namespace: str
    name: str
    owners: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()
    deleting: bool = False

    @property
    def deletes_dependents(self) -> bool:
        """It waits in the foreground until what depends on it is gone."""
        return self.deleting and FOREGROUND in self.finalizers

    @property
    def orphans_dependents(self) -> bool:
        return self.deleting and ORPHAN in self.finalizers


def node_of(kind: Kind, obj: ApiObject) -> Node:
    metadata = obj.metadata
    return Node(
        uid=metadata.uid or "",
        kind=kind,
        namespace=metadata.namespace or "",
        name=metadata.name or "",
        owners=tuple(metadata.owner_references),
        finalizers=tuple(metadata.finalizers),
        deleting=metadata.deletion_timestamp is not None,
    )


@dataclass(frozen=True)
class Verdict:
    """What to do with an object that has owners: let it live, drop some references, or delete it with a policy."""

    drop: tuple[str, ...] = ()  # uids of owners whose references are to be removed
    delete: str = ""  # Background, Foreground, Orphan
    unblock: bool = False  # its own blockOwnerDeletion references would make a circle


class OwnerGraph:
    """Objects by uid and their dependents."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        # Owner uid -> uids of dependents; the owner itself need not be known.
        self._dependents: dict[str, dict[str, None]] = {}
        # The uids of the last owners that were seen to go: a uid never comes back.
        self._gone: dict[str, None] = {}

    def put(self, node: Node) -> Node | None:
        """Adds or replaces; returns what was there."""
        old = self._nodes.get(node.uid)
        if old is not None:
            self._unlink(old)
        self._nodes[node.uid] = node
        for owner in node.owners:
            self._dependents.setdefault(owner.uid, {})[node.uid] = None
        return old

    def remove(self, uid: str) -> Node | None:
        old = self._nodes.pop(uid, None)
        if old is not None:
            self._unlink(old)
        if uid in self._dependents:
            self._gone[uid] = None
            if len(self._gone) > _REMEMBERED:
                del self._gone[next(iter(self._gone))]
        return old

    def is_gone(self, uid: str) -> bool:
        """Whether this owner is known to be deleted; False says nothing."""
        return uid in self._gone and uid not in self._nodes

    def of_kind(self, group: str, resource: str) -> list[Node]:
        """All objects of a resource."""
        return [node for node in self._nodes.values() if (node.kind.group, node.kind.resource) == (group, resource)]

    def owned_by(self, group: str, kind: str) -> list[Node]:
        """All objects with an owner of a kind, whether it exists or not."""
        return [node for node in self._nodes.values() if any(_is_of(owner, group, kind) for owner in node.owners)]

    def _unlink(self, node: Node) -> None:
        for owner in node.owners:
            dependents = self._dependents.get(owner.uid)
            if dependents is not None:
                dependents.pop(node.uid, None)
                if not dependents:
                    del self._dependents[owner.uid]

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def dependents(self, uid: str) -> list[Node]:
        return [self._nodes[item] for item in self._dependents.get(uid, ()) if item in self._nodes]

    def blocking(self, uid: str) -> list[Node]:
        """The dependents that must be gone before this one may go in the foreground."""
        return [node for node in self.dependents(uid) if _blocks(node, uid)]


def _is_of(owner: OwnerReference, group: str, kind: str) -> bool:
    return owner.kind == kind and owner.api_version.rpartition("/")[0] == group


def is_meant(reference: OwnerReference, owner: Node, node: Node) -> bool:
    """Whether the object that has the reference's uid is also what the reference says of it, seen from `node`."""
    named = (reference.kind, reference.name) == (owner.kind.name, owner.name)
    return named and owner.namespace in ("", node.namespace)


def _blocks(node: Node, uid: str) -> bool:
    return any(owner.uid == uid and owner.block_owner_deletion for owner in node.owners)


def judge(node: Node, owners: Mapping[str, Node | None], dependents: Iterable[Node]) -> Verdict:
    """`owners`: every owner's uid -> its node, or None for one that certainly does not exist."""
    dangling = tuple(uid for uid, owner in owners.items() if owner is None)
    waiting = tuple(uid for uid, owner in owners.items() if owner is not None and owner.deletes_dependents)
    solid = [uid for uid, owner in owners.items() if owner is not None and not owner.deletes_dependents]
    if solid:
        return Verdict(drop=dangling + waiting)
    children = list(dependents)
    if waiting and children:
        return Verdict(delete="Foreground", unblock=any(child.deletes_dependents for child in children))
    if ORPHAN in node.finalizers:
        return Verdict(delete="Orphan")
    if FOREGROUND in node.finalizers:
        return Verdict(delete="Foreground")
    return Verdict(delete="Background")
