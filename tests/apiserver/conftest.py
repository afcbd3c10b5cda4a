"""An API server in memory and a caller that speaks JSON to it; for parts of it, a Reader over plain objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.api.objects import ApiObject, Object
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore

TOKENS = {
    "admin-token": UserInfo("admin", groups=("system:masters", "system:authenticated")),
    "alice-token": UserInfo("alice", "alice-uid", ("dev", "system:authenticated")),
}


@pytest.fixture(scope="session")
def service_account_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True)
class Caller:
    """Sends requests as one user; gives the status code and the parsed body."""

    api: ApiServer
    token: str = "admin-token"

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        path, _, query = path.partition("?")
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        sent = {"authorization": f"Bearer {self.token}"} if self.token else {}
        sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body) if body is not None else b""
        return await self.api.handle(Request(method, path, pairs, sent, content))

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        response = await self.send(method, path, body, **headers)
        return response.status, msgspec.json.decode(response.body)

    def as_user(self, token: str) -> Caller:
        return Caller(self.api, token)


@pytest.fixture
async def api(service_account_key: bytes) -> AsyncIterator[ApiServer]:
    clock = SystemClock()
    store = await EmbeddedStore.open(None, clock)
    server = await ApiServer.start(ApiServerOptions(service_account_key, tokens=TOKENS), store, clock, Chance(1))
    # What the service account controller would do: pods are admitted for accounts that exist.
    await Caller(server)("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    yield server
    server.close()
    await store.close()


@pytest.fixture
def call(api: ApiServer) -> Caller:
    return Caller(api)


class MemoryReader:
    """Holds objects as the API server's caches do; tests add to `objects` as they go."""

    def __init__(self, *objects: ApiObject) -> None:
        self.objects = list(objects)

    def get(self, type_: type[Object], name: str, namespace: str = "") -> Object | None:
        return next((obj for obj in self.list(type_, namespace or None) if obj.metadata.name == name), None)

    def list(self, type_: type[Object], namespace: str | None = None) -> Iterable[Object]:
        found = [obj for obj in self.objects if isinstance(obj, type_)]
        return [obj for obj in found if namespace is None or (obj.metadata.namespace or "") == namespace]


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def reader() -> MemoryReader:
    return MemoryReader()


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()
