"""What the client sends, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from pybernetes.api.status import StatusError
from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.authentication_v1 import TokenRequestSpec
from pybernetes.api.types.core_v1 import ConfigMap, Node, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta
from pybernetes.api.wire import Request, Response
from pybernetes.client import Client, Expired, PatchType, Unreachable
from pybernetes.client.in_process import InProcessTransport
from pybernetes.environment.virtual_time import run_virtual


class Server:
    """Answers with what it was told to, in order, and keeps the requests."""

    def __init__(self, *answers: Response | dict[str, Any]) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.client = Client(InProcessTransport(self.handle, token="t0ken"))

    async def handle(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Response) else Response(200, {}, json.dumps(answer).encode())

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1].body)


class Stream:
    """Chunks, and whether they were closed."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.chunks:
            raise StopAsyncIteration
        return self.chunks.pop(0)

    async def aclose(self) -> None:
        self.closed = True


POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7"}}


def status(code: int, reason: str, message: str, **headers: str) -> Response:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return Response(code, headers, json.dumps(body).encode())


async def test_get_speaks_as_the_configured_user() -> None:
    server = Server(POD)
    pod = await server.client.get(Pod, "web", "shop")
    assert pod.metadata.resource_version == "7"
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/api/v1/namespaces/shop/pods/web")
    assert request.headers["authorization"] == "Bearer t0ken"


async def test_a_failure_is_a_status_error() -> None:
    server = Server(status(404, "NotFound", 'pods "web" not found'))
    with pytest.raises(StatusError, match='pods "web" not found') as caught:
        await server.client.get(Pod, "web", "shop")
    assert (caught.value.code, caught.value.reason) == (404, "NotFound")


async def test_a_failure_in_other_words_is_a_status_error_too() -> None:
    server = Server(Response(502, {}, b"bad gateway\n"))
    with pytest.raises(StatusError, match="bad gateway") as caught:
        await server.client.delete(Node, "n1")
    assert caught.value.code == 502


async def test_list_says_what_it_selects() -> None:
    server = Server({"kind": "PodList", "metadata": {"resourceVersion": "12"}, "items": [POD]})
    found = await server.client.list(Pod, label_selector="a=b", field_selector="spec.nodeName=n1", limit=0)
    assert ([pod.metadata.name for pod in found.items], found.resource_version) == (["web"], "12")
    assert server.requests[0].path == "/api/v1/pods"
    assert server.requests[0].query == (("labelSelector", "a=b"), ("fieldSelector", "spec.nodeName=n1"))


async def test_pages_follow_the_token() -> None:
    server = Server(
        {"metadata": {"resourceVersion": "12", "continue": "c1"}, "items": [POD]},
        {"metadata": {"resourceVersion": "12"}, "items": [POD]},
    )
    pages = [page async for page in server.client.pages(Pod, resource_version="0")]
    assert [len(page.items) for page in pages] == [1, 1]
    assert server.requests[1].query == (("limit", "500"), ("continue", "c1"))


@pytest.mark.parametrize(
    ("send", "method", "path", "query"),
    [
        (lambda c: c.create(deployment(), dry_run=True), "POST", "/apis/apps/v1/namespaces/shop/deployments", "dryRun"),
        (lambda c: c.update(deployment()), "PUT", "/apis/apps/v1/namespaces/shop/deployments/web", ""),
        (lambda c: c.update_status(deployment()), "PUT", "/apis/apps/v1/namespaces/shop/deployments/web/status", ""),
        (
            lambda c: c.apply(deployment(), "me"),
            "PATCH",
            "/apis/apps/v1/namespaces/shop/deployments/web",
            "fieldManager force",
        ),
    ],
)
async def test_writes(send: Callable[[Client], Any], method: str, path: str, query: str) -> None:
    server = Server({"metadata": {"name": "web", "uid": "u1"}})
    written = await send(server.client)
    assert written.metadata.uid == "u1"
    (request,) = server.requests
    assert (request.method, request.path) == (method, path)
    assert " ".join(name for name, _ in request.query) == query
    assert server.body["metadata"] == {"name": "web", "namespace": "shop"}


