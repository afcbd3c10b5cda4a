"""kube-proxy's HTTP: `/healthz` for load balancers, `/metrics`, `/proxyMode`, and Services' health-check node ports.

`Progress` and `States` flow in, short answers flow out. An address that cannot be had is logged and done without.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from pybernetes.proxy.options import ProxyOptions
from pybernetes.proxy.progress import Progress
from pybernetes.proxy.state import States

log = logging.getLogger(__name__)

Answer = tuple[int, str | Mapping[str, Any]]
Handler = Callable[[str], Answer]


def local_endpoints(states: States) -> Mapping[int, tuple[str, str, int]]:
    """Health-check node port -> namespace, Service and how many endpoints it has on this node."""
    found: dict[int, tuple[str, str, set[str]]] = {}
    for name, state in states.items():
        number = state.port.health_check_node_port
        if number:
            counted = found.setdefault(number, (name.namespace, name.service, set()))[2]
            counted.update(item.ip for item in state.endpoints if item.local and item.ready)
    return {number: (namespace, service, len(ips)) for number, (namespace, service, ips) in found.items()}


class HealthServers:
    """All HTTP that one proxy serves."""

    def __init__(self, options: ProxyOptions, progress: Progress, eligible: Callable[[], bool]) -> None:
        self._options = options
        self._progress = progress
        self._eligible = eligible
        self._servers: list[asyncio.Server] = []
        self._checks: dict[int, asyncio.Server] = {}
        self._local: Mapping[int, tuple[str, str, int]] = {}

    async def start(self) -> None:
        """Serves the addresses of the options."""
        wanted = (
            (self._options.healthz_bind_address, self._healthz),
            (self._options.metrics_bind_address, self._metrics),
        )
        for address, handler in wanted:
            server = await _serve(address, handler) if address else None
            if server is not None:
                self._servers.append(server)

    async def follow(self, states: States) -> None:
        """Serves the health-check node ports of these Services, and no others."""
        self._local = local_endpoints(states)
        for number in [number for number in self._checks if number not in self._local]:
            self._checks.pop(number).close()
        for number in self._local:
            if number not in self._checks:
                server = await _serve(f"0.0.0.0:{number}", partial(self._check, number))
                if server is not None:
                    self._checks[number] = server

    async def close(self) -> None:
        for server in (*self._servers, *self._checks.values()):
            server.close()

    def _healthz(self, path: str) -> Answer:
        if path not in ("/healthz", "/livez"):
            return 404, "404 page not found"
        eligible = self._eligible()
        last = self._progress.last_synced
        good = self._progress.healthy and (eligible or path == "/livez")
        return (200 if good else 503), {
            "lastUpdated": last.isoformat() if last else "0001-01-01T00:00:00Z",
            "currentTime": self._progress.now().isoformat(),
            "nodeEligible": eligible,
        }

    def _metrics(self, path: str) -> Answer:
        answers = {"/metrics": self._progress.metrics(), "/proxyMode": self._options.mode, "/healthz": "ok"}
        return (200, answers[path]) if path in answers else (404, "404 page not found")

    def _check(self, number: int, _path: str) -> Answer:
        namespace, service, count = self._local.get(number, ("", "", 0))
        good = count > 0 and self._progress.healthy
        body = {
            "service": {"namespace": namespace, "name": service},
            "localEndpoints": count,
            "serviceProxyHealthy": self._progress.healthy,
        }
        return (200 if good else 503), body


async def _serve(address: str, handler: Handler) -> asyncio.Server | None:
    async def handle(request: web.BaseRequest) -> web.Response:
        status, body = handler(request.path)
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.Response(status=status, text=json.dumps(body), content_type="application/json")

    host, _, port = address.rpartition(":")
    try:
        return await asyncio.get_running_loop().create_server(
            web.Server(handle, access_log=None), host.strip("[]"), int(port)
        )
    except OSError as error:
        log.error("cannot serve %s: %s", address, error)
        return None
