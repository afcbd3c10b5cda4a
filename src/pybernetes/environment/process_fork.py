"""A process that has imported the project once, and forks: seven nodes share the memory of one, and start at once.

`ForkServer` starts it and asks it for children; the child enters its namespace, takes its log and its listening
sockets, and calls `entry` (module:function, takes the argument list, returns an exit code). Called by `cluster`.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from pybernetes.environment import namespace

_MAXIMUM = 1 << 20
_REST = 0.5


class ForkServer:
    """The asking side. Not safe for two questions at once: they are asked one after the other."""

    def __init__(self, entry: str, log: Path, preload: Sequence[str] = ()) -> None:
        """`preload`: modules to be imported before the first fork, besides the entry's own."""
        self._modules = [entry, *preload]
        self._log = log
        self._socket: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Starts the process; it imports while others start."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs, self._log.open("ab") as log:
            argv = [sys.executable, "-m", __name__, str(theirs.fileno()), *self._modules]
            self._process = await asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[theirs.fileno()]
            )
        self._socket = ours

    async def fork(
        self, argv: Sequence[str], env: Mapping[str, str], inside: str | None, log: int, listeners: Sequence[int]
    ) -> int:
        """The pid of a new child. Raises ConnectionError when the server is gone; the next call starts another."""
        async with self._turn:
            if self._socket is None:
                await self.start()
            try:
                return await self._ask({"argv": list(argv), "env": dict(env), "in": inside}, [log, *listeners])
            except OSError as error:
                await self.close()
                raise ConnectionError(f"the fork server is gone: {error}") from error

    async def keep(self) -> None:
        """Starts another server whenever it ends, so that the next child need not wait for it; until cancelled."""
        while True:
            server = self._process
            if server is not None:
                await server.wait()
            # One that cannot live must not be started without end.
            await asyncio.sleep(_REST)
            async with self._turn:
                if self._process is server:
                    await self.close()
                    await self.start()

    async def _ask(self, question: dict[str, Any], fds: list[int]) -> int:
        assert self._socket is not None
        socket.send_fds(self._socket, [json.dumps(question).encode()], fds)
        answer = await asyncio.get_running_loop().sock_recv(self._socket, _MAXIMUM)
        if not answer:
            raise ConnectionResetError("no answer")
        return int(answer)

    async def close(self) -> None:
        """The server ends when its socket does; its children live on."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            await self._process.wait()
        self._socket = self._process = None


def serve(control: socket.socket, entry: str, preload: Sequence[str]) -> None:
    """The forking side: one question, one child, one answer, until the other end closes."""
    module, _, function = entry.partition(":")
    for each in (module, *preload):
        importlib.import_module(each)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, _bury)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        question, fds, _, _ = socket.recv_fds(control, _MAXIMUM, 32)
        if not question:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become(json.loads(question), fds, module, function)
        for fd in fds:
            os.close(fd)
        control.send(str(pid).encode())


def _bury(_number: int, _frame: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _become(question: dict[str, Any], fds: list[int], module: str, function: str) -> NoReturn:
    """In the child: from here on it is the component that was asked for, and never returns to the server's loop."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (fds[0], 1), (fds[0], 2)):
            os.dup2(source, target)
        os.close(fds[0])
        if question["in"]:
            there = os.open(namespace.namespace_path(question["in"]), os.O_RDONLY)
            namespace.enter(there)
            os.close(there)
        os.environ.clear()
        os.environ.update(question["env"])
        if fds[1:]:
            os.environ["PYB_LISTEN_FDS"] = ",".join(map(str, fds[1:]))
        sys.argv = ["pyb", *question["argv"]]
        code = getattr(sys.modules[module], function)(question["argv"]) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], sys.argv[3:])
