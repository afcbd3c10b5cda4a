"""Where the set-ups of scenarios are kept, and the objects that they make.

`BEFORE[scenario, step]` runs before that step; `DURING[scenario]` while all steps (watches) of a scenario are open;
in `CONTROLLED` scenarios the controllers run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.oracle.ground import Ground

Prepare = Callable[[Ground], Awaitable[None]]
BEFORE: dict[tuple[str, int], Prepare] = {}
DURING: dict[str, Prepare] = {}
CONTROLLED: frozenset[str] = frozenset()
# Their set-up makes everything, so that nothing is to be guessed from answers.
COMPLETE = frozenset(
    {"list-watch/paging", "list-watch/watch", "list-watch/watch-expired", "list-watch/continue-expired"}
)
NO_NAMESPACES = frozenset({"nosuch", "ps-baseline", "ps-restricted", "ps-warn"})
MERGE = "application/merge-patch+json"
CONTROLLERS = "kube-controller-manager/v1"


def before(scenario: str, step: int = 0) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        BEFORE[scenario, step] = prepare
        return prepare

    return register


def config_map(name: str, namespace: str, **metadata: Any) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace, **metadata}}


def pod(name: str, namespace: str, *, node: str = "", **more: Any) -> dict[str, Any]:
    """A pod of one container; `labels`, `status` and fields of the spec as wanted."""
    metadata = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    if labels := more.pop("labels", None):
        metadata["labels"] = labels
    status = more.pop("status", None)
    spec = {"containers": [{"name": "c", "image": "nginx"}], **({"nodeName": node} if node else {}), **more}
    obj = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec}
    return {**obj, "status": status} if status else obj
