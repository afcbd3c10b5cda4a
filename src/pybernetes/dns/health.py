"""The HTTP of cluster DNS: `/health` while it lives, `/ready` once it knows the cluster, `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

Answer = Callable[[], tuple[int, str]]


async def serve(address: str, port: int, answers: Mapping[str, Answer]) -> asyncio.Server:
    """Serves short texts by path until it is closed. Raises OSError."""

    async def handle(request: web.BaseRequest) -> web.Response:
        found = answers.get(request.path)
        status, text = found() if found is not None else (404, "404 page not found")
        return web.Response(status=status, text=text)

    return await asyncio.get_running_loop().create_server(web.Server(handle, access_log=None), address, port)
