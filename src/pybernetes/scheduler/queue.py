"""Pods that wait for a node: ready ones by priority and age, failed ones in back-off or until something changes.

The scheduler adds pods, takes the next with `pop`, and says `failed` with the plug-ins that turned it away. Nothing
polls: one timer runs, and only while there is something for it to do.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field

from pybernetes.scheduler.hints import Change, helps
from pybernetes.scheduler.pod_info import PodInfo

FIRST_BACKOFF = 1.0  # seconds; doubles with each failure
LONGEST_BACKOFF = 10.0
LONGEST_WAIT = 300.0  # seconds after which a pod is tried again although nothing has changed


@dataclass(eq=False)
class Waiting:
    """A pod in the queue. `state` is active, backoff, pool, gated or popped."""

    info: PodInfo
    since: float  # when the pod was first seen
    order: int
    state: str = ""
    attempts: int = 0
    failed_at: float = 0.0
    plugins: frozenset[str] = field(default_factory=frozenset)

    @property
    def backoff_ends(self) -> float:
        """When the pod may be tried again, in the loop's time."""
        if self.attempts == 0:
            return 0.0
        # 2**10 is beyond the longest back-off and keeps the float small.
        return self.failed_at + min(FIRST_BACKOFF * 2.0 ** min(self.attempts - 1, 10), LONGEST_BACKOFF)

    @property
    def rank(self) -> tuple[int, float, int]:
        """The most important, then the oldest, first."""
        return -self.info.priority, self.since, self.order


class SchedulingQueue:
    """Used from one running loop. Every pod is in it at most once, by uid."""

    def __init__(self) -> None:
        self._pods: dict[str, Waiting] = {}
        self._active: list[tuple[tuple[int, float, int], Waiting]] = []
        self._backoff: list[tuple[float, int, Waiting]] = []
        # By the plug-ins that turned them away, in the order in which they failed: a change is weighed once a group.
        self._pool: dict[frozenset[str], dict[str, Waiting]] = {}
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def __len__(self) -> int:
        return len(self._pods)

    def __contains__(self, uid: str) -> bool:
        return uid in self._pods

    def depths(self) -> dict[str, int]:
        """How many pods are in each part."""
        depths = dict.fromkeys(("active", "backoff", "pool", "gated", "popped"), 0)
        for waiting in self._pods.values():
            depths[waiting.state] += 1
        return depths

    def get(self, uid: str) -> PodInfo | None:
        """The newest version of a pod that is in the queue or being tried."""
        waiting = self._pods.get(uid)
        return waiting.info if waiting is not None else None

    def add(self, info: PodInfo, *, gated: bool = False) -> None:
        """A new pod, or a new version of one; a gate that has gone makes it ready."""
        waiting = self._pods.get(info.uid)
        if waiting is None:
            self._count += 1
            waiting = self._pods[info.uid] = Waiting(info, self._now(), self._count)
        waiting.info = info
        if gated:
            self._park(waiting, "gated")
        elif waiting.state in ("", "gated"):
            self._activate(waiting)

    def update(self, info: PodInfo, *, helpful: bool) -> None:
        """A new version of a pod in the queue; `helpful` when what changed may make it fit."""
        waiting = self._pods.get(info.uid)
        if waiting is None:
            return
        repositioned = waiting.state == "active" and waiting.info.priority != info.priority
        waiting.info = info
        if repositioned:
            self._activate(waiting)
        elif helpful and waiting.state == "pool":
            self._retry(waiting)

    def remove(self, uid: str) -> None:
        """The pod is gone or has a node."""
        waiting = self._pods.pop(uid, None)
        if waiting is not None:
            self._park(waiting, "removed")

    async def pop(self) -> PodInfo:
        """The next pod to try; waits for one. It stays known until `remove` or `failed`."""
        while True:
            while self._active:
                rank, waiting = heapq.heappop(self._active)
                if waiting.state == "active" and rank == waiting.rank:
                    waiting.state = "popped"
                    waiting.attempts += 1
                    return waiting.info
            self._wake.clear()
            await self._wake.wait()

    def failed(self, info: PodInfo, plugins: frozenset[str], *, retry: bool = False) -> None:
        """The pod found no node. It waits for a helpful change, or, with `retry`, only for its back-off."""
        waiting = self._pods.get(info.uid)
        if waiting is None or waiting.state != "popped":
            return
        waiting.failed_at = self._now()
        waiting.plugins = plugins
        if retry:
            self._retry(waiting)
        else:
            self._park(waiting, "pool")
            self._pool.setdefault(plugins, {})[info.uid] = waiting
            self._set_timer()

    def changed(self, changes: set[Change]) -> None:
        """Something has changed: those that it could help come back."""
        helped = [
            waiting
            for plugins, group in self._pool.items()
            if any(helps(change, plugins) for change in changes)
            for waiting in group.values()
        ]
        for waiting in helped:
            self._retry(waiting)

    def activate(self, uid: str) -> None:
        """Tries a waiting pod at once, whatever its back-off."""
        waiting = self._pods.get(uid)
        if waiting is not None and waiting.state in ("pool", "backoff"):
            self._activate(waiting)

    def _retry(self, waiting: Waiting) -> None:
        ends = waiting.backoff_ends
        if ends <= self._now():
            self._activate(waiting)
            return
        self._park(waiting, "backoff")
        heapq.heappush(self._backoff, (ends, waiting.order, waiting))
        self._set_timer()

    def _activate(self, waiting: Waiting) -> None:
        self._park(waiting, "active")
        heapq.heappush(self._active, (waiting.rank, waiting))
        self._wake.set()

    def _park(self, waiting: Waiting, state: str) -> None:
        """Leaves wherever it was; entries in heaps stay and are passed over, since their state is another."""
        if waiting.state == "pool":
            group = self._pool[waiting.plugins]
            del group[waiting.info.uid]
            if not group:
                del self._pool[waiting.plugins]
        waiting.state = state

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _next(self) -> float | None:
        """When the timer has something to do."""
        while self._backoff and not self._is_backing_off(self._backoff[0]):
            heapq.heappop(self._backoff)
        times = [self._backoff[0][0]] if self._backoff else []
        times += [next(iter(group.values())).failed_at + LONGEST_WAIT for group in self._pool.values()]
        return min(times, default=None)

    @staticmethod
    def _is_backing_off(entry: tuple[float, int, Waiting]) -> bool:
        return entry[2].state == "backoff" and entry[2].backoff_ends == entry[0]

    def _set_timer(self) -> None:
        due = self._next()
        if self._timer is not None:
            if due is not None and self._timer.when() <= due and not self._timer.cancelled():
                # It fires early at worst, and then sets itself anew.
                return
            self._timer.cancel()
        self._timer = None if due is None else asyncio.get_running_loop().call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        # A timer may fire a moment before its time by the loop's clock resolution.
        now = self._now() + 0.001
        while self._backoff and self._backoff[0][0] <= now:
            entry = heapq.heappop(self._backoff)
            if self._is_backing_off(entry):
                self._activate(entry[2])
        pooled = [waiting for group in self._pool.values() for waiting in group.values()]
        expired = [waiting for waiting in pooled if waiting.failed_at + LONGEST_WAIT <= now]
        for waiting in expired:
            self._activate(waiting)
        self._set_timer()

    def close(self) -> None:
        """Stops the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
