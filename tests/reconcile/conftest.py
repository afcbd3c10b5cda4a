"""A small API server for these tests: collections in memory with list, watch, writes and compaction."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pybernetes.api.wire import Request, Response
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport

COLLECTIONS = {"pods", "nodes", "configmaps", "events", "leases"}


class _Watch:
    """The events of one collection from a revision on; `broken` ends it like a lost server."""

    def __init__(self, api: FakeApi, collection: str, after: int) -> None:
        self._api, self._collection, self._after = api, collection, after
        self.broken = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self.broken:
                raise StopAsyncIteration
            if self._after < self._api.compacted:
                self.broken = True
                return _line("ERROR", _status(410, "Expired", "too old resource version"))
            news = [e for e in self._api.log if e[0] > self._after and e[1] == self._collection]
            if news:
                self._after = news[-1][0]
                return b"".join(_line(kind, obj) for _, _, kind, obj in news)
            async with self._api.changed:
                await self._api.changed.wait()

    async def aclose(self) -> None:
        self._api.watches.discard(self)


class FakeApi:
    """Objects by path; `requests` tells what was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        self.revision = 10
        self.compacted = 0
        self.changed = asyncio.Condition()
        self.watches: set[_Watch] = set()
        self.requests: list[str] = []
        self.refuse: list[Response] = []
        self.transport = InProcessTransport(self.handle)
        self.client = Client(self.transport)

    async def handle(self, request: Request) -> Response:
        watching = request.parameter("watch") == "true"
        self.requests.append(f"{'WATCH' if watching else request.method} {request.path}")
        if self.refuse:
            return self.refuse.pop(0)
        parts = request.path.split("/")
        is_collection = parts[-1] in COLLECTIONS
        if watching:
            watch = _Watch(self, parts[-1], int(request.parameter("resourceVersion")))
            self.watches.add(watch)
            return Response(200, stream=watch)
        if is_collection and request.method == "GET":
            items = [obj for path, obj in self.objects.items() if path.split("/")[-2] == parts[-1]]
            return _answer(200, {"metadata": {"resourceVersion": str(self.revision)}, "items": items})
        return await self._one(request)

    async def _one(self, request: Request) -> Response:
        path, body = request.path, json.loads(request.body or b"{}")
        if request.method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                return _answer(409, _status(409, "AlreadyExists", "already exists"))
            return _answer(201, await self.put(path, body))
        old = self.objects.get(path)
        if old is None:
            return _answer(404, _status(404, "NotFound", f"{path} not found"))
        if request.method == "PUT":
            if body["metadata"].get("resourceVersion") not in (None, old["metadata"]["resourceVersion"]):
                return _answer(409, _status(409, "Conflict", "the object has been modified"))
            return _answer(200, await self.put(path, body))
        if request.method == "PATCH":
            return _answer(200, await self.put(path, {**old, **body}))
        if request.method == "DELETE":
            await self.delete(path)
        return _answer(200, old)

    async def put(self, path: str, obj: dict[str, Any], uid: str = "") -> dict[str, Any]:
        """Creates or changes; the revision is given here."""
        old = self.objects.get(path)
        self.revision += 1
        kept = uid or (old["metadata"]["uid"] if old else f"uid-{self.revision}")
        metadata = {**obj.get("metadata", {}), "uid": kept, "resourceVersion": str(self.revision)}
        stored = self.objects[path] = {**obj, "metadata": metadata}
        await self._tell(path, "MODIFIED" if old else "ADDED", stored)
        return stored

    async def pod(self, name: str, namespace: str = "shop", **labels: str) -> None:
        """Puts a pod."""
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        await self.put(f"/api/v1/namespaces/{namespace}/pods/{name}", {"metadata": metadata})

    async def delete(self, path: str) -> None:
        gone = self.objects.pop(path)
        self.revision += 1
        metadata = {**gone["metadata"], "resourceVersion": str(self.revision)}
        await self._tell(path, "DELETED", {**gone, "metadata": metadata})

    async def lose_watches(self, *, forget: bool = False) -> None:
        """Ends all watches; with `forget`, history is compacted, so that they cannot be taken up."""
        for watch in self.watches:
            watch.broken = True
        if forget:
            self.compacted, self.log = self.revision, []
        async with self.changed:
            self.changed.notify_all()

    async def _tell(self, path: str, kind: str, obj: dict[str, Any]) -> None:
        self.log.append((self.revision, path.split("/")[-2], kind, obj))
        async with self.changed:
            self.changed.notify_all()


def _line(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def _answer(code: int, body: dict[str, Any]) -> Response:
    return Response(code, {"content-type": "application/json"}, json.dumps(body).encode())


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()
