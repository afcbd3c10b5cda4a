"""What the CRI runtime makes of a runtime's answers, given by a small server on a real socket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from pybernetes.kubelet.cri.convert import POD_UID
from pybernetes.kubelet.cri.messages import CONTAINERD, CRI, Schema
from pybernetes.kubelet.cri.runtime import CriRuntime
from pybernetes.kubelet.runtime import State

CREATED, RUNNING, EXITED = 0, 1, 2


class Engine(grpc.GenericRpcHandler):  # type: ignore[misc]
    """One pod with one container, whose end is told before the lists show it, as containerd does."""

    def __init__(self) -> None:
        self.states = [RUNNING]  # what the next looks find; the last one stays
        self.exits: asyncio.Queue[str] = asyncio.Queue()

    def service(self, details: Any) -> Any:
        name = details.method.rpartition("/")[2]
        if name == "Subscribe":
            return self._handler(CONTAINERD, ("Events", name), self.subscribe)
        return self._handler(CRI, ("RuntimeService", name), getattr(self, name))

    def _handler(self, schema: Schema, where: tuple[str, str], function: Callable[..., Any]) -> Any:
        takes, gives = schema.methods[where[0]][where[1]]
        make = grpc.unary_stream_rpc_method_handler if "stream" in gives else grpc.unary_unary_rpc_method_handler
        encode = schema.message(gives.removeprefix("stream ")).SerializeToString
        return make(function, schema.message(takes).FromString, encode)

    async def ListPodSandbox(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return CRI.message("ListPodSandboxResponse")()

    async def ListContainers(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        item = CRI.message("Container")(id="c", state=state, labels={POD_UID: "u"})
        return CRI.message("ListContainersResponse")(containers=[item])

    async def ContainerStatus(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        status = CRI.message("ContainerStatus")(id="c", state=self.states[0])
        return CRI.message("ContainerStatusResponse")(status=status)

    async def subscribe(self, _request: Any, _context: Any) -> AsyncIterator[Any]:
        while True:
            container = await self.exits.get()
            envelope = CONTAINERD.message("Envelope")(topic="/tasks/exit")
            envelope.event.value = CONTAINERD.message("TaskExit")(
                id=container, container_id=container
            ).SerializeToString()
            yield envelope


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[tuple[Engine, CriRuntime]]:
    server, engine = grpc.aio.server(), Engine()
    server.add_generic_rpc_handlers((engine,))
    server.add_insecure_port(f"unix://{tmp_path}/s")
    await server.start()
    runtime = CriRuntime(f"{tmp_path}/s")
    yield engine, runtime
    await runtime.close()
    await server.stop(None)


@pytest.mark.parametrize("late", [[CREATED], [RUNNING], [CREATED, RUNNING, RUNNING]])
async def test_an_end_that_was_told_is_seen_even_when_the_lists_are_late(
    engine: tuple[Engine, CriRuntime], late: list[int]
) -> None:
    server, runtime = engine
    assert (await runtime.pod("u")).containers[0].state is State.RUNNING
    events = runtime.events()
    waiting = asyncio.ensure_future(anext(events))
    server.exits.put_nowait("c")
    assert await waiting == "u"
    server.states = [*late, EXITED]
    assert (await runtime.pod("u")).containers[0].state is State.EXITED
    await events.aclose()  # type: ignore[attr-defined]


_FORKS = """
import os, sys
import pybernetes.kubelet.cri.client
import grpc
from concurrent import futures
server = grpc.server(futures.ThreadPoolExecutor(1))
server.add_insecure_port(sys.argv[1])
server.start()
channel = grpc.insecure_channel(sys.argv[1])
grpc.channel_ready_future(channel).result(10)
if not os.fork():
    os._exit(0)
os.wait()
"""


async def test_subprocesses_leave_the_connection_to_the_runtime_alone(tmp_path: Path) -> None:
    # With its fork handlers, gRPC would say that it could not run them, or worse, run them.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _FORKS, f"unix:{tmp_path}/s"), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert (process.returncode, b"fork" in said) == (0, False)
