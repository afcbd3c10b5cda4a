"""Proxy paths through a listening API server to the kubelet of a node."""

from __future__ import annotations

import aiohttp
from tests.apiserver.connect.conftest import FakeKubelet, Running


async def test_a_request_goes_on_and_its_answer_comes_back(running: Running, kubelet: FakeKubelet) -> None:
    url = f"http://127.0.0.1:{running.port}/api/v1/nodes/n1/proxy/stats/x?a=b"
    headers = {"Authorization": "Bearer admin-token", "X-Theirs": "1"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as response:
        assert (response.status, response.headers["X-Mine"], await response.text()) == (200, "yes", "ok")
        assert response.headers["Content-Length"] == "2"
    head = kubelet.heads[0].lower()
    assert head.startswith("get /stats/x?a=b http/1.1\r\n")
    assert "x-theirs: 1\r\n" in head
    assert "authorization" not in head


async def test_reading_the_bare_path_leads_to_the_one_with_a_slash(running: Running, kubelet: FakeKubelet) -> None:
    for method in ("GET", "HEAD"):
        response = await running.call.send(method, "/api/v1/nodes/n1/proxy")
        assert (response.status, response.headers["location"]) == (301, "/api/v1/nodes/n1/proxy/")
    assert kubelet.heads == []
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        response = await running.call.send(method, "/api/v1/nodes/n1/proxy")
        assert response.status == 200
        assert kubelet.heads.pop().startswith(f"{method} / HTTP/1.1\r\n")


async def test_every_method_goes_on(running: Running, kubelet: FakeKubelet) -> None:
    url = f"http://127.0.0.1:{running.port}/api/v1/nodes/n1/proxy/x"
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer admin-token"}) as http:
        for method in ("HEAD", "OPTIONS", "PUT"):
            async with http.request(method, url) as response:
                assert (response.status, response.headers["X-Mine"]) == (200, "yes")
                assert response.headers["Content-Length"] == "2"
            assert kubelet.heads.pop().startswith(f"{method} /x HTTP/1.1\r\n")
        async with http.request("TRACE", url) as response:
            assert response.status == 405
        async with http.head(f"http://127.0.0.1:{running.port}/api/v1/nodes/n1") as response:
            assert response.status == 405
    assert kubelet.heads == []


async def test_a_backend_hears_what_the_client_called_it(running: Running, kubelet: FakeKubelet) -> None:
    url = f"http://127.0.0.1:{running.port}/api/v1/nodes/n1/proxy/a:b"
    kubelet.refusal = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n"
    headers = {"Authorization": "Bearer admin-token", "Host": "mine.example:6443"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
    head = kubelet.heads[0].lower()
    assert "host: mine.example:6443\r\n" in head
    assert "x-forwarded-uri: /api/v1/nodes/n1/proxy/a:b\r\n" in head
    assert "x-forwarded-host" not in head


async def test_whoever_does_not_answer_is_no_service(running: Running, kubelet: FakeKubelet) -> None:
    kubelet.refusal = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    status, body = await running.call("GET", "/api/v1/nodes/n1/proxy/x", upgrade="websocket")
    assert (status, body["message"]) == (500, "invalid upgrade response: status code 200")
    addresses = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}
    gone = {"status": {**addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}}
    await running.call("PATCH", "/api/v1/nodes/n1/status", gone, content_type="application/merge-patch+json")
    status, body = await running.call("GET", "/api/v1/nodes/n1/proxy/x")
    assert (status, body["reason"]) == (503, "ServiceUnavailable")
    assert body["message"] == "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused"


async def test_whoever_may_not_is_refused(running: Running, kubelet: FakeKubelet) -> None:
    alice = running.call.as_user("alice-token")
    for method, path in (("GET", "/api/v1/nodes/n1/proxy/x"), ("GET", "/api/v1/namespaces/default/pods/p/exec")):
        status, _body = await alice(method, path)
        assert status == 403
    assert kubelet.heads == []


async def test_other_ports_of_the_servers_own_machine_are_out_of_reach(running: Running) -> None:
    for name in ("n1:6443", "https:n1:10257"):
        status, body = await running.call("GET", f"/api/v1/nodes/{name}/proxy/metrics")
        assert (status, body["message"]) == (400, "address not allowed")


async def test_pages_and_redirects_lead_back_and_are_dated_once(running: Running, kubelet: FakeKubelet) -> None:
    url = f"http://127.0.0.1:{running.port}/api/v1/nodes/n1/proxy/page"
    kubelet.refusal = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nDate: Mon, 23 Nov 2026 14:55:05 GMT\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 20\r\n\r\n<a href='/next'></a>"
    )
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer admin-token"}) as http:
        async with http.get(url) as response:
            assert await response.text() == '<a href="/api/v1/nodes/n1/proxy/next"></a>'
            assert response.headers.getall("Date") == ["Mon, 23 Nov 2026 14:55:05 GMT"]
            assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        kubelet.refusal = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        async with http.get(url, allow_redirects=False) as response:
            assert response.headers["Location"] == "/api/v1/nodes/n1/proxy/elsewhere"
