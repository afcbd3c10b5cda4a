"""The cluster as decisions see it: nodes, the pods on them, pods assumed to be there soon, and nominations.

Informers' events and the scheduler's own assumptions flow in, one by one; decisions read. Nothing here waits, so a
decision sees one state from beginning to end without a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import zip_longest

from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.scheduler.matches import Condition, Matches
from pybernetes.scheduler.node_info import NodeInfo
from pybernetes.scheduler.pod_info import PodInfo


class Snapshot:
    """Nodes by name; each pod on at most one of them, by uid."""

    def __init__(self) -> None:
        self._infos: dict[str, NodeInfo] = {}
        self._where: dict[str, str] = {}  # uid -> node
        self._assumed: set[str] = set()
        self._nominated: dict[str, dict[str, PodInfo]] = {}  # node -> uid -> pod
        self._nominations: dict[str, str] = {}  # uid -> node
        self._matches = Matches()
        self._ordered: list[NodeInfo] | None = None
        self.images: dict[str, dict[str, int]] = {}  # image -> node -> bytes
        self.with_affinity: dict[str, tuple[PodInfo, NodeInfo]] = {}
        self.with_anti_affinity: dict[str, tuple[PodInfo, NodeInfo]] = {}

    @property
    def nodes(self) -> list[NodeInfo]:
        """All nodes, zones taking turns, so that a part of the list is a fair sample. Not to be changed."""
        if self._ordered is None:
            zones: dict[str, list[NodeInfo]] = {}
            for info in self._infos.values():
                if info.node is not None:
                    zones.setdefault(info.zone, []).append(info)
            rows = zip_longest(*zones.values())
            self._ordered = [info for row in rows for info in row if info is not None]
        return self._ordered

    def node(self, name: str) -> NodeInfo | None:
        """The node of that name, if there is one."""
        info = self._infos.get(name)
        return info if info is not None and info.node is not None else None

    def set_node(self, node: Node) -> None:
        """A node that is new or has changed."""
        name = node.metadata.name or ""
        info = self._infos.get(name)
        if info is None:
            info = self._infos[name] = NodeInfo(name)
        known, zone, images = info.node is not None, info.zone, info.images
        info.set_node(node)
        if not known or zone != info.zone:
            self._ordered = None
        self._set_images(name, images, info.images)

    def remove_node(self, name: str) -> None:
        """A node is gone; pods that still name it stay known."""
        info = self._infos.get(name)
        if info is None:
            return
        images = info.images
        info.set_node(None)
        self._set_images(name, images, {})
        self._ordered = None
        self._drop_if_empty(info)

    def _set_images(self, node: str, old: Mapping[str, int], new: Mapping[str, int]) -> None:
        if old == new:
            return
        for image in old.keys() - new.keys():
            holders = self.images[image]
            del holders[node]
            if not holders:
                del self.images[image]
        for image, size in new.items():
            self.images.setdefault(image, {})[node] = size

    def set_pod(self, info: PodInfo, node: str) -> None:
        """A pod is on a node, as the API server says: an assumption is confirmed, an older version replaced."""
        self._assumed.discard(info.uid)
        self.denominate(info.uid)
        self._put(info, node)

    def refresh(self, uid: str, pod: Pod) -> None:
        """A newer version of a pod on a node, with nothing changed that is counted."""
        info = self._infos[self._where[uid]].pods[uid] if uid in self._where else None
        if info is not None:
            info.pod = pod

    def assume(self, info: PodInfo, node: str) -> None:
        """A pod shall be bound to a node: it counts from now on."""
        self._assumed.add(info.uid)
        self.denominate(info.uid)
        self._put(info, node)

    def forget(self, uid: str) -> None:
        """An assumption did not come true; nothing happens if the API server has confirmed it meanwhile."""
        if uid in self._assumed:
            self.remove_pod(uid)

    def is_assumed(self, uid: str) -> bool:
        """Whether the pod is on its way to a node."""
        return uid in self._assumed

    def remove_pod(self, uid: str) -> None:
        """A pod is gone, wherever it was."""
        self._assumed.discard(uid)
        self.denominate(uid)
        self._take(uid)

    def nominate(self, info: PodInfo, node: str) -> None:
        """Room on the node is being made for the pod: others of no higher priority must leave it."""
        self.denominate(info.uid)
        self._nominated.setdefault(node, {})[info.uid] = info
        self._nominations[info.uid] = node

    def denominate(self, uid: str) -> None:
        """The pod claims no room any more."""
        node = self._nominations.pop(uid, None)
        if node is None:
            return
        pods = self._nominated[node]
        del pods[uid]
        if not pods:
            del self._nominated[node]

    @property
    def nominated(self) -> Mapping[str, Mapping[str, PodInfo]]:
        """Nominated pods: node -> uid -> pod."""
        return self._nominated

    def nomination(self, uid: str) -> str:
        """The node that the pod is nominated to, or nothing."""
        return self._nominations.get(uid, "")

    def count(self, condition: Condition) -> Mapping[str, int]:
        """How many pods meet the condition, by node name; nodes with none are absent."""
        return self._matches.of(condition, self._pods())

    @contextmanager
    def supposing(self, node: str, *, without: Iterable[PodInfo] = (), also: Iterable[PodInfo] = ()) -> Iterator[None]:
        """As if pods were not, or were, on a node; everything is as before in the end."""
        removed, added = [*without], [*also]
        for info in removed:
            self._take(info.uid)
        for info in added:
            self._put(info, node)
        try:
            yield
        finally:
            for info in added:
                self._take(info.uid)
            for info in removed:
                self._put(info, node)

    def _pods(self) -> Iterator[tuple[str, PodInfo]]:
        for info in self._infos.values():
            for pod in info.pods.values():
                yield info.name, pod

    def _put(self, info: PodInfo, node: str) -> None:
        self._take(info.uid)
        target = self._infos.get(node)
        if target is None:
            target = self._infos[node] = NodeInfo(node)
        target.add_pod(info)
        self._where[info.uid] = node
        self._matches.added(info, node)
        if info.has_affinity:
            self.with_affinity[info.uid] = (info, target)
            if info.anti_affinity:
                self.with_anti_affinity[info.uid] = (info, target)

    def _take(self, uid: str) -> None:
        node = self._where.pop(uid, None)
        if node is None:
            return
        target = self._infos[node]
        info = target.remove_pod(uid)
        if info is not None:
            self._matches.removed(info, node)
        self.with_affinity.pop(uid, None)
        self.with_anti_affinity.pop(uid, None)
        self._drop_if_empty(target)

    def _drop_if_empty(self, info: NodeInfo) -> None:
        if info.node is None and not info.pods:
            del self._infos[info.name]
