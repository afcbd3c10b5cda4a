"""A whole cluster in one process: the very components of a real one, on the in-process transport and a virtual clock.

A seed goes in; the same seed gives the same trace. Nodes have the real kubelet with the simulated runtime. Used by
tests and by anyone who wants to see what a cluster would do, on `environment.virtual_time.run_virtual`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.api.types.core_v1 import Taint
from pybernetes.api.wire import Peer
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.cluster.controller_rights import ensure_controller_rights
from pybernetes.cluster.marking import CONTROL_PLANE_ROLE, mark_control_plane
from pybernetes.cluster.scheduler_process import run_scheduler
from pybernetes.controllers.context import ControllerOptions
from pybernetes.controllers.main import make_context, run_controllers
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import LoopClock
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.simulated import SimulatedRuntime
from pybernetes.kubelet.simulation import simulated_kubelet
from pybernetes.store.embedded import EmbeddedStore

Answer = TypeVar("Answer")
_START = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SimulationOptions:
    """What a simulated cluster is made of."""

    workers: int = 6
    seed: int = 1
    cluster_cidr: str = "10.244.0.0/16"
    start: datetime = _START
    controllers: ControllerOptions = field(default_factory=lambda: ControllerOptions(cluster_cidr="10.244.0.0/16"))


class SimulatedCluster:
    """A running simulation. `client` is an administrator's, `runtimes` are what the nodes' containers run in."""

    def __init__(self, options: SimulationOptions, api: ApiServer, tasks: asyncio.TaskGroup) -> None:
        self.options = options
        self.api = api
        self.clock = LoopClock(options.start)
        self.chance = Chance(options.seed)
        self.client = self.client_of("kubernetes-admin", "system:masters")
        self.runtimes: dict[str, SimulatedRuntime] = {}
        self._tasks = tasks
        self._running: dict[str, asyncio.Task[None]] = {}

    def client_of(self, user: str, *groups: str) -> Client:
        """A client that is authenticated as by a certificate of this user."""
        return Client(InProcessTransport(self.api.handle, peer=Peer("in-process", user, groups)))

    @property
    def node_names(self) -> list[str]:
        return ["control-plane", *(f"worker-{number}" for number in range(1, self.options.workers + 1))]

    def start(self) -> None:
        """Starts the control plane and all nodes."""
        self._start("kube-controller-manager", self._run_controllers)
        self._start("kube-scheduler", self._run_scheduler)
        for name in self.node_names:
            self.start_node(name)
        self._tasks.create_task(mark_control_plane(self.client, "control-plane"))

    def start_node(self, name: str) -> None:
        """Switches a node on: an empty machine with a kubelet."""
        number = self.node_names.index(name) + 1
        control_plane = name == "control-plane"
        options = KubeletOptions(
            node_name=name,
            node_ip=f"192.168.100.{number}" if number < 255 else f"192.168.{100 + number // 250}.{number % 250 + 1}",
            root_dir=Path("/nonexistent"),
            register_with_taints=(Taint(key=CONTROL_PLANE_ROLE, effect="NoSchedule"),) if control_plane else (),
            simulated=True,
        )
        client = self.client_of(f"system:node:{name}", "system:nodes")
        runtime = self.runtimes[name] = SimulatedRuntime(self.clock, name)
        kubelet = simulated_kubelet(options, client, clock=self.clock, chance=self.chance, runtime=runtime)
        self._start(name, kubelet.run)

    async def stop(self, name: str) -> None:
        """Switches a node, or a component by its name, off without a farewell."""
        task = self._running.pop(name)
        task.cancel()
        await asyncio.wait([task])

    def start_component(self, name: str) -> None:
        """Starts a component of the control plane again after `stop`."""
        runs = {"kube-controller-manager": self._run_controllers, "kube-scheduler": self._run_scheduler}
        self._start(name, runs[name])

    async def until(self, condition: Callable[[], Answer]) -> Answer:
        """Waits, in virtual time, until `condition` gives something true; asked at every change of the store."""
        changed = asyncio.Event()
        watch = self.api.registry.store.watch("/registry/", self.api.registry.revision, lambda _events: changed.set())
        try:
            while not (found := condition()):
                await changed.wait()
                changed.clear()
        finally:
            watch.close()
        return found

    async def close(self) -> None:
        """Stops everything."""
        for name in list(self._running):
            await self.stop(name)

    def _start(self, name: str, run: Callable[[], object]) -> None:
        async def running() -> None:
            await run()  # type: ignore[misc]

        self._running[name] = self._tasks.create_task(running(), name=name)

    async def _run_controllers(self) -> None:
        client = self.client_of("system:kube-controller-manager")
        await run_controllers(make_context(client, self.clock, self.chance, self.options.controllers))

    async def _run_scheduler(self) -> None:
        await run_scheduler(self.client_of("system:kube-scheduler"), self.clock, self.chance)


@asynccontextmanager
async def quiet_api_server(options: SimulationOptions) -> AsyncIterator[ApiServer]:
    """An API server in memory with nothing around it, while the context is open; on a virtual-time loop."""
    clock, chance = LoopClock(options.start), Chance(options.seed)
    store = await EmbeddedStore.open(None, clock)
    api = await ApiServer.start(ApiServerOptions(_key(options.seed)), store, clock, chance)
    running = asyncio.create_task(api.run(), name="kube-apiserver")
    try:
        yield api
    finally:
        running.cancel()
        await asyncio.wait([running])
    api.close()
    await store.close()


@asynccontextmanager
async def simulated_cluster(options: SimulationOptions | None = None) -> AsyncIterator[SimulatedCluster]:
    """A cluster that runs while the context is open; on a virtual-time loop."""
    options = options or SimulationOptions()
    async with quiet_api_server(options) as api, asyncio.TaskGroup() as tasks:
        cluster = SimulatedCluster(options, api, tasks)
        await ensure_controller_rights(cluster.client)
        cluster.start()
        try:
            yield cluster
        finally:
            await cluster.close()


def _key(seed: int) -> bytes:
    """A service-account key that follows from the seed."""
    key = ec.derive_private_key(seed + 1, ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
