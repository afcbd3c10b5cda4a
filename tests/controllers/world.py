"""A cluster without machines, in virtual time: the real API server in memory, the controllers, and pretended kubelets.

The agent does what the scheduler and kubelets would: binds pods to nodes in turn, makes them ready, and lets them go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.api import time as api_time
from pybernetes.api.objects import ApiObject, Object, from_builtins
from pybernetes.api.status import StatusError
from pybernetes.api.types.authentication_v1 import TokenReview, TokenReviewSpec
from pybernetes.api.types.coordination_v1 import Lease, LeaseSpec
from pybernetes.api.types.core_v1 import Event, Namespace, Node, NodeCondition, NodeStatus, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.client import Client, PatchType
from pybernetes.client.in_process import InProcessTransport
from pybernetes.controllers.context import ControllerContext, ControllerOptions
from pybernetes.controllers.main import CONTROLLERS, make_context, run_controllers
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import LoopClock
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.reconcile import Informers
from pybernetes.store.embedded import EmbeddedStore

_KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
_START = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE = 600.0


@dataclass
class World:
    """What a test may touch."""

    client: Client
    context: ControllerContext
    agent: Agent
    tasks: asyncio.TaskGroup
    clock: LoopClock

    async def until(self, what: Callable[[], Awaitable[Any]]) -> Any:
        """Waits, in virtual time, until it is truthy; the value. A 404 counts as not yet."""
        for _ in range(int(PATIENCE * 10)):
            try:
                value = await what()
            except StatusError as error:
                if error.code != 404:
                    raise
                value = None
            if value:
                return value
            await asyncio.sleep(0.1)
        raise AssertionError(f"never happened within {PATIENCE} s")

    async def pods(self, namespace: str = "default", **labels: str) -> list[Pod]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return (await self.client.list(Pod, namespace, label_selector=selector)).items

    async def events(self, namespace: str = "default") -> list[tuple[str, str, str]]:
        """(kind, reason, message) of each event, in the order of their names' times."""
        items = (await self.client.list(Event, namespace)).items
        items.sort(key=lambda item: (item.metadata.name or "").rpartition(".")[2])
        return [(item.involved_object.kind or "", item.reason or "", item.message or "") for item in items]

    async def who(self, token: str) -> str:
        """The user that the server takes the bearer of a token for."""
        review = await self.client.create(TokenReview(spec=TokenReviewSpec(token=token)))
        return review.status.user.username or ""

    async def gone(self, type_: type[ApiObject], name: str, namespace: str = "default") -> bool:
        try:
            await self.client.get(type_, name, namespace)
        except StatusError as error:
            return error.code == 404
        return False


class Agent:
    """Scheduler and kubelets in one."""

    def __init__(self, client: Client, informers: Informers, clock: LoopClock, nodes: Iterable[str]) -> None:
        self.nodes = list(nodes)
        self.silent: set[str] = set()
        self._client = client
        self._clock = clock
        self._pods = informers.of(Pod)
        self._work: asyncio.Queue[Pod] = asyncio.Queue()
        self._turn = 0
        self._address = 1
        self._pods.on_change(lambda _, new: self._work.put_nowait(new) if new is not None else None)

    async def run(self) -> None:
        for name in self.nodes:
            await self._client.create(ready_node(name, self._clock.now()))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat())
            while True:
                await self._look(await self._work.get())

    async def _beat(self) -> None:
        while True:
            for name in self.nodes:
                if name not in self.silent:
                    await self._renew(name)
            await asyncio.sleep(10)

    async def _renew(self, name: str) -> None:
        now = api_time.format_micro(self._clock.now())
        try:
            await self._client.patch(Lease, name, "kube-node-lease", {"spec": {"renewTime": now}})
        except StatusError as error:
            if error.code != 404:
                raise
            metadata = ObjectMeta(name=name, namespace="kube-node-lease")
            await self._client.create(Lease(metadata=metadata, spec=LeaseSpec(holder_identity=name, renew_time=now)))

    async def _look(self, pod: Pod) -> None:
        where = pod.metadata
        try:
            if pod.spec.node_name in self.silent:
                return
            if where.deletion_timestamp is not None:
                options = DeleteOptions(grace_period_seconds=0)
                await self._client.delete(Pod, where.name or "", where.namespace or "", options)
            elif not pod.spec.node_name:
                await self._client.bind(pod, self._next_node())
            elif pod.status.phase == "Pending" and where.annotations.get("fake") != "pend":
                await self._start(pod)
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    def _next_node(self) -> str:
        able = [name for name in self.nodes if name not in self.silent]
        self._turn += 1
        return able[self._turn % len(able)]

    async def _start(self, pod: Pod) -> None:
        self._address += 1
        phase = {"succeed": "Succeeded", "fail": "Failed"}.get(pod.metadata.annotations.get("fake", ""), "Running")
        now = api_time.format(self._clock.now())
        ready = "True" if phase == "Running" else "False"
        conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": now}]
        address = f"10.244.{self._address // 250}.{self._address % 250 + 1}"
        status = {
            "phase": phase,
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": now,
            "conditions": conditions,
        }
        where = pod.metadata
        await self._client.patch(
            Pod, where.name or "", where.namespace or "", {"status": status}, PatchType.STRATEGIC, "status"
        )


