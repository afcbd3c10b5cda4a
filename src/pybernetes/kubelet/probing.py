"""The probes of one pod: a task for each probe of each running container; results become `Health` and wake the worker.

`follow` is told what runs; liveness and readiness wait until the startup probe, if there is one, has succeeded.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable

from pybernetes.api.types.core_v1 import Pod, Probe
from pybernetes.kubelet.decide.observed import AnyContainer, Health, Observed, is_running, is_sidecar, is_started
from pybernetes.kubelet.decide.probes import Tally, finding, period, tallied
from pybernetes.kubelet.decide.times import SECOND, nanoseconds
from pybernetes.kubelet.kit import Kit, Target
from pybernetes.kubelet.runtime import ContainerRecord

STARTUP, LIVENESS, READINESS = "Startup", "Liveness", "Readiness"


class ProbeTasks:
    """Runs probes and keeps what they have found."""

    def __init__(self, kit: Kit, group: asyncio.TaskGroup, wake: Callable[[], None]) -> None:
        self.health: dict[str, Health] = {}
        self._kit = kit
        self._group = group
        self._wake = wake
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def follow(self, observed: Observed) -> None:
        """Starts and ends probes as containers come and go."""
        wanted: set[tuple[str, str]] = set()
        pod = observed.pod
        containers = (*pod.spec.containers, *(each for each in pod.spec.init_containers if is_sidecar(each)))
        for container in containers:
            record = observed.runtime.newest(container.name)
            if record is None or not is_running(record):
                continue
            self.health.setdefault(record.id, _remembered(pod, container, record))
            target = Target(pod, container, record.id, _address(observed, self._kit.options.node_ip))
            for sort, probe in _due(observed, container, record, self.health):
                wanted.add((record.id, sort))
                self._ensure(target, sort, probe, record)
        for key in [key for key in self._tasks if key not in wanted]:
            self._tasks.pop(key).cancel()

    def stop(self) -> None:
        """Ends all probes."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def _ensure(self, target: Target, sort: str, probe: Probe, record: ContainerRecord) -> None:
        key = (record.id, sort)
        if key not in self._tasks:
            work = self._probe_on(target, sort, probe, record.started_at)
            self._tasks[key] = self._group.create_task(work, name=f"{sort} of {target.container.name}")

    async def _probe_on(self, target: Target, sort: str, probe: Probe, started_at: int) -> None:
        age = (nanoseconds(self._kit.clock.now()) - started_at) / SECOND
        await asyncio.sleep(max((probe.initial_delay_seconds or 0) - age, 0.0))
        tally = Tally()
        while True:
            outcome = await self._kit.prober.probe(target, probe)
            tally = tallied(tally, outcome.success)
            if not outcome.success:
                words = ("Warning", "Unhealthy", f"{sort} probe failed: {outcome.message}")
                self._kit.tell(target.pod, target.container.name, words)
            elif outcome.warns:
                words = ("Warning", "ProbeWarning", f"{sort} probe warning: {outcome.message}")
                self._kit.tell(target.pod, target.container.name, words)
            found = finding(probe, tally)
            if found is not None and self._learn(target, sort, probe, found):
                return
            if outcome.steady and found is not None:
                return
            # A container that is not ready yet is asked more often in its first moments, so that it serves at once.
            await asyncio.sleep(_pause(probe, tally, sort))

    def _learn(self, target: Target, sort: str, probe: Probe, found: bool) -> bool:
        """Takes a finding; True when this probe has nothing more to do."""
        old = self.health.get(target.container_id, Health())
        new = old
        name = target.container.name
        if sort == READINESS:
            new = dataclasses.replace(old, ready=found)
        elif sort == STARTUP and found:
            new = dataclasses.replace(old, started=True)
        elif not found:
            words = f"Container {name} failed {sort.lower()} probe, will be restarted"
            new = dataclasses.replace(old, failure=words, grace=probe.termination_grace_period_seconds)
        if new != old:
            self.health[target.container_id] = new
            self._wake()
        return sort == STARTUP and found


def _pause(probe: Probe, tally: Tally, sort: str) -> float:
    usual = period(probe)
    if sort == LIVENESS or tally.success:
        return usual
    return min(usual, 0.1 * 2.0 ** min(tally.count, 10)) if sort == READINESS else usual


def _due(
    observed: Observed, container: AnyContainer, record: ContainerRecord, health: dict[str, Health]
) -> list[tuple[str, Probe]]:
    """The probes that shall run now. A pod that ends is asked for its readiness only."""
    due: list[tuple[str, Probe]] = []
    started = is_started(container, record, health)
    if container.startup_probe is not None and not started and not observed.ending:
        due.append((STARTUP, container.startup_probe))
    if container.readiness_probe is not None and started:
        due.append((READINESS, container.readiness_probe))
    if container.liveness_probe is not None and started and not observed.ending:
        due.append((LIVENESS, container.liveness_probe))
    return due


def _remembered(pod: Pod, container: AnyContainer, record: ContainerRecord) -> Health:
    """What the API server knows of this very container: it was running before the kubelet (re)started."""
    statuses = (*pod.status.container_statuses, *pod.status.init_container_statuses)
    for status in statuses:
        if status.name == container.name and (status.container_id or "").endswith(f"//{record.id}"):
            return Health(started=status.started, ready=status.ready)
    return Health()


def _address(observed: Observed, node_ip: str) -> str:
    if observed.pod.spec.host_network or observed.sandbox is None or not observed.sandbox.ips:
        return node_ip
    return observed.sandbox.ips[0]
