"""A disk that stalls or fails when it is told to, for one process: the kernel asks us before each of its fsyncs.

`Disk.command` starts the process under a seccomp filter (see seccomp_unotify(2)), whose questions arrive on a
descriptor that the loop watches. No file system of its own is needed, nor root.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

# seccomp, fsync and fdatasync by machine.
_CALLS = {"x86_64": (317, 74, 75), "aarch64": (277, 82, 83)}
AVAILABLE = platform.system() == "Linux" and platform.machine() in _CALLS
_NO_NEW_PRIVILEGES, _SET_FILTER, _NEW_LISTENER = 38, 1, 8
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND, _GO_ON = 0xC0502100, 0xC0182101, 1
_QUESTION_BYTES = 80


class Disk:
    """`well`, `stalled` (nothing ends), or `failing` so many times; what waits ends when it is well again."""

    def __init__(self) -> None:
        self._listener = -1
        self._waiting: list[int] = []
        self._stalled = False
        self._failures = 0
        # Set with every question that was asked.
        self.asked = asyncio.Event()

    def command(self, words: Sequence[str]) -> tuple[list[str], socket.socket, socket.socket]:
        """The words that start a process on this disk, the socket it must inherit, and the one to `attend` to."""
        ours, theirs = socket.socketpair()
        return [sys.executable, str(Path(__file__)), str(theirs.fileno()), *words], theirs, ours

    async def attend(self, ours: socket.socket) -> None:
        """Waits for the process to begin; from then on its questions are answered."""
        self.leave()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(ours, readable.set)
        await readable.wait()
        loop.remove_reader(ours)
        _, (self._listener,), _, _ = socket.recv_fds(ours, 1, 1)
        ours.close()
        loop.add_reader(self._listener, self._hear)

    def stall(self) -> None:
        self._stalled = True
        self.asked.clear()

    def fail(self, times: int) -> None:
        """The next so many fsyncs fail with EIO."""
        self._failures = times

    def recover(self) -> None:
        self._stalled, self._failures = False, 0
        waiting, self._waiting = self._waiting, []
        for question in waiting:
            self._answer(question)

    def leave(self) -> None:
        """Forgets a process that has ended."""
        if self._listener >= 0:
            asyncio.get_running_loop().remove_reader(self._listener)
            os.close(self._listener)
        self._listener, self._waiting = -1, []

    def _hear(self) -> None:
        question = bytearray(_QUESTION_BYTES)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, question)
        except OSError as error:
            if error.errno != errno.ENOENT:  # the process was killed while it asked
                asyncio.get_running_loop().remove_reader(self._listener)
            return
        self._answer(struct.unpack_from("Q", question)[0])
        self.asked.set()

    def _answer(self, question: int) -> None:
        if self._stalled:
            self._waiting.append(question)
            return
        fails = self._failures > 0
        self._failures -= fails
        answer = struct.pack("QqiI", question, 0, -errno.EIO if fails else 0, 0 if fails else _GO_ON)
        try:
            fcntl.ioctl(self._listener, _SEND, answer)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise


def _ask_before_fsync() -> int:
    """Puts this process and its children under the filter; the descriptor of its questions."""
    libc = ctypes.CDLL(None, use_errno=True)
    seccomp, *asked = _CALLS[platform.machine()]
    program = [
        (0x20, 0, 0, 0),
        (0x15, 1, 0, asked[0]),
        (0x15, 0, 1, asked[1]),
        (0x06, 0, 0, _ASK),
        (0x06, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    descriptor: int = libc.syscall(seccomp, _SET_FILTER, _NEW_LISTENER, ctypes.byref(head))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return descriptor


def _main(inherited: str, *words: str) -> None:
    with socket.socket(fileno=int(inherited)) as theirs:
        socket.send_fds(theirs, [b"x"], [_ask_before_fsync()])
    os.execvp(words[0], words)


if __name__ == "__main__":
    _main(*sys.argv[1:])
