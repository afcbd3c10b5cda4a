"""The seam of what goes against the stream: HTTP and upgraded connections to kubelets and to what runs in pods.

`kubelet_connection.KubeletConnection` is the real one; `InProcessNodes` is for clusters that live in one process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pybernetes.api.wire import Response


@dataclass(frozen=True, slots=True)
class Backend:
    """A server to be called; `node` is the node's name when it is a kubelet, which gets our client certificate."""

    scheme: str
    host: str
    port: int
    node: str = ""

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def url(self, target: str) -> str:
        return f"{self.scheme}://{self.authority}{target}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a backend; `target` is the path and query as they stand in the request line."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class ByteStream(Protocol):
    """The bytes of an upgraded connection."""

    async def read(self) -> bytes:
        """What came; empty when the other side has ended."""

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A connection that the backend has switched to another protocol; names of headers are lower-case."""

    headers: Mapping[str, str | tuple[str, ...]]
    stream: ByteStream


class Unreachable(Exception):
    """No answer: the backend is not there; the text says what upstream's clients show."""


class NodeConnection(Protocol):
    """How the API server reaches nodes."""

    async def request(self, backend: Backend, call: Call) -> Response:
        """The answer, its body as a stream. Unreachable when there is none."""

    async def upgrade(self, backend: Backend, call: Call) -> Upgraded | Response:
        """The switched connection, or the answer of a backend that refuses. Unreachable when there is neither."""


class NoNodes:
    """For API servers that were given no way to their nodes."""

    async def request(self, backend: Backend, call: Call) -> Response:
        raise Unreachable(f"dial tcp {backend.authority}: connect: no route to host")

    async def upgrade(self, backend: Backend, call: Call) -> Upgraded | Response:
        raise Unreachable(f"dial tcp {backend.authority}: connect: no route to host")
