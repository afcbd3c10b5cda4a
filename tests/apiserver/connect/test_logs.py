"""Logs through a listening API server: the kubelet's words, chunk by chunk, and refusals as the API words them."""

from __future__ import annotations

import aiohttp
import pytest
from tests.apiserver.connect.conftest import FakeKubelet, Running

AUTHORIZATION = {"Authorization": "Bearer admin-token"}
LOG = "/api/v1/namespaces/default/pods/p/log"


async def test_a_log_comes_as_text_with_all_its_parameters(running: Running, kubelet: FakeKubelet) -> None:
    kubelet.log = [b"one\n", b"two\n"]
    url = running.url("/pods/p/log?tailLines=2&timestamps=true&sinceSeconds=9&limitBytes=100&previous=false")
    async with aiohttp.ClientSession(headers=AUTHORIZATION) as http, http.get(url) as response:
        assert response.headers["Content-Type"] == "text/plain"
        assert await response.text() == "one\ntwo\n"
    target = "/containerLogs/default/p/c?timestamps=true&tailLines=2&sinceSeconds=9&limitBytes=100"
    assert kubelet.heads[0].startswith(f"GET {target} HTTP/1.1\r\n")


async def test_whoever_follows_a_quiet_log_and_goes_ends_it_at_the_node(running: Running, kubelet: FakeKubelet) -> None:
    kubelet.log, kubelet.is_following = [b"one\n"], True
    async with aiohttp.ClientSession(headers=AUTHORIZATION) as http:
        response = await http.get(running.url("/pods/p/log?follow=true"))
        assert await response.content.readany() == b"one\n"
        assert not kubelet.log_ended.is_set()
        response.close()
        await kubelet.log_ended.wait()


@pytest.mark.parametrize(("protocol", "message"), [("binary.k8s.io", b"one\n"), ("base64.binary.k8s.io", "b25lCg==")])
async def test_a_log_over_a_web_socket(
    running: Running, kubelet: FakeKubelet, protocol: str, message: bytes | str
) -> None:
    kubelet.log = [b"one\n"]
    async with (
        aiohttp.ClientSession(headers=AUTHORIZATION) as http,
        http.ws_connect(running.url("/pods/p/log"), protocols=(protocol,)) as connection,
    ):
        assert connection.protocol == protocol
        assert [message.data async for message in connection] == [message]


async def test_a_waiting_container_has_no_log(running: Running, kubelet: FakeKubelet) -> None:
    text = b'container "c" in pod "p" is waiting to start: ContainerCreating'
    kubelet.refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
    status, body = await running.call("GET", LOG)
    assert (status, body["reason"], body["message"]) == (400, "BadRequest", text.decode())


async def test_a_pod_without_a_node_has_an_empty_log(running: Running) -> None:
    response = await running.call.send("GET", "/api/v1/namespaces/default/pods/unbound/log")
    assert (response.status, response.body, response.stream) == (200, b"", None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "tailLines=-1",
            'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
        ),
        ("limitBytes=0", 'PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0'),
        ("stream=Stdout", 'PodLogOptions "p" is invalid: stream: Forbidden: may not be specified'),
    ],
)
async def test_parameters_that_cannot_be(running: Running, query: str, message: str) -> None:
    status, body = await running.call("GET", f"{LOG}?{query}")
    assert (status, body["reason"], body["message"]) == (422, "Invalid", message)


async def test_an_absent_kubelet_is_told_as_such(running: Running) -> None:
    addresses = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
    gone = {"status": {**addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}}
    await running.call("PATCH", "/api/v1/nodes/n1/status", gone, content_type="application/merge-patch+json")
    status, body = await running.call("GET", LOG)
    url = "https://127.0.0.1:1/containerLogs/default/p/c"
    assert status == 500
    assert body["message"] == f'Get "{url}": dial tcp 127.0.0.1:1: connect: connection refused'
