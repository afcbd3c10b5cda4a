"""Requests and answers as upstream's suite sends and takes them: protobuf for built-in kinds, as client-go does.

JSON values of a test go in and the bytes of a body come out, and the other way round. Custom resources, patches and
discovery stay JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pybernetes.api import protobuf, protobuf_writer, schema
from pybernetes.api.kinds import find_resource

Json = dict[str, Any]
CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
ACCEPT = f"{CONTENT_TYPE},application/json"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_PATH = re.compile(r"/(?:api/(v1)|apis/([^/]+)/([^/]+))/(?:namespaces/[^/]+/)?([^/?]+)(?:/([^/?]+))?(?:/([^/?]+))?")
_OF_SUBRESOURCES = {
    "eviction": ("policy/v1", "Eviction"),
    "token": ("authentication.k8s.io/v1", "TokenRequest"),
    "binding": ("v1", "Binding"),
    "scale": ("autoscaling/v1", "Scale"),
}


@cache
def _definitions() -> dict[tuple[str, str], str]:
    found = {}
    for name, definition in schema.definitions().items():
        for row in definition.get("x-kubernetes-group-version-kind", ()):
            api_version = f"{row['group']}/{row['version']}" if row["group"] else row["version"]
            found[api_version, row["kind"]] = name
    return found


def kind_at(path: str) -> tuple[str, str] | None:
    """apiVersion and kind of what is written to a path; None where clients speak JSON."""
    if (found := _PATH.match(path)) is None:
        return None
    core, group, version, resource, name, sub = found.groups()
    if resource == "namespaces" and name and sub in (None, "status", "finalize"):
        sub = None
    if sub in _OF_SUBRESOURCES:
        return _OF_SUBRESOURCES[sub]
    kind = find_resource(group or "", core or version, resource)
    return (kind.api_version, kind.name) if kind is not None else None


def encode(path: str, method: str, body: Json) -> bytes | None:
    """The body of a request; None for one that is sent as JSON."""
    if (found := kind_at(path)) is None:
        return None
    if method == "DELETE":
        return protobuf_writer.encode({**body, "apiVersion": "v1", "kind": "DeleteOptions"}, f"{_META}DeleteOptions")
    api_version, kind = found
    value = {**_without_nulls(body), "apiVersion": api_version, "kind": kind}
    return protobuf_writer.encode(value, _definitions()[api_version, kind])


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def decode(body: bytes) -> Json:
    """An object, a list or a Status; a body in protobuf."""
    envelope = protobuf.open_envelope(body)
    name = _definitions().get((envelope.api_version, envelope.kind), f"{_META}{envelope.kind}")
    value = protobuf.decode_message(envelope.raw, name)
    if envelope.kind.endswith("List"):
        value.setdefault("items", [])
    return {**value, "apiVersion": envelope.api_version, "kind": envelope.kind}


def events(buffer: bytearray) -> Iterator[Json]:
    """The events that are complete; taken out of the buffer."""
    while len(buffer) >= 4 and len(buffer) >= 4 + (size := int.from_bytes(buffer[:4], "big")):
        frame = bytes(buffer[4 : 4 + size])
        del buffer[: 4 + size]
        event = dict(protobuf.read(frame))
        raw = dict(protobuf.read(event[2]))[1]
        yield {"type": event[1].decode(), "object": decode(raw)}
