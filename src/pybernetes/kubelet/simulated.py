"""A container runtime that runs nothing: containers do what an annotation of their pod says, in the loop's time.

The annotation `pybernetes.io/simulate` holds words such as `exit=1 after=3s start=500ms ready=2s term=5s pull=fail`,
each optionally for one container: `web:exit=1`. Without it a container starts at once and runs until it is stopped.
No I/O and no clock but the one handed in, so the same story comes out every time.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from pybernetes.environment.clock import Clock
from pybernetes.kubelet.decide.times import SECOND, nanoseconds
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
    Sandbox,
    SandboxSpec,
    State,
    Stats,
    Streams,
)

ANNOTATION = "pybernetes.io/simulate"
_DURATION = re.compile(r"([0-9.]+)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Script:
    """What a simulated container does; seconds."""

    exit_code: int | None = None
    after: float = 0.0  # running time before it exits on its own
    start: float = 0.0  # how long starting takes
    ready: float = 0.0  # running time before probes succeed; below 0: never
    term: float = 0.0  # how long it takes to end when asked to
    pull: str = ""  # "fail": the image cannot be had; else how long it takes


def seconds(text: str) -> float:
    """`1.5s`, `200ms`, `1m30s` or plain seconds."""
    parts = _DURATION.findall(text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else float(text)


def parse_script(text: str, container: str) -> Script:
    """The words of the annotation that concern this container; ValueError for words that mean nothing."""
    script = Script()
    for word in text.split():
        who, colon, rest = word.rpartition(":")
        if colon and who != container:
            continue
        name, _, value = rest.partition("=")
        if name == "exit":
            script = dataclasses.replace(script, exit_code=int(value))
        elif name == "pull":
            script = dataclasses.replace(script, pull=value)
        elif name in ("after", "start", "ready", "term"):
            amount = -1.0 if value == "never" else seconds(value)
            script = dataclasses.replace(script, **{name: amount})  # type: ignore[arg-type]
        else:
            raise ValueError(f"{ANNOTATION}: {word!r} means nothing")
    return script


@dataclass(slots=True)
class _Pod:
    spec: SandboxSpec
    sandboxes: list[Sandbox] = field(default_factory=list)
    containers: list[ContainerRecord] = field(default_factory=list)


class SimulatedRuntime:
    """One node's runtime. Identifiers are counted, addresses come from the node's pod CIDR in order."""

    def __init__(self, clock: Clock, node_name: str, pod_cidr: str = "") -> None:
        self._clock = clock
        self._node = node_name
        self._pods: dict[str, _Pod] = {}
        self._scripts: dict[str, Script] = {}
        self._owner: dict[str, str] = {}  # id of a sandbox or container -> pod uid
        self._count = 0
        self._network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
        self._used: dict[str, str] = {}  # address -> sandbox id
        self._events: asyncio.Queue[str] = asyncio.Queue()
        if pod_cidr:
            self.use_pod_cidr(pod_cidr)

    def use_pod_cidr(self, pod_cidr: str) -> None:
        """From now on pods get addresses of this range."""
        self._network = ipaddress.ip_network(pod_cidr)

    async def version(self) -> RuntimeVersion:
        return RuntimeVersion("simulated", "1.0.0")

    async def readiness(self) -> Readiness:
        return Readiness()

    async def pods(self) -> list[RuntimePod]:
        return [self._shown(uid) for uid in self._pods]

    async def pod(self, uid: str) -> RuntimePod:
        return self._shown(uid)

    def _shown(self, uid: str) -> RuntimePod:
        pod = self._pods.get(uid)
        if pod is None:
            return RuntimePod(uid)
        newest_first = (tuple(reversed(pod.sandboxes)), tuple(reversed(pod.containers)))
        return RuntimePod(uid, pod.spec.namespace, pod.spec.name, *newest_first)

    async def run_sandbox(self, spec: SandboxSpec) -> str:
        identifier = self._identifier("sandbox")
        ips = () if spec.host_network else (self._address(identifier),)
        pod = self._pods.setdefault(spec.uid, _Pod(spec))
        pod.spec = spec
        pod.sandboxes.append(Sandbox(identifier, spec.attempt, True, self._now(), ips, spec.host_network))
        self._owner[identifier] = spec.uid
        return identifier

    async def stop_sandbox(self, sandbox_id: str) -> None:
        pod = self._pod_of(sandbox_id)
        for record in pod.containers:
            if record.sandbox_id == sandbox_id and record.state is State.RUNNING:
                self._ended(record.id, 137)
        pod.sandboxes = [
            dataclasses.replace(box, ready=False, ips=()) if box.id == sandbox_id else box for box in pod.sandboxes
        ]
        self._used = {address: owner for address, owner in self._used.items() if owner != sandbox_id}

    async def remove_sandbox(self, sandbox_id: str) -> None:
        await self.stop_sandbox(sandbox_id)
        uid = self._owner.pop(sandbox_id)
        pod = self._pods[uid]
        pod.sandboxes = [box for box in pod.sandboxes if box.id != sandbox_id]
        if not pod.sandboxes and not pod.containers:
            del self._pods[uid]

    async def create_container(self, sandbox_id: str, spec: ContainerSpec, sandbox: SandboxSpec) -> str:
        pod = self._pod_of(sandbox_id)
        identifier = self._identifier("container")
        self._owner[identifier] = sandbox.uid
        self._scripts[identifier] = parse_script(sandbox.annotations.get(ANNOTATION, ""), spec.name)
        record = ContainerRecord(
            id=identifier,
            sandbox_id=sandbox_id,
            name=spec.name,
            attempt=spec.attempt,
            state=State.CREATED,
            created_at=self._now(),
            image=spec.user_image,
            image_id=spec.image,
            annotations=spec.annotations,
        )
        pod.containers.append(record)
        return identifier

    async def start_container(self, container_id: str) -> None:
        script = self._script(container_id)
        if script.start:
            await asyncio.sleep(script.start)
        self._change(container_id, state=State.RUNNING, started_at=self._now())
        if script.exit_code is not None:
            asyncio.get_running_loop().call_later(script.after, self._ended, container_id, script.exit_code)

    async def update_resources(self, container_id: str, resources: LinuxResources) -> None:
        """Nothing is held back by simulated control groups."""

    async def stop_container(self, container_id: str, grace: int) -> None:
        script = self._script(container_id)
        patient = 0 <= script.term <= grace
        wait = script.term if patient else float(grace)
        if wait:
            await asyncio.sleep(wait)
        self._ended(container_id, 143 if not patient else 0, 0 if patient else 137)

    async def remove_container(self, container_id: str) -> None:
        pod = self._pod_of(container_id)
        pod.containers = [record for record in pod.containers if record.id != container_id]
        del self._owner[container_id], self._scripts[container_id]

    async def image(self, name: str) -> Image | None:
        return Image(id=f"sha256:{name}", tags=(name,))

    async def pull_image(self, name: str, credentials: Credentials | None, sandbox: SandboxSpec) -> str:
        return f"sha256:{name}"

    async def images(self) -> list[Image]:
        return []

    async def remove_image(self, name: str) -> None:
        return None

    async def exec_sync(self, container_id: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        return ExecResult(0 if self.is_ready(container_id) else 1)

    async def exec_url(self, container_id: str, command: tuple[str, ...], streams: Streams) -> str:
        raise RuntimeFailure("a simulated container runs no commands")

    async def attach_url(self, container_id: str, streams: Streams) -> str:
        raise RuntimeFailure("a simulated container has no streams")

    async def port_forward_url(self, sandbox_id: str, ports: tuple[int, ...]) -> str:
        raise RuntimeFailure("a simulated pod has no ports")

    async def reopen_log(self, container_id: str) -> None:
        return None

    async def stats(self) -> list[Stats]:
        return []

    async def events(self) -> AsyncIterator[str]:
        while True:
            yield await self._events.get()

    def ready_in(self, container_id: str) -> float | None:
        """Seconds until probes succeed; None when they never will."""
        record, script = self._record(container_id), self._script(container_id)
        if script.ready < 0 or record.state is not State.RUNNING:
            return None
        return max(script.ready - (self._now() - record.started_at) / SECOND, 0.0)

    def is_ready(self, container_id: str) -> bool:
        """Whether a probe that comes now succeeds."""
        return self.ready_in(container_id) == 0.0

    def kill(self, uid: str, name: str, exit_code: int = 137) -> None:
        """What `kill -9` does to a container's process; for tests and demonstrations."""
        record = self._shown(uid).newest(name)
        if record is None:
            raise NotFound(f"no container {name}")
        self._ended(record.id, exit_code)

    def pull_of(self, sandbox: SandboxSpec, container: str) -> str:
        """`fail`, or how long the pull takes; empty: the image is there."""
        return parse_script(sandbox.annotations.get(ANNOTATION, ""), container).pull

    def _now(self) -> int:
        return nanoseconds(self._clock.now())

    def _identifier(self, sort: str) -> str:
        self._count += 1
        return f"{self._node}-{sort}-{self._count}"

    def _address(self, sandbox_id: str) -> str:
        if self._network is None:
            raise RuntimeFailure("the node has no pod CIDR yet")
        base = int(self._network.network_address)
        for number in range(2, self._network.num_addresses - 1):
            address = str(ipaddress.ip_address(base + number))
            if address not in self._used:
                self._used[address] = sandbox_id
                return address
        raise RuntimeFailure(f"no IP addresses available in range {self._network}")

    def _pod_of(self, identifier: str) -> _Pod:
        uid = self._owner.get(identifier)
        if uid is None or uid not in self._pods:
            raise NotFound(f'"{identifier}": not found')
        return self._pods[uid]

    def _script(self, container_id: str) -> Script:
        script = self._scripts.get(container_id)
        if script is None:
            raise NotFound(f'"{container_id}": not found')
        return script

    def _record(self, container_id: str) -> ContainerRecord:
        pod = self._pod_of(container_id)
        return next(record for record in pod.containers if record.id == container_id)

    def _change(self, container_id: str, **what: object) -> None:
        pod = self._pod_of(container_id)
        pod.containers = [
            dataclasses.replace(record, **what) if record.id == container_id else record  # type: ignore[arg-type]
            for record in pod.containers
        ]

    def _ended(self, container_id: str, exit_code: int, forced: int = 0) -> None:
        if container_id not in self._owner or self._record(container_id).state is not State.RUNNING:
            return
        code = forced or exit_code
        reason = "Completed" if code == 0 else "Error"
        self._change(container_id, state=State.EXITED, finished_at=self._now(), exit_code=code, reason=reason)
        self._events.put_nowait(self._owner[container_id])
