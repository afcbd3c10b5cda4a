"""Calls of CRI v1 over a unix socket: one method `call` for all of them, errors in the seam's terms.

`CriRuntime` is the only caller. A channel belongs to the event loop (and the process) in which it was made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from pybernetes.kubelet.cri.messages import CONTAINERD, CRI, Schema
from pybernetes.kubelet.runtime import NotFound, RuntimeFailure

# Seconds; upstream's runtimeRequestTimeout.
USUAL_TIMEOUT = 120.0
LARGEST_MESSAGE = 16 << 20


class CriClient:
    """One connection to a container runtime."""

    def __init__(self, socket: str) -> None:
        address = socket if socket.startswith("unix:") else f"unix://{socket}"
        options = [
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.enable_http_proxy", 0),
            # Without this two clients of one process would share a connection across event loops.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        self._channel = grpc.aio.insecure_channel(address, options=options)
        self._calls: dict[str, Any] = {}

    async def call(self, service: str, method: str, request: Any, timeout: float | None = USUAL_TIMEOUT) -> Any:
        """One request, one answer. `NotFound`, TimeoutError (the deadline has passed) or `RuntimeFailure`."""
        stub = self._stub(CRI, service, method)
        try:
            return await stub(request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise failure_of(error) from error

    async def stream(self, schema: Schema, where: tuple[str, str], request: Any) -> AsyncIterator[Any]:
        """The answers to one request until the other side ends them."""
        try:
            async for answer in self._stub(schema, *where)(request):
                yield answer
        except grpc.aio.AioRpcError as error:
            raise failure_of(error) from error

    async def close(self) -> None:
        await self._channel.close()

    def _stub(self, schema: Schema, service: str, method: str) -> Any:
        path = f"/{schema.package}.{service}/{method}"
        if path not in self._calls:
            takes, gives = schema.methods[service][method]
            streams = gives.startswith("stream ")
            make = self._channel.unary_stream if streams else self._channel.unary_unary
            self._calls[path] = make(
                path,
                request_serializer=schema.message(takes).SerializeToString,
                response_deserializer=schema.message(gives.removeprefix("stream ")).FromString,
            )
        return self._calls[path]


class Unimplemented(RuntimeFailure):
    """The runtime does not know this call."""


def failure_of(error: Any) -> Exception:
    """The seam's exception for a gRPC failure, worded as Go prints it."""
    code: grpc.StatusCode = error.code()
    name = "".join(part.capitalize() for part in code.name.split("_"))
    text = f"rpc error: code = {name} desc = {error.details()}"
    if code is grpc.StatusCode.NOT_FOUND:
        return NotFound(text)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TimeoutError(text)
    if code is grpc.StatusCode.UNKNOWN and "timeout" in text and "exceeded" in text:
        return TimeoutError(text)  # how containerd says that it has killed a command
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Unimplemented(text)
    return RuntimeFailure(text)


__all__ = ["CONTAINERD", "CRI", "CriClient", "Unimplemented", "failure_of"]
