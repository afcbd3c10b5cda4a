"""One pod's life on this node: look, decide, act, report, until the pod is gone.

The informer's pods, the runtime's events and the probes wake it (`update`, `wake`); actions go to the runtime, the
status to the API server. A pod that is to end has its work under way cancelled; nothing else interrupts a round.
"""

from __future__ import annotations

import asyncio
import logging

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, Preconditions
from pybernetes.client.errors import Unreachable
from pybernetes.kubelet.decide.actions import Plan, pod_plan
from pybernetes.kubelet.decide.backoff import BackOff
from pybernetes.kubelet.decide.observed import Observed, Trouble, Waiting, all_containers, has_ended, is_done
from pybernetes.kubelet.decide.resizing import stamp_of
from pybernetes.kubelet.decide.status import pod_status
from pybernetes.kubelet.decide.times import SECOND, nanoseconds, parse_time
from pybernetes.kubelet.kit import Kit, StartFailure
from pybernetes.kubelet.probing import ProbeTasks
from pybernetes.kubelet.runtime import NotFound, RuntimeFailure, RuntimePod
from pybernetes.kubelet.starting import Starter, find_container
from pybernetes.kubelet.status_writer import StatusWriter
from pybernetes.kubelet.stopping import Stopper

log = logging.getLogger(__name__)

