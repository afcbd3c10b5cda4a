"""A real local cluster's host side: namespaces, container engines, containers; and nothing left of it afterwards."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.cluster.cri_messages import Engine

from pybernetes.cluster import engine, local
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.local_components import engine_commands
from pybernetes.cluster.local_remove import cgroup_folders
from pybernetes.cluster.local_supervisor import NAME as SUPERVISOR
from pybernetes.cluster.processes import ComponentCommand, Listen
from pybernetes.cluster.routes import RouteTable
from pybernetes.cluster.state import ClusterError, ClusterSpec, Wishes, recorded_processes
from pybernetes.environment.namespace import open_connection_in
from pybernetes.environment.process import CommandFailed, Identity, is_alive, run, send_signal, wait_gone

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(bool(local.missing_packages()), reason="needs containerd, runc, iptables, CNI"),
]
ENGINES = "pybernetes.cluster.local_components:engine_commands"


async def start(name: str) -> ClusterSpec:
    return await local.up(name, Wishes(workers=2, egress=False), print, ENGINES)


@pytest.fixture
def name() -> Iterator[str]:
    made = "t" + secrets.token_hex(4)
    try:
        yield made
    finally:
        asyncio.run(local.down(made))


def traces(name: str) -> list[str]:
    """Everything on this machine that has the cluster's name."""
    found = [str(path) for path in Path("/run/netns").glob(f"pyb-{name}*")]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/{name}/" in line]
    found += [str(path) for path in (Layout(name).data, Layout(name).run, Layout(name).lock) if path.exists()]
    found += [str(path) for path in cgroup_folders(f"/pybernetes/{name}")]
    found += [str(path) for path in Path("/var/lib/cni/results").glob(f"pyb.{name}.*")]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"/{name}/" in line or f"\0{name}\0" in line:
            found.append(line)
    return found


async def network_pods(spec: ClusterSpec) -> None:
    """What the node IPAM, the kubelets and the route controller do."""
    table = RouteTable(spec)
    for number, node in enumerate(spec.nodes):
        engine.write_cni_config(Layout(spec.name).node(node.name), spec.name, node.name, f"10.244.{number}.0/24")
        await table.add(f"10.244.{number}.0/24", node.address)
    assert [route.node_address for route in await table.list()] == [node.address for node in spec.nodes]


def run_pod(name: str, node: str, image: str, *command: str) -> tuple[Engine, str, str]:
    """A pod on a node: the node's engine, the container, its address. Waits for the network to be configured."""
    layout = Layout(name)
    there = Engine(layout.node(node).containerd_socket)
    there.wait_network()
    _, container, address = there.run_pod(image.replace(":", "-"), image, layout.cgroup(node), list(command))
    return there, container, address


async def test_pods_of_different_nodes_reach_each_other_and_nothing_leaves(name: str) -> None:
    spec = await start(name)
    await network_pods(spec)
    web, _, address = await asyncio.to_thread(run_pod, name, "worker-1", "nginx:1.7.9")
    other, client, _ = await asyncio.to_thread(run_pod, name, "worker-2", "busybox:latest", "sleep", "1000")
    await reach(spec, address)
    fetch = ["timeout", "10", "wget", "-qO-", f"http://{address}/"]
    code, page = await asyncio.to_thread(other.execute, client, fetch)
    assert (code, "nginx:1.7.9" in page) == (0, True)

    code, _ = await asyncio.to_thread(other.execute, client, ["timeout", "5", "wget", "-qO-", "http://198.51.100.1/"])
    assert code != 0
    for target in ("10.96.0.1", address, spec.nodes[0].address):
        with socket.socket() as probe, pytest.raises(OSError, match="Invalid argument|unreachable"):
            probe.connect((target, 443))
    reader, writer = await open_connection_in(spec.namespace("control-plane"), address, 80)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert b"X-Image: nginx:1.7.9" in await reader.read()
    writer.close()

    with pytest.raises(ClusterError, match="already running"):
        await start(name)
    web.close()
    other.close()
    assert await local.down(name)
    assert traces(name) == []
    assert not await local.down(name)


async def test_a_node_that_was_switched_off_comes_back_with_no_containers(name: str) -> None:
    spec = await start(name)
    await network_pods(spec)
    here, _, address = await asyncio.to_thread(run_pod, name, "worker-1", "nginx:1.7.9")
    here.close()
    await local.node_stop(name, "worker-1", print)
    with pytest.raises(OSError):
        async with asyncio.timeout(2):
            await open_connection_in(spec.namespace("worker-2"), address, 80)
    stopped = await local.status(name)
    assert stopped.stopped_nodes == ["worker-1"]
    assert {each.node: each.state for each in stopped.processes}["worker-1"] == "stopped"
    await local.node_start(name, "worker-1", print)
    again, _, address = await asyncio.to_thread(run_pod, name, "worker-1", "nginx:1.9.1")
    again.close()
    await reach(spec, address)
    with pytest.raises(ClusterError, match='no node "worker-7"'):
        await local.node_stop(name, "worker-7", print)


async def test_containers_outlive_their_engine_and_a_crashed_cluster_is_removed_whole(name: str) -> None:
    spec = await start(name)
    await network_pods(spec)
    here, _, address = await asyncio.to_thread(run_pod, name, "worker-1", "nginx:1.7.9")
    here.close()
    await kill(recorded_processes(Layout(name))["containerd.worker-1"])
    await reach(spec, address)

    await kill(recorded_processes(Layout(name))[SUPERVISOR])
    assert not (await local.status(name)).running
    left = recorded_processes(Layout(name))["containerd.worker-2"]
    assert is_alive(left)
    assert await local.down(name)
    assert not is_alive(left)
    assert traces(name) == []


def commands_that_cannot_start(spec: ClusterSpec, layout: Layout) -> list[ComponentCommand]:
    """The engines, then a process that wants a port which the test has taken."""
    taken = ComponentCommand(
        "late", spec.control_plane.name, ("sleep", "60"), None, listen=(Listen(None, "127.0.0.1", spec.api_port),)
    )
    return [*engine_commands(spec, layout), taken]


async def test_a_cluster_that_cannot_start_says_why_and_leaves_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_port_is_free", lambda _: True)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setattr(local, "API_PORT", port)
        with pytest.raises(ClusterError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            await local.up(
                name, Wishes(workers=1, egress=False), print, "tests.cluster.test_local:commands_that_cannot_start"
            )
    assert traces(name) == []


async def test_a_crashed_cluster_starts_again_on_its_data(name: str) -> None:
    spec = await start(name)
    kept = Layout(name).store / "kept"
    kept.parent.mkdir()
    kept.touch()
    await kill(recorded_processes(Layout(name))[SUPERVISOR])
    assert await start(name) == spec
    assert kept.exists()
    assert await local.down(name, keep_data=True)
    assert kept.exists()
    with pytest.raises(CommandFailed):
        await run(["ip", "-n", spec.fabric, "link"])


async def reach(spec: ClusterSpec, address: str) -> None:
    """Connects from another node, as soon as the program in the container listens.

    A node that was away is not believed in by its neighbours for a moment (EHOSTUNREACH).
    """
    while True:
        with suppress(OSError):
            _, writer = await open_connection_in(spec.namespace("worker-2"), address, 80)
            writer.close()
            return


async def kill(identity: Identity) -> None:
    send_signal(identity, signal.SIGKILL)
    await wait_gone(identity)