def ready_node(name: str, now: datetime) -> Node:
    stamp = api_time.format(now)
    conditions = [
        NodeCondition(type="Ready", status="True", last_heartbeat_time=stamp, last_transition_time=stamp),
        *(NodeCondition(type=kind, status="False") for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")),
    ]
    capacity: dict[str, str | int | float] = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    metadata = ObjectMeta(name=name, labels={"kubernetes.io/os": "linux", "topology.kubernetes.io/zone": f"z-{name}"})
    return Node(metadata=metadata, status=NodeStatus(capacity=capacity, allocatable=capacity, conditions=conditions))


@asynccontextmanager
async def world(
    nodes: Iterable[str] = ("n1", "n2"), options: ControllerOptions | None = None, names: Iterable[str] = ()
) -> AsyncIterator[World]:
    clock = LoopClock(_START)
    chance = Chance(7)
    store = await EmbeddedStore.open(None, clock)
    tokens = {"t": UserInfo("admin", groups=("system:masters", "system:authenticated"))}
    server = await ApiServer.start(ApiServerOptions(_KEY, tokens=tokens), store, clock, chance)
    client = Client(InProcessTransport(server.handle, token="t"))
    chosen = options or ControllerOptions(
        cluster_cidr="10.244.0.0/16", root_ca="the CA", service_account_key=_KEY.decode()
    )
    context = make_context(client, clock, chance, chosen)
    agent_informers = Informers(client, clock, chance)
    agent = Agent(client, agent_informers, clock, nodes)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(run_controllers(context, names or tuple(CONTROLLERS))),
            tasks.create_task(agent_informers.run()),
            tasks.create_task(agent.run()),
        ]
        made = World(client, context, agent, tasks, clock)
        await made.until(lambda: _has_account(made))
        yield made
        for task in running:
            task.cancel()
    server.close()
    await store.close()


async def _has_account(made: World) -> bool:
    from pybernetes.api.types.core_v1 import ServiceAccount

    return bool(await made.client.get(ServiceAccount, "default", "default"))


def play(scenario: Callable[[World], Awaitable[None]], **settings: Any) -> None:
    """Runs a scenario in a world of its own, in virtual time."""

    async def main() -> None:
        async with world(**settings) as made:
            await scenario(made)

    run_virtual(main())


def made(type_: type[Object], name: str, namespace: str = "default", **parts: Any) -> Object:
    """An object from its JSON parts."""
    metadata = {"name": name} if type_ in (Namespace, Node) or not namespace else {"name": name, "namespace": namespace}
    metadata |= parts.pop("metadata", {})
    return from_builtins({"metadata": metadata, **parts}, type_)
