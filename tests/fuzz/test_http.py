"""What strangers do to connections: noise, slowness, floods, and hanging up. The server goes on answering."""

# ruff: noqa: E501 - a row is a request.
from __future__ import annotations

import asyncio
import random
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.faults.process import ApiServerProcess, Connection, head

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
# Seconds; what the server should have given up long before.
PATIENCE = 30.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServerProcess]:
    async with ApiServerProcess(tmp_path) as process:
        yield process
        # Whatever the test did, it still works, and it had nothing to complain about.
        async with asyncio.timeout(PATIENCE):
            status, _ = await process.call("POST", CONFIG_MAPS, {"metadata": {"generateName": "alive-"}})
        assert status == 201
        assert "Traceback" not in process.log, process.log[-3000:]


NOISE = [
    b"",
    b"\r\n",
    b"\r\n" * 10_000,
    b"\x16\x03\x01\x02\x00\x01",
    b"\x00" * 100,
    b"GET\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET http://[ HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET //////%00%ff%zz HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /?%ff=%00&;&=;== HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /api HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n",
    b"GET /api HTTP/1.1\r\nhost: a\r\n: empty\r\n\r\n",
    b"GET /api HTTP/1.1\r\nhost: a\r\nauthorization: Bearer \xff\xfe\x80\r\nimpersonate-user: \xff\r\nuser-agent: \xed\xa0\x80\r\n\r\n",
    head("GET", "/api/v1/pods", "impersonate-user: x").replace(b": x", b": \xff\x80"),
    head("GET", "/api/v1/pods", "accept: x").replace(b": x", b": \xff\x80"),
    head("POST", CONFIG_MAPS, "content-type: x", "content-length: 2").replace(b": x", b": \xff\x80") + b"{}",
    head("POST", CONFIG_MAPS, "user-agent: x", "content-length: 2").replace(b": x", b": \xff\x80") + b"{}",
    b"GET /api HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    b"GET /api HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999999\r\n\r\n",
    b"POST /api HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST /api HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\n\r\n",
    b"POST /api HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd",
    b"POST /api HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\nabcd",
    b"POST /api HTTP/1.1\r\nhost: a\r\nexpect: 200-ok\r\ncontent-length: 4\r\n\r\nabcd",
    b"GET /" + b"a" * 2_000_000,
    b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 2_000_000,
    b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100_000,
    head("GET", "/api/v1/namespaces/default/pods/a/exec?command=a", "connection: Upgrade", "upgrade: websocket"),
    head("GET", "/api/v1/pods?watch=1", "connection: Upgrade", "upgrade: h2c", "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA"),
]  # fmt: skip


async def test_noise(server: ApiServerProcess) -> None:
    chance = random.Random(1)
    noises = NOISE + [chance.randbytes(chance.randrange(1, 2000)) for _ in range(50)]
    noises += [mutilated(head("GET", "/api/v1/pods", "accept: application/json"), chance) for _ in range(100)]
    for noise in noises:
        connection = await server.connect()
        connection.writer.write(noise)
        connection.writer.write_eof() if connection.writer.can_write_eof() else None
        # An answer, or silence: then it waits for more, and the client hangs up.
        try:
            async with asyncio.timeout(0.05):
                status, _ = await connection.answer_head()
                assert status < 500 or status in (501, 505), (status, noise[:200])
        except (TimeoutError, ConnectionError, asyncio.LimitOverrunError):
            pass
        connection.close()


def mutilated(text: bytes, chance: random.Random) -> bytes:
    result = bytearray(text)
    for _ in range(chance.randrange(1, 4)):
        result[chance.randrange(len(result))] = chance.randrange(256)
    return bytes(result)


async def test_a_body_beyond_the_limit_is_a_413(server: ApiServerProcess) -> None:
    for lines, sent in (
        (["content-length: 4000000"], b"x" * 4_000_000),
        (["transfer-encoding: chunked"], b"80000\r\n" + b"x" * 0x80000 + b"\r\n"),
    ):
        connection = await server.connect()
        connection.writer.write(head("POST", CONFIG_MAPS, *lines))
        connection.writer.write(sent)
        for _ in range(8 if len(lines[0]) > 24 else 0):
            connection.writer.write(sent)
        status, _, body = await connection.answer()
        connection.close()
        assert status == 413
        assert msgspec.json.decode(body)["reason"] == "RequestEntityTooLarge"


async def test_a_zipped_bomb_is_no_bomb(server: ApiServerProcess) -> None:
    import gzip

    before = server.memory()
    bomb = gzip.compress(b" " * 300_000_000, 9)
    connection = await server.connect()
    connection.writer.write(head("POST", CONFIG_MAPS, f"content-length: {len(bomb)}", "content-encoding: gzip") + bomb)
    status, _, _ = await connection.answer()
    connection.close()
    assert 400 <= status < 500
    assert server.memory() - before < 50_000_000


async def test_chunks_and_pipelines(server: ApiServerProcess) -> None:
    connection = await server.connect()
    body = msgspec.json.encode({"metadata": {"name": "c"}})
    chunks = b"".join(b"1;ext=1\r\n%c\r\n" % byte for byte in body) + b"0\r\ntrailer: x\r\n\r\n"
    connection.writer.write(head("POST", CONFIG_MAPS, "transfer-encoding: chunked") + chunks)
    for _ in range(200):
        connection.request("GET", f"{CONFIG_MAPS}/c")
    connection.request("HEAD", "/healthz")
    connection.request("DELETE", f"{CONFIG_MAPS}/c")
    assert (await connection.answer())[0] == 201
    for _ in range(200):
        status, _, content = await connection.answer()
        assert status == 200 and msgspec.json.decode(content)["metadata"]["name"] == "c"
    status, headers, _ = await connection.answer(has_body=False)
    assert status == 200 and int(headers["content-length"]) > 0
    assert (await connection.answer())[0] == 200
    connection.close()


