"""Local clusters from the outside: `up`, `down`, `node_stop`, `node_start`, `status`. Called by the `pyb` command line.

`up` makes everything and leaves it to a supervisor process; whatever goes wrong on the way is undone before the error
is raised. All errors that a user can put right are `ClusterError`s.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pybernetes.cluster import engine, images, local_components, local_control, network, network_egress
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.local_remove import keep_logs, remove_cluster, supervisors_of
from pybernetes.cluster.local_supervisor import NAME as SUPERVISOR
from pybernetes.cluster.processes import ProcessState, tail
from pybernetes.cluster.state import (
    API_PORT,
    ClusterError,
    ClusterLock,
    ClusterSpec,
    Wishes,
    check_name,
    new_spec,
    other_specs,
    planning,
    read_spec,
    recorded_processes,
    write_spec,
)
from pybernetes.cluster.system_packages import missing_packages, no_root_message
from pybernetes.environment.process import CommandFailed, Readiness, end, is_alive
from pybernetes.environment.refusal import reason

Say = Callable[[str], None]
COMMANDS = "pybernetes.cluster.local_components:component_commands"
_STOP_WITHIN = 15.0


@dataclass(frozen=True)
class ClusterStatus:
    """What `pyb status` shows. `processes` is empty when the cluster is not running."""

    spec: ClusterSpec
    running: bool
    processes: list[ProcessState] = field(default_factory=list)
    stopped_nodes: list[str] = field(default_factory=list)


async def up(name: str, wishes: Wishes, say: Say, commands: str = COMMANDS) -> ClusterSpec:
    """Starts the cluster, on its old data if there are any (then it is as it was made, whatever the wishes).

    Returns when every process is ready. Raises ClusterError, with nothing half-made left behind but the logs.
    """
    check_name(name)
    _check_host()
    layout = Layout(name)
    lock = ClusterLock(layout)
    lock.acquire()
    try:
        spec, is_new = await _planned(layout, wishes, say)
        try:
            await _make(spec, layout, say)
            await _supervise(layout, lock, commands, say)
        except BaseException as error:
            kept = await _undo(spec, layout, is_new, isinstance(error, Exception))
            if isinstance(error, ClusterError):
                raise ClusterError(str(error).replace(str(layout.logs), str(kept))) from error
            raise
    except BaseException as error:
        layout.lock.unlink(missing_ok=True)
        if isinstance(error, CommandFailed | OSError):
            raise ClusterError(f'cannot start cluster "{name}": {reason(error)}') from error
        raise
    finally:
        lock.close()
    return spec


async def _planned(layout: Layout, wishes: Wishes, say: Say) -> tuple[ClusterSpec, bool]:
    """What the cluster is to be, written down, and whether it is new; of an old one only the data are left then."""
    routes = await network.host_routes()
    # Two clusters that are planned at the same time must not choose the same addresses and ports.
    with planning(layout):
        old = read_spec(layout)
        others = other_specs(layout)
        port = _free_port(API_PORT, {other.api_port for other in others})
        spec = old or new_spec(layout.name, wishes, others, routes, port)
        write_spec(layout, spec)
    await remove_cluster(spec, layout, keep_data=True)
    if old is None:
        return spec, True
    if not _port_is_free(old.api_port):
        raise ClusterError(
            f"port {old.api_port} of 127.0.0.1, where the cluster's API was, is used by another program: "
            "end that, or remove the cluster and its data with `pyb down`"
        )
    if (wishes.workers, wishes.egress) != (len(old.nodes) - 1, old.egress):
        how = f"{len(old.nodes) - 1} workers, {'with' if old.egress else 'no'} way out"
        say(f"cluster {old.name} is started as it was made: {how}")
    return old, False


async def _undo(spec: ClusterSpec, layout: Layout, is_new: bool, failed: bool) -> Path:
    """Takes away what a start has made that failed or was interrupted; the folder where the logs of a failure are."""
    kept = await asyncio.to_thread(keep_logs, layout) if is_new and failed else layout.logs
    await remove_cluster(spec, layout, keep_data=not is_new)
    return kept


async def _make(spec: ClusterSpec, layout: Layout, say: Say) -> None:
    """Everything that the processes find when they start."""
    for folder in (layout.run, layout.logs, layout.process_records):
        folder.mkdir(parents=True, exist_ok=True)
    async with images.exclusive(layout.images):
        archives = await images.build(layout.images, say)
        template = await engine.ensure_template(layout.images, archives, say)
        for node in spec.nodes:
            await asyncio.to_thread(engine.prepare, layout.node(node.name), template)
        nodes = [Layout(each.name).node(node.name) for each in [spec, *other_specs(layout)] for node in each.nodes]
        await asyncio.to_thread(engine.prune_templates, layout.images, template, nodes)
    say(f"making the network: {len(spec.nodes)} nodes in {spec.node_cidr}" + ("" if spec.egress else ", no way out"))
    await network.create(spec, layout)
    if spec.egress:
        await network_egress.create(spec, layout)
    await local_components.prepare(spec, layout)


async def _supervise(layout: Layout, lock: ClusterLock, commands: str, say: Say) -> None:
    """Starts the supervisor with the lock; that process ends when all is ready, and leaves a child behind."""
    readiness = Readiness(layout.run / f"{SUPERVISOR}.notify")
    log = layout.logs / f"{SUPERVISOR}.log"
    try:
        with log.open("ab") as out:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pybernetes.cluster.local_supervisor", layout.name, commands, str(lock.fd),
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=[lock.fd],
                start_new_session=True, env={**os.environ, "NOTIFY_SOCKET": str(readiness.path)},
            )  # fmt: skip
        try:
            error = await _listen(readiness, child.wait(), say)
        except asyncio.CancelledError:
            child.kill()
            await child.wait()
            raise
        if error is not None:
            raise ClusterError(error or f"the cluster's supervisor ended; its log is {log}{tail(log)}")
    finally:
        readiness.close()


async def _listen(readiness: Readiness, end_of_start: Coroutine[Any, Any, int], say: Say) -> str | None:
    """Passes on what the supervisor says; None when it is ready, else its error ("" when it gave none)."""
    said: list[str] = []

    def hear(message: str) -> None:
        kind, _, text = message.partition("=")
        if kind == "STATUS":
            say(text)
        if kind == "ERROR":
            said.append(text)

    async def hear_all() -> None:
        while True:
            hear(await readiness.receive())

    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(hear_all())
        code = await end_of_start
        hearing.cancel()
    for message in readiness.waiting():
        hear(message)
    return None if code == 0 else "".join(said)


async def down(name: str, keep_data: bool = False) -> bool:
    """Removes the cluster, running or not, whole or half; False when there was nothing to remove."""
    check_name(name)
    _check_root()
    layout = Layout(name)
    if not keep_data:
        await asyncio.to_thread(shutil.rmtree, layout.failed_logs, ignore_errors=True)
    spec = read_spec(layout)
    if spec is None:
        return False
    # One that is only just starting has not recorded itself yet, but holds the lock.
    recorded = recorded_processes(layout).get(SUPERVISOR)
    supervisors = {*supervisors_of(layout), *([recorded] if recorded else [])}
    await asyncio.gather(*(end(supervisor, _STOP_WITHIN) for supervisor in supervisors))
    lock = ClusterLock(layout)
    lock.acquire()
    try:
        await remove_cluster(spec, layout, keep_data)
    finally:
        layout.lock.unlink(missing_ok=True)
        lock.close()
    return True


async def node_stop(name: str, node: str, say: Say) -> str:
    """Switches a node off, as if by its plug. Raises ClusterError."""
    return str(await _ask(name, {"ask": "node_stop", "node": node}, say))


async def node_start(name: str, node: str, say: Say) -> str:
    """Switches a node on again. Raises ClusterError."""
    return str(await _ask(name, {"ask": "node_start", "node": node}, say))


async def status(name: str) -> ClusterStatus:
    """What runs where. Raises ClusterError when there is no such cluster."""
    layout = Layout(name)
    spec = _existing(layout)
    try:
        answer = await local_control.ask(layout.control_socket, {"ask": "status"}, print)
    except ConnectionError:
        left = recorded_processes(layout)
        processes = [
            ProcessState(each, "", "unsupervised", identity.pid, 0, str(layout.logs / f"{each}.log"))
            for each, identity in left.items()
            if is_alive(identity)
        ]
        return ClusterStatus(spec, False, processes)
    return ClusterStatus(spec, True, [ProcessState(**each) for each in answer["processes"]], answer["away"])


def clusters() -> list[str]:
    """The names of this host's clusters."""
    return sorted(spec.name for spec in other_specs(Layout("")))


