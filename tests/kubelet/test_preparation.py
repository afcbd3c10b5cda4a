"""What a kubelet reads back from containers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.kubelet.conftest import FakeApi

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.kubelet.machine import LinuxMachine
from pybernetes.kubelet.options import KubeletOptions
from pybernetes.kubelet.preparation import LONGEST_MESSAGE, NodePreparation
from pybernetes.kubelet.runtime import ContainerRecord, RuntimeFailure, State

RECORD = ContainerRecord(id="i", sandbox_id="s", name="c", attempt=0, state=State.EXITED, created_at=1)


def preparation_with(api: FakeApi, folder: Path) -> tuple[KubeletOptions, NodePreparation]:
    options = KubeletOptions("n", "192.0.2.1", folder)
    facts, _ = LinuxMachine(folder)()
    client = Client(InProcessTransport(api.handle))
    return options, NodePreparation(options, client, SystemClock(), Chance(1), facts)


def test_a_huge_termination_message_costs_its_end_only(tmp_path: Path) -> None:
    options, preparation = preparation_with(FakeApi(), tmp_path)
    pod = from_builtins({"metadata": {"uid": "u"}, "spec": {"containers": [{"name": "c"}]}}, Pod)
    message = options.pods_dir / "u" / "containers" / "c" / "0"
    message.parent.mkdir(parents=True)
    with message.open("wb") as file:
        # Larger than any memory, without a byte on the disk.
        file.truncate(1 << 42)
        file.seek(0, 2)
        file.write(b"the end")
    text = preparation.termination_message(pod, pod.spec.containers[0], RECORD)
    assert text.endswith("the end")
    assert len(text) <= LONGEST_MESSAGE


async def test_a_runtime_class_names_the_handler(tmp_path: Path) -> None:
    api = FakeApi()
    api.seed("runtimeclasses", RuntimeClass(metadata=ObjectMeta(name="slim"), handler="thin"))
    _options, preparation = preparation_with(api, tmp_path)
    assert await preparation.runtime_handler(from_builtins({"spec": {"runtimeClassName": "slim"}}, Pod)) == "thin"
    with pytest.raises(RuntimeFailure):
        await preparation.runtime_handler(from_builtins({"spec": {"runtimeClassName": "gone"}}, Pod))
