"""Processes of this machine: who one is, whether it lives, how to end it, and how it says that it is ready.

A pid alone may be reused; an `Identity` (pid and start time) never is, so a record on disk can be acted upon later.
Readiness is a datagram `READY=1` to the socket named by NOTIFY_SOCKET, which containerd sends as well.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A process for all times of this boot: its pid, and its start time in clock ticks since the boot."""

    pid: int
    started: int


class CommandFailed(Exception):
    """A command ended with another code than zero; the message is what it wrote to stderr."""

    def __init__(self, argv: Sequence[str], code: int, stderr: str) -> None:
        super().__init__(f"{' '.join(argv)}: exit code {code}: {stderr.strip()}")
        self.argv = list(argv)
        self.code = code
        self.stderr = stderr


async def run(argv: Sequence[str], stdin: str = "", env: Mapping[str, str] | None = None) -> str:
    """Runs a short command to its end and gives its stdout. Raises CommandFailed, FileNotFoundError."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=None if env is None else {**os.environ, **env},
    )
    out, err = await process.communicate(stdin.encode() if stdin else None)
    if process.returncode:
        raise CommandFailed(argv, process.returncode, err.decode(errors="replace"))
    return out.decode(errors="replace")


def start_time(pid: int) -> int | None:
    """Field 22 of /proc/<pid>/stat, or None when there is no such process or it is a zombie."""
    state, started = _state(pid)
    return None if state in "ZX" else started


def _state(pid: int) -> tuple[str, int]:
    """The state letter ("X" when there is no such process) and the start time."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def identify(pid: int) -> Identity | None:
    started = start_time(pid)
    return None if started is None else Identity(pid, started)


def is_alive(identity: Identity) -> bool:
    return start_time(identity.pid) == identity.started


def send_signal(identity: Identity, number: int) -> bool:
    """Signals this very process, never another one with its pid; False when it is gone."""
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(identity):
            return False
        signal.pidfd_send_signal(fd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)
    return True


async def wait_gone(identity: Identity, timeout: float | None = None) -> bool:
    """Waits for the process to end; it need not be a child. False when it still lives after `timeout` seconds."""
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return True
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    try:
        # A zombie may still have threads that hold its files: only the descriptor tells when all of it is gone.
        if _state(identity.pid)[1] != identity.started:
            return True
        loop.add_reader(fd, _settle, ended)
        async with asyncio.timeout(timeout):
            await ended
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(fd)
        os.close(fd)
    return True


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


async def end(identity: Identity, grace: float) -> None:
    """SIGTERM, then SIGKILL after `grace` seconds; returns when the process is gone."""
    if send_signal(identity, signal.SIGTERM) and not await wait_gone(identity, grace):
        send_signal(identity, signal.SIGKILL)
        await wait_gone(identity)


def notify_ready() -> None:
    """Tells whoever started this process that it now serves. Does nothing when nobody asked."""
    notify("READY=1")


def notify(message: str) -> None:
    """Sends a line such as `STATUS=...` to whoever started this process, if it listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
        notifier.connect(address)
        notifier.send(message.encode())


class Readiness:
    """The other end of `notify_ready`: a datagram socket at `path`, made anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    async def receive(self) -> str:
        """The next message."""
        return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode(errors="replace")

    def waiting(self) -> list[str]:
        """The messages that have come already."""
        messages = []
        with suppress(BlockingIOError):
            while True:
                messages.append(self._socket.recv(4096).decode(errors="replace"))
        return messages

    async def wait(self) -> None:
        """Returns at the first READY=1."""
        while "READY=1" not in await self.receive():
            continue

    def close(self) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)


def inherited_listeners() -> list[socket.socket]:
    """The listening sockets that the starter of this process made for it (PYB_LISTEN_FDS), in its order."""
    numbers = os.environ.get("PYB_LISTEN_FDS", "")
    return [socket.socket(fileno=int(number)) for number in numbers.split(",") if number]
