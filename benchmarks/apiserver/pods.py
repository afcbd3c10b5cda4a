"""The objects of the benchmark: a pod as a Deployment's controller makes it, and what must be there before it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from benchmarks.apiserver.connection import Connection
from benchmarks.apiserver.served import ADMIN, Served

NAMESPACE = "bench"
PATH = f"/api/v1/namespaces/{NAMESPACE}/pods"
# One pod in a hundred carries the label that the selective list asks for.
RARE = "tier=rare"
_LOADERS = 32


def pod(name: str, rare: bool = False) -> dict[str, Any]:
    """The body of a create."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d8f7c9b4", "controller": True}
    owner |= {"uid": "3c1f2a52-8f0e-4b5a-9a53-0f7a5f3f9a11", "blockOwnerDeletion": True}
    labels = {"app": "web", "pod-template-hash": "5d8f7c9b4", "tier": "rare" if rare else "front", "zone": "a"}
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}
    container = {
        "name": "web",
        "image": "registry.example/web:1.7.9",
        "command": ["/bin/web", "--listen=:8080", "--log-level=info"],
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
        "env": [{"name": f"SETTING_{letter}", "value": f"value of {letter}"} for letter in "ABCD"]
        + [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}},
        "livenessProbe": probe,
        "readinessProbe": probe,
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "config", "mountPath": "/etc/web"}],
    }
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": "web"}}]
    annotations = {"checksum/config": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"}
    metadata = {"name": name, "labels": labels, "annotations": annotations, "ownerReferences": [owner]}
    spec = {"containers": [container], "volumes": volumes, "nodeSelector": {"kubernetes.io/os": "linux"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


async def prepare(served: Served) -> None:
    """The namespace, its service account and the rights of the user that the load comes from."""
    connection = await Connection.open(served.port, ADMIN)
    await connection.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    await connection.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
    rbac = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "benchmarkers"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": rbac, "kind": "Group", "name": "benchmarkers"}],
    }
    await connection.create(f"/apis/{rbac}/v1/clusterrolebindings", binding)
    connection.close()


def pods(prefix: str, count: int) -> list[bytes]:
    """The bodies of `prefix-0` and so on, each hundredth of them rare."""
    return [json.dumps(pod(f"{prefix}-{number}", number % 100 == 0)).encode() for number in range(count)]


def plain_pods(prefix: str, count: int) -> list[bytes]:
    """The bodies of pods that say nothing but what they run, as `kubectl run` makes them."""
    spec = {"containers": [{"name": "web", "image": "registry.example/web:1.7.9"}]}
    metadata = {"labels": {"run": "web"}}
    return [
        json.dumps(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{prefix}-{number}", **metadata}, "spec": spec}
        ).encode()
        for number in range(count)
    ]


class Loader:
    """Some connections that objects are created on, all at once."""

    def __init__(self, connections: list[Connection]) -> None:
        self._connections = connections

    @classmethod
    async def open(cls, port: int, token: str, writers: int = _LOADERS) -> Loader:
        return cls(await asyncio.gather(*(Connection.open(port, token) for _ in range(writers))))

    async def create(self, path: str, bodies: list[bytes]) -> None:
        """Returns when each of the bodies has become an object."""
        left = iter(bodies)

        async def writer(connection: Connection) -> None:
            for body in left:
                status, answer = await connection.request("POST", path, body)
                if status != 201:
                    raise RuntimeError(f"{status} {answer.decode()[:300]}")

        async with asyncio.TaskGroup() as tasks:
            for connection in self._connections:
                tasks.create_task(writer(connection))

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
