"""Protobuf out: objects, lists, watches, errors and documents say in protobuf what they say in JSON."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from pybernetes.api import encoding, protobuf, schema
from pybernetes.api.kind import Kind
from pybernetes.api.kind_rows import KINDS
from pybernetes.api.protobuf_table import META
from pybernetes.api.types import apps_v1, autoscaling_v1, core_v1, meta_v1
from pybernetes.api.types.autoscaling_v1 import Scale
from pybernetes.api.wire import Response
from pybernetes.apiserver.sockets.server import Server
from tests.api import oracle
from tests.apiserver.conftest import Caller
from tests.apiserver.custom.conftest import CRONTABS, DEFINITIONS, definition

PROTOBUF = "application/vnd.kubernetes.protobuf"
PARTIAL = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PODS, MAPS = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
POD = {
    "metadata": {"name": "p", "labels": {"b": "2", "a": "1"}},
    "spec": {
        "containers": [
            {
                "name": "c",
                "image": "i",
                "resources": {"limits": {"cpu": "1500m", "memory": "1Gi"}},
                "readinessProbe": {"httpGet": {"port": "http"}, "timeoutSeconds": 2},
                "ports": [{"name": "http", "containerPort": 80}],
                "securityContext": {"runAsUser": 0},
            }
        ],
        "terminationGracePeriodSeconds": 0,
    },
}
DEPLOYMENT = {
    "metadata": {"name": "d"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"a": "1"}},
        "strategy": {"rollingUpdate": {"maxSurge": "30%", "maxUnavailable": 0}},
        "template": {"metadata": {"labels": {"a": "1"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    },
}


def opened(response: Response, media: str = PROTOBUF) -> protobuf.Envelope:
    assert response.headers["content-type"] == media
    return protobuf.open_envelope(response.body)


def decoded(response: Response, type_: Any) -> Any:
    """The object of an answer in protobuf, as a client reads it."""
    opened(response)
    return encoding.decode(response.body, PROTOBUF, type_).object


def plain(raw: bytes, name: str) -> dict[str, Any]:
    """A message of meta/v1 as JSON values."""
    return protobuf.decode_message(raw, META + name)


async def in_both(call: Caller, path: str, type_: Any) -> None:
    """A GET says the same in JSON and in protobuf."""
    response = await call.send("GET", path, accept=PROTOBUF)
    text = await call.send("GET", path)
    assert decoded(response, type_) == encoding.decode(text.body, encoding.JSON, type_).object


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "list" in kind.verbs], ids=lambda kind: kind.group_resource)
async def test_every_kind_has_a_list(call: Caller, kind: Kind) -> None:
    path = kind.path("kube-system" if kind.namespaced else None)
    response = await call.send("GET", path, accept=PROTOBUF)
    envelope = opened(response)
    listed = (await call("GET", path))[1]
    assert (envelope.api_version, envelope.kind) == (kind.api_version, kind.list_name)
    found = protobuf.decode_message(envelope.raw, schema.definition_of(kind.type) + "List")
    assert [item["metadata"] for item in found.get("items", [])] == [item["metadata"] for item in listed["items"]]


async def test_objects_are_the_same_in_both(call: Caller) -> None:
    created = await call.send("POST", PODS, POD, accept=PROTOBUF)
    assert created.status == 201 and decoded(created, core_v1.Pod).spec.termination_grace_period_seconds == 0
    await in_both(call, f"{PODS}/p", core_v1.Pod)
    await call("POST", DEPLOYMENTS, DEPLOYMENT)
    await in_both(call, f"{DEPLOYMENTS}/d", apps_v1.Deployment)
    await call("POST", DEFINITIONS, definition())
    path = f"{DEFINITIONS}/crontabs.stable.example.com"
    opened(await call.send("GET", path, accept=PROTOBUF))
    scalers = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    await call("POST", scalers, {"metadata": {"name": "h"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3}})
    await in_both(call, f"{scalers}/h", autoscaling_v1.HorizontalPodAutoscaler)


async def test_writes_answer_in_protobuf(call: Caller) -> None:
    await call("POST", MAPS, {"metadata": {"name": "m"}, "data": {"a": "1"}})
    changed = await call.send("PUT", f"{MAPS}/m", {"metadata": {"name": "m"}, "data": {"a": "2"}}, accept=PROTOBUF)
    assert decoded(changed, core_v1.ConfigMap).data == {"a": "2"}
    merge = {"accept": PROTOBUF, "content_type": "application/merge-patch+json"}
    patched = await call.send("PATCH", f"{MAPS}/m", {"data": {"b": "3"}}, **merge)
    assert decoded(patched, core_v1.ConfigMap).data == {"a": "2", "b": "3"}
    # A body in protobuf is read, and answered in what the client accepts.
    body = b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x02\x18\x00"
    gone = await call.send("DELETE", f"{MAPS}/m", body, accept=f"{PROTOBUF}, */*", content_type=PROTOBUF)
    assert plain(opened(gone).raw, "Status")["status"] == "Success"
    await call("POST", MAPS, {"metadata": {"name": "n"}})
    swept = opened(await call.send("DELETE", MAPS, accept=PROTOBUF))
    assert swept.kind == "ConfigMapList"


async def test_subresources(call: Caller) -> None:
    await call("POST", DEPLOYMENTS, {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 3}})
    scale = await call.send("GET", f"{DEPLOYMENTS}/d/scale", accept=PROTOBUF)
    assert decoded(scale, Scale).spec.replicas == 3
    await call("POST", PODS, POD)
    binding = {"target": {"kind": "Node", "name": "n"}, "metadata": {"name": "p"}}
    bound = await call.send("POST", f"{PODS}/p/binding", binding, accept=PROTOBUF)
    assert bound.status == 201 and opened(bound).kind == "Status"
    evicted = await call.send("POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}}, accept=PROTOBUF)
    assert evicted.status == 201 and opened(evicted).kind == "Status"
    token = "/api/v1/namespaces/default/serviceaccounts/default/token"
    issued = await call.send("POST", token, {"spec": {"audiences": ["a"]}}, accept=PROTOBUF)
    assert opened(issued).kind == "TokenRequest"
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answered = opened(await call.send("POST", path, review, accept=PROTOBUF))
    assert answered.kind == "SelfSubjectAccessReview"
    found = protobuf.decode_message(answered.raw, "io.k8s.api.authorization.v1.SelfSubjectAccessReview")
    assert found["status"]["allowed"] is True


@oracle.needs_oracle
@pytest.mark.parametrize("scenario", oracle.names("defaults"))
async def test_what_was_read_may_be_written_back(call: Caller, scenario: str) -> None:
    """An object that goes through a client unchanged is not changed by its way through protobuf."""
    await call("POST", "/api/v1/namespaces", {"metadata": {"name": "defaults"}})
    await call("POST", "/api/v1/namespaces/defaults/serviceaccounts", {"metadata": {"name": "default"}})
    for step in oracle.steps(scenario):
        request = step["request"]
        if request["method"] != "POST" or not isinstance(request["body"], dict) or request["query"]:
            continue
        made = await call.send("POST", request["path"], request["body"])
        if made.status != 201:
            continue  # what is made by something that is no step
        path = f"{request['path']}/{msgspec.json.decode(made.body)['metadata'].get('name')}"
        before = await call.send("GET", path)
        if before.status == 200:
            read = await call.send("GET", path, accept=PROTOBUF)
            written = await call.send("PUT", path, read.body, content_type=PROTOBUF, accept="application/json")
            assert (written.status, written.body) == (200, before.body)


async def test_errors_are_statuses(call: Caller) -> None:
    await call("POST", MAPS, {"metadata": {"name": "m"}})
    refused: list[tuple[int, str, str, str, Any]] = [
        (401, "bad-token", "GET", MAPS, None),
        (403, "alice-token", "GET", MAPS, None),
        (404, "admin-token", "GET", f"{MAPS}/nosuch", None),
        (404, "admin-token", "GET", "/apis/apps/v1/nosuch", None),
        (405, "admin-token", "PUT", MAPS, {}),
        (409, "admin-token", "POST", MAPS, {"metadata": {"name": "m"}}),
        (410, "admin-token", "GET", f"{MAPS}?resourceVersion=1&resourceVersionMatch=Exact", None),
        (422, "admin-token", "POST", MAPS, {"metadata": {"name": "UPPER"}}),
    ]
    for code, token, method, path, body in refused:
        if code == 410:
            await call.api.registry.store.compact(call.api.registry.revision)
        response = await call.as_user(token).send(method, path, body, accept=PROTOBUF)
        assert response.status == code, path
        status = plain(opened(response).raw, "Status")
        text = (await call.as_user(token)(method, path, body))[1]
        assert {name: text[name] for name in ("code", "message", "reason")} == {
            name: status[name] for name in ("code", "message", "reason")
        }
        assert status.get("details") == text.get("details")


async def test_metadata_alone(call: Caller) -> None:
    await call("POST", MAPS, {"metadata": {"name": "m", "labels": {"a": "1"}}, "data": {"a": "1"}})
    envelope = opened(await call.send("GET", f"{MAPS}/m", accept=f"{PROTOBUF};{PARTIAL}"))
    assert (envelope.api_version, envelope.kind) == ("meta.k8s.io/v1", "PartialObjectMetadata")
    found = plain(envelope.raw, "PartialObjectMetadata")
    assert found == {"metadata": (await call("GET", f"{MAPS}/m"))[1]["metadata"]}
    envelope = opened(
        await call.send("GET", MAPS, accept=f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    )
    assert envelope.kind == "PartialObjectMetadataList"
    assert [item["metadata"]["name"] for item in plain(envelope.raw, "PartialObjectMetadataList")["items"]] == ["m"]
    beta = f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1"
    envelope = opened(await call.send("GET", MAPS, accept=beta))
    listed = protobuf.decode_message(envelope.raw, META.replace("v1.", "v1beta1.") + "PartialObjectMetadataList")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["m"]


async def test_metadata_alone_says_nothing_of_the_served_version(call: Caller) -> None:
    sets = "/apis/apps/v1/namespaces/default/daemonsets"
    spec = {name: DEPLOYMENT["spec"][name] for name in ("selector", "template")}
    await call("POST", sets, {"metadata": {"name": "d"}, "spec": spec})
    whole = (await call("GET", f"{sets}/d"))[1]["metadata"]
    assert whole["annotations"] == {"deprecated.daemonset.template.generation": "1"}
    text = (await call("GET", f"{sets}/d", accept=f"application/json;{PARTIAL}"))[1]["metadata"]
    envelope = opened(await call.send("GET", f"{sets}/d", accept=f"{PROTOBUF};{PARTIAL}"))
    assert plain(envelope.raw, "PartialObjectMetadata")["metadata"] == text
    assert "annotations" not in text


async def test_custom_resources_have_only_their_metadata_in_protobuf(call: Caller) -> None:
    await call("POST", DEFINITIONS, definition())
    await call("POST", CRONTABS, {**CRON, "metadata": {"name": "c"}})
    assert (await call.send("GET", f"{CRONTABS}/c", accept=f"{PROTOBUF}, */*")).headers[
        "content-type"
    ] == "application/json"
    refused = await call.send("GET", f"{CRONTABS}/c", accept=PROTOBUF)
    assert refused.status == 406 and opened(refused).kind == "Status"
    envelope = opened(
        await call.send("GET", CRONTABS, accept=f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    )
    assert [item["metadata"]["name"] for item in plain(envelope.raw, "PartialObjectMetadataList")["items"]] == ["c"]


CRON = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "spec": {"schedule": "* *"}}
TABLE = "as=Table;v=v1;g=meta.k8s.io"


async def test_there_are_no_tables_in_protobuf(call: Caller) -> None:
    refused = await call.send("GET", MAPS, accept=f"{PROTOBUF};{TABLE}")
    assert refused.status == 406
    # Errors are not shown as tables either, so that no clause is left for this one.
    assert msgspec.json.decode(refused.body)["message"].startswith("only the following media types are accepted: ")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/apis/apps/v1", "APIResourceList"),
        ("/api/v1", "APIResourceList"),
    ],
)
async def test_discovery(call: Caller, path: str, kind: str) -> None:
    envelope = opened(await call.send("GET", path, accept=PROTOBUF))
    text = (await call("GET", path))[1]
    head = {"kind": envelope.kind, **({"apiVersion": envelope.api_version} if envelope.api_version else {})}
    assert {**plain(envelope.raw, kind), **head} == text


@pytest.mark.parametrize("path", ["/", "/version", "/openapi/v3", "/healthz", "/metrics"])
async def test_what_is_no_object_is_none_in_protobuf_either(call: Caller, path: str) -> None:
    response = await call.send("GET", path, accept=f"{PROTOBUF}, */*")
    assert response.status == 200 and not str(response.headers["content-type"]).startswith(PROTOBUF)


async def test_aggregated_discovery(call: Caller) -> None:
    parameters = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    response = await call.send("GET", "/apis", accept=f"{PROTOBUF}{parameters},application/json")
    envelope = opened(response, PROTOBUF + parameters)
    assert (envelope.api_version, envelope.kind) == ("apidiscovery.k8s.io/v2", "APIGroupDiscoveryList")
    found = protobuf.decode_message(envelope.raw, "io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList")
    text = (await call("GET", "/apis", accept=f"application/json{parameters}"))[1]
    assert [item["metadata"] for item in found["items"]] == [item["metadata"] for item in text["items"]]
    assert [item["versions"] for item in found["items"]] == [item["versions"] for item in text["items"]]


async def test_long_lists_come_in_pieces(call: Caller) -> None:
    for number in range(1100):
        await call("POST", MAPS, {"metadata": {"name": f"m-{number}"}, "data": {"a": "x" * 500}})
    response = await call.send("GET", MAPS, accept=PROTOBUF)
    assert response.stream is not None
    pieces = [piece async for piece in response.stream]
    assert len([piece for piece in pieces if piece]) > 1
    envelope = protobuf.open_envelope(b"".join(pieces))
    listed = protobuf.decode_message(envelope.raw, "io.k8s.api.core.v1.ConfigMapList")
    assert len(listed["items"]) == 1100 and listed["metadata"]["resourceVersion"]
    # The same again, from what is known.
    again = await call.send("GET", MAPS, accept=PROTOBUF)
    assert again.stream is not None and b"".join([piece async for piece in again.stream]) == b"".join(pieces)


class Events:
    """Reads the frames of a watch."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""

    async def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            self._held += await anext(self._chunks)
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    async def next(self) -> tuple[str, protobuf.Envelope]:
        """The next event's type and object."""
        (size,) = struct.unpack(">I", await self._take(4))
        event = dict(protobuf.read(await self._take(size)))
        kind, extension = event[1], event[2]
        assert isinstance(kind, bytes) and isinstance(extension, bytes)
        body = dict(protobuf.read(extension))[1]
        assert isinstance(body, bytes)
        return kind.decode(), protobuf.open_envelope(body)


