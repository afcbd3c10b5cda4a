"""What a kubelet keeps to itself on its machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kubelet.conftest import FakeApi

from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.kubelet.assembly import node_kubelet
from pybernetes.kubelet.mounting import is_in_memory, is_mounted, unmount
from pybernetes.kubelet.options import KubeletOptions


@pytest.fixture
def secrets(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "secrets"
    yield place
    if is_mounted(place):
        unmount(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
async def test_volumes_and_secrets_are_out_of_reach_and_secrets_in_memory(tmp_path: Path, secrets: Path) -> None:
    options = KubeletOptions("n", "192.0.2.1", tmp_path / "root", secret_dir=secrets)
    client = Client(InProcessTransport(FakeApi().handle))
    runtime, recorder = object(), object()
    for _again in range(2):
        node_kubelet(options, client, runtime, clock=SystemClock(), chance=Chance(1), recorder=recorder)  # type: ignore[arg-type]
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert options.pods_dir.stat().st_mode & 0o027 == 0
    assert is_in_memory(secrets)
