"""What decisions look up besides nodes and pods: caches that informers fill and tests fill by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pybernetes.api.types.apps_v1 import ReplicaSet, StatefulSet
from pybernetes.api.types.core_v1 import (
    Namespace,
    PersistentVolume,
    PersistentVolumeClaim,
    ReplicationController,
    Service,
)
from pybernetes.api.types.policy_v1 import PodDisruptionBudget
from pybernetes.api.types.storage_v1 import StorageClass
from pybernetes.reconcile.cache import Cache

_NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Facts:
    """Read-only for decisions."""

    namespaces: Cache[Namespace] = field(default_factory=Cache)
    services: Cache[Service] = field(default_factory=Cache)
    replication_controllers: Cache[ReplicationController] = field(default_factory=Cache)
    replica_sets: Cache[ReplicaSet] = field(default_factory=Cache)
    stateful_sets: Cache[StatefulSet] = field(default_factory=Cache)
    claims: Cache[PersistentVolumeClaim] = field(default_factory=Cache)
    volumes: Cache[PersistentVolume] = field(default_factory=Cache)
    storage_classes: Cache[StorageClass] = field(default_factory=Cache)
    budgets: Cache[PodDisruptionBudget] = field(default_factory=Cache)

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """The labels of a namespace; none if it is not known."""
        namespace = self.namespaces.get("", name)
        return namespace.metadata.labels if namespace is not None else _NO_LABELS
