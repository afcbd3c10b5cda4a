"""Good pods as documents, to be changed by the rules' tests."""

from __future__ import annotations

from typing import Any

from causes import merged

POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod"}
CONTAINER = {"name": "c", "image": "i"}


def pod(spec: dict[str, Any], container: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A pod of one container, with a change to its spec and one to its container."""
    base = {"serviceAccountName": "default", "containers": [{**CONTAINER, **(container or {})}]}
    return {**POD, "metadata": metadata, "spec": merged(base, spec)}
