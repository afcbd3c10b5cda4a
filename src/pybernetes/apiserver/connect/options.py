"""What a stream or a proxied request asks for, as an object: admission sees it in place of what other writes bring.

The query of a request goes in; an object of the sub-resource's own kind, such as PodExecOptions, comes out. Pure.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import bad_request
from pybernetes.api.struct import Int32, no_items
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.api.wire import Request
from pybernetes.apiserver.query_numbers import parse_int
from pybernetes.apiserver.query_options import flag


class _Options(ApiObject, kw_only=True):
    api_version: str = msgspec.field(default_factory=lambda: "v1")
    # They have none.
    metadata: ObjectMeta = None  # type: ignore[assignment]


class PodAttachOptions(_Options, kw_only=True):
    kind: str = msgspec.field(default_factory=lambda: "PodAttachOptions")
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False
    container: str = ""


class PodExecOptions(PodAttachOptions, kw_only=True):
    kind: str = msgspec.field(default_factory=lambda: "PodExecOptions")
    command: list[str] = msgspec.field(default_factory=no_items)


class PodPortForwardOptions(_Options, kw_only=True):
    kind: str = msgspec.field(default_factory=lambda: "PodPortForwardOptions")
    ports: list[Int32] = []


class PodProxyOptions(_Options, kw_only=True):
    kind: str = msgspec.field(default_factory=lambda: "PodProxyOptions")
    path: str = ""


class ServiceProxyOptions(PodProxyOptions, kw_only=True):
    kind: str = msgspec.field(default_factory=lambda: "ServiceProxyOptions")


class NodeProxyOptions(PodProxyOptions, kw_only=True):
    kind: str = msgspec.field(default_factory=lambda: "NodeProxyOptions")


_TYPES: dict[tuple[str, str], type[_Options]] = {
    ("pods", "attach"): PodAttachOptions,
    ("pods", "exec"): PodExecOptions,
    ("pods", "portforward"): PodPortForwardOptions,
    ("pods", "proxy"): PodProxyOptions,
    ("services", "proxy"): ServiceProxyOptions,
    ("nodes", "proxy"): NodeProxyOptions,
}


@lru_cache
def options_kind(resource: str, subresource: str) -> Kind:
    """The kind of the options of a sub-resource that is connected to."""
    return Kind("", "v1", f"{resource}/{subresource}", _TYPES[resource, subresource])


def connect_options(kind: Kind, request: Request, tail: str) -> ApiObject:
    """The options of that kind; `tail` is the path behind a proxy. 400 for numbers and flags that are none."""
    if issubclass(kind.type, PodProxyOptions):
        return kind.type(path=tail)
    if kind.type is PodPortForwardOptions:
        return PodPortForwardOptions(ports=_ports(request))
    options = kind.type()
    assert isinstance(options, PodAttachOptions)
    for name in ("stdin", "stdout", "stderr", "tty"):
        setattr(options, name, bool(flag(request, name)))
    options.container = request.parameter("container")
    if isinstance(options, PodExecOptions):
        options.command = [value for key, value in request.query if key == "command"]
    return options


def _ports(request: Request) -> list[int]:
    try:
        return [parse_int(value) for key, value in request.query if key == "ports"]
    except ValueError as error:
        raise bad_request(str(error)) from error
