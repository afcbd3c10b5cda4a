"""Waits until a file changes, by inotify, so that following a quiet log costs nothing. `logs.py` uses it."""

from __future__ import annotations

import asyncio
import ctypes
import os
from pathlib import Path
from types import TracebackType

_MODIFY, _MOVE_SELF, _DELETE_SELF = 0x2, 0x800, 0x400
_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC


class FileWatch:
    """One file, watched between `with` and its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._event = asyncio.Event()

    def __enter__(self) -> FileWatch:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(_NONBLOCK | _CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        mask = _MODIFY | _MOVE_SELF | _DELETE_SELF
        if libc.inotify_add_watch(self._descriptor, os.fsencode(self._path), mask) < 0:
            os.close(self._descriptor)
            raise OSError(ctypes.get_errno(), "inotify_add_watch", str(self._path))
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

    async def changed(self, at_most: float) -> None:
        """Returns when the file has changed since the last call, or after so many seconds."""
        try:
            async with asyncio.timeout(at_most):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()

    def _read(self) -> None:
        try:
            os.read(self._descriptor, 4096)
        except BlockingIOError:
            return
        self._event.set()
