"""`/proxy` of pods, services and nodes: one request passed on to what listens there, and its answer back.

Upgraded connections (a WebSocket of an application) are passed on unread. Redirects are left to the client; where they
lead, and where the links of pages lead, is through the proxy again (`rewriting.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from pybernetes.api.kinds import kind_of
from pybernetes.api.status import bad_request, failure, not_found
from pybernetes.api.types.core_v1 import Node, Pod, Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.api.whole_number import whole_number
from pybernetes.api.wire import Request, Response, Upgrade
from pybernetes.apiserver.connect.node_connection import Backend, Call, Unreachable
from pybernetes.apiserver.connect.pods import Connections, dialing
from pybernetes.apiserver.connect.relay import relayed
from pybernetes.apiserver.connect.rewriting import Proxy, rewritten
from pybernetes.apiserver.connect.targets import (
    SERVICE_NAME,
    ProxyName,
    kubelet_of,
    pod_backend,
    proxy_name,
    require_proxyable,
    service_backends,
)
from pybernetes.apiserver.connect.web_socket import SUB_PROTOCOLS, without_token
from pybernetes.apiserver.request import Authenticated
from pybernetes.environment.chance import Chance

# Headers that are about one connection, not about the message.
_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# The credentials were for us, and the body is measured again.
_IDENTITY = ("impersonate-", "x-remote-")
_KEPT_BACK = _HOP | {"authorization", "content-length", "expect"}
# Who else's pages may read the answer is not the backend's to say.
_CROSS_ORIGIN = frozenset(f"access-control-allow-{what}" for what in ("credentials", "headers", "methods", "origin"))
# What stands in a path as it is, as Go writes URLs.
_PLAIN = "/:@!$&'()*+,;=~-._"


class Proxies:
    """Handlers of pods', services' and nodes' proxy."""

    def __init__(self, connections: Connections, chance: Chance) -> None:
        self._connections = connections
        self._chance = chance

    async def pods(self, asked: Authenticated) -> Response:
        await self._admit(asked)
        name = proxy_name(asked.info.name, "pod")
        return await self._forward(asked, pod_backend(self._connections.named_pod(asked, name.name), name))

    async def services(self, asked: Authenticated) -> Response:
        await self._admit(asked)
        name = proxy_name(asked.info.name, "service")
        return await self._forward(asked, self._service(asked.info.namespace, name))

    async def nodes(self, asked: Authenticated) -> Response:
        await self._admit(asked)
        name = proxy_name(asked.info.name, "node")
        node = self._connections.reader.get(Node, name.name)
        if node is None:
            raise not_found(kind_of(Node), name.name)
        backend = kubelet_of(node, name.name)
        port = whole_number(name.port) if name.port else backend.port
        if port is None:
            raise bad_request(f"invalid port {name.port}")
        if port != backend.port:
            await _require_proxyable_host(backend.host)
            # Only the kubelet itself is shown our certificate.
            backend = Backend(name.scheme or "http", backend.host, port)
        return await self._forward(asked, backend)

    async def _admit(self, asked: Authenticated) -> None:
        await self._connections.admit(asked, tail_of(asked.request.path, asked.info.name))

    def _service(self, namespace: str, name: ProxyName) -> Backend:
        service = self._connections.reader.get(Service, name.name, namespace)
        if service is None:
            raise not_found(kind_of(Service), name.name)
        slices = (
            each
            for each in self._connections.reader.list(EndpointSlice, namespace)
            if each.metadata.labels.get(SERVICE_NAME) == name.name
        )
        reader = self._connections.reader
        backends = service_backends(service, slices, name, lambda pod: reader.get(Pod, pod, namespace))
        return self._chance.choice(backends)

    async def _forward(self, asked: Authenticated, backend: Backend) -> Response:
        request = asked.request
        tail = tail_of(request.path, asked.info.name)
        if not tail and request.method in ("GET", "HEAD"):
            location = (
                quote(request.path, safe=_PLAIN) + "/" + (f"?{urlencode(request.query)}" if request.query else "")
            )
            return Response(301, {"location": location})
        headers = passed_headers(request)
        if "upgrade" in request.headers:
            call = Call(request.method, proxied_target(tail, request), headers, request.body)
            return await self._upgraded(backend, call, request)
        headers["x-forwarded-uri"] = quote(request.path, safe=_PLAIN)
        call = Call(request.method, proxied_target(tail, request), headers, request.body)
        try:
            answer = await self._connections.nodes.request(backend, call)
        except Unreachable as error:
            raise failure(503, "ServiceUnavailable", f"error trying to reach service: {error}") from error
        told = Response(answer.status, _without(answer.headers, _HOP | _CROSS_ORIGIN), answer.body, answer.stream)
        prefix = quote(request.path.removesuffix(tail), safe=_PLAIN)
        return await rewritten(told, Proxy(prefix, backend.authority, request.headers.get("host", "")))

    async def _upgraded(self, backend: Backend, call: Call, request: Request) -> Response:
        headers = {**call.headers, "connection": "Upgrade", "upgrade": request.headers["upgrade"]}
        try:
            answer = await self._connections.nodes.upgrade(backend, Call(call.method, call.target, headers, call.body))
        except Unreachable as error:
            raise dialing(error) from error
        if isinstance(answer, Response) and answer.status < 400:
            raise failure(500, "", f"invalid upgrade response: status code {answer.status}")
        if isinstance(answer, Response):
            return Response(answer.status, _without(answer.headers, _HOP | {"content-length"}), answer.body)
        upgrade = Upgrade(request.headers["upgrade"], relayed(answer.stream), is_raw=True)
        return Response(101, answer.headers, upgrade=upgrade)


async def _require_proxyable_host(host: str) -> None:
    """400 for a name or an address of the API server's own machine."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        raise bad_request("address not allowed") from None
    for *_, address in found:
        require_proxyable(str(address[0]))


def tail_of(path: str, name: str) -> str:
    """What follows `NAME/proxy` in a path, with its slashes as they are; empty when nothing does. Pure."""
    return path.partition(f"/{name}/proxy")[2]


def proxied_target(tail: str, request: Request) -> str:
    """The request line's path and query at the backend. Pure."""
    path = quote(tail, safe=_PLAIN) or "/"
    return f"{path}?{urlencode(request.query, quote_via=quote)}" if request.query else path


def passed_headers(request: Request) -> dict[str, str]:
    """The headers that go on to the backend, Host among them, and who asked. Pure."""
    hops = {name.strip().lower() for name in request.headers.get("connection", "").split(",")}
    headers = {
        name: value
        for name, value in request.headers.items()
        if name not in _KEPT_BACK and name not in hops and not name.startswith(_IDENTITY)
    }
    protocols = without_token(headers.get(SUB_PROTOCOLS, ""))
    headers[SUB_PROTOCOLS] = ", ".join(protocols)
    before = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{before}, {request.peer.address}" if before else request.peer.address
    return {name: value for name, value in headers.items() if value}


def _without(headers: Mapping[str, str | tuple[str, ...]], names: frozenset[str]) -> dict[str, str | tuple[str, ...]]:
    return {name: value for name, value in headers.items() if name.lower() not in names}
