"""Carries out probes and hooks of real containers: commands through the runtime, HTTP, TCP and gRPC over the network.

Connections start in the kubelet's own network namespace, which is the node's. Implements `kit.Prober` and `kit.Hooks`.
"""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import grpc
import grpc.aio

from pybernetes.api.struct import IntOrString
from pybernetes.api.types.core_v1 import HTTPGetAction, LifecycleHandler, Probe
from pybernetes.kubelet.decide.probes import timeout
from pybernetes.kubelet.kit import Outcome, Target
from pybernetes.kubelet.runtime import ContainerRuntime, RuntimeFailure

LONGEST_OUTPUT = 10 * 1024
HOOK_TIMEOUT = 120.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_MAX = 10
_SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}


class NetworkProber:
    """One node's probes."""

    def __init__(self, runtime: ContainerRuntime) -> None:
        self._runtime = runtime

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        limit = timeout(probe)
        if probe.exec is not None:
            return await self._command(target, tuple(probe.exec.command), limit)
        try:
            async with asyncio.timeout(limit):
                return await _over_network(target, probe)
        except TimeoutError:
            where = f"{target.pod_ip}"
            return Outcome(
                False, f"{where}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            )
        except ValueError as error:
            return Outcome(False, str(error))
        except OSError as error:
            return Outcome(False, _dial_error(target, probe, error))

    async def _command(self, target: Target, command: tuple[str, ...], limit: float) -> Outcome:
        try:
            result = await self._runtime.exec_sync(target.container_id, command, limit)
        except TimeoutError:
            return Outcome(False, f"command timed out: {' '.join(command)!r} timed out after {limit:g}s")
        except RuntimeFailure as failure:
            return Outcome(False, str(failure))
        return Outcome(result.exit_code == 0, result.output[:LONGEST_OUTPUT])


class NodeHooks:
    """One node's lifecycle hooks."""

    def __init__(self, runtime: ContainerRuntime) -> None:
        self._runtime = runtime

    async def run(self, target: Target, handler: LifecycleHandler) -> Outcome:
        if handler.sleep is not None:
            await asyncio.sleep(handler.sleep.seconds)
            return Outcome(True)
        if handler.exec is not None:
            return await self._command(target, tuple(handler.exec.command))
        try:
            async with asyncio.timeout(HOOK_TIMEOUT):
                if handler.http_get is not None:
                    return await _http(target, handler.http_get)
                if handler.tcp_socket is not None:
                    host = handler.tcp_socket.host or target.pod_ip
                    return await _tcp(host, port_number(target, handler.tcp_socket.port))
        except (OSError, ValueError) as error:
            return Outcome(False, str(error))
        return Outcome(True)

    async def _command(self, target: Target, command: tuple[str, ...]) -> Outcome:
        try:
            result = await self._runtime.exec_sync(target.container_id, command, 0.0)
        except RuntimeFailure as failure:
            return Outcome(False, str(failure))
        if result.exit_code == 0:
            return Outcome(True)
        words = " ".join(command)
        return Outcome(False, f"command '{words}' exited with {result.exit_code}: {result.output[:LONGEST_OUTPUT]}")


async def _over_network(target: Target, probe: Probe) -> Outcome:
    if probe.http_get is not None:
        return await _http(target, probe.http_get)
    if probe.tcp_socket is not None:
        host = probe.tcp_socket.host or target.pod_ip
        return await _tcp(host, port_number(target, probe.tcp_socket.port))
    if probe.grpc is not None:
        return await _grpc(target.pod_ip, probe.grpc.port, probe.grpc.service or "")
    return Outcome(True)


def port_number(target: Target, port: IntOrString | None) -> int:
    """A port by number, or by the name that the container gives it; ValueError when it gives none."""
    if isinstance(port, int):
        return port
    if isinstance(port, str) and port.isdecimal():
        return int(port)
    for each in target.container.ports:
        if each.name == port:
            return each.container_port
    raise ValueError(f"invalid port: {port} could not be found in container {target.container.name}")


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


_IN_PATHS = "/?%:@!$&'()*+,;=~-._[]#|{}"


async def _tcp(host: str, port: int) -> Outcome:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    return Outcome(True)


async def _http(target: Target, action: HTTPGetAction) -> Outcome:
    """A GET of which only the head is read. Redirects are followed as long as they stay on the host; those that lead
    elsewhere count as a success."""
    host, port = action.host or target.pod_ip, port_number(target, action.port)
    scheme, path, authority = (action.scheme or "HTTP").lower(), action.path or "/", f"{_host(host)}:{port}"
    for _hop in range(_REDIRECTS_MAX):
        status_line, location = await _answer((scheme, host, port), request_head(action, authority))
        words = status_line.split()
        url = f"{scheme}://{authority}{path}"
        if len(words) < 2 or not words[1].isdigit():
            return Outcome(False, f'Get "{url}": malformed HTTP response')
        code = int(words[1])
        if code not in _REDIRECTS or not location:
            success = 200 <= code < 400
            return Outcome(success, "" if success else f"HTTP probe failed with statuscode: {code}")
        there = urlsplit(urljoin(url, location))
        if there.hostname != host.lower():
            return Outcome(True, f"Probe terminated redirects, which lead to {there.geturl()}", warns=True)
        path = urlunsplit(("", "", there.path or "/", there.query, ""))
        scheme, port, authority = there.scheme, there.port or (443 if there.scheme == "https" else 80), there.netloc
        action = HTTPGetAction(path=path, port=port, http_headers=action.http_headers)
    return Outcome(False, f'Get "{url}": stopped after {_REDIRECTS_MAX} redirects')


async def _answer(place: tuple[str, str, int], head: bytes) -> tuple[bytes, str]:
    """The status line of an answer and where it leads; certificates are not verified, as upstream."""
    scheme, host, port = place
    context = None
    if scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    location = ""
    try:
        writer.write(head)
        status_line = await reader.readline()
        while line := (await reader.readline()).strip():
            name, _colon, value = line.decode("latin-1").partition(":")
            if name.lower() == "location":
                location = value.strip()
    finally:
        writer.close()
    return status_line, location


def request_head(action: HTTPGetAction, authority: str) -> bytes:
    """The one request that a probe or hook makes: nothing in the pod's words begins another line or request. Pure."""
    path = quote(action.path or "/", safe=_IN_PATHS)
    headers = {"User-Agent": "kube-probe/1.36", "Accept": "*/*", "Host": authority}
    headers.update({header.name: header.value for header in action.http_headers})
    lines = [f"{_one_line(name)}: {_one_line(value)}" for name, value in headers.items()]
    slash = "" if path.startswith("/") else "/"
    return "\r\n".join([f"GET {slash}{path} HTTP/1.1", *lines, "Connection: close", "", ""]).encode()


def _one_line(text: str) -> str:
    return text.translate({0: " ", 10: " ", 13: " "})


async def _grpc(host: str, port: int, service: str) -> Outcome:
    name = service.encode()
    request = b"\x0a" + bytes([len(name)]) + name if name else b""
    async with grpc.aio.insecure_channel(f"{_host(host)}:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check", request_serializer=bytes, response_deserializer=bytes
        )
        try:
            answer = await check(request)
        except grpc.aio.AioRpcError as error:
            return Outcome(False, f"error: health rpc probe failed: {error.details()}")
    if answer == _SERVING:
        return Outcome(True)
    return Outcome(False, 'service unhealthy (responded with "NOT_SERVING")')


def _dial_error(target: Target, probe: Probe, error: OSError) -> str:
    words = "connect: connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
    if probe.http_get is not None:
        where = f"{_host(probe.http_get.host or target.pod_ip)}:{port_number(target, probe.http_get.port)}"
        scheme = (probe.http_get.scheme or "HTTP").lower()
        return f'Get "{scheme}://{where}{probe.http_get.path or "/"}": dial tcp {where}: {words}'
    if probe.tcp_socket is not None:
        where = f"{_host(probe.tcp_socket.host or target.pod_ip)}:{port_number(target, probe.tcp_socket.port)}"
        return f"dial tcp {where}: {words}"
    return words
