"""The health of scheduler and controller manager over TLS."""

from __future__ import annotations

import socket
import ssl

import aiohttp
import pytest

from pybernetes.cluster.health_port import answer, serving_health
from pybernetes.environment.clock import SystemClock


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_who_asks_is_told_that_all_is_well(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with (
        serving_health("kube-scheduler", port, SystemClock()),
        aiohttp.ClientSession() as session,
        session.get(f"https://127.0.0.1:{port}/healthz", ssl=context) as response,
    ):
        assert (response.status, await response.text()) == (200, "ok")


async def test_a_port_that_is_taken_hinders_nobody(port):
    async with serving_health("a", port, SystemClock()), serving_health("b", port, SystemClock()):
        pass


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /livez?verbose HTTP/1.1", "200"),
        ("GET /x HTTP/1.1", "404"),
        ("POST /healthz HTTP/1.1", "405"),
        ("", "405"),
    ],
)
def test_answers(line, status):
    assert answer(f"{line}\r\n\r\n".encode()).startswith(f"HTTP/1.1 {status} ".encode())
