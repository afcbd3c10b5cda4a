"""Names of the control groups that pods run in, and their removal when a pod is gone. The runtime makes them."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_BELOW = {"Guaranteed": "kubepods", "Burstable": "kubepods/burstable", "BestEffort": "kubepods/besteffort"}


def pod_cgroup(parent: str, qos: str, uid: str) -> str:
    """`/parent/kubepods/burstable/pod<uid>`, the parent of a pod's containers' groups."""
    return f"{parent.rstrip('/')}/{_BELOW[qos]}/pod{uid}"


def remove_pod_cgroup(parent: str, uid: str) -> None:
    """Removes a pod's groups in every hierarchy; one that is still in use stays."""
    hierarchies = [ROOT, *(path for path in ROOT.iterdir() if path.is_dir())] if ROOT.is_dir() else []
    for hierarchy in hierarchies:
        for qos in _BELOW:
            path = hierarchy / pod_cgroup(parent, qos, uid).lstrip("/")
            try:
                os.rmdir(path)
            except OSError:
                continue
