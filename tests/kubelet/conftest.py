"""A small API server in memory for the kubelet's tests: enough of pods, nodes, leases and what pods refer to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pybernetes.api.merge_patch import apply
from pybernetes.api.objects import ApiObject
from pybernetes.api.wire import Request, Response
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.environment.clock import LoopClock

MERGE_KEYS = {"conditions": "type"}


class FakeApi:
    """Objects by (resource, namespace, name); every write is told to the watchers."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.history: list[tuple[str, dict[str, Any]]] = []
        self.revision = 1
        self._watchers: list[tuple[str, Callable[[dict[str, Any]], bool], asyncio.Queue[bytes]]] = []
        self._waiters: list[asyncio.Event] = []

    def seed(self, resource: str, obj: ApiObject) -> None:
        value = msgspec.to_builtins(obj)
        self._put("ADDED", resource, value)

    def get(self, resource: str, name: str, namespace: str = "default") -> dict[str, Any] | None:
        return self.objects.get((resource, namespace, name))

    async def until(self, holds: Callable[[], Any]) -> Any:
        """Waits until a condition over the objects holds."""
        waiter = asyncio.Event()
        self._waiters.append(waiter)
        while not (result := holds()):
            await waiter.wait()
            waiter.clear()
        self._waiters.remove(waiter)
        return result

    async def pod_until(self, name: str, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        await self.until(lambda: (pod := self.get("pods", name)) is not None and holds(pod))
        pod = self.get("pods", name)
        assert pod is not None
        return pod

    async def handle(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        resource, name = parts[0], parts[1] if len(parts) > 1 else ""
        subresource = parts[2] if len(parts) > 2 else ""
        body = json.loads(request.body) if request.body else {}
        if request.method == "GET" and not name:
            return self._collection(request, resource, namespace)
        key = (resource, namespace, name or body.get("metadata", {}).get("name", ""))
        if request.method == "POST" and subresource == "token":
            expiry = "2099-01-01T00:00:00Z"
            return _answer(201, {**body, "status": {"token": "a-token", "expirationTimestamp": expiry}})
        if request.method == "POST":
            body["metadata"].setdefault("uid", f"uid-{self.revision}")
            return _answer(201, self._put("ADDED", resource, body))
        current = self.objects.get(key)
        if current is None:
            return _answer(404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": f"{key} not found"})
        if request.method == "PUT":
            return _answer(200, self._put("MODIFIED", resource, body))
        if request.method == "PATCH":
            return _answer(200, self._put("MODIFIED", resource, _patched(current, body)))
        if request.method == "DELETE":
            return _answer(200, self._delete(key, body))
        return _answer(200, current)

    def delete_pod(self, name: str, grace: int | None = None) -> None:
        self._delete(("pods", "default", name), {} if grace is None else {"gracePeriodSeconds": grace})

    def _delete(self, key: tuple[str, str, str], options: dict[str, Any]) -> dict[str, Any]:
        obj = json.loads(json.dumps(self.objects[key]))
        grace = options.get("gracePeriodSeconds", obj.get("spec", {}).get("terminationGracePeriodSeconds", 30))
        if key[0] == "pods" and obj["spec"].get("nodeName") and grace:
            obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            obj["metadata"]["deletionGracePeriodSeconds"] = grace
            return self._put("MODIFIED", key[0], obj)
        del self.objects[key]
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self._tell("DELETED", key[0], obj)
        return obj

    def _put(self, type_: str, resource: str, obj: dict[str, Any]) -> dict[str, Any]:
        meta = obj["metadata"]
        self.revision += 1
        meta["resourceVersion"] = str(self.revision)
        self.objects[resource, meta.get("namespace", ""), meta["name"]] = obj
        self._tell(type_, resource, obj)
        return obj

    def _tell(self, type_: str, resource: str, obj: dict[str, Any]) -> None:
        self.history.append((f"{type_} {resource}", json.loads(json.dumps(obj))))
        line = json.dumps({"type": type_, "object": obj}).encode() + b"\n"
        for watched, matches, queue in self._watchers:
            if watched == resource and matches(obj):
                queue.put_nowait(line)
        for waiter in self._waiters:
            waiter.set()

    def _collection(self, request: Request, resource: str, namespace: str) -> Response:
        matches = _matcher(request.parameter("fieldSelector"), namespace)
        if request.parameter("watch"):
            queue: asyncio.Queue[bytes] = asyncio.Queue()
            since = int(request.parameter("resourceVersion") or 0)
            for what, obj in self.history:
                type_, _, kind = what.partition(" ")
                if kind == resource and int(obj["metadata"]["resourceVersion"]) > since and matches(obj):
                    queue.put_nowait(json.dumps({"type": type_, "object": obj}).encode() + b"\n")
            self._watchers.append((resource, matches, queue))
            return Response(200, stream=_stream(queue))
        items = [obj for (kind, _, _), obj in self.objects.items() if kind == resource and matches(obj)]
        return _answer(200, {"metadata": {"resourceVersion": str(self.revision)}, "items": items})


async def _stream(queue: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    while True:
        yield await queue.get()


def _answer(status: int, body: dict[str, Any]) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(body).encode())


def _matcher(selector: str, namespace: str) -> Callable[[dict[str, Any]], bool]:
    path, _, wanted = selector.partition("=")

    def matches(obj: dict[str, Any]) -> bool:
        if namespace and obj["metadata"].get("namespace", "") != namespace:
            return False
        value: Any = obj
        for part in path.split(".") if path else ():
            value = value.get(part, {})
        return not path or value == wanted

    return matches


def _patched(current: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A merge patch in which conditions merge by type and `$patch: replace` entries are dropped."""
    patch = json.loads(json.dumps(patch))
    status = patch.get("status", {})
    if "conditions" in status:
        named = {each["type"]: each for each in current.get("status", {}).get("conditions", [])}
        named.update({each["type"]: each for each in status["conditions"]})
        status["conditions"] = list(named.values())
    for value in status.values():
        if isinstance(value, list) and value and value[0] == {"$patch": "replace"}:
            del value[0]
    return dict(apply(json.loads(json.dumps(current)), patch))


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def client(api: FakeApi) -> Client:
    return Client(InProcessTransport(api.handle))


@pytest.fixture
def clock() -> LoopClock:
    return LoopClock(datetime(2026, 1, 1, tzinfo=UTC))