RETRY_SECONDS = 2
DEADLINE = Waiting("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class PodWorker:
    """Looks after one pod (one uid)."""

    def __init__(self, kit: Kit, pod: Pod, *, removed: bool = False) -> None:
        self.kit = kit
        self.pod = pod
        self.removed = removed  # the API server knows it no more
        self.runtime = RuntimePod(pod.metadata.uid or "")
        self.rejected: Waiting | None = None
        self._verdict: Waiting | None = None
        self._back_offs: dict[str, BackOff] = {}
        self._messages: dict[str, str] = {}
        self._resized: dict[str, str] = {}
        self._troubles: dict[str, Trouble] = {}
        self._pod_trouble: Trouble | None = None
        self._reported_back_offs: dict[str, str] = {}
        self._prepared = False
        self._wake = asyncio.Event()
        self._action: asyncio.Task[None] | None = None
        self._first_seen = nanoseconds(kit.clock.now())

    @property
    def uid(self) -> str:
        return self.pod.metadata.uid or ""

    def update(self, pod: Pod | None) -> None:
        """Takes the newest pod; None when the API server has it no more."""
        if pod is None:
            self.removed = True
        else:
            self.pod = pod
            self.kit.preparation.changed(pod)
        if self._is_unwanted() and self._action is not None:
            self._action.cancel()
        self._wake.set()

    def wake(self) -> None:
        """Something may have changed: look again."""
        self._wake.set()

    async def run(self) -> None:
        """Returns when nothing of the pod is left, here and at the API server."""
        async with asyncio.TaskGroup() as group:
            self._writer = StatusWriter(self.kit.client, group)
            self._probes = ProbeTasks(self.kit, group, self.wake)
            self._stopper = Stopper(self.kit, group, self.wake)
            self._starter = Starter(self.kit)
            while not await self._guarded_round(group):
                pass
            self._probes.stop()

    async def _guarded_round(self, group: asyncio.TaskGroup) -> bool:
        try:
            return await self._round(group)
        except (RuntimeFailure, OSError) as error:
            log.warning("pod %s/%s: %s", self.pod.metadata.namespace, self.pod.metadata.name, error)
            await self._wait(nanoseconds(self.kit.clock.now()) + RETRY_SECONDS * SECOND)
            return False

    async def _round(self, group: asyncio.TaskGroup) -> bool:
        self._wake.clear()
        self.runtime = await self.kit.runtime.pod(self.uid)
        observed = self._observe()
        self._probes.follow(observed)
        if observed.ending:
            return await self._end(observed)
        await self._prepare_adopted()
        plan = pod_plan(observed)
        self._report(observed, plan)
        if not _has_work(plan):
            await self._wait(_earliest(plan.wake_at, self._deadline()))
            return False
        self._action = group.create_task(self._guarded_act(plan), name=f"work for {self.pod.metadata.name}")
        await asyncio.wait({self._action})
        self._action = None
        return False

    async def _guarded_act(self, plan: Plan) -> None:
        try:
            await self._act(plan)
        except (RuntimeFailure, OSError) as error:
            log.warning("pod %s/%s: %s", self.pod.metadata.namespace, self.pod.metadata.name, error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _prepare_adopted(self) -> None:
        """A pod that an earlier kubelet has started: its volumes have to be kept up to date from here on."""
        if self._prepared or not self.runtime.sandboxes or not self.runtime.sandboxes[0].ready:
            return
        try:
            await self.kit.preparation.prepare(self.pod)
            self._prepared = True
        except StartFailure as failure:
            log.warning("pod %s/%s: %s", self.pod.metadata.namespace, self.pod.metadata.name, failure)

    def _observe(self) -> Observed:
        now = nanoseconds(self.kit.clock.now())
        if self.rejected is not None:
            self._verdict = self.rejected
        elif self._verdict is None and (deadline := self._deadline()) and deadline <= now:
            self._verdict = DEADLINE
        self._read_messages()
        observed = Observed(
            pod=self.pod,
            runtime=self.runtime,
            now=now,
            health=self._probes.health,
            back_offs=self._back_offs,
            troubles=self._troubles,
            pod_trouble=self._pod_trouble,
            resized=self._resized,
            messages=self._messages,
            verdict=self._verdict,
            ending=self._is_unwanted() or self._verdict is not None or self.pod.status.phase in ("Succeeded", "Failed"),
        )
        return observed if observed.ending or not is_done(observed) else _ending(observed)

    def _is_unwanted(self) -> bool:
        return self.removed or self.pod.metadata.deletion_timestamp is not None

    def _deadline(self) -> int:
        """When activeDeadlineSeconds are over; 0 when they are not set."""
        seconds = self.pod.spec.active_deadline_seconds
        if seconds is None or self._verdict is not None:
            return 0
        return (parse_time(self.pod.status.start_time) or self._first_seen) + seconds * SECOND

    def _read_messages(self) -> None:
        by_name = {container.name: container for container in all_containers(self.pod)}
        for record in self.runtime.containers:
            if has_ended(record) and record.id not in self._messages and record.name in by_name:
                container = by_name[record.name]
                self._messages[record.id] = self.kit.preparation.termination_message(self.pod, container, record)

    def _report(self, observed: Observed, plan: Plan) -> None:
        for name, waiting in plan.waiting.items():
            if self._reported_back_offs.get(name) != waiting.message:
                self._reported_back_offs[name] = waiting.message
                text = f"Back-off restarting failed container {name} in pod {self.pod.metadata.name}"
                text += f"_{self.pod.metadata.namespace}({self.uid})"
                self.kit.tell(self.pod, name, ("Warning", "BackOff", text))
        self._writer.write(self.pod, pod_status(observed, self.kit.options.node_ip, plan.waiting))

    async def _act(self, plan: Plan) -> None:
        """Carries a plan out; what fails becomes a trouble that the status tells of."""
        runtime = self.kit.runtime
        if plan.kill_pod:
            text = "Pod sandbox changed, it will be killed and re-created."
            self.kit.recorder.event(self.pod, "Normal", "SandboxChanged", text)
            await self._stopper.clear_sandboxes(self.pod, self.runtime)
        if plan.create_sandbox:
            self._pod_trouble = await self._starter.sandbox(self.pod, plan.sandbox_attempt)
            self._prepared = self._pod_trouble is None
            return
        for kill in plan.kill:
            await self._stopper.kill(self.pod, self.runtime, kill)
        for resize in plan.resize:
            container = find_container(self.pod, resize.name)
            await runtime.update_resources(resize.container_id, self.kit.preparation.resources(self.pod, container))
            self._resized[resize.container_id] = stamp_of(container.resources)
        for start in plan.start:
            self._back_offs.update({start.name: plan.back_offs[start.name]} if start.name in plan.back_offs else {})
            trouble = await self._starter.container(self.pod, self.runtime, start)
            self._troubles.pop(start.name, None)
            if trouble is not None:
                self._troubles[start.name] = trouble
        for container_id in plan.remove_containers:
            await _forgiving(runtime.remove_container(container_id))
        for sandbox_id in plan.remove_sandboxes:
            await _forgiving(runtime.remove_sandbox(sandbox_id))

    async def _end(self, observed: Observed) -> bool:
        """Brings the pod to rest; True when there is nothing more to do for ever."""
        if self._stopper.stop_running(self.pod, self.runtime, self.removed):
            self._writer.write(self.pod, pod_status(observed, self.kit.options.node_ip, {}))
            await self._wait(0)
            return False
        if any(box.ready for box in self.runtime.sandboxes):
            # The ended containers are told of before the sandbox goes, so that users see them at once.
            self._writer.write(self.pod, pod_status(observed, self.kit.options.node_ip, {}))
            await self._stopper.stop_sandboxes(self.runtime)
            return False
        self._writer.write(self.pod, pod_status(observed, self.kit.options.node_ip, {}))
        if not self._is_unwanted():
            await self._wait(0)
            return False
        await self._stopper.remove_all(self.runtime)
        await self.kit.preparation.clean(self.uid)
        return await self._take_leave()

    async def _take_leave(self) -> bool:
        """Lets the API server forget the pod; True when it has. Finalizers may keep it a while."""
        await self._writer.flushed()
        meta = self.pod.metadata
        while not self.removed:
            options = DeleteOptions(grace_period_seconds=0, preconditions=Preconditions(uid=meta.uid))
            try:
                await self.kit.client.delete(Pod, meta.name or "", meta.namespace or "", options)
            except StatusError as error:
                if error.code in (404, 409):
                    return True
                log.warning("pod %s/%s not deleted: %s", meta.namespace, meta.name, error)
            except Unreachable as error:
                log.info("pod %s/%s not deleted: %s", meta.namespace, meta.name, error)
            await self._wait(nanoseconds(self.kit.clock.now()) + 10 * SECOND)
            self._wake.clear()
        return True

    async def _wait(self, until: int) -> None:
        """Until something wakes the worker, or the moment has come (0: no moment)."""
        if not until:
            await self._wake.wait()
            return
        seconds = (until - nanoseconds(self.kit.clock.now())) / SECOND
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                await self._wake.wait()
        except TimeoutError:
            return


def _ending(observed: Observed) -> Observed:
    return Observed(**{**{name: getattr(observed, name) for name in Observed.__dataclass_fields__}, "ending": True})


def _has_work(plan: Plan) -> bool:
    return bool(
        plan.kill_pod
        or plan.create_sandbox
        or plan.kill
        or plan.resize
        or plan.start
        or plan.remove_containers
        or plan.remove_sandboxes
    )


def _earliest(*moments: int) -> int:
    return min((moment for moment in moments if moment), default=0)


async def _forgiving(call: asyncio.Future[None] | object) -> None:
    """Awaits a removal for which "not there" is as good as done."""
    try:
        await call  # type: ignore[misc]
    except NotFound:
        return