async def test_a_flood_of_connections(server: ApiServerProcess) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    before = server.memory()
    idle = [await server.connect() for _ in range(150)]
    begun = [await server.connect() for _ in range(150)]
    for connection in begun:
        connection.writer.write(head("POST", CONFIG_MAPS, "content-length: 1000")[:-2])
    assert (await server.call("GET", "/api/v1/namespaces/default"))[0] == 200
    answers = await asyncio.gather(*(connection.call("GET", "/api/v1/namespaces") for connection in idle))
    assert {status for status, _, _ in answers} == {200}
    for connection in idle + begun:
        connection.close()
    assert server.memory() - before < 150_000_000


async def test_clients_that_hang_up(server: ApiServerProcess) -> None:
    for n in range(100):
        connection = await server.connect()
        if n % 2:
            connection.request("POST", CONFIG_MAPS, {"metadata": {"name": f"gone-{n}"}, "data": {"a": "x" * 100_000}})
        else:
            connection.request("GET", "/api/v1/configmaps?watch=true")
        await connection.writer.drain()
        connection.close()
    for connection in [await server.connect() for _ in range(20)]:
        connection.writer.write(head("POST", CONFIG_MAPS, "content-length: 1000") + b"{")
        connection.close()


async def test_clients_that_never_read_cost_little(server: ApiServerProcess) -> None:
    """Far more is written than they may owe, while one good client sees all of it."""
    deaf: list[Connection] = []
    for n in range(20):
        connection = await server.connect()
        connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
        connection.request("GET", f"{CONFIG_MAPS}?watch=true&labelSelector=!never{n}")
        deaf.append(connection)
    for _ in range(5):
        # Pipelined answers are no different.
        connection = await server.connect()
        connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(200):
            connection.request("GET", "/openapi/v2")
        deaf.append(connection)
    writer, good = await server.connect(), await server.connect()
    big = {"metadata": {"name": "big"}, "data": {"a": "x" * 400_000, "n": ""}}
    _, _, created = await writer.call("POST", CONFIG_MAPS, big)
    since = msgspec.json.decode(created)["metadata"]["resourceVersion"]
    good.request("GET", f"{CONFIG_MAPS}?watch=true&resourceVersion={since}")
    reading = asyncio.create_task(numbers(good, 200))
    before = server.memory()
    for n in range(200):
        big["data"]["n"] = str(n)
        assert (await writer.call("PUT", f"{CONFIG_MAPS}/big", big))[0] == 200
    assert await reading == list(range(200))
    # 80 MB are the store's history; 20 times that is what the deaf would cost.
    assert server.memory() - before < 600_000_000
    for connection in (*deaf, good, writer):
        connection.close()


async def test_a_watch_that_was_far_away_catches_up(server: ApiServerProcess) -> None:
    """However much it has missed, and while more happens: what it reads is in order and whole."""
    writer, late = await server.connect(), await server.connect()
    big = {"metadata": {"name": "big"}, "data": {"a": "x" * 900_000, "n": ""}}
    _, _, created = await writer.call("POST", CONFIG_MAPS, big)
    since = msgspec.json.decode(created)["metadata"]["resourceVersion"]
    for n in range(30):
        big["data"]["n"] = str(n)
        assert (await writer.call("PUT", f"{CONFIG_MAPS}/big", big))[0] == 200
    late.request("GET", f"{CONFIG_MAPS}?watch=true&resourceVersion={since}")
    reading = asyncio.create_task(numbers(late, 40))
    for n in range(30, 40):
        big["data"]["n"] = str(n)
        assert (await writer.call("PUT", f"{CONFIG_MAPS}/big", big))[0] == 200
    assert await reading == list(range(40))
    for connection in (late, writer):
        connection.close()


async def test_bodies_that_stay_away_take_a_share_of_the_memory_and_no_more(server: ApiServerProcess) -> None:
    before = server.memory()
    begun = [await server.connect() for _ in range(150)]
    for connection in begun:
        connection.writer.write(head("POST", CONFIG_MAPS, "content-length: 3000000") + b"x" * 2_900_000)
    # The last ones find no room.
    answers = [asyncio.create_task(connection.answer_head()) for connection in begun]
    async with asyncio.timeout(PATIENCE):
        done, _ = await asyncio.wait(answers, return_when="FIRST_COMPLETED")
    assert done.pop().result()[0] == 429
    assert (await server.call("GET", "/api/v1/namespaces/default"))[0] == 200
    for connection in begun:
        connection.close()
    await asyncio.gather(*answers, return_exceptions=True)
    assert server.memory() - before < 500_000_000


async def test_a_server_without_descriptors_serves_those_who_are_there(server: ApiServerProcess) -> None:
    good = await server.connect()
    assert (await good.call("GET", "/api/v1/namespaces/default"))[0] == 200
    before = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (64, before[1]))
    crowd = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(150)]
    for n in range(50):
        status, _, _ = await good.call("POST", CONFIG_MAPS, {"metadata": {"name": f"among-a-crowd-{n}"}})
        assert status == 201
    for _, writer in crowd:
        writer.transport.abort()
    good.close()
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, before)


async def numbers(watch: Connection, count: int) -> list[int]:
    """The numbers in the first `count` objects of a watch."""
    await watch.answer_head()
    found: list[int] = []
    text = b""
    async for chunk in watch.chunks():
        *lines, text = (text + chunk).split(b"\n")
        found += [int(msgspec.json.decode(line)["object"]["data"]["n"]) for line in lines]
        if len(found) >= count:
            break
    return found
