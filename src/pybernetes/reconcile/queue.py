"""The work queue: keys to look at, each at most once in the queue and never in two hands at once.

Informers' callbacks add, a `Controller`'s workers get and say done. Waiting is done by timers of the running loop.
"""

from __future__ import annotations

import asyncio

FIRST_DELAY = 0.005  # seconds after a key's first failure; doubles with each further one
LONGEST_DELAY = 1000.0


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row (from 1)."""
    # 2**40 is far beyond the longest delay and keeps the float finite.
    return min(FIRST_DELAY * 2.0 ** min(failures - 1, 40), LONGEST_DELAY)


class WorkQueue:
    """Keys in the order in which they came; used from one loop only, made inside or outside of it."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._dirty: set[str] = set()
        self._processing: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}

    def __len__(self) -> int:
        """Keys that could be handed out at once."""
        return self._ready.qsize()

    def add(self, key: str) -> None:
        """Queues a key; does nothing if it is queued already. A key in work comes again after `done`."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._ready.put_nowait(key)

    def add_after(self, key: str, delay: float) -> None:
        """Queues a key in `delay` seconds. Of several delays of one key the earliest counts."""
        if delay <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        waiting = self._timers.get(key)
        if waiting is not None:
            if waiting.when() <= loop.time() + delay:
                return
            waiting.cancel()
        self._timers[key] = loop.call_later(delay, self._ripe, key)

    def add_rate_limited(self, key: str) -> None:
        """Queues a key that has failed: later each time, until `forget`."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, backoff(failures))

    def forget(self, key: str) -> None:
        """The key has succeeded: its next failure counts as the first."""
        self._failures.pop(key, None)

    def failures(self, key: str) -> int:
        """Failures in a row since the last `forget`."""
        return self._failures.get(key, 0)

    async def get(self) -> str:
        """The next key, waiting for one; it is in this caller's hands until `done`."""
        key = await self._ready.get()
        self._dirty.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: str) -> None:
        """Gives a key back; if it was added meanwhile, it is queued again."""
        self._processing.discard(key)
        if key in self._dirty:
            self._ready.put_nowait(key)

    def close(self) -> None:
        """Drops all timers; nothing is added later by itself."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _ripe(self, key: str) -> None:
        del self._timers[key]
        self.add(key)
