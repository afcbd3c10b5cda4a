"""What is fuzzed: one API server in memory that lives as long as a test module, and what must hold of every answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.api import protobuf, schema
from pybernetes.api.encoding import PROTOBUF
from pybernetes.api.types.meta_v1 import Status
from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore

ADMIN = {"authorization": "Bearer admin-token", "content-type": "application/json"}
_TOKENS = {"admin-token": UserInfo("admin", groups=("system:masters", "system:authenticated"))}
# No request that is bounded by the body limit may take longer; a hang is what this finds, not slowness.
_SECONDS_MAX = 20.0


class Failures(logging.Handler):
    """Collects what the server logs as its own fault: the tracebacks behind unwanted 500s."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(logging.Formatter("%(message)s"))
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record)[-6000:])


class Target:
    """Sends requests to the server and holds every answer to what the API promises."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._failures = Failures()
        logging.getLogger("pybernetes").addHandler(self._failures)
        self._api: ApiServer
        self._store: EmbeddedStore
        try:
            self._runner.run(self._start())
        except BaseException:
            self._runner.close()
            raise

    async def _start(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        clock = SystemClock()
        self._store = await EmbeddedStore.open(None, clock)
        self._api = await ApiServer.start(ApiServerOptions(key, tokens=_TOKENS), self._store, clock, Chance(1))
        for path, name in (("/api/v1/namespaces", "fuzz"), ("/api/v1/namespaces/fuzz/serviceaccounts", "default")):
            body = msgspec.json.encode({"metadata": {"name": name}})
            response = await self._api.handle(Request("POST", path, (), ADMIN, body))
            assert response.status == 201, (response.body, self._failures.found)

    def close(self) -> None:
        logging.getLogger("pybernetes").removeHandler(self._failures)
        self._api.close()
        self._runner.run(self._store.close())
        self._runner.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: tuple[tuple[str, str], ...] = (),
    ) -> Response:
        """The answer, after it has been held to the promises."""
        request = Request(method, path, query, {**ADMIN, **(headers or {})}, body)
        response = self._runner.run(asyncio.wait_for(self._answered(request), _SECONDS_MAX))
        assert not self._failures.found, self._failures.found.pop()
        check(response)
        return response

    async def _answered(self, request: Request) -> Response:
        response = await self._api.handle(request)
        if response.stream is not None:
            # A glance at the stream: watches go on for ever.
            try:
                await asyncio.wait_for(anext(response.stream, b""), 0.002)
            except TimeoutError:
                pass
            finally:
                await response.stream.aclose()  # type: ignore[attr-defined]
        return response

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The parsed answer to a JSON request."""
        sent = b"" if body is None else msgspec.json.encode(body)
        return msgspec.json.decode(self.send(method, path, sent).body)

    def still_works(self) -> None:
        """Whatever was sent before: a write, a read and a delete succeed."""
        path = "/api/v1/namespaces/fuzz/configmaps"
        self.json("POST", path, {"metadata": {"name": "alive"}, "data": {"a": "b"}})
        assert self.json("GET", f"{path}/alive")["data"] == {"a": "b"}
        assert self.json("DELETE", f"{path}/alive")["status"] == "Success"


def read_status(body: bytes, media: str) -> Any:
    """A Status in whatever media type."""
    if media == "application/yaml":
        return yaml.safe_load(body)
    if media == PROTOBUF:
        return protobuf.decode(body, schema.definition_of(Status))
    return msgspec.json.decode(body)


def check(response: Response) -> None:
    """No internal error; a failure is a Status that says the code it came with."""
    for value in response.headers.values():
        for text in (value,) if isinstance(value, str) else value:
            assert "\r" not in text and "\n" not in text and "\0" not in text, f"header {text!r}"
    if response.status < 400:
        return
    if response.status in (404, 406) and not response.body:
        # Upstream's OpenAPI handlers say no more.
        return
    media = str(response.headers["content-type"]).partition(";")[0]
    if media == "text/plain":
        # Upstream's answer for what is no path of the API.
        assert response.status in (404, 405, 406), response.body
        return
    status = read_status(response.body, media)
    assert status["kind"] == "Status" and status["status"] == "Failure" and status["code"] == response.status
    # Some errors of clients are 500 upstream too (reference 5.17); those have no reason.
    assert response.status < 500 or status.get("reason") in (None, "", "Timeout", "ServiceUnavailable"), status
