"""How far a rollout is: a Deployment, DaemonSet or StatefulSet goes in, kubectl's line and whether it is done come out.

Pure; `rollout status` asks it for every change of the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.kubectl.failures import error


def status_line(obj: Mapping[str, Any], kind: str) -> tuple[str, bool]:
    """The line and whether the rollout has ended; `CommandError` when it has failed or has no status."""
    judge = {"Deployment": _deployment, "DaemonSet": _daemon_set, "StatefulSet": _stateful_set}.get(kind)
    if judge is None:
        raise error(f"no status viewer has been implemented for {kind}")
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    strategy = (spec.get("updateStrategy") or {}).get("type", "RollingUpdate")
    if kind != "Deployment" and strategy != "RollingUpdate":
        raise error("rollout status is only available for RollingUpdate strategy type")
    observed = status.get("observedGeneration", 0)
    if metadata.get("generation", 0) > observed or (kind == "StatefulSet" and observed == 0):
        noun = {"Deployment": "deployment", "DaemonSet": "daemon set", "StatefulSet": "statefulset"}[kind]
        return f"Waiting for {noun} spec update to be observed...", False
    return judge(metadata["name"], spec, status)


def _deployment(name: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, bool]:
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise error(f'deployment "{name}" exceeded its progress deadline')
    wanted = spec.get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True


def _daemon_set(name: str, _spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, bool]:
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...", False
    if available < wanted:
        return f"{waiting}{available} of {wanted} updated pods are available...", False
    return f'daemon set "{name}" successfully rolled out', True


def _stateful_set(_name: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, bool]:
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    updated = status.get("updatedReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...", False
    partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    if partition:
        if updated < wanted - partition:
            done = f"{updated} out of {wanted - partition} new pods have been updated..."
            return f"Waiting for partitioned roll out to finish: {done}", False
        return f"partitioned roll out complete: {updated} new pods have been updated...", True
    revision = status.get("updateRevision", "")
    if revision != status.get("currentRevision", ""):
        return f"waiting for statefulset rolling update to complete {updated} pods at revision {revision}...", False
    total = status.get("currentReplicas", 0)
    return f"statefulset rolling update complete {total} pods at revision {status.get('currentRevision', '')}...", True
