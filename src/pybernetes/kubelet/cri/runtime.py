"""`ContainerRuntime` over CRI v1: containerd or any other runtime that speaks it.

A look at a pod costs two list calls; details are asked for only when a container's state has changed since then.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

from pybernetes.kubelet.cri import convert
from pybernetes.kubelet.cri.client import CONTAINERD, CRI, USUAL_TIMEOUT, CriClient, Unimplemented
from pybernetes.kubelet.runtime import (
    ContainerRecord,
    ContainerSpec,
    Credentials,
    ExecResult,
    Image,
    LinuxResources,
    NotFound,
    Readiness,
    RuntimeFailure,
    RuntimePod,
    RuntimeVersion,
    SandboxSpec,
    Stats,
    Streams,
)

log = logging.getLogger(__name__)

RUNTIME, IMAGE = "RuntimeService", "ImageService"
# After a process has ended, containerd needs a moment until its CRI part says so, and does not tell when. It may even
# end before the call that starts it has come back: until then it counts as created, and then as running.
SETTLING = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12)
POLL_SECONDS = 1.0
KILLED = 137


class CriRuntime:
    """One node's runtime behind a unix socket."""

    def __init__(self, socket: str) -> None:
        self._client = CriClient(socket)
        self._records: dict[str, ContainerRecord] = {}
        self._out_of_memory: set[str] = set()
        self._networks: dict[str, tuple[tuple[str, ...], bool]] = {}  # sandbox id -> addresses, on host network
        self._owner: dict[str, str] = {}  # id of a sandbox or container -> pod uid
        self._ended: set[str] = set()  # their processes are gone, which the lists may not say yet
        self._handler = ""

    async def close(self) -> None:
        await self._client.close()

    async def version(self) -> RuntimeVersion:
        answer = await self._call("Version", version="v1")
        return RuntimeVersion(answer.runtime_name, answer.runtime_version.partition("~")[0].removeprefix("v"))

    async def readiness(self) -> Readiness:
        answer = await self._call("Status")
        problems: list[str] = []
        for condition in answer.status.conditions:
            if not condition.status and condition.type in ("RuntimeReady", "NetworkReady"):
                what = "container runtime network" if condition.type == "NetworkReady" else "container runtime"
                words = f"{condition.type}=false reason:{condition.reason} message:{condition.message}"
                problems.append(f"{what} not ready: {words}")
        return Readiness(tuple(problems))

    async def pods(self) -> list[RuntimePod]:
        return await self._look({})

    async def pod(self, uid: str) -> RuntimePod:
        found = await self._look({convert.POD_UID: uid})
        return found[0] if found else RuntimePod(uid)

    async def _lists(self, labels: dict[str, str]) -> tuple[Any, Any]:
        make = CRI.message
        return await asyncio.gather(
            self._call("ListPodSandbox", filter=make("PodSandboxFilter")(label_selector=labels)),
            self._call("ListContainers", filter=make("ContainerFilter")(label_selector=labels)),
        )

    async def _settled_lists(self, labels: dict[str, str]) -> tuple[Any, Any]:
        """The lists of one pod, as they are once everything that is known to have ended is shown as ended."""
        for pause in (*SETTLING, 0.0):
            boxes, containers = await self._lists(labels)
            late = self._ended & convert.alive(boxes.items, containers.containers)
            if not late:
                break
            await asyncio.sleep(pause)
        else:
            log.warning("containers %s have ended, but the runtime does not say so", sorted(late))
        self._ended -= {item.id for item in (*boxes.items, *containers.containers)}
        return boxes, containers

    async def _look(self, labels: dict[str, str]) -> list[RuntimePod]:
        boxes, containers = await (self._settled_lists(labels) if labels else self._lists(labels))
        by_pod: dict[str, tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
        for box in boxes.items:
            by_pod[box.metadata.uid][0].append(box)
        for item in containers.containers:
            by_pod[item.labels.get(convert.POD_UID, "")][1].append(item)
        if not labels:
            self._forget({box.id for box in boxes.items} | {item.id for item in containers.containers})
        return [await self._assemble(uid, *found) for uid, found in by_pod.items() if uid]

    def _forget(self, known: set[str]) -> None:
        """Drops what is remembered of things that are no more."""
        self._records = {each: record for each, record in self._records.items() if each in known}
        self._networks = {each: network for each, network in self._networks.items() if each in known}
        self._owner = {each: uid for each, uid in self._owner.items() if each in known}
        self._ended &= known
        self._out_of_memory &= known

    async def _assemble(self, uid: str, boxes: list[Any], items: list[Any]) -> RuntimePod:
        sandboxes = []
        for box in sorted(boxes, key=lambda box: -box.created_at):
            self._owner[box.id] = uid
            ips, host_network = await self._network(box)
            sandboxes.append(convert.sandbox_of(box, ips, host_network))
        records = [record for item in _newest_first(items) if (record := await self._record(uid, item)) is not None]
        labels = (boxes or items)[0].labels
        names = (labels.get(convert.POD_NAMESPACE, ""), labels.get(convert.POD_NAME, ""))
        return RuntimePod(uid, *names, tuple(sandboxes), tuple(records))

    async def _network(self, box: Any) -> tuple[tuple[str, ...], bool]:
        if box.id not in self._networks:
            try:
                answer = await self._call("PodSandboxStatus", pod_sandbox_id=box.id)
            except NotFound:
                return (), False
            found = (convert.ips_of(answer.status), convert.is_on_host_network(answer.status))
            if not any(found):
                return found
            self._networks[box.id] = found
        return self._networks[box.id]

    async def _record(self, uid: str, item: Any) -> ContainerRecord | None:
        self._owner[item.id] = uid
        known = self._records.get(item.id)
        if known is not None and known.state is convert.state_of(item):
            return known
        try:
            record = await self._status(item)
            for pause in SETTLING:
                if not self._awaits_reason(record):
                    break
                await asyncio.sleep(pause)
                record = await self._status(item)
        except NotFound:
            return None
        self._records[item.id] = record
        return record

    async def _status(self, item: Any) -> ContainerRecord:
        answer = await self._call("ContainerStatus", container_id=item.id)
        return convert.record_of(answer.status, item.pod_sandbox_id)

    def _awaits_reason(self, record: ContainerRecord) -> bool:
        """Whether memory ran out in a container that has been killed, and containerd's CRI part has yet to say so."""
        return record.id in self._out_of_memory and record.exit_code == KILLED and record.reason == "Error"

    async def run_sandbox(self, spec: SandboxSpec) -> str:
        config = convert.sandbox_config(spec)
        answer = await self._call("RunPodSandbox", 240.0, config=config, runtime_handler=spec.runtime_handler)
        identifier: str = answer.pod_sandbox_id
        self._owner[identifier] = spec.uid
        return identifier

    async def stop_sandbox(self, sandbox_id: str) -> None:
        await self._call("StopPodSandbox", pod_sandbox_id=sandbox_id)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        await self._call("RemovePodSandbox", pod_sandbox_id=sandbox_id)
        self._networks.pop(sandbox_id, None)
        self._owner.pop(sandbox_id, None)
        self._ended.discard(sandbox_id)

    async def create_container(self, sandbox_id: str, spec: ContainerSpec, sandbox: SandboxSpec) -> str:
        answer = await self._call(
            "CreateContainer",
            pod_sandbox_id=sandbox_id,
            config=convert.container_config(spec, sandbox),
            sandbox_config=convert.sandbox_config(sandbox),
        )
        identifier: str = answer.container_id
        self._owner[identifier] = sandbox.uid
        return identifier

    async def start_container(self, container_id: str) -> None:
        await self._call("StartContainer", container_id=container_id)

    async def update_resources(self, container_id: str, resources: LinuxResources) -> None:
        # Zero means "as it is" in an update; a quota that is taken away has to be said.
        values = dataclasses.replace(resources, cpu_quota=resources.cpu_quota or -1)
        await self._call("UpdateContainerResources", container_id=container_id, linux=convert.resources(values))

    async def stop_container(self, container_id: str, grace: int) -> None:
        await self._call("StopContainer", USUAL_TIMEOUT + grace, container_id=container_id, timeout=grace)

    async def remove_container(self, container_id: str) -> None:
        await self._call("RemoveContainer", container_id=container_id)
        self._records.pop(container_id, None)
        self._owner.pop(container_id, None)
        self._ended.discard(container_id)

    async def image(self, name: str) -> Image | None:
        answer = await self._image_call("ImageStatus", image=_image_spec(name))
        return convert.image_of(answer.image) if answer.image.id else None

    async def pull_image(self, name: str, credentials: Credentials | None, sandbox: SandboxSpec) -> str:
        auth = None
        if credentials is not None:
            auth = CRI.message("AuthConfig")(
                username=credentials.username, password=credentials.password, server_address=credentials.server
            )
        config = convert.sandbox_config(sandbox)
        answer = await self._image_call("PullImage", None, image=_image_spec(name), auth=auth, sandbox_config=config)
        reference: str = answer.image_ref
        return reference

    async def images(self) -> list[Image]:
        answer = await self._image_call("ListImages")
        return [convert.image_of(image) for image in answer.images]

    async def remove_image(self, name: str) -> None:
        await self._image_call("RemoveImage", image=_image_spec(name))

    async def exec_sync(self, container_id: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        # The runtime kills the command at its own timeout; ours, a little later, is for a runtime that does not.
        limit = timeout + 5.0 if timeout else None
        seconds = max(int(timeout), 1) if timeout else 0
        answer = await self._call("ExecSync", limit, container_id=container_id, cmd=command, timeout=seconds)
        return ExecResult(answer.exit_code, answer.stdout, answer.stderr)

    async def exec_url(self, container_id: str, command: tuple[str, ...], streams: Streams) -> str:
        flags = _flags(streams)
        return str((await self._call("Exec", container_id=container_id, cmd=command, **flags)).url)

    async def attach_url(self, container_id: str, streams: Streams) -> str:
        return str((await self._call("Attach", container_id=container_id, **_flags(streams))).url)

    async def port_forward_url(self, sandbox_id: str, ports: tuple[int, ...]) -> str:
        return str((await self._call("PortForward", pod_sandbox_id=sandbox_id, port=ports)).url)

    async def reopen_log(self, container_id: str) -> None:
        await self._call("ReopenContainerLog", container_id=container_id)

    async def stats(self) -> list[Stats]:
        answer = await self._call("ListContainerStats")
        return [
            Stats(
                pod_uid=each.attributes.labels.get(convert.POD_UID, ""),
                name=each.attributes.metadata.name,
                timestamp=each.cpu.timestamp,
                cpu_nanoseconds=each.cpu.usage_core_nano_seconds.value,
                memory_working_set=each.memory.working_set_bytes.value,
                writable_bytes=each.writable_layer.used_bytes.value,
            )
            for each in answer.stats
        ]

    async def events(self) -> AsyncIterator[str]:
        """From containerd's own events where it is containerd, else from CRI's, else by asking every second."""
        for source in (self._containerd_events, self._cri_events, self._polled):
            try:
                async for uid in source():
                    yield uid
                return
            except Unimplemented:
                continue

    async def _containerd_events(self) -> AsyncIterator[str]:
        request = CONTAINERD.message("SubscribeRequest")(filters=['topic=="/tasks/exit"', 'topic=="/tasks/oom"'])
        async for envelope in self._client.stream(CONTAINERD, ("Events", "Subscribe"), request):
            exit_ = CONTAINERD.message("TaskExit").FromString(envelope.event.value)
            if exit_.id and exit_.id != exit_.container_id:
                continue  # a command that was run inside the container, such as a probe's
            uid = self._owner.get(exit_.container_id)
            if uid is not None:
                if exit_.id:
                    self._ended.add(exit_.container_id)
                else:  # memory that ran out does not always end the container, and may be told after its end
                    self._out_of_memory.add(exit_.container_id)
                    self._records.pop(exit_.container_id, None)
                yield uid

    async def _cri_events(self) -> AsyncIterator[str]:
        request = CRI.message("GetEventsRequest")()
        async for event in self._client.stream(CRI, (RUNTIME, "GetContainerEvents"), request):
            yield event.pod_sandbox_status.metadata.uid

    async def _polled(self) -> AsyncIterator[str]:
        before: dict[str, RuntimePod] = {}
        while True:
            now = {pod.uid: pod for pod in await self.pods()}
            for uid in {**before, **now}:
                if before.get(uid) != now.get(uid):
                    yield uid
            before = now
            await asyncio.sleep(POLL_SECONDS)

    async def _call(self, method: str, limit: float | None = USUAL_TIMEOUT, /, **fields: Any) -> Any:
        takes = CRI.methods[RUNTIME][method][0]
        try:
            return await self._client.call(RUNTIME, method, CRI.message(takes)(**fields), limit)
        except TimeoutError as error:
            if method == "ExecSync":
                raise
            raise RuntimeFailure(str(error)) from error

    async def _image_call(self, method: str, limit: float | None = USUAL_TIMEOUT, /, **fields: Any) -> Any:
        takes = CRI.methods[IMAGE][method][0]
        return await self._client.call(IMAGE, method, CRI.message(takes)(**fields), limit)


def _image_spec(name: str) -> Any:
    return CRI.message("ImageSpec")(image=name)


def _flags(streams: Streams) -> dict[str, bool]:
    # A terminal has no separate error output, and the interface refuses to be asked for one.
    return {
        "stdin": streams.stdin,
        "stdout": streams.stdout,
        "stderr": streams.stderr and not streams.tty,
        "tty": streams.tty,
    }


def _newest_first(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda item: -item.created_at)
