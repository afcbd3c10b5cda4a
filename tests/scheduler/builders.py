"""Nodes and pods for these tests, in few words."""

from __future__ import annotations

from typing import Any

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.reconcile.cache import Cache
from pybernetes.scheduler.decide.plugin import Case
from pybernetes.scheduler.facts import Facts
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.snapshot import Snapshot

ALLOCATABLE = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "50Gi", "pods": "110"}


def make_node(name: str, allocatable: dict[str, str] | None = None, **spec: Any) -> Node:
    """A node; keyword arguments are its spec's, but for `labels` and `images`."""
    labels = {"kubernetes.io/hostname": name, **spec.pop("labels", {})}
    images = spec.pop("images", [])
    status = {"allocatable": {**ALLOCATABLE, **(allocatable or {})}, "images": images}
    return from_builtins({"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}, Node)


def make_pod(name: str, requests: dict[str, str] | None = None, **spec: Any) -> Pod:
    """A pod of one container; keyword arguments are its spec's, but for those of its metadata and status."""
    metadata = {key: spec.pop(key) for key in ("labels", "namespace", "ownerReferences") if key in spec}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", **metadata}
    status = spec.pop("status", {})
    container = {"name": "c", "image": "nginx", "resources": {"requests": requests or {}}, **spec.pop("container", {})}
    whole = {"schedulerName": "default-scheduler", "containers": [container], **spec}
    return from_builtins({"metadata": metadata, "spec": whole, "status": status}, Pod)


def snapshot_of(*nodes: Node, **pods: list[Pod]) -> Snapshot:
    """A snapshot of nodes; keyword arguments are the pods on the node of that name (`_` for `-`)."""
    snapshot = Snapshot()
    for node in nodes:
        snapshot.set_node(node)
    for name, on_it in pods.items():
        for pod in on_it:
            snapshot.set_pod(PodInfo(pod), name.replace("_", "-"))
    return snapshot


def case_of(pod: Pod, snapshot: Snapshot, facts: Facts | None = None) -> Case:
    return Case(PodInfo(pod), snapshot, facts or Facts())


def cache_of(*objects: Any) -> Cache[Any]:
    cache: Cache[Any] = Cache()
    for obj in objects:
        cache.put(obj)
    return cache