async def watching(call: Caller, path: str, accept: str) -> Events:
    response = await call.send("GET", path, accept=accept)
    assert response.headers["content-type"] == f"{PROTOBUF};stream=watch" and response.stream is not None
    return Events(response.stream)


@pytest.mark.parametrize("accept", [f"{PROTOBUF};stream=watch", f"{PROTOBUF}, */*"])
async def test_watches(call: Caller, accept: str) -> None:
    await call("POST", MAPS, {"metadata": {"name": "m"}, "data": {"a": "1"}})
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = await watching(call, f"{MAPS}?{query}", accept)
    type_, envelope = await events.next()
    definition_ = schema.definition_of(core_v1.ConfigMap)
    assert (type_, envelope.kind, envelope.api_version) == ("ADDED", "ConfigMap", "v1")
    assert protobuf.decode_message(envelope.raw, definition_)["data"] == {"a": "1"}
    type_, envelope = await events.next()
    bookmark = protobuf.decode_message(envelope.raw, definition_)["metadata"]
    assert type_ == "BOOKMARK" and bookmark["annotations"] == {"k8s.io/initial-events-end": "true"}
    await call("DELETE", f"{MAPS}/m")
    assert (await events.next())[0] == "DELETED"


async def test_a_watch_from_too_long_ago_ends_with_a_status(call: Caller) -> None:
    await call("POST", MAPS, {"metadata": {"name": "m"}})
    await call.api.registry.store.compact(call.api.registry.revision)
    events = await watching(call, f"{MAPS}?watch=1&resourceVersion=1", PROTOBUF)
    type_, envelope = await events.next()
    assert (type_, envelope.kind) == ("ERROR", "Status") and plain(envelope.raw, "Status")["code"] == 410


