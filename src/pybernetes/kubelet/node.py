"""Keeps this node's Node object and Lease: registers, says that it is alive, reports when something has changed.

Out go the Node, its status (on change, else every five minutes) and a Lease every ten seconds; in comes the pod CIDR.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pybernetes.api import time
from pybernetes.api.objects import copy, to_builtins
from pybernetes.api.status import StatusError
from pybernetes.api.types.coordination_v1 import Lease, LeaseSpec
from pybernetes.api.types.core_v1 import Node, NodeStatus, ObjectReference
from pybernetes.api.types.meta_v1 import ObjectMeta, OwnerReference
from pybernetes.client import PatchType, Unreachable
from pybernetes.environment.chance import Chance
from pybernetes.kubelet.decide.node import (
    Machine,
    NodeFacts,
    Pressure,
    new_node,
    node_labels,
    node_status,
    same_but_for_heartbeats,
)
from pybernetes.kubelet.kit import Kit
from pybernetes.kubelet.runtime import RuntimeFailure, RuntimeVersion

log = logging.getLogger(__name__)

LEASES = "kube-node-lease"
# While the runtime is not ready it is asked this often; afterwards its failures show in the pods.
UNREADY_CHECK = 0.25
READY_CHECK = 60.0


class NodeKeeper:
    """One node's presence at the API server."""

    def __init__(self, kit: Kit, chance: Chance, machine: Callable[[], tuple[Machine, Pressure]]) -> None:
        self._options = kit.options
        self._client = kit.client
        self._runtime = kit.runtime
        self._clock = kit.clock
        self._recorder = kit.recorder
        self._chance = chance
        self._machine = machine
        self._node: Node | None = None
        self._lease: Lease | None = None
        self._changed = asyncio.Event()
        self._registered = asyncio.Event()
        self._told_ready: bool | None = None

    @property
    def node(self) -> Node | None:
        """The newest known Node."""
        return self._node

    def reference(self) -> ObjectReference:
        """How events name this node; upstream puts the name where the uid would be."""
        name = self._options.node_name
        return ObjectReference(kind="Node", api_version="v1", name=name, uid=name)

    async def registered(self) -> None:
        """Returns when the API server knows the node."""
        await self._registered.wait()

    def update(self, node: Node | None) -> None:
        """Takes what the informer brings. A node that somebody deleted stays deleted until the kubelet starts anew."""
        self._node = node
        if node is not None and self._told_ready not in (None, is_ready(node.status)):
            self._changed.set()  # somebody who did not hear of us for a while has marked the node
        elif node is not None and node.status.capacity.keys() != node.status.allocatable.keys():
            self._changed.set()  # somebody gave or took an extended resource

    def look_again(self) -> None:
        """Something about the node may have changed."""
        self._changed.set()

    async def run(self) -> None:
        """Registers and then reports until cancelled."""
        await self._until_reachable(self._register)
        self._registered.set()
        self._recorder.event(self.reference(), "Normal", "Starting", "Starting kubelet.")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_lease(), name="lease")
            tasks.create_task(self._keep_status(), name="node status")

    async def _register(self) -> None:
        facts = await self._facts()
        try:
            self._node = await self._client.get(Node, self._options.node_name)
        except StatusError as error:
            if error.code != 404:
                raise
            self._node = await self._client.create(new_node(self._options, facts, self._now()))
            self._tell_ready(self._node.status)
            return
        labels = {**self._node.metadata.labels, **node_labels(self._options, facts.machine)}
        if labels != self._node.metadata.labels:
            patch = {"metadata": {"labels": labels}}
            self._node = await self._client.patch(Node, self._options.node_name, "", patch)
        await self._report(facts, force=True)

    async def _keep_status(self) -> None:
        last = self._clock.monotonic()
        while True:
            facts = await self._facts()
            # A status is due now and then even when nothing changes, so that nobody takes it for stale.
            due = self._clock.monotonic() - last >= self._options.status_interval
            if await self._report(facts, force=due):
                last = self._clock.monotonic()
            rest = self._options.status_interval - (self._clock.monotonic() - last)
            pause = UNREADY_CHECK if facts.problems else min(READY_CHECK, max(rest, 1.0))
            await self._pause(pause if self._has_checks() else max(rest, 1.0))

    def _has_checks(self) -> bool:
        """A simulated runtime never fails, and thousands of them must not ask every minute."""
        return not self._options.simulated

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        finally:
            self._changed.clear()

    async def _report(self, facts: NodeFacts, *, force: bool) -> bool:
        """Patches the status if it says something new; True when the API server has it."""
        node = self._node
        if node is None:
            return False
        status = node_status(self._options, facts, node.status, self._now())
        if not force and same_but_for_heartbeats(node.status, status):
            return False
        patch = {"status": node_patch(node.status, status)}
        try:
            self._node = await self._client.patch(
                Node, self._options.node_name, "", patch, PatchType.STRATEGIC, subresource="status"
            )
        except (Unreachable, StatusError) as error:
            log.warning("node status not written: %s", error)
            return False
        self._tell_ready(status)
        return True

    def _tell_ready(self, status: NodeStatus) -> None:
        ready = is_ready(status)
        if ready == self._told_ready:
            return
        self._told_ready = ready
        reason = "NodeReady" if ready else "NodeNotReady"
        text = f"Node {self._options.node_name} status is now: {reason}"
        self._recorder.event(self.reference(), "Normal", reason, text)

    async def _facts(self) -> NodeFacts:
        machine, pressure = self._machine()
        try:
            version = await self._runtime.version()
            readiness = await self._runtime.readiness()
            images = await self._runtime.images()
        except RuntimeFailure as error:
            return NodeFacts(machine, RuntimeVersion("unknown", "unknown"), (f"container runtime is down: {error}",))
        return NodeFacts(machine, version, readiness.problems, pressure, tuple(images))

    async def _keep_lease(self) -> None:
        # Nodes that start together shall not renew together for ever.
        while True:
            try:
                await self._renew()
            except (Unreachable, StatusError) as error:
                log.warning("lease not renewed: %s", error)
                self._lease = None
                await asyncio.sleep(self._chance.uniform(0.2, 1.0))
                continue
            await asyncio.sleep(self._options.lease_interval * self._chance.uniform(0.96, 1.04))

    async def _renew(self) -> None:
        name, now = self._options.node_name, time.format_micro(self._clock.now())
        if self._lease is None:
            self._lease = await self._find_lease(name, now)
        lease = copy(self._lease)
        lease.spec.renew_time = now
        lease.spec.holder_identity = name
        lease.spec.lease_duration_seconds = self._options.lease_seconds
        self._lease = await self._client.update(lease)

    async def _find_lease(self, name: str, now: str) -> Lease:
        try:
            return await self._client.get(Lease, name, LEASES)
        except StatusError as error:
            if error.code != 404:
                raise
        uid = self._node.metadata.uid if self._node else ""
        owner = OwnerReference(api_version="v1", kind="Node", name=name, uid=uid or "")
        spec = LeaseSpec(holder_identity=name, lease_duration_seconds=self._options.lease_seconds, renew_time=now)
        where = ObjectMeta(name=name, namespace=LEASES, owner_references=[owner] if uid else [])
        return await self._client.create(Lease(metadata=where, spec=spec))

    async def _until_reachable(self, action: Callable[[], Any]) -> None:
        delay = 0.1
        while True:
            try:
                await action()
                return
            except (Unreachable, StatusError) as error:
                log.warning("node not registered yet: %s", error)
            await asyncio.sleep(delay * self._chance.uniform(0.9, 1.1))
            delay = min(delay * 2, 7.0)

    def _now(self) -> str:
        return time.format(self._clock.now())


def is_ready(status: NodeStatus) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in status.conditions)


def node_patch(old: NodeStatus, new: NodeStatus) -> dict[str, Any]:
    """The strategic merge patch between two statuses of a node; lists with a merge key only name what differs,
    and an extended resource that nobody tells of any more is taken away."""
    before, after = to_builtins(old), to_builtins(new)
    patch: dict[str, Any] = {}
    for name in {**before, **after}:
        was, is_ = before.get(name), after.get(name)
        if was == is_:
            continue
        patch[name] = [each for each in is_ if each not in (was or [])] if name == "conditions" and is_ else is_
        if name == "allocatable" and was and is_:
            patch[name] = {**dict.fromkeys(was), **is_}
    return patch
