"""Probes of real servers: what makes them succeed or fail, and in which words."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from pybernetes.api.types.core_v1 import Container, GRPCAction, HTTPGetAction, Pod, Probe, TCPSocketAction
from pybernetes.environment.clock import SystemClock
from pybernetes.kubelet.kit import Outcome, Target
from pybernetes.kubelet.network_probes import NetworkProber
from pybernetes.kubelet.simulated import SimulatedRuntime

TARGET = Target(Pod(), Container(name="c"), "id", "127.0.0.1")
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


class Health(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Serves the whole, and the service `good`."""

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self.check) if details.method.endswith("Health/Check") else None

    async def check(self, request: bytes, _context: Any) -> bytes:
        return SERVING if request in (b"", b"\x0a\x04good") else NOT_SERVING


@pytest.mark.parametrize(("service", "success"), [("", True), ("good", True), ("bad", False)])
async def test_grpc_health(service: str, success: bool) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Health(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    probe = Probe(grpc=GRPCAction(port=port, service=service), timeout_seconds=10)
    outcome = await NetworkProber(SimulatedRuntime(SystemClock(), "node")).probe(TARGET, probe)
    await server.stop(None)
    assert outcome.success is success
    assert success or outcome.message == 'service unhealthy (responded with "NOT_SERVING")'


async def test_nobody_listens() -> None:
    prober = NetworkProber(SimulatedRuntime(SystemClock(), "node"))
    over_tcp = await prober.probe(TARGET, Probe(tcp_socket=TCPSocketAction(port=1)))
    assert over_tcp == Outcome(False, "dial tcp 127.0.0.1:1: connect: connection refused")
    over_http = await prober.probe(TARGET, Probe(http_get=HTTPGetAction(port=1, path="/x")))
    words = 'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused'
    assert over_http == Outcome(False, words)


@pytest.mark.parametrize(
    ("location", "success", "message"),
    [
        ("/well", True, ""),
        ("http://127.0.0.1:{port}/ill?a=b", False, "HTTP probe failed with statuscode: 500"),
        ("http://elsewhere.example/", True, "Probe terminated redirects, which lead to http://elsewhere.example/"),
        ("/again", False, 'Get "http://127.0.0.1:{port}/again": stopped after 10 redirects'),
    ],
)
async def test_redirects_are_followed_on_the_same_host(location: str, success: bool, message: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).decode().split()[1]
        status = {"/well": "200 OK", "/ill?a=b": "500 Ill"}.get(path, "302 Found")
        writer.write(f"HTTP/1.1 {status}\r\nLocation: {location.format(port=port)}\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    prober = NetworkProber(SimulatedRuntime(SystemClock(), "node"))
    outcome = await prober.probe(TARGET, Probe(http_get=HTTPGetAction(port=port, path="/x"), timeout_seconds=10))
    server.close()
    assert outcome == Outcome(success, message.format(port=port), warns="elsewhere" in location)
