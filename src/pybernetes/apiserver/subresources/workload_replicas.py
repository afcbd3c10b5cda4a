"""Where the built-in workloads keep their replica count: `spec.replicas`."""

from __future__ import annotations

from typing import Any

from pybernetes.api.kind import Kind
from pybernetes.api.labels import from_label_selector
from pybernetes.api.objects import ApiObject
from pybernetes.api.types import core_v1
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.field_management.scale import IN_SPEC, ReplicasPaths


class WorkloadReplicas:
    """Deployments, ReplicaSets, StatefulSets and ReplicationControllers; a `scale.Replicas`."""

    def paths(self, kind: Kind) -> ReplicasPaths:
        return {kind.api_version: IN_SPEC}

    def place(self, kind: Kind) -> str:
        return ".spec.replicas"

    def count(self, obj: Any, kind: Kind) -> int | None:
        found: int | None = obj.spec.replicas
        return found

    def status(self, obj: Any, kind: Kind) -> tuple[int, str | None]:
        return obj.status.replicas or 0, _selector(obj)

    def changed(self, entry: Entry, kind: Kind, count: int) -> ApiObject:
        new: Any = entry.private()
        new.spec.replicas = count
        assert isinstance(new, ApiObject)
        return new


def _selector(workload: Any) -> str:
    selector = workload.spec.selector
    if isinstance(workload, core_v1.ReplicationController):
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return str(from_label_selector(selector))
