"""A user's connection: the client, the namespace and where to print, made of a command line and a kubeconfig.

Verbs get a `Session` and speak to the server through `request`, in plain JSON values, since kubectl also handles kinds
that are not built in. Warnings of the server go to stderr, each once.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

from pybernetes.api import encoding
from pybernetes.api.objects import Object
from pybernetes.api.status import StatusError
from pybernetes.api.wire import Channel, Response
from pybernetes.client import Client, ClientConfig, ConfigError
from pybernetes.client.http import HttpTransport
from pybernetes.client.kubeconfig import Kubeconfig, kubeconfig_paths
from pybernetes.environment.clock import SystemClock
from pybernetes.kubectl import printing
from pybernetes.kubectl.failures import error
from pybernetes.kubectl.resources import DISCOVERY, Catalog, Resource, built_in, discovered
from pybernetes.kubectl.words import Words

Query = Iterable[tuple[str, str]]
Connect = Callable[[str, Query, Iterable[str]], Awaitable[Channel]]
MANAGER = "kubectl"
_WARNING = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')


@dataclass
class Session:
    """One run of kubectl. `connect` opens WebSockets; None where the transport has none."""

    client: Client
    namespace: str = "default"
    server: str = ""
    namespace_given: bool = False
    connect: Connect | None = None
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    folder: Path = Path()
    now: Callable[[], datetime] = SystemClock().now
    headers: Mapping[str, str] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set)
    _catalog: Catalog | None = None

    def print(self, line: str = "") -> None:
        self.out.write(f"{line}\n")
        self.out.flush()

    def warn(self, line: str) -> None:
        """A line on stderr."""
        self.err.write(f"{printing.harmless(line)}\n")
        self.err.flush()

    def write_bytes(self, data: bytes) -> None:
        """Bytes of a container for stdout, unchanged where that takes bytes."""
        _write_bytes(self.out, data)

    def write_error_bytes(self, data: bytes) -> None:
        """Bytes of a container for stderr."""
        _write_bytes(self.err, data)

    async def send(
        self, method: str, path: str, query: Query = (), body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Any request; `body` is a JSON value or bytes. Prints the server's warnings."""
        content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        try:
            response = await self.client.raw(method, path, query, content, {**self.headers, **(headers or {})})
        except StatusError as failure:
            self._tell_warnings(failure.headers.get("warning", ""))
            raise
        self._tell_warnings(response.headers.get("warning", ""))
        return response

    def _tell_warnings(self, header: str | tuple[str, ...]) -> None:
        for text in _warnings(header):
            if text not in self._warned:
                self._warned.add(text)
                self.warn(f"Warning: {text}")

    async def request(
        self, method: str, path: str, query: Query = (), body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON value that a request gets."""
        return json.loads((await self.send(method, path, query, body, headers)).body)

    async def typed(self, type_: type[Object], path: str) -> Object:
        """An object as its struct."""
        return encoding.from_value(await self.request("GET", path), type_).object

    async def items(self, type_: type[Object], path: str, query: Query = ()) -> list[Object]:
        """The objects of a list as their structs."""
        found = await self.request("GET", path, query)
        return [encoding.from_value(item, type_).object for item in found.get("items") or ()]

    async def patch(
        self, resource: Resource, where: tuple[str, str], body: Any, media: str, query: Query = ()
    ) -> dict[str, Any]:
        """PATCHes the object `where` = (namespace, name)."""
        found: dict[str, Any] = await self.request("PATCH", resource.path(*where), query, body, {"content-type": media})
        return found

    async def find(self, word: str) -> Resource | None:
        """The resource of a word, after asking the server if need be."""
        return built_in().find(word) or (await self.catalog()).find(word)

    async def resource(self, word: str) -> Resource:
        """As `find`; `CommandError` when there is no such resource."""
        found = await self.find(word)
        if found is None:
            raise error(f'the server doesn\'t have a resource type "{word.partition(".")[0]}"')
        return found

    async def kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of a manifest."""
        return built_in().kind(api_version, kind) or (await self.catalog()).kind(api_version, kind)

    async def catalog(self) -> Catalog:
        """All that the server has; asked once."""
        if self._catalog is None:
            resources: list[Resource] = []
            for path in ("/api", "/apis"):
                resources += discovered(await self.request("GET", path, headers={"accept": DISCOVERY}))
            self._catalog = Catalog(resources)
        return self._catalog

    def forget_catalog(self) -> None:
        """The server may have new kinds."""
        self._catalog = None

    def namespace_of(self, resource: Resource, namespace: str = "") -> str:
        """The namespace to ask in; empty for what is not in namespaces."""
        return (namespace or self.namespace) if resource.namespaced else ""


def _write_bytes(stream: TextIO, data: bytes) -> None:
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(data.decode(errors="replace"))
    else:
        stream.flush()
        buffer.write(data)
    stream.flush()


def _warnings(header: str | tuple[str, ...]) -> list[str]:
    lines = (header,) if isinstance(header, str) else header
    return [re.sub(r"\\(.)", r"\1", text) for line in lines for text in _WARNING.findall(line)]


def client_config(words: Words, environ: Mapping[str, str], fallback: Path | None) -> ClientConfig:
    """What flags and kubeconfig say; `fallback` is a kubeconfig for a user who has none. ConfigError."""
    named = words.text("kubeconfig")
    paths = [Path(named)] if named else kubeconfig_paths(environ)
    if not any(path.exists() for path in paths):
        if named:
            raise ConfigError(f"stat {named}: no such file or directory")
        paths = [fallback] if fallback is not None and fallback.exists() else paths
    kubeconfig = Kubeconfig.read(paths)
    if words.text("server") and not kubeconfig.current_context:
        config = ClientConfig(words.text("server"))
    elif not kubeconfig.current_context and not words.text("context"):
        raise ConfigError(
            "no cluster is configured: set KUBECONFIG or --kubeconfig, or start a local cluster with `pyb up`"
        )
    else:
        config = kubeconfig.client_config(words.text("context"))
    return _overridden(config, words)


def _overridden(config: ClientConfig, words: Words) -> ClientConfig:
    changes: dict[str, Any] = {}
    for flag, name in (("server", "server"), ("token", "token"), ("tls-server-name", "tls_server_name")):
        if words.text(flag):
            changes[name] = words.text(flag).rstrip("/")
    if "token" in changes:
        # A named token is meant instead of the kubeconfig's user.
        changes |= {"token_file": "", "client_certificate": b"", "client_key": b""}
    for flag, name in _FILES:
        if words.text(flag):
            changes[name] = Path(words.text(flag)).read_bytes()
    if words.on("insecure-skip-tls-verify"):
        changes["insecure_skip_tls_verify"] = True
    if words.seconds("request-timeout") > 0:
        changes["request_timeout"] = words.seconds("request-timeout")
    return replace(config, **changes)


_FILES = (
    ("certificate-authority", "certificate_authority"),
    ("client-certificate", "client_certificate"),
    ("client-key", "client_key"),
)


def impersonation(words: Words) -> dict[str, str]:
    """The headers of `--as`."""
    wanted = {"impersonate-user": words.text("as"), "impersonate-uid": words.text("as-uid")}
    groups = "\n".join(words.all("as-group"))
    return {name: value for name, value in {**wanted, "impersonate-group": groups}.items() if value}


def open_session(words: Words, environ: Mapping[str, str], fallback: Path | None) -> Session:
    """A session over HTTPS; ConfigError when flags and kubeconfig do not make one."""
    config = client_config(words, environ, fallback)
    transport = HttpTransport(config)
    return Session(
        Client(transport, user_agent="kubectl/pybernetes"),
        words.text("namespace") or config.namespace,
        config.server,
        words.given("namespace"),
        transport.connect,
        headers=impersonation(words),
    )
