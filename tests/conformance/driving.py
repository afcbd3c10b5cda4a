"""What a conformance test is driven with: JSON requests to the API server, alone or in a simulated cluster.

Both run in virtual time, with an administrator's rights, in a namespace of the test's own. `alone` has nothing but
the API server (and the service account that pods are admitted for); `simulated` has all components and two workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from pybernetes.api.protobuf import PREFIX
from pybernetes.api.wire import Peer, Request, Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.client.lines import LineSplitter
from pybernetes.cluster.simulation import SimulatedCluster, SimulationOptions, quiet_api_server, simulated_cluster
from pybernetes.controllers.context import ControllerOptions
from pybernetes.environment.virtual_time import run_virtual
from tests.conformance import binary

Json = dict[str, Any]
Story = Callable[..., Awaitable[None]]
NAMESPACE = "e2e-test"
_PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_PATIENCE = 600  # virtual seconds
_POLL = 0.5


class Refused(Exception):
    """An answer of 400 or more."""

    def __init__(self, code: int, body: Any) -> None:
        super().__init__(f"{code}: {body}")
        self.code = code
        self.body = body


@dataclass(frozen=True)
class Watching:
    """A watch under way."""

    _events: AsyncGenerator[Json, None]

    async def next(self) -> tuple[str, Json]:
        event = await asyncio.wait_for(anext(self._events), _PATIENCE)
        return event["type"], event["object"]

    async def until(self, kind: str, holds: Callable[[Json], Any] = lambda _: True) -> Json:
        """The first object of this kind of event that meets the condition; others are passed over."""
        while True:
            seen, obj = await self.next()
            if seen == kind and holds(obj):
                return obj


class Api:
    """Requests to an API server, as JSON."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.peer = Peer("in-process", "kubernetes-admin", ("system:masters",))
        self.namespace = NAMESPACE

    def at(self, group_version: str, resource: str, name: str = "", sub: str = "", ns: str | None = None) -> str:
        """The path of a namespaced resource in the test's namespace, or of one of its objects."""
        return self.root(group_version, f"namespaces/{ns or self.namespace}/{resource}", name, sub)

    @staticmethod
    def root(group_version: str, resource: str, name: str = "", sub: str = "") -> str:
        """The path of a resource across namespaces, or of a cluster's own object."""
        parts = ["/api/v1" if group_version == "v1" else f"/apis/{group_version}", resource, name, sub]
        return "/".join(filter(None, parts))

    async def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Response:
        path, _, query = path.partition("?")
        content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        sent = {"content-type": "application/json", "accept": "application/json", **(headers or {})}
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        return await self.server.handle(Request(method, path, pairs, sent, content, peer=self.peer))

    async def _answer(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        content, sent = self._spoken(method, path, body, headers or {})
        response = await self.send(method, path, content, sent)
        content = response.body
        if response.stream is not None:
            content = b"".join([chunk async for chunk in response.stream])
        answer = _read(content) if content else None
        if response.status >= 400:
            raise Refused(response.status, answer)
        return answer

    @staticmethod
    def _spoken(method: str, path: str, body: object, headers: dict[str, str]) -> tuple[object, dict[str, str]]:
        """Built-in kinds go in protobuf, as client-go's typed clients send and want them."""
        if binary.kind_at(path) is None or "accept" in headers:
            return body, headers
        sent = {"accept": binary.ACCEPT, **headers}
        if isinstance(body, dict) and "content-type" not in headers:
            return binary.encode(path, method, body), {**sent, "content-type": binary.CONTENT_TYPE}
        return body, sent

    async def get(self, path: str, **headers: str) -> Any:
        return await self._answer("GET", path, headers=headers)

    async def items(self, path: str) -> list[Json]:
        return cast("list[Json]", (await self.get(path))["items"])

    async def post(self, path: str, body: object) -> Any:
        return await self._answer("POST", path, body)

    async def put(self, path: str, body: object) -> Any:
        return await self._answer("PUT", path, body)

    async def patch(self, path: str, body: object, how: str = "merge") -> Any:
        return await self._answer("PATCH", path, body, {"content-type": _PATCHES[how]})

    async def delete(self, path: str, **options: object) -> Any:
        return await self._answer("DELETE", path, options or None)

    async def edit(self, path: str, change: Callable[[Json], None], write: str = "") -> Json:
        """Reads, changes and replaces, again after a conflict; `write` is the path to write to if another."""
        while True:
            obj = await self.get(path)
            change(obj)
            try:
                return cast(Json, await self.put(write or path, obj))
            except Refused as refused:
                if refused.code != 409:
                    raise

    async def refused(self, code: int, attempt: Awaitable[object]) -> Any:
        """The body of the answer to a request that must be refused with this code."""
        try:
            await attempt
        except Refused as refused:
            assert refused.code == code, str(refused)
            return refused.body
        raise AssertionError("it was not refused")

    async def gone(self, path: str) -> bool:
        response = await self.send("GET", path)
        return response.status == 404

    @asynccontextmanager
    async def watch(self, path: str) -> AsyncIterator[Watching]:
        joint = "&" if "?" in path else "?"
        _, headers = self._spoken("GET", path, None, {})
        response = await self.send("GET", f"{path}{joint}watch=true", None, headers)
        assert response.status == 200 and response.stream is not None, response.body
        is_binary = response.headers.get("content-type", "").startswith(binary.CONTENT_TYPE)
        stream = cast("AsyncGenerator[bytes, None]", response.stream)
        async with aclosing(_events(stream, is_binary)) as events:
            yield Watching(events)

    async def until(self, holds: Callable[[], Awaitable[Any]], patience: float = _PATIENCE) -> Any:
        """Looks again and again, in virtual time, until it is truthy; what it gave."""
        for _ in range(int(patience / _POLL)):
            if found := await holds():
                return found
            await asyncio.sleep(_POLL)
        raise AssertionError(f"not within {patience} s")

    async def never(self, holds: Callable[[], Awaitable[Any]], seconds: float) -> None:
        """Must not become truthy for so long."""
        for _ in range(int(seconds / _POLL)):
            assert not await holds()
            await asyncio.sleep(_POLL)


class Simulated(Api):
    """The same, with a cluster around the API server."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        super().__init__(cluster.api)
        self.cluster = cluster

    async def pods(self, selector: str = "") -> list[Json]:
        return await self.items(self.at("v1", f"pods?labelSelector={selector.replace('=', '%3D')}"))

    async def running(self, selector: str, count: int) -> list[Json]:
        """Waits until just so many pods of the selector are there, and all are Ready."""

        async def look() -> tuple[list[Json]] | None:
            pods = await self.pods(selector)
            return (pods,) if len(pods) == count and all(map(ready, pods)) else None

        (pods,) = await self.until(look)
        return cast("list[Json]", pods)


async def _events(stream: AsyncGenerator[bytes, None], is_binary: bool) -> AsyncGenerator[Json, None]:
    splitter, buffer = LineSplitter(), bytearray()
    async with aclosing(stream):
        async for chunk in stream:
            if is_binary:
                buffer += chunk
                for event in binary.events(buffer):
                    yield event
                continue
            for line in splitter.feed(chunk):
                yield msgspec.json.decode(line)


def _read(content: bytes) -> Any:
    return binary.decode(content) if content.startswith(PREFIX) else msgspec.json.decode(content)


def condition(obj: Json, name: str) -> str | None:
    """The status of a condition, None when it is not there."""
    found = [each["status"] for each in obj.get("status", {}).get("conditions", []) if each["type"] == name]
    return found[0] if found else None


def ready(obj: Json) -> bool:
    """Whether a pod or node is Ready."""
    return condition(obj, "Ready") == "True"


def alone(story: Story) -> Callable[[], None]:
    """A test on an API server in memory; nothing else runs."""

    async def main() -> None:
        async with quiet_api_server(SimulationOptions()) as server:
            api = Api(server)
            await _prepare(api)
            await api.post(api.at("v1", "serviceaccounts"), {"metadata": {"name": "default"}})
            await story(api)

    return _test(story, main)


def simulated(story: Story) -> Callable[[], None]:
    """A test on a cluster with a control plane and two workers that are Ready."""

    async def main() -> None:
        controllers = ControllerOptions(cluster_cidr="10.244.0.0/16", root_ca="-----BEGIN CERTIFICATE-----\n")
        async with simulated_cluster(SimulationOptions(workers=2, controllers=controllers)) as cluster:
            api = Simulated(cluster)
            await _prepare(api)

            async def settled() -> bool:
                nodes = await api.items("/api/v1/nodes")
                given = [len(await api.items(api.at("v1", kind))) for kind in ("serviceaccounts", "configmaps")]
                return sum(map(ready, nodes)) == 3 and given == [1, 1]

            await api.until(settled)
            await story(api)

    return _test(story, main)


async def _prepare(api: Api) -> None:
    labels = {"e2e-framework": "test", "pod-security.kubernetes.io/enforce": "baseline"}
    await api.post("/api/v1/namespaces", {"metadata": {"name": NAMESPACE, "labels": labels}})


def _test(story: Story, main: Callable[[], Any]) -> Callable[[], None]:
    def test() -> None:
        run_virtual(main())

    test.__doc__, test.__name__, test.__module__ = story.__doc__, story.__name__, story.__module__
    return test
