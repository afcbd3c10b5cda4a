"""Runs a component's coroutine as a whole process: uvloop, and SIGTERM or SIGINT as a good end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import uvloop


def run_until_signal(
    start: Callable[[], Awaitable[int | None]], interrupted: int = 0, *, second_ends: bool = True
) -> int:
    """Runs a coroutine until it ends or a signal cancels it; the exit code, which then is `interrupted`.

    A second signal ends the process at once with 1, unless what the first one began must be finished.
    """

    async def supervised() -> int:
        task = asyncio.ensure_future(start())
        loop = asyncio.get_running_loop()

        def end() -> None:
            if second_ends and task.cancelling():
                os._exit(1)
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        try:
            return int(await task or 0)
        except asyncio.CancelledError:
            return interrupted

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(supervised())
