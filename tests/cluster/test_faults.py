"""Faults around a local cluster: full disks, failed starts, locks that vanish, an API server that comes late."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cluster.test_local import traces

from pybernetes.api.objects import copy
from pybernetes.api.status import failure
from pybernetes.api.types.core_v1 import Container, Node, Pod, PodSpec, Service
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.client import Client, Unreachable
from pybernetes.cluster import images, local
from pybernetes.cluster.addons import ensure_addons
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.local_components import engine_commands
from pybernetes.cluster.local_control_plane import persistently
from pybernetes.cluster.local_remove import keep_logs
from pybernetes.cluster.node_readiness import wait_nodes_ready
from pybernetes.cluster.processes import ComponentCommand
from pybernetes.cluster.simulation import simulated_cluster
from pybernetes.cluster.state import ClusterError, ClusterLock, ClusterSpec, Wishes, write_whole
from pybernetes.environment.process import run
from pybernetes.environment.virtual_time import run_virtual

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    asyncio.run(run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]))
    try:
        yield folder
    finally:
        asyncio.run(run(["umount", str(folder)]))


@needs_root
def test_a_disk_that_is_full_of_images_is_told_and_not_kept_full(tmp_path: Path) -> None:
    async def build(folder: Path) -> None:
        async with images.exclusive(folder):
            write_whole(folder / "some.layer", bytes(4_000_000))

    with small_disk(tmp_path / "images") as folder:
        with pytest.raises(ClusterError, match=f"no space is left for the images in {folder}"):
            asyncio.run(build(folder))
        assert [path.name for path in folder.iterdir()] == ["lock"]


def test_a_lock_whose_file_was_removed_is_taken_anew(tmp_path: Path) -> None:
    layout = Layout("test", tmp_path / "data", tmp_path / "run")
    first, waiting = ClusterLock(layout), ClusterLock(layout)
    first.acquire()
    layout.lock.unlink()
    first.close()
    waiting.acquire()
    with pytest.raises(ClusterError, match='"test" is already running, or is just being started or removed'):
        ClusterLock(layout).acquire()
    waiting.close()
    after = ClusterLock(layout)
    after.acquire()
    after.close()


def test_the_logs_of_the_last_failed_start_are_kept(tmp_path: Path) -> None:
    layout = Layout("test", tmp_path / "data", tmp_path / "run")
    for words in ("first", "second"):
        layout.logs.mkdir(parents=True)
        (layout.logs / "supervisor.log").write_text(words)
        kept = keep_logs(layout)
        assert (kept / "supervisor.log").read_text() == words
        assert not layout.logs.exists()


def commands_that_end(spec: ClusterSpec, layout: Layout) -> list[ComponentCommand]:
    """An engine, then a process that says something and ends."""
    ending = ("sh", "-c", "echo such is life; exit 3")
    return [*engine_commands(spec, layout)[:1], ComponentCommand("late", spec.control_plane.name, ending, None)]


@pytest.mark.e2e
@needs_root
@pytest.mark.skipif(bool(local.missing_packages()), reason="needs containerd, runc, iptables, CNI")
async def test_the_message_of_a_failed_start_names_a_log_that_is_there() -> None:
    name = "f" + secrets.token_hex(4)
    kept = Layout(name).failed_logs
    try:
        with pytest.raises(ClusterError, match=f"late keeps ending; its log is {kept}/late.log\n +such is life"):
            await local.up(name, Wishes(0, egress=False), print, "tests.cluster.test_faults:commands_that_end")
        assert "such is life" in (kept / "late.log").read_text()
        assert traces(name) == []
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def test_add_ons_that_are_there_are_left_as_they_are() -> None:
    async def story() -> tuple[str, str]:
        async with simulated_cluster() as cluster:
            client = cluster.client
            await ensure_addons(client, "10.96.0.10")
            service = copy(await client.get(Service, "kube-dns", "kube-system"))
            service.metadata.labels["mine"] = "yes"
            changed = await client.update(service)
            await ensure_addons(client, "10.96.0.10")
            found = await client.get(Service, "kube-dns", "kube-system")
            return changed.metadata.resource_version or "", found.metadata.resource_version or ""

    before, after = run_virtual(story())
    assert before == after


def test_a_pod_that_is_bound_to_an_unknown_node_is_collected() -> None:
    async def story() -> float:
        async with simulated_cluster() as cluster:
            client = cluster.client
            registry = cluster.api.registry
            await cluster.until(lambda: len(list(registry.list(Node))) == 7)
            meta = ObjectMeta(name="lost", namespace="default")
            spec = PodSpec(containers=[Container(name="c", image="busybox")], scheduler_name="nobody")
            pod = await client.create(Pod(metadata=meta, spec=spec))
            await client.bind(pod, "worker-99")
            bound = cluster.clock.monotonic()
            await cluster.until(lambda: not list(registry.list(Pod, "default")))
            return cluster.clock.monotonic() - bound

    assert run_virtual(story()) == pytest.approx(40, abs=5)


class Away:
    """A transport to an API server that never answers."""

    async def send(self, request: object) -> None:
        raise Unreachable("nobody is there", sent=False)

    async def close(self) -> None:
        return


def test_nodes_of_an_unreachable_api_server_are_waited_for_and_then_named() -> None:
    client = Client(Away())  # type: ignore[arg-type]
    with pytest.raises(ClusterError, match=r"not Ready after 60 s: a, b \(nobody is there\)"):
        run_virtual(wait_nodes_ready(client, ["a", "b"]))


def test_what_an_api_server_refuses_for_now_is_done_later() -> None:
    answers = [Unreachable("away"), failure(503, "ServiceUnavailable", "later"), None]

    async def work() -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    run_virtual(persistently("work", work))
    assert answers == []