def _existing(layout: Layout) -> ClusterSpec:
    check_name(layout.name)
    spec = read_spec(layout)
    if spec is None:
        known = clusters()
        others = f"; there is {', '.join(known)}" if known else ""
        raise ClusterError(f'there is no cluster "{layout.name}"{others}; `pyb up` makes one')
    return spec


async def _ask(name: str, question: dict[str, Any], say: Say) -> Any:
    layout = Layout(name)
    _existing(layout)
    _check_root()
    try:
        return await local_control.ask(layout.control_socket, question, say)
    except ConnectionError as error:
        raise ClusterError(f'cluster "{name}" is not running; `pyb up` starts it') from error


def _check_host() -> None:
    _check_root()
    missing = missing_packages()
    if missing:
        raise ClusterError(f"this host lacks {', '.join(missing)}; install with: apt-get install {' '.join(missing)}")


def _check_root() -> None:
    if os.geteuid() != 0:
        raise ClusterError(no_root_message(shutil.which("sudo") is not None))


def _free_port(wanted: int, taken: Collection[int]) -> int:
    """That port of 127.0.0.1, or the next one that is free and not another cluster's."""
    for port in range(wanted, wanted + 1000):
        if port not in taken and _port_is_free(port):
            return port
    raise ClusterError(f"no free port from {wanted} to {wanted + 999} on 127.0.0.1")


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
