"""Starting the processes of a cluster, keeping them running, ending them in order.

`ComponentCommand` says what to run, `Supervisor` runs it: stage by stage, each process until it says that it is ready,
and again with a back-off when it ends. Every process is recorded, so that `remove` finds it after a crash. Runs in the
cluster's supervisor process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pybernetes.cluster.layout import Layout
from pybernetes.cluster.state import ClusterError, forget_process, record_process
from pybernetes.environment import process
from pybernetes.environment.namespace import command_in, listen_in
from pybernetes.environment.process_fork import ForkServer

_log = logging.getLogger(__name__)
GRACE = 5.0
READY_WITHIN = 60.0
_HOPELESS = 5


@dataclass(frozen=True)
class Listen:
    """A TCP socket that the supervisor opens for a process: requests wait while it restarts, none is refused."""

    namespace: str | None
    address: str
    port: int


@dataclass(frozen=True)
class ComponentCommand:
    """One process. `argv` is a whole command, or what follows `pyb` when it is `forked` from the preloaded project.

    Stages start in rising order, each after the one before is ready, and end in falling order. A process that does not
    `notify` counts as ready once started.
    """

    name: str
    node: str
    argv: tuple[str, ...]
    namespace: str | None
    stage: int = 1
    forked: bool = False
    notifies: bool = True
    env: Mapping[str, str] = field(default_factory=dict)
    listen: tuple[Listen, ...] = ()


@dataclass(frozen=True)
class ProcessState:
    """What `pyb status` shows of a process."""

    name: str
    node: str
    state: str
    pid: int
    restarts: int
    log: str


def backoff(failures: int) -> float:
    """Seconds before the next start after that many ends in a row: 0.1, 0.2, ... 10."""
    return float(min(10.0, 0.1 * 2 ** min(failures, 10)))


class Supervised:
    """One process and its successors."""

    def __init__(self, command: ComponentCommand, layout: Layout, forks: ForkServer) -> None:
        self.command = command
        self.restarts = 0
        self.identity: process.Identity | None = None
        self.ready = asyncio.Event()
        self._hopeless = asyncio.Event()
        self.log = layout.logs / f"{command.name}.log"
        self._layout = layout
        self._forks = forks
        self._keeper: asyncio.Task[None] | None = None
        self._listeners: list[socket.socket] = []
        self._child: asyncio.subprocess.Process | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begins to keep it running. Raises ClusterError when a port that it wants is taken."""
        if self._keeper is None or self._keeper.done():
            self._listeners = [_listener(wish) for wish in self.command.listen]
            self._hopeless.clear()
            self._keeper = tasks.create_task(self._keep(), name=self.command.name)

    async def wait_ready(self) -> None:
        """Returns when it is ready. Raises ClusterError when it keeps ending instead."""
        either = [asyncio.ensure_future(event.wait()) for event in (self.ready, self._hopeless)]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in either:
                waiting.cancel()
        if not self.ready.is_set():
            raise ClusterError(f"{self.command.name} keeps ending; its log is {self.log}{tail(self.log)}")

    async def stop(self) -> None:
        """Ends it and stays ended."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self.identity is not None:
            await process.end(self.identity, GRACE)
        self._forget()
        await self._bury()
        for listener in self._listeners:
            listener.close()
        self._listeners = []

    def state(self) -> ProcessState:
        alive = self.identity is not None and process.is_alive(self.identity)
        word = ("ready" if self.ready.is_set() else "starting") if alive else "stopped"
        pid = self.identity.pid if self.identity and alive else 0
        return ProcessState(self.command.name, self.command.node, word, pid, self.restarts, str(self.log))

    async def _keep(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._run_once()
            except (OSError, ConnectionError) as error:
                _log.error("cannot start %s: %s", self.command.name, error)
            failures = 0 if loop.time() - began > 10 else failures + 1
            if failures >= _HOPELESS:
                self._hopeless.set()
            _log.warning("%s ended; it starts again in %.1f s", self.command.name, backoff(failures))
            await asyncio.sleep(backoff(failures))
            self.restarts += 1

    async def _run_once(self) -> None:
        readiness = process.Readiness(self._layout.run / f"{self.command.name}.notify")
        try:
            identity = await self._spawn({**os.environ, **self.command.env, "NOTIFY_SOCKET": str(readiness.path)})
            if identity is None:
                return
            self.identity = identity
            record_process(self._layout, self.command.name, identity)
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(self._await_ready(readiness))
                await process.wait_gone(identity)
                waiting.cancel()
            self._forget()
            await self._bury()
        finally:
            self.ready.clear()
            readiness.close()

    async def _await_ready(self, readiness: process.Readiness) -> None:
        if self.command.notifies:
            await readiness.wait()
        self.ready.set()

    async def _spawn(self, env: dict[str, str]) -> process.Identity | None:
        fds = [listener.fileno() for listener in self._listeners]
        with self.log.open("ab") as log:
            if self.command.forked:
                pid = await self._forks.fork(self.command.argv, env, self.command.namespace, log.fileno(), fds)
                return process.identify(pid)
            if fds:
                env["PYB_LISTEN_FDS"] = ",".join(map(str, fds))
            self._child = await asyncio.create_subprocess_exec(
                *command_in(self.command.namespace, self.command.argv),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=env, pass_fds=fds,
                start_new_session=True,
            )  # fmt: skip
            return process.identify(self._child.pid)

    async def _bury(self) -> None:
        if self._child is not None:
            await self._child.wait()
        self._child = None

    def _forget(self) -> None:
        self.identity = None
        forget_process(self._layout, self.command.name)


class Supervisor:
    """All processes of a cluster."""

    def __init__(self, commands: Iterable[ComponentCommand], layout: Layout, forks: ForkServer) -> None:
        self._all = [Supervised(command, layout, forks) for command in commands]

    async def start(
        self, tasks: asyncio.TaskGroup, node: str | None = None, say: Callable[[str], None] = print
    ) -> None:
        """Starts everything, or everything of one node, stage by stage. Raises ClusterError when one is late."""
        for stage in sorted({one.command.stage for one in self._of(node)}):
            these = [one for one in self._of(node) if one.command.stage == stage]
            say(f"starting {', '.join(sorted({one.command.name.partition('.')[0] for one in these}))}")
            for one in these:
                one.start(tasks)
            try:
                async with asyncio.timeout(READY_WITHIN):
                    await asyncio.gather(*(one.wait_ready() for one in these))
            except TimeoutError:
                late = next(one for one in these if not one.ready.is_set())
                words = f"{late.command.name} was not ready within {READY_WITHIN:.0f} s; its log is {late.log}"
                raise ClusterError(words + tail(late.log)) from None

    async def stop(self, node: str | None = None) -> None:
        """Ends everything, or everything of one node, the last stage first."""
        for stage in sorted({one.command.stage for one in self._of(node)}, reverse=True):
            await asyncio.gather(*(one.stop() for one in self._of(node) if one.command.stage == stage))

    def states(self) -> list[ProcessState]:
        return [one.state() for one in self._all]

    def _of(self, node: str | None) -> list[Supervised]:
        return [one for one in self._all if node is None or one.command.node == node]


def _listener(wish: Listen) -> socket.socket:
    try:
        return listen_in(wish.namespace, wish.address, wish.port)
    except OSError as error:
        raise ClusterError(
            f"cannot listen on {wish.address}:{wish.port}: {error.strerror}; another program may be using the port"
        ) from error


def tail(log: Path, lines: int = 5) -> str:
    """The end of a log, each line on a line of its own, or nothing."""
    try:
        last = log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return ""
    return "".join(f"\n    {line}" for line in last)
