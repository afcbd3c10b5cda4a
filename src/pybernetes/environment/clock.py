"""Time as a value that is handed in. Nothing outside this package reads a clock of the machine."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; waiting is `asyncio.sleep`, since in a simulation the event loop's own time is virtual."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go back."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    # Asked for several times a request, so that a function around it would show.
    monotonic = staticmethod(time.monotonic)


class LoopClock:
    """The running event loop's time, counted from `start`: virtual wherever the loop is."""

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()
