"""The walkthrough of the Kubernetes introduction, end to end: seven nodes, real containers, the real kubectl.

The tests of this file are one story, told in order on one cluster.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pybernetes.cluster.layout import Layout
from pybernetes.cluster.state import read_spec
from pybernetes.walkthrough.script import STEPS, place_of
from pybernetes.walkthrough.walk import Walk, pyb_command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
EXAMPLES = Path(__file__).parents[2] / "examples"


def pyb(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(pyb_command(*words), text=True, capture_output=True, timeout=280, check=False)


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    name = f"e{os.getpid()}"
    up = pyb("up", "--name", name, "--no-egress")
    try:
        assert up.returncode == 0, up.stderr
        spec = read_spec(Layout(name))
        assert spec is not None
        yield Walk(place_of(spec, EXAMPLES), print)
    finally:
        down = pyb("down", "--name", name)
    assert down.returncode == 0, down.stderr


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_step(walk: Walk, step: Callable[[Walk], None]) -> None:
    step(walk)


def test_second_up_of_a_running_cluster_is_refused(walk: Walk) -> None:
    again = pyb("up", "--name", walk.place.cluster, "--no-egress")
    assert again.returncode == 1
    assert walk.place.cluster in again.stderr
    assert "Traceback" not in again.stderr


def test_status_shows_every_process_ready(walk: Walk) -> None:
    status = pyb("status", "--name", walk.place.cluster)
    assert status.returncode == 0, status.stdout
    for process in ("apiserver", "control-plane", "node.worker-6", "containerd.worker-1"):
        assert process in status.stdout


def test_everything_comes_back_on_the_old_data(walk: Walk) -> None:
    before = {pod["metadata"]["uid"] for pod in walk.objects("pods", "-A")}
    assert pyb("down", "--name", walk.place.cluster, "--keep-data").returncode == 0
    up = pyb("up", "--name", walk.place.cluster, "--no-egress")
    assert up.returncode == 0, up.stderr
    walk.wait("all pods are back and Ready", lambda: _all_ready(walk, before))


def _all_ready(walk: Walk, uids: set[str]) -> bool:
    pods = walk.objects("pods", "-A")
    ready = {pod["metadata"]["uid"] for pod in pods if _is_ready(pod)}
    return ready == uids


def _is_ready(pod: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"].get("conditions", []))


def test_down_removes_everything_and_may_be_said_twice(walk: Walk) -> None:
    name = walk.place.cluster
    assert pyb("down", "--name", name).returncode == 0
    again = pyb("down", "--name", name)
    assert again.returncode == 0
    namespaces = subprocess.run(["ip", "netns", "list"], text=True, capture_output=True, check=True).stdout
    assert f"pyb-{name}" not in namespaces
    assert not Layout(name).data.exists()
    assert not Layout(name).run.exists()
