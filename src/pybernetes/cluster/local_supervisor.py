"""What stays behind when `pyb up` returns: it keeps the cluster's processes running and publishes NodePorts.

Started by `local.up` with the cluster's lock; says STATUS= and ERROR= to NOTIFY_SOCKET, and the exit code of what
was started says whether all is ready. SIGTERM ends the cluster's processes in order and then itself. Answers
questions on the control socket.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import sys
from dataclasses import asdict
from typing import Any

import uvloop

from pybernetes.cluster import engine, local_components, local_remove, network, network_egress
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.local_control import Say, serve
from pybernetes.cluster.processes import Supervisor
from pybernetes.cluster.publish import Published, Publisher
from pybernetes.cluster.state import ClusterError, ClusterSpec, read_spec, record_process
from pybernetes.environment.process import identify, notify
from pybernetes.environment.process_fork import ForkServer

NAME = "supervisor"
PROCESSES = ".processes"
_log = logging.getLogger(__name__)


class LocalCluster:
    """A running cluster, from the inside."""

    def __init__(self, spec: ClusterSpec, layout: Layout, commands: str, ready: int) -> None:
        """`ready` is a descriptor to which a byte is written once all processes are ready."""
        self._ready = ready
        self.spec = spec
        self.layout = layout
        module, _, function = commands.partition(":")
        wanted = getattr(importlib.import_module(module), function)(spec, layout)
        forks = ForkServer(local_components.ENTRY, layout.logs / "fork-server.log", local_components.PRELOAD)
        self._forks = forks if any(command.forked for command in wanted) else None
        self._supervisor = Supervisor(wanted, layout, forks)
        self._publisher = Publisher(
            [Published(node.name, node.host_address, node.address, spec.fabric) for node in spec.nodes]
        )
        self._away: set[str] = set()
        self._background: tuple[asyncio.Task[Any], ...] = ()
        self._turn = asyncio.Lock()

    async def run(self) -> str:
        """Starts all and serves until SIGTERM; the error when the cluster cannot start, else ""."""
        ending = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
        if self._forks:
            await self._forks.start()
        async with asyncio.TaskGroup() as tasks:
            starting = asyncio.ensure_future(self._start(tasks))
            stopping = tasks.create_task(ending.wait())
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            failure = await _failure(starting)
            if not failure:
                await stopping
            stopping.cancel()
            await self._supervisor.stop()
            for task in self._background:
                task.cancel()
            if self._forks:
                await self._forks.close()
        return failure

    async def _start(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        server = await serve(self.layout.control_socket, self.answer)
        await self._supervisor.start(tasks, say=lambda text: notify(f"STATUS={text}"))
        ports = local_components.node_ports(self.spec, self.layout)
        self._background = (
            tasks.create_task(server.serve_forever()),
            tasks.create_task(self._publisher.run(ports)),
            *([tasks.create_task(self._forks.keep())] if self._forks else []),
        )
        os.write(self._ready, b"1")

    async def answer(self, question: dict[str, Any], say: Say) -> Any:
        """Answers one question of the control socket. Raises ClusterError."""
        match question.get("ask"):
            case "status":
                return {
                    "processes": [asdict(state) for state in self._supervisor.states()],
                    "away": sorted(self._away),
                }
            case "node_stop":
                async with self._turn:
                    return await self._node_stop(self.spec.node(question["node"]).name, say)
            case "node_start":
                async with self._turn:
                    return await self._node_start(self.spec.node(question["node"]).name, say)
        raise ClusterError(f"unknown question {question.get('ask')!r}")

    async def _node_stop(self, node: str, say: Say) -> str:
        """As if its power were cut: nothing on it gets the chance to say goodbye to the API server."""
        if node in self._away:
            return f'node "{node}" is already stopped'
        self._away.add(node)
        await network.set_cable(self.spec, node, plugged=False)
        await self._publisher.set_away(node, True)
        await self._supervisor.stop(node)
        await local_remove.remove_running_node(self.spec, self.layout, node)
        return f'node "{node}" stopped'

    async def _node_start(self, node: str, say: Say) -> str:
        if node not in self._away:
            return f'node "{node}" is running'
        await asyncio.to_thread(engine.prepare, self.layout.node(node), None)
        if self.spec.egress:
            await network_egress.open_node(self.spec, node)
        await network.set_cable(self.spec, node, plugged=True)
        await self._supervisor.start(self._tasks, node, say)
        await self._publisher.set_away(node, False)
        self._away.discard(node)
        return f'node "{node}" started'


def main(argv: list[str]) -> int:
    """`local_supervisor NAME COMMANDS LOCK`; returns when the cluster is ready, having left the supervisor behind.

    The lock's descriptor stays open until the supervisor ends, and no other process.
    """
    name, commands, lock = argv
    os.set_inheritable(int(lock), False)
    waiting, ready = os.pipe()
    if os.fork():
        os.close(ready)
        return 0 if os.read(waiting, 1) else 1
    os.close(waiting)
    os.setsid()
    return supervise(name, commands, ready)


def supervise(name: str, commands: str, ready: int) -> int:
    """Runs the cluster until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    layout = Layout(name)
    spec = read_spec(layout)
    identity = identify(os.getpid())
    if spec is None or identity is None:
        print(f'no cluster "{name}"', file=sys.stderr)
        return 1
    local_remove.join_cgroup(f"{layout.cgroup()}/{PROCESSES}")
    record_process(layout, NAME, identity)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        failure = runner.run(LocalCluster(spec, layout, commands, ready).run())
    if failure:
        notify(f"ERROR={failure}")
    return int(bool(failure))


async def _failure(starting: asyncio.Future[None]) -> str:
    """Why the start failed; "" when it did not, or when it was not over yet, in which case it is given up."""
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])
        return ""
    try:
        starting.result()
    except (ClusterError, OSError) as error:
        _log.error("cannot start: %s", error)
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