async def test_metadata_is_watched_in_protobuf_whatever_the_kind(call: Caller) -> None:
    await call("POST", DEFINITIONS, definition())
    events = await watching(call, f"{CRONTABS}?watch=1&resourceVersion=0", f"{PROTOBUF};{PARTIAL}")
    await call("POST", CRONTABS, {**CRON, "metadata": {"name": "c"}})
    type_, envelope = await events.next()
    assert (type_, envelope.kind) == ("ADDED", "PartialObjectMetadata")
    assert plain(envelope.raw, "PartialObjectMetadata")["metadata"]["name"] == "c"


async def test_a_watch_over_a_socket(call: Caller) -> None:
    server = Server(call.api.handle, None)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.listen(listener)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
    lines = [f"GET {MAPS}?watch=1 HTTP/1.1", "Host: x", "Authorization: Bearer admin-token", f"Accept: {PROTOBUF}, */*"]
    head = "\r\n".join(lines) + "\r\n\r\n"
    writer.write(head.encode())
    answered = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert f"content-type: {PROTOBUF};stream=watch" in answered

    async def chunks() -> AsyncIterator[bytes]:
        while size := int(await reader.readline(), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)

    events = Events(chunks())
    for number in range(3):
        await call("POST", MAPS, {"metadata": {"name": f"m-{number}"}, "data": {"a": "\n" * 300}})
        type_, envelope = await events.next()
        found = protobuf.decode_message(envelope.raw, schema.definition_of(core_v1.ConfigMap))
        assert (type_, found["metadata"]["name"], found["data"]) == ("ADDED", f"m-{number}", {"a": "\n" * 300})
    writer.transport.abort()
    await server.stop(0.1)


async def test_statuses_are_statuses_whoever_reads_them(call: Caller) -> None:
    """What is read by the typed decoder of bodies is a Status as well."""
    response = await call.send("GET", f"{MAPS}/nosuch", accept=PROTOBUF)
    assert decoded(response, meta_v1.Status).reason == "NotFound"
