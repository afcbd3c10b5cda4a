"""The transport over real sockets of the loopback."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.types.rbac_v1 import ClusterRole
from pybernetes.api.wire import Request
from pybernetes.client import Client, ClientConfig, Unreachable
from pybernetes.client.http import HttpTransport, is_stream

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server on a free port; its address."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_of(config: ClientConfig) -> AsyncIterator[Client]:
    client = Client(HttpTransport(config))
    try:
        yield client
    finally:
        await client.close()


async def test_names_and_queries_arrive_as_they_were_given() -> None:
    seen: list[tuple[str, str]] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.path, request.query.get("labelSelector", "")))
        return web.json_response({"metadata": {"name": "x"}, "items": []})

    async with serving(handler) as address, client_of(ClientConfig(address)) as client:
        await client.get(ClusterRole, "system:a b%c")
        await client.list(Pod, label_selector="app in (a, b),x!=ü&z")
    assert seen == [
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a b%c", ""),
        ("/api/v1/pods", "app in (a, b),x!=ü&z"),
    ]


async def test_groups_to_impersonate_are_headers_of_their_own() -> None:
    seen: list[list[str]] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.getall("Impersonate-Group"))
        return web.json_response({})

    async with serving(handler) as address:
        transport = HttpTransport(ClientConfig(address))
        await transport.send(Request("GET", "/", headers={"impersonate-group": "a\nb,c"}))
        await transport.close()
    assert seen == [["a", "b,c"]]


async def test_a_watch_comes_as_it_happens_and_ends_when_it_breaks() -> None:
    go_on = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n')
        await go_on.wait()
        await response.write(b'{"type":"DELETED","object":{"metadata":{"name":"a"}}}\n')
        assert request.transport is not None
        request.transport.abort()
        return response

    events: list[str] = []
    async with serving(handler) as address, client_of(ClientConfig(address)) as client:
        with pytest.raises(Unreachable):
            async for event in client.watch(Pod):
                events.append(event.type)
                go_on.set()
    assert events == ["ADDED", "DELETED"]


async def test_nobody_there() -> None:
    async with serving(None) as address:  # type: ignore[arg-type]
        pass
    async with client_of(ClientConfig(address)) as client:
        with pytest.raises(Unreachable) as caught:
            await client.create(Pod())
    assert not caught.value.sent


async def test_an_answer_that_never_comes() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        await given_up.wait()
        return web.Response()

    given_up = asyncio.Event()
    async with serving(handler) as address, client_of(ClientConfig(address, request_timeout=0.05)) as client:
        with pytest.raises(Unreachable):
            await client.create(Pod())
        given_up.set()


async def test_a_new_token_is_taken_from_its_file(tmp_path: Path) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"metadata": {"name": request.headers["Authorization"]}})

    token = tmp_path / "token"
    token.write_text("one\n")
    async with serving(handler) as address, client_of(ClientConfig(address, token_file=str(token))) as client:
        first = await client.get(Pod, "p", "n")
        (tmp_path / "new").write_text("two\n")
        (tmp_path / "new").replace(token)
        second = await client.get(Pod, "p", "n")
    assert (first.metadata.name, second.metadata.name) == ("Bearer one", "Bearer two")


async def test_websocket() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.query.get("container") == "none":
            body = {"kind": "Status", "code": 400, "reason": "BadRequest", "message": "container none is not valid"}
            return web.json_response(body, status=400)
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
        await socket.prepare(request)
        await socket.send_bytes(b"\x01" + await socket.receive_bytes())
        await socket.close()
        return socket

    async with serving(handler) as address:
        transport = HttpTransport(ClientConfig(address))
        channel = await transport.connect("/exec", [("command", "ls")], ["v5.channel.k8s.io", "v4.channel.k8s.io"])
        await channel.send(b"hello")
        assert await channel.receive() == b"\x01hello"
        assert await channel.receive() is None
        await channel.close()
        with pytest.raises(StatusError, match="container none is not valid"):
            await transport.connect("/exec", [("container", "none")], ["v5.channel.k8s.io"])
        await transport.close()


async def test_both_sides_show_certificates(tmp_path: Path) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        subject = request.transport.get_extra_info("peercert")["subject"]
        return web.json_response({"metadata": {"name": dict(pair for (pair,) in subject)["commonName"]}})

    certificate, key = self_signed("admin")
    (tmp_path / "pair").write_bytes(certificate + key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=certificate.decode())
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(tmp_path / "pair")
    async with serving(handler, tls) as address:
        config = ClientConfig(
            address, certificate_authority=certificate, client_certificate=certificate, client_key=key
        )
        async with client_of(config) as client:
            assert (await client.get(Pod, "p", "n")).metadata.name == "admin"
        stranger = replace(config, certificate_authority=self_signed("other")[0])
        async with client_of(stranger) as client:
            with pytest.raises(Unreachable, match="(?i)certificate"):
                await client.create(Pod())


def self_signed(name: str) -> tuple[bytes, bytes]:
    """Certificate and key, PEM, of a host at 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private


def test_what_is_a_stream() -> None:
    def streams(method: str, path: str, **query: str) -> bool:
        return is_stream(Request(method, path, tuple(query.items())))

    pods = "/api/v1/namespaces/watch/pods"
    assert streams("GET", pods, watch="true")
    assert streams("GET", f"{pods}/a/log", follow="1")
    assert streams("GET", "/apis/apps/v1/watch/deployments")
    assert streams("POST", f"{pods}/a/proxy/b/c")
    assert streams("GET", "/api/v1/nodes/n/proxy")
    assert not streams("GET", pods)
    assert not streams("POST", "/api/v1/namespaces/proxy/serviceaccounts/proxy-user/token")
    assert not streams("PATCH", "/api/v1/namespaces/a/pods/proxy/status")
    assert not streams("PUT", "/api/v1/nodes/proxy/status")
    assert not streams("GET", "/version")
