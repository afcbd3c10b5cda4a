"""The user's terminal while a command runs in a container: raw mode, its size, and what is typed.

`execute` and `attach` use it at the edge of the process; nothing here knows Kubernetes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import termios
import tty
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager

CHUNK = 64 * 1024


def is_terminal(descriptor: int) -> bool:
    """Whether somebody types there."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


@contextmanager
def raw_mode(descriptor: int) -> Iterator[None]:
    """Every key goes to the container as it is, control keys too; put back at the end, whatever happens."""
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def size_changes(descriptor: int, changed: Callable[[int, int], None]) -> Iterator[None]:
    """Tells (columns, rows) now and whenever the window changes."""

    def tell() -> None:
        size = os.get_terminal_size(descriptor)
        changed(size.columns, size.lines)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, tell)
    try:
        tell()
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


async def chunks(descriptor: int) -> AsyncGenerator[bytes, None]:
    """What comes in on a descriptor, until its end."""
    if not _can_wait(descriptor):
        while data := os.read(descriptor, CHUNK):
            yield data
        return
    loop = asyncio.get_running_loop()
    while True:
        ready = loop.create_future()
        loop.add_reader(descriptor, _wake, ready)
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)
        data = os.read(descriptor, CHUNK)
        if not data:
            return
        yield data


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _can_wait(descriptor: int) -> bool:
    """Files and /dev/null are always ready, and the loop cannot wait for them."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return False
    return not stat.S_ISCHR(mode) or is_terminal(descriptor)
