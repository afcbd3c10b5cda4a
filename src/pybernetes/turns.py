"""Turns on the event loop: what takes long is begun there, given up, and done anew in a thread beside it.

A pure computation goes in as a function of nothing, its result comes out, wherever it was found. Called by the API
server's writer for validation, by the plug-ins that evaluate policies and by the controller that checks their types:
by all who run what strangers wrote.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache

from pybernetes.api.turn import Result, computed
from pybernetes.environment.virtual_time import VirtualTimeLoop

# What may be done on the event loop itself, and in the thread until the loop gets the interpreter back.
_TURN, _STRETCH = 10_000, 2_000
_BREATH_SECONDS = 0.0002
_PATIENCE_SECONDS = 1.0


class _TooLong(Exception):
    """A computation has used its turn on the event loop up."""


class _Dropped(Exception):
    """Nobody waits for the result any longer."""


class _Short:
    """A turn on the event loop."""

    def __init__(self) -> None:
        self._left = _TURN

    def spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise _TooLong

    def call(self, function: Callable[[], Result]) -> Result:
        return function()


class _Long:
    """A computation in the thread: now and then it lets the event loop have the interpreter."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._since = 0
        self.is_dropped = False

    def spend(self, work: int) -> None:
        self._since += work
        if self._since < _STRETCH:
            return
        self._since = 0
        if self.is_dropped:
            raise _Dropped
        # A thread that computes gives the interpreter back when it sleeps; when it is made to, others wait for longer.
        time.sleep(_BREATH_SECONDS)

    def call(self, function: Callable[[], Result]) -> Result:
        answer: Future[Result] = Future()

        def run() -> None:
            try:
                answer.set_result(function())
            except Exception as error:
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        while not wait((answer,), _PATIENCE_SECONDS).done:
            if self.is_dropped:
                raise _Dropped
        return answer.result()


async def in_turns(compute: Callable[[], Result]) -> Result:
    """The result of a computation that may be begun twice. One after another, the long ones share a single thread."""
    try:
        return computed(compute, _Short())
    except _TooLong:
        loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualTimeLoop):
        # A simulation has no threads, and all the time in the world.
        return compute()
    turn = _Long(loop)
    try:
        return await loop.run_in_executor(_thread(), computed, compute, turn)
    finally:
        turn.is_dropped = True


@lru_cache(1)
def _thread() -> ThreadPoolExecutor:
    # A second thread would only fight the first for the interpreter.
    return ThreadPoolExecutor(1, "long-computations")