def deployment() -> Deployment:
    return Deployment(metadata=ObjectMeta(name="web", namespace="shop"))


async def test_patch_names_its_kind_of_change() -> None:
    server = Server(POD)
    await server.client.patch(Pod, "web", "shop", [{"op": "remove", "path": "/x"}], PatchType.JSON, "status")
    (request,) = server.requests
    assert request.path.endswith("/pods/web/status")
    assert request.headers["content-type"] == "application/json-patch+json"
    assert request.body == b'[{"op":"remove","path":"/x"}]'


async def test_delete_collection_selects() -> None:
    server = Server({})
    await server.client.delete_collection(Pod, "shop", DeleteOptions(grace_period_seconds=0), label_selector="a=b")
    assert server.requests[0].query == (("labelSelector", "a=b"),)
    assert server.body["gracePeriodSeconds"] == 0


async def test_bind_names_the_node() -> None:
    server = Server({"kind": "Status", "status": "Success"})
    await server.client.bind(Pod(metadata=ObjectMeta(name="web", namespace="shop", uid="u1")), "n1")
    assert server.requests[0].path == "/api/v1/namespaces/shop/pods/web/binding"
    assert server.body["metadata"] == {"name": "web", "namespace": "shop", "uid": "u1"}
    assert server.body["target"] == {"kind": "Node", "name": "n1"}


async def test_create_token_gives_the_token() -> None:
    server = Server({"kind": "TokenRequest", "status": {"token": "abc", "expirationTimestamp": "2026-01-01T00:00:00Z"}})
    answer = await server.client.create_token("default", "shop", TokenRequestSpec(audiences=["api"]))
    assert answer.status.token == "abc"
    assert server.requests[0].path == "/api/v1/namespaces/shop/serviceaccounts/default/token"


async def test_watch_tells_changes_and_bookmarks() -> None:
    text = b"".join(
        json.dumps(event).encode() + b"\n"
        for event in (
            {"type": "ADDED", "object": POD},
            {
                "type": "BOOKMARK",
                "object": {
                    "kind": "Pod",
                    "metadata": {"resourceVersion": "9", "creationTimestamp": None},
                    "spec": {"containers": None},
                },
            },
        )
    )
    stream = Stream(text[:40], text[40:])
    server = Server(Response(200, stream=stream))
    events = [event async for event in server.client.watch(Pod, resource_version="5", allow_watch_bookmarks=True)]
    assert [(e.type, e.object.metadata.resource_version) for e in events] == [("ADDED", "7"), ("BOOKMARK", "9")]
    assert dict(server.requests[0].query) == {"resourceVersion": "5", "allowWatchBookmarks": "true", "watch": "true"}
    assert stream.closed


@pytest.mark.parametrize("type_", [Pod, ConfigMap])
async def test_an_expired_watch_is_told_apart(type_: type[Pod] | type[ConfigMap]) -> None:
    body = {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}
    line = json.dumps({"type": "ERROR", "object": body}).encode() + b"\n"
    server = Server(Response(200, stream=Stream(line)))
    with pytest.raises(Expired, match="too old"):
        async for _ in server.client.watch(type_, resource_version="1"):
            pass


async def test_leaving_a_watch_closes_it() -> None:
    line = json.dumps({"type": "ADDED", "object": POD}).encode() + b"\n"
    stream = Stream(line, line)
    server = Server(Response(200, stream=stream))
    async with aclosing(server.client.watch(Pod)) as watch:
        async for _ in watch:
            break
    assert stream.closed


def test_a_server_that_asks_for_patience_is_asked_again() -> None:
    async def scenario() -> tuple[str | None, float]:
        server = Server(status(429, "TooManyRequests", "later", **{"Retry-After": "3"}), POD)
        pod = await server.client.create(Pod(metadata=ObjectMeta(name="web", namespace="shop")))
        return pod.metadata.name, asyncio.get_running_loop().time()

    assert run_virtual(scenario()) == ("web", 3.0)


def test_a_cut_transport_is_unreachable() -> None:
    async def scenario() -> None:
        server = Server()
        await server.client.close()
        with pytest.raises(Unreachable):
            await server.client.get(Pod, "web", "shop")

    run_virtual(scenario())
