"""Sessions with running containers: where exec, attach and port-forward of a pod are to be had.

The runtime serves them itself (CRI answers with a URL of its streaming server on the node's loopback); the kubelet's
server passes the bytes through unread, so every protocol that the runtime speaks works: SPDY/3.1 and WebSocket.
"""

from __future__ import annotations

import json

from pybernetes.kubelet.decide.observed import is_running
from pybernetes.kubelet.runtime import ContainerRecord, ContainerRuntime, NotFound, Streams
from pybernetes.kubelet.worker import PodWorker


async def exec_url(runtime: ContainerRuntime, record: ContainerRecord, command: list[str], streams: Streams) -> str:
    """Where to speak with a command that is started now in a container."""
    return await runtime.exec_url(record.id, tuple(command), streams)


async def attach_url(runtime: ContainerRuntime, record: ContainerRecord, streams: Streams) -> str:
    """Where to speak with a container's main process."""
    return await runtime.attach_url(record.id, streams)


async def port_forward_url(runtime: ContainerRuntime, worker: PodWorker, ports: list[int]) -> str:
    """Where to reach ports of a pod; NotFound when its sandbox is not running."""
    sandboxes = worker.runtime.sandboxes
    if not sandboxes or not sandboxes[0].ready:
        raise NotFound("pod does not exist")
    return await runtime.port_forward_url(sandboxes[0].id, tuple(ports))


def running_container(worker: PodWorker, name: str) -> ContainerRecord:
    """The running container of that name; NotFound with upstream's words."""
    record = worker.runtime.newest(name)
    if record is None or not is_running(record):
        raise NotFound(f"container not found ({json.dumps(name)})")
    return record
