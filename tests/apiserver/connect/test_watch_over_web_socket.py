"""A watch whose events come as messages."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
import pytest
from tests.apiserver.connect.conftest import Running

AUTHORIZATION = {"Authorization": "Bearer admin-token"}
MAPS = "/api/v1/namespaces/default/configmaps"
TOKEN = "base64url.bearer.authorization.k8s.io.YWRtaW4tdG9rZW4"


async def _create(running: Running, name: str) -> None:
    code, _ = await running.call("POST", MAPS, {"metadata": {"name": name}})
    assert code == 201


async def test_every_event_is_a_message(running: Running) -> None:
    await _create(running, "a")
    await _create(running, "b")
    async with (
        aiohttp.ClientSession(headers=AUTHORIZATION) as http,
        http.ws_connect(running.url("/configmaps?watch=1")) as connection,
    ):

        async def event() -> tuple[str, str]:
            received: dict[str, Any] = msgspec.json.decode(await connection.receive_str())
            return received["type"], received["object"]["metadata"]["name"]

        assert [await event(), await event()] == [("ADDED", "a"), ("ADDED", "b")]
        await connection.send_str("what a client says is passed over")
        await _create(running, "c")
        assert await event() == ("ADDED", "c")


async def test_messages_in_protobuf_are_binary(running: Running) -> None:
    await _create(running, "a")
    headers = {**AUTHORIZATION, "Accept": "application/vnd.kubernetes.protobuf"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(running.url("/configmaps?watch=1&timeoutSeconds=1")) as connection,
    ):
        event = await connection.receive_bytes()
        assert event.startswith(b"\n\x05ADDED")
        assert (await connection.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_token_may_be_offered_as_a_sub_protocol(running: Running) -> None:
    await _create(running, "a")
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(running.url("/configmaps?watch=1"), protocols=(TOKEN, "mine")) as connection,
    ):
        assert connection.protocol == "mine"
        assert "ADDED" in await connection.receive_str()


async def test_what_is_refused_is_refused_before_the_upgrade(running: Running) -> None:
    async with aiohttp.ClientSession(headers=AUTHORIZATION) as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(running.url("/configmaps?watch=1&labelSelector=a%3Db%3Dc"))
        assert refusal.value.status == 400
