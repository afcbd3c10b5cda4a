"""The kubelet: one node's agent. Pods bound to the node flow in, running containers, statuses and leases flow out.

The composition root builds one per node with `Kit` and calls `run`. What it runs: the node keeper, one worker per pod,
and the listener to the runtime's events. Containers go on running when it stops, and are adopted when it starts again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from pybernetes.api.types.core_v1 import Container, Node, Pod, PodSpec
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.environment.chance import Chance
from pybernetes.kubelet.decide.admission import refusal
from pybernetes.kubelet.decide.node import Machine, Pressure
from pybernetes.kubelet.decide.observed import Waiting, is_running
from pybernetes.kubelet.kit import Kit
from pybernetes.kubelet.log_rotation import LogRotation
from pybernetes.kubelet.node import NodeKeeper
from pybernetes.kubelet.runtime import ContainerRecord, RuntimeFailure, RuntimePod
from pybernetes.kubelet.worker import PodWorker
from pybernetes.reconcile.informer import Informer, Selection

log = logging.getLogger(__name__)

AFTER_FAILURE = 10.0  # seconds until a pod whose worker failed is taken up again


class Kubelet:
    """One node. `on_pod_cidr` is told the node's pod range as soon as it is known (and may be told it again)."""

    def __init__(
        self,
        kit: Kit,
        *,
        chance: Chance,
        machine: Callable[[], tuple[Machine, Pressure]],
        on_pod_cidr: Callable[[str], None] | None = None,
    ) -> None:
        options = kit.options
        self.kit = kit
        self.workers: dict[str, PodWorker] = {}
        self._on_pod_cidr = on_pod_cidr
        self._pod_cidr = ""
        self.keeper = NodeKeeper(kit, chance, machine)
        on_node = Selection(field_selector=f"spec.nodeName={options.node_name}")
        itself = Selection(field_selector=f"metadata.name={options.node_name}")
        self._pods: Informer[Pod] = Informer(kit.client, Pod, kit.clock, chance, on_node)
        self._nodes: Informer[Node] = Informer(kit.client, Node, kit.clock, chance, itself)
        self._tasks: asyncio.TaskGroup | None = None
        self._network = asyncio.Event()

    async def run(self) -> None:
        """Runs the node until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self.keeper.run(), name="node")
            tasks.create_task(self.kit.preparation.run(), name="preparation")
            if not self.kit.options.simulated:
                rotation = LogRotation(self.kit.runtime, self.kit.clock, self._running_containers)
                tasks.create_task(rotation.run(), name="log rotation")
            await self.keeper.registered()
            self._nodes.on_change(self._node_changed)
            tasks.create_task(self._nodes.run(), name="informer of the node")
            await self._network.wait()
            tasks.create_task(self._listen(), name="runtime events")
            self._pods.on_change(self._pod_changed)
            tasks.create_task(self._pods.run(), name="informer of pods")
            await self._pods.wait_synced()
            await self._adopt()

    def pods(self) -> list[Pod]:
        """The pods that this node looks after, as the API server last told."""
        return [worker.pod for worker in self.workers.values()]

    def find(self, namespace: str, name: str, uid: str = "") -> PodWorker | None:
        """The worker of a pod; the newest of that name unless the uid says which."""
        found = None
        for worker in self.workers.values():
            meta = worker.pod.metadata
            if (meta.namespace, meta.name) == (namespace, name) and uid in ("", meta.uid):
                found = worker
        return found

    def _running_containers(self) -> Iterable[ContainerRecord]:
        return [each for worker in self.workers.values() for each in worker.runtime.containers if is_running(each)]

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        self.keeper.update(new)
        cidr = (new.spec.pod_cidr or "") if new is not None else ""
        if cidr and cidr != self._pod_cidr:
            self._pod_cidr = cidr
            if self._on_pod_cidr is not None:
                self._on_pod_cidr(cidr)
            self.keeper.look_again()
            self._network.set()
        elif new is not None and self._tasks is not None and not self.kit.options.wait_for_pod_cidr:
            self._network.set()

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is None:
            return
        worker = self.workers.get(pod.metadata.uid or "")
        if worker is not None:
            worker.update(new)
        elif new is not None:
            self._start(PodWorker(self.kit, new))

    def _start(self, worker: PodWorker) -> None:
        if self._tasks is None:
            return
        worker.rejected = self._refusal(worker)
        self.workers[worker.uid] = worker
        self._tasks.create_task(self._look_after(worker), name=f"pod {worker.pod.metadata.name}")

    def _refusal(self, worker: PodWorker) -> Waiting | None:
        others = [each.pod for each in self.workers.values()]
        node = self.keeper.node
        reason = refusal(worker.pod, others, node) if node is not None and not worker.removed else None
        if reason is not None:
            self.kit.recorder.event(worker.pod, "Warning", reason.reason, reason.message)
        return reason

    async def _look_after(self, worker: PodWorker) -> None:
        try:
            while not await self._run_guarded(worker):
                await asyncio.sleep(AFTER_FAILURE)
                worker = self.workers[worker.uid] = PodWorker(self.kit, worker.pod, removed=worker.removed)
        finally:
            self.workers.pop(worker.uid, None)

    async def _run_guarded(self, worker: PodWorker) -> bool:
        try:
            await worker.run()
        except Exception:
            # The outermost edge of one pod: a mistake in it must not take the node down.
            log.exception("pod %s/%s: worker failed", worker.pod.metadata.namespace, worker.pod.metadata.name)
            return False
        return True

    async def _adopt(self) -> None:
        """What the runtime still has of pods that the API server no longer knows is brought to an end."""
        for found in await self._runtime_pods():
            if found.uid not in self.workers:
                self._start(PodWorker(self.kit, leftover(found), removed=True))
        await self.kit.preparation.clean_others(set(self.workers))

    async def _runtime_pods(self) -> list[RuntimePod]:
        while True:
            try:
                return await self.kit.runtime.pods()
            except RuntimeFailure as error:
                log.warning("runtime cannot be asked for its pods: %s", error)
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        """Passes the runtime's events on; after a silence everybody looks again."""
        while True:
            try:
                async for uid in self.kit.runtime.events():
                    worker = self.workers.get(uid)
                    if worker is not None:
                        worker.wake()
            except RuntimeFailure as error:
                log.warning("runtime events ended: %s", error)
            self.keeper.look_again()
            await asyncio.sleep(0.5)
            # Once now and once when we surely listen again: what happened in between has been told to nobody.
            self._wake_all()
            asyncio.get_running_loop().call_later(2.0, self._wake_all)

    def _wake_all(self) -> None:
        for worker in self.workers.values():
            worker.wake()


def leftover(found: RuntimePod) -> Pod:
    """A stand-in for a pod of which only the containers are left."""
    names = dict.fromkeys(record.name for record in found.containers)
    return Pod(
        metadata=ObjectMeta(uid=found.uid, name=found.name, namespace=found.namespace),
        spec=PodSpec(containers=[Container(name=name) for name in names]),
    )
