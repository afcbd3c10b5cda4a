"""Answers in gzip: who gets them, from which length on, and that they say the same as the plain ones."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest

from pybernetes.api.wire import Request, Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.compression import LONG_BYTES, accepts_gzip, compressed, may_compress, weighs_gzip
from pybernetes.apiserver.identify import identify
from pybernetes.apiserver.sockets.server import Server
from pybernetes.environment.chance import Chance
from tests.apiserver.conftest import Caller

MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.mark.parametrize(
    ("accepted", "bare", "weighed"),
    [
        ("gzip", True, True),
        ("deflate, gzip", True, True),
        ("br,\tgzip ,zstd", True, True),
        ("gzip;q=1", False, True),
        ("gzip;q=0.1, identity", False, True),
        ("gzip;q=0", False, False),
        ("gzip;q=much", False, False),
        ("GZIP", False, True),
        ("identity", False, False),
        ("*", False, False),
        ("x-gzip", False, False),
        ("", False, False),
    ],
)
def test_gzip_is_what_is_asked_for_by_name(accepted: str, bare: bool, weighed: bool) -> None:
    headers = {"accept-encoding": accepted}
    assert (accepts_gzip(headers), weighs_gzip(headers)) == (bare, weighed)


def test_who_says_nothing_gets_no_gzip() -> None:
    assert not accepts_gzip({}) and not weighs_gzip({})


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/api/v1/pods", True),
        ("GET", "/api/v1/namespaces/a/pods/b", True),
        ("POST", "/api/v1/namespaces/a/pods", True),
        ("GET", "/apis", True),
        ("GET", "/api/v1/pods?watch=true", False),
        ("GET", "/api/v1/namespaces/a/pods/b/log", False),
        ("GET", "/api/v1/namespaces/a/pods/b/proxy/large", False),
        ("GET", "/api/v1/namespaces/a/services/b/proxy/large", False),
        ("GET", "/openapi/v3", False),
        ("GET", "/metrics", False),
    ],
)
def test_nothing_that_goes_on_is_compressed(method: str, target: str, expected: bool) -> None:
    path, _, query = target.partition("?")
    pairs = (("watch", "true"),) if query else ()
    assert may_compress(identify(Request(method, path, pairs))) is expected


@pytest.mark.parametrize("length", [0, LONG_BYTES, LONG_BYTES + 1, 3 * 1024 * 1024])
@pytest.mark.parametrize("streams", [False, True])
async def test_only_long_bodies_are_compressed(length: int, streams: bool) -> None:
    body = bytes(number % 251 for number in range(length))

    async def pieces() -> AsyncIterator[bytes]:
        for first in range(0, length, 50_000):
            yield body[first : first + 50_000]

    given = Response(200, {"vary": "Accept"}, stream=pieces()) if streams else Response(200, {"vary": "Accept"}, body)
    found = await compressed(given)
    received = await received_body(found)
    if length <= LONG_BYTES:
        assert (found.headers, received) == ({"vary": "Accept"}, body)
    else:
        assert found.headers == {"vary": ("Accept-Encoding", "Accept"), "content-encoding": "gzip"}
        assert gzip.decompress(received) == body


async def received_body(response: Response) -> bytes:
    return response.body if response.stream is None else b"".join([piece async for piece in response.stream])


async def fill(call: Caller, count: int, size: int, filling: bytes = b"") -> None:
    """Makes objects; `filling` is what does not get smaller."""
    content = {"a": "x" * size, "b": filling.hex()}
    for number in range(count):
        metadata = {"name": f"m-{number:04}", "annotations": {"about": "y" * 200}}
        code, _ = await call("POST", MAPS, {"metadata": metadata, "data": content})
        assert code == 201


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/yaml",
        PROTOBUF,
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    ],
)
async def test_every_form_of_a_long_list_says_the_same_in_gzip(call: Caller, accept: str) -> None:
    await fill(call, 600, 100)
    plain = await call.send("GET", MAPS, accept=accept)
    for _ in range(3):
        zipped = await call.send("GET", MAPS, accept=accept, accept_encoding="gzip")
        assert zipped.headers["content-encoding"] == "gzip"
        assert zipped.headers["vary"] == ("Accept-Encoding",)
        assert zipped.headers["content-type"] == plain.headers["content-type"]
        assert gzip.decompress(zipped.body) == plain.body
    assert "content-encoding" not in plain.headers and plain.body


async def test_a_table_comes_in_gzip(call: Caller) -> None:
    await fill(call, 600, 1)
    accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
    zipped = await call.send("GET", MAPS, accept=accept, accept_encoding="gzip")
    table = msgspec.json.decode(gzip.decompress(zipped.body))
    assert table["kind"] == "Table" and len(table["rows"]) == 600


async def test_a_list_that_is_streamed_comes_in_gzip_and_follows_changes(call: Caller) -> None:
    await fill(call, 1100, 1)
    plain = await received_body(await call.send("GET", MAPS))
    for _ in range(3):
        zipped = await call.send("GET", MAPS, accept_encoding="gzip")
        assert gzip.decompress(await received_body(zipped)) == plain
    await call("DELETE", f"{MAPS}/m-0000")
    zipped = await call.send("GET", MAPS, accept_encoding="gzip")
    listed = msgspec.json.decode(gzip.decompress(await received_body(zipped)))
    assert [item["metadata"]["name"] for item in listed["items"]] == [f"m-{number:04}" for number in range(1, 1100)]


async def test_a_large_object_comes_in_gzip_a_small_one_does_not(call: Caller) -> None:
    await fill(call, 1, LONG_BYTES)
    await call("POST", MAPS, {"metadata": {"name": "small"}})
    plain = await call.send("GET", f"{MAPS}/m-0000")
    zipped = await call.send("GET", f"{MAPS}/m-0000", accept_encoding="gzip, deflate")
    assert gzip.decompress(zipped.body) == plain.body
    small = await call.send("GET", f"{MAPS}/small", accept_encoding="gzip")
    assert "content-encoding" not in small.headers and small.body.startswith(b"{")
    patched = await call.send("PUT", f"{MAPS}/m-0000", plain.body, accept_encoding="gzip")
    assert patched.status == 200 and patched.headers["content-encoding"] == "gzip"


async def test_the_swagger_document_is_compressed_for_all_who_take_it(call: Caller) -> None:
    plain = await call.send("GET", "/openapi/v2")
    zipped = await call.send("GET", "/openapi/v2", accept_encoding="gzip;q=0.5")
    assert plain.headers["vary"] == zipped.headers["vary"] == ("Accept-Encoding", "Accept")
    assert plain.headers["etag"] == zipped.headers["etag"]
    assert gzip.decompress(zipped.body) == plain.body
    tag = str(plain.headers["etag"])
    known = await call.send("GET", "/openapi/v2", accept_encoding="gzip", if_none_match=tag)
    assert (known.status, known.body, "content-encoding" in known.headers) == (304, b"", False)
    third = await call.send("GET", "/openapi/v3/api/v1", accept_encoding="gzip")
    assert "content-encoding" not in third.headers


@asynccontextmanager
async def serving(api: ApiServer) -> AsyncIterator[str]:
    server = Server(api.handle, None)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.listen(listener)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await server.stop(0.1)


async def test_a_client_that_asks_for_gzip_unpacks_the_same_list(api: ApiServer, call: Caller) -> None:
    await fill(call, 1100, 300)
    sent = {"authorization": "Bearer admin-token", "accept-encoding": "gzip"}
    async with serving(api) as url, aiohttp.ClientSession(headers=sent) as session:
        # The second list is kept while it is sent, the third one is known.
        for _ in range(3):
            async with session.get(url + MAPS) as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                assert answer.headers["Vary"] == "Accept-Encoding"
                assert await answer.read() == await received_body(await call.send("GET", MAPS))


async def test_a_client_that_leaves_in_the_middle_of_a_list_harms_nobody(api: ApiServer, call: Caller) -> None:
    await fill(call, 1100, 0, Chance(1).secret(8_000))
    sent = {"authorization": "Bearer admin-token", "accept-encoding": "gzip"}
    async with serving(api) as url:
        async with aiohttp.ClientSession(headers=sent, auto_decompress=False) as session:
            for _ in range(2):
                async with session.get(url + MAPS) as answer:
                    await answer.content.readany()
                    answer.close()
        async with aiohttp.ClientSession(headers=sent) as session, session.get(url + MAPS) as answer:
            assert len((await answer.json())["items"]) == 1100
