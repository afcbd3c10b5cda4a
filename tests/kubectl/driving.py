"""kubectl on a simulated cluster: words in; exit code, stdout and stderr out."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pybernetes.api.types.core_v1 import Node
from pybernetes.cluster.simulation import SimulatedCluster, SimulationOptions, simulated_cluster
from pybernetes.environment.virtual_time import run_virtual
from pybernetes.kubectl.commands import run
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Words


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    code: int
    out: str
    err: str


class Kubectl:
    """Runs command lines as an administrator; files are looked for in `folder`."""

    def __init__(self, cluster: SimulatedCluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder

    async def __call__(self, *words: str, stdin: str = "") -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        code = await self._run(words, out, err, stdin)
        return Outcome(code, out.getvalue(), err.getvalue())

    def start(self, *words: str) -> Running:
        """A command that goes on until it is stopped."""
        out = io.StringIO()
        return Running(asyncio.ensure_future(self._run(words, out, out)), out)

    async def _run(self, words: Sequence[str], out: io.StringIO, err: io.StringIO, stdin: str = "") -> int:
        def open_session(read: Words) -> Session:
            return Session(
                self.cluster.client_of("kubernetes-admin", "system:masters"),
                read.text("namespace") or "default",
                "https://cluster.example:6443",
                read.given("namespace"),
                stdin=io.StringIO(stdin),
                folder=self.folder,
                now=self.cluster.clock.now,
            )

        return await run(words, open_session, out, err)


@dataclass(frozen=True)
class Running:
    """A command under way."""

    task: asyncio.Future[int]
    out: io.StringIO

    def stop(self) -> str:
        """Interrupts it; what it has printed."""
        self.task.cancel()
        return self.out.getvalue()


def play(story: Callable[[Kubectl], Awaitable[None]], folder: Path, workers: int = 2) -> None:
    """A cluster whose nodes are Ready, in virtual time, and a story on it."""

    async def main() -> None:
        async with simulated_cluster(SimulationOptions(workers=workers)) as cluster, asyncio.timeout(24 * 3600):
            await cluster.until(lambda: ready_nodes(cluster) == workers + 1)
            await story(Kubectl(cluster, folder))

    run_virtual(main())


def ready_nodes(cluster: SimulatedCluster) -> int:
    """How many nodes are Ready."""
    return sum(
        any(item.type == "Ready" and item.status == "True" for item in node.status.conditions)
        for node in cluster.api.registry.list(Node)
    )
