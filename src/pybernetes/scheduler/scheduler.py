"""kube-scheduler: informers' news in, bindings out. One pod at a time is decided on, many are being bound.

observe: callbacks keep the snapshot and the queue up to date. decide: `decide.place` and `decide.preemption`. act:
`act.Actor`. The composition root makes one `Scheduler` and calls `run`; informers and recorder run beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial

from pybernetes.api.status import StatusError
from pybernetes.client import Client, Unreachable
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import EventRecorder, Informers
from pybernetes.scheduler.act import Actor
from pybernetes.scheduler.decide.diagnosis import Unschedulable
from pybernetes.scheduler.decide.place import Placement, place
from pybernetes.scheduler.decide.plugin import Case
from pybernetes.scheduler.decide.preemption import Nomination, NoPreemption, preempt
from pybernetes.scheduler.decide.volume_binding import waiting_claims
from pybernetes.scheduler.hints import Change
from pybernetes.scheduler.observe import Observer
from pybernetes.scheduler.options import SchedulerOptions
from pybernetes.scheduler.pod_info import PodInfo
from pybernetes.scheduler.queue import SchedulingQueue
from pybernetes.scheduler.snapshot import Snapshot

log = logging.getLogger(__name__)

# What is to be done about a decision; nothing happens before it is called.
Action = Callable[[], Coroutine[None, None, None]]

UNSCHEDULABLE, SCHEDULER_ERROR = "Unschedulable", "SchedulerError"


class Scheduler:
    """Gives nodes to the pods that name this scheduler. `bound` and `failures` count for the life of the process."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        clock: Clock,
        chance: Chance,
        recorder: EventRecorder,
        options: SchedulerOptions | None = None,
    ) -> None:
        self.options = options or SchedulerOptions()
        self.snapshot = Snapshot()
        self.queue = SchedulingQueue()
        self.bound = 0
        self.failures = 0
        self._chance = chance
        self._actor = Actor(client, clock, recorder)
        self._observer = Observer(informers, self.snapshot, self.queue, self.options.scheduler_name)
        self._in_flight = asyncio.Semaphore(self.options.bindings_in_flight)
        self._start = 0  # where the next search begins, so that all nodes get their turn

    async def run(self) -> None:
        """Schedules until cancelled. Call it once."""
        self._observer.start()
        await self._observer.wait_synced()
        log.info("scheduling for %s: %d nodes", self.options.scheduler_name, len(self.snapshot.nodes))
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    pod = await self.queue.pop()
                    await self._in_flight.acquire()
                    tasks.create_task(self._finish(self._decide(pod)))
                    # A full queue must not keep the informers and the bindings from their turn.
                    await asyncio.sleep(0)
        finally:
            self.queue.close()

    def _decide(self, pod: PodInfo) -> Action:
        try:
            return self._schedule(pod)
        except Exception as error:
            # One pod's trouble must not stop the scheduler.
            self.failures += 1
            log.exception("%s: no decision", pod.key)
            self.queue.failed(pod, frozenset(), retry=True)
            return partial(self._explain_error, pod, str(error))

    def _schedule(self, pod: PodInfo) -> Action:
        """Decides about one pod, at once; what is to be done about it is returned."""
        if pod.terminating:
            self.queue.remove(pod.uid)
            return partial(self._skip, pod)
        case = Case(pod, self.snapshot, self._observer.facts)
        outcome = place(case, self._start, self.options.percentage_of_nodes_to_score)
        self._start += outcome.evaluated
        if isinstance(outcome, Placement):
            node = self._chance.choice(outcome.nodes) if len(outcome.nodes) > 1 else outcome.nodes[0]
            self.snapshot.assume(pod, node)
            return partial(self._bind, pod, node)
        return self._turn_away(case, outcome)

    async def _finish(self, action: Action) -> None:
        try:
            await action()
        except (StatusError, Unreachable) as error:
            log.warning("scheduling: %s", error)
        except Exception:
            # One pod's trouble must not stop the scheduler.
            self.failures += 1
            log.exception("scheduling failed")
        finally:
            self._in_flight.release()

    async def _skip(self, pod: PodInfo) -> None:
        self._actor.tell_failure(pod, f"skip schedule deleting pod: {pod.key}")

    async def _bind(self, pod: PodInfo, node: str) -> None:
        try:
            await self._actor.bind(pod, node, waiting_claims(pod, self._observer.facts))
        except (StatusError, Unreachable) as error:
            self._give_back(pod)
            if pod.uid in self.queue:
                self.queue.failed(pod, frozenset(), retry=True)
                await self._explain_error(pod, f'running Bind plugin "DefaultBinder": {error}')
            return
        except BaseException:
            self._give_back(pod)
            raise
        self.bound += 1
        self.queue.remove(pod.uid)

    def _give_back(self, pod: PodInfo) -> None:
        """The pod is not on the node after all, unless the API server has said so meanwhile."""
        if self.snapshot.is_assumed(pod.uid):
            self.snapshot.forget(pod.uid)
            self.queue.changed({Change.POD_GONE})

    def _turn_away(self, case: Case, outcome: Unschedulable) -> Action:
        """The pod has to wait; perhaps room can be made for it."""
        pod = case.pod
        answer = self._preempt(case, outcome)
        self.queue.failed(pod, outcome.plugins)
        if isinstance(answer, Nomination):
            self.snapshot.nominate(pod, answer.node)
            return partial(self._make_room, pod, answer, outcome.message())
        if answer is not None and answer.keeps_nomination:
            return partial(self._explain, pod, outcome.message(answer.message), None)
        self.snapshot.denominate(pod.uid)
        return partial(self._explain, pod, outcome.message(answer.message if answer else ""), "")

    def _preempt(self, case: Case, outcome: Unschedulable) -> Nomination | NoPreemption | None:
        if not outcome.total or outcome.impossible is not None:
            return None
        offset = int(self._chance.uniform(0, len(outcome.rejections)))
        return preempt(case, outcome, offset)

    async def _explain(self, pod: PodInfo, message: str, nominated: str | None) -> None:
        self._actor.tell_failure(pod, message)
        await self._actor.explain(pod, UNSCHEDULABLE, message, nominated)

    async def _explain_error(self, pod: PodInfo, message: str) -> None:
        self._actor.tell_failure(pod, message)
        await self._actor.explain(pod, SCHEDULER_ERROR, message, None)

    async def _make_room(self, pod: PodInfo, nomination: Nomination, message: str) -> None:
        try:
            await self._explain(pod, message, nomination.node)
            await self._actor.evict(nomination.victims, pod, nomination.node)
        except* (StatusError, Unreachable) as group:
            log.warning("%s: room on %s cannot be made: %s", pod.key, nomination.node, group.exceptions)
            self.snapshot.denominate(pod.uid)
            self.queue.activate(pod.uid)
