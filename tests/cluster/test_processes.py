"""Supervision with real processes: readiness, restarts, order, forks, records."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

import pytest

from pybernetes.cluster.layout import Layout
from pybernetes.cluster.processes import ComponentCommand, Listen, Supervised, Supervisor, backoff
from pybernetes.cluster.state import ClusterError, recorded_processes
from pybernetes.environment.process import Identity, identify, is_alive, send_signal, wait_gone
from pybernetes.environment.process_fork import ForkServer

READY = "from pybernetes.environment.process import notify_ready; notify_ready(); import signal; signal.pause()"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout("test", tmp_path / "data", tmp_path / "run")
    for folder in (made.run, made.logs):
        folder.mkdir(parents=True)
    return made


def forks(layout: Layout) -> ForkServer:
    return ForkServer("tests.cluster.test_processes:forked", layout.logs / "forks.log")


def command(name: str, code: str = READY, **more: object) -> ComponentCommand:
    return ComponentCommand(name, "node", (sys.executable, "-c", code), None, **more)  # type: ignore[arg-type]


async def test_a_killed_process_is_started_again_and_a_stopped_one_is_not(layout: Layout) -> None:
    one = Supervised(command("one"), layout, forks(layout))
    async with asyncio.TaskGroup() as tasks:
        one.start(tasks)
        await one.ready.wait()
        first = one.identity
        assert first is not None
        assert recorded_processes(layout) == {"one": first}
        send_signal(first, signal.SIGKILL)
        await wait_gone(first)
        while one.identity in (first, None) or not one.ready.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0)
        second = one.identity
        assert second is not None
        assert one.state().restarts == 1
        await one.stop()
        assert not is_alive(second)
        assert recorded_processes(layout) == {}


async def test_stages_start_in_order_and_end_in_reverse(layout: Layout, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = (
        "import signal, sys; from pybernetes.environment.process import notify_ready\n"
        f"def say(word): open({str(trace)!r}, 'a').write(word + '\\n')\n"
        "def end(*_): say('end NAME'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); say('begin NAME'); notify_ready(); signal.pause()"
    )
    commands = [command(name, code.replace("NAME", name), stage=stage) for name, stage in (("b", 2), ("a", 1))]
    said: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        supervisor = Supervisor(commands, layout, forks(layout))
        await supervisor.start(tasks, say=said.append)
        assert [state.state for state in supervisor.states()] == ["ready", "ready"]
        await supervisor.stop()
    assert trace.read_text().split("\n") == ["begin a", "begin b", "end b", "end a", ""]
    assert said == ["starting a", "starting b"]


async def test_a_process_that_keeps_ending_is_given_up_with_its_last_words(layout: Layout) -> None:
    supervisor = Supervisor([command("one", "raise SystemExit('no such flag')")], layout, forks(layout))
    async with asyncio.TaskGroup() as tasks:
        with pytest.raises(ClusterError, match="one keeps ending; its log is .*\n    no such flag"):
            await supervisor.start(tasks)
        await supervisor.stop()


async def test_a_taken_port_is_named(layout: Layout) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        wanting = command("one", listen=(Listen(None, "127.0.0.1", port),))
        with pytest.raises(ClusterError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            Supervised(wanting, layout, forks(layout)).start(None)  # type: ignore[arg-type]


def forked(argv: list[str]) -> int:
    """What the fork server's child runs: answers one connection with its arguments."""
    from pybernetes.environment.process import inherited_listeners, notify_ready

    notify_ready()
    (listener,) = inherited_listeners()
    listener.setblocking(True)
    connection, _ = listener.accept()
    connection.sendall(" ".join(argv).encode())
    connection.close()
    signal.pause()
    return 0


async def test_a_forked_component_serves_on_the_socket_that_was_made_for_it(layout: Layout) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = forks(layout)
    wanted = ComponentCommand(
        "forked", "node", ("kubelet", "--flag"), None, forked=True, listen=(Listen(None, "127.0.0.1", port),)
    )
    one = Supervised(wanted, layout, server)
    async with asyncio.TaskGroup() as tasks:
        one.start(tasks)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b"kubelet --flag"
        writer.close()
        await one.stop()
    await server.close()


async def test_a_reused_pid_is_never_signalled() -> None:
    child = await asyncio.create_subprocess_exec("sleep", "60")
    real = identify(child.pid)
    assert real is not None
    assert not send_signal(Identity(real.pid, real.started - 1), signal.SIGKILL)
    assert is_alive(real)
    child.kill()
    await child.wait()
    assert identify(child.pid) is None


def test_the_wait_between_starts_doubles_up_to_ten_seconds() -> None:
    assert [backoff(n) for n in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert backoff(1000) == 10
