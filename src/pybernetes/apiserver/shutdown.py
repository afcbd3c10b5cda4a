"""The way down, as upstream goes it: not ready, then for a while as ever, then no new requests, then nothing.

`cluster.apiserver_process` calls `shut_down` when a signal has come; it returns when the store may be closed.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from pybernetes.api.status import StatusError
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.sockets.server import Server

_log = logging.getLogger(__name__)
# What watches get to end cleanly where no grace is asked for: they have nothing more to wait for.
_WATCH_SECONDS_MIN = 1.0
# Telling that this server goes is a write, which a store that stalls must not make us wait for.
_WITHDRAW_SECONDS = 2.0


@dataclass(frozen=True)
class ShutdownTimes:
    """Seconds, by upstream's flags: --shutdown-delay-duration, --shutdown-watch-termination-grace-period and
    --request-timeout."""

    delay: float = 0.0
    watch_grace: float = 0.0
    requests: float = 60.0


async def shut_down(api: ApiServer, server: Server, times: ShutdownTimes) -> None:
    """Ends a server that serves."""
    _log.info("shutting down")
    api.lifecycle.begin_to_end()
    await asyncio.gather(_withdraw(api), asyncio.sleep(times.delay))
    api.lifecycle.drain()
    if not api.lifecycle.send_retry_after:
        server.stop_listening()
    began = asyncio.get_running_loop().time()
    await asyncio.gather(api.end_watches(max(times.watch_grace, _WATCH_SECONDS_MIN)), _drain(api, times.requests))
    left = began + times.requests - asyncio.get_running_loop().time()
    await server.stop(max(left, 0.0))
    api.close()
    _log.info("no request is under way any more")


async def _withdraw(api: ApiServer) -> None:
    try:
        async with asyncio.timeout(_WITHDRAW_SECONDS):
            await api.withdraw()
    except (StatusError, TimeoutError) as error:
        _log.warning("the endpoints of the Service kubernetes still name this server: %s", error or "it took too long")


async def _drain(api: ApiServer, seconds: float) -> None:
    """Waits for the writes under way; each of them is cut off after the same time at the latest."""
    try:
        async with asyncio.timeout(seconds):
            await api.writes.drained()
    except TimeoutError:
        _log.warning("requests are still under way after %g s", seconds)
