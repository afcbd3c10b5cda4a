"""Writes under way: how many there may be at once, how long each may take, and when the last one has ended.

The pipeline hands over what answers a request that may have to wait; reads never do. Too many are refused with 429, as
upstream does without priority and fairness, whose place this is; one that takes too long is cut off with 504.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pybernetes.api.wire import Response

_SECOND = 1.0
_UNCACHED = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-cache, private"}
TOO_MANY = Response(
    429,
    {**_UNCACHED, "x-content-type-options": "nosniff", "retry-after": "1"},
    b"Too many requests, please try again later.\n",
)
# Upstream writes this one past its own serializers: without a kind, and as text.
TOO_LONG = Response(
    504,
    _UNCACHED,
    b'{"metadata":{},"status":"Failure",'
    b'"message":"Timeout: request did not complete within the allotted timeout",'
    b'"reason":"Timeout","details":{},"code":504}\n',
)


class InFlight:
    """The writes of one server; `most` may run at once (0: any number), each for `seconds_max` at most."""

    def __init__(self, most: int, seconds_max: float, seconds: Callable[[], float]) -> None:
        self._most = most
        self._seconds_max = seconds_max
        self._seconds = seconds
        # Running tasks, and when they must have ended by the loop's time.
        self._ends: dict[asyncio.Task[object], float] = {}
        self._cut: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._next_ring = 0.0
        self._drained: asyncio.Future[None] | None = None
        # The most at once in the second that began at `_since`, and in the one before.
        self._peak = self._peak_before = 0
        self._since = 0.0

    @property
    def is_full(self) -> bool:
        """Whether another one is to be refused."""
        return 0 < self._most <= len(self._ends)

    def peak(self) -> int:
        """The most that ran at once within the last second or two."""
        self._turn(self._seconds())
        return max(self._peak, self._peak_before)

    async def carry_out(self, answer: Awaitable[Response], seconds: float = 0.0) -> Response:
        """The answer, or the one that says that it took too long; `seconds` is what the client has given it."""
        task = asyncio.current_task()
        assert task is not None  # nothing is awaited outside of one
        now = self._seconds()
        end = now + (min(seconds, self._seconds_max) if seconds > 0 else self._seconds_max)
        self._ends[task] = end
        self._turn(now)
        if len(self._ends) > self._peak:
            self._peak = len(self._ends)
        if self._timer is None or end < self._next_ring:
            self._set_timer(end)
        try:
            return await answer
        except asyncio.CancelledError:
            if task not in self._cut or task.uncancel() > 0:
                raise
            return TOO_LONG
        finally:
            self._ends.pop(task, None)
            self._cut.discard(task)
            if self._drained is not None and not self._ends and not self._drained.done():
                self._drained.set_result(None)

    async def drained(self) -> None:
        """Returns when nothing is under way."""
        if self._ends:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def _turn(self, now: float) -> None:
        """Begins a new second when the last one is over."""
        if now - self._since >= _SECOND:
            self._peak_before = self._peak if now - self._since < 2 * _SECOND else 0
            self._peak, self._since = len(self._ends), now

    def _set_timer(self, end: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next_ring = end
        delay = max(end - self._seconds(), 0.001)
        self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        """Cuts off what is overdue. One timer for all: it stays set when those that it was for have ended."""
        self._timer = None
        now = self._seconds()
        for task, end in self._ends.items():
            if end <= now and task not in self._cut:
                self._cut.add(task)
                task.cancel()
        if remaining := [end for task, end in self._ends.items() if task not in self._cut]:
            self._set_timer(min(remaining))
