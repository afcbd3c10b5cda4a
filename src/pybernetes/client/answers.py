"""Bytes of answers into typed values: objects, lists and watch events. `Client` calls it; decoders are kept per kind.

A watch line is decoded straight into the kind's struct. Only lines that do not fit (ERROR carries a `Status`, some
servers' BOOKMARK carries nulls) take the slow way.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Generic

import msgspec

from pybernetes.api.objects import Object
from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import ListMeta, ObjectMeta, Status
from pybernetes.api.wire import Response
from pybernetes.client.errors import error_of, error_of_text


class ObjectList(msgspec.Struct, Generic[Object], kw_only=True, rename="camel"):
    """A list of objects, or one page of it."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Object] = []

    @property
    def resource_version(self) -> str:
        """The revision that the list shows, to watch from."""
        return self.metadata.resource_version or ""

    @property
    def continue_(self) -> str:
        """The token of the next page; empty on the last one."""
        return self.metadata.continue_ or ""


class WatchEvent(msgspec.Struct, Generic[Object]):
    """One change: ADDED, MODIFIED, DELETED, or BOOKMARK, whose object has nothing but a resourceVersion."""

    type: str
    object: Object


class _Frame(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _MetadataOnly(msgspec.Struct):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


_frame_decoder = msgspec.json.Decoder(_Frame)
_metadata_decoder = msgspec.json.Decoder(_MetadataOnly)
_status_decoder = msgspec.json.Decoder(Status)


@cache
def _object_decoder(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


@cache
def _list_decoder(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(ObjectList[type_])  # type: ignore[valid-type]


@cache
def _event_decoder(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(WatchEvent[type_])  # type: ignore[valid-type]


def decode_object(body: bytes, type_: type[Object]) -> Object:
    """One object; msgspec.ValidationError when the document does not fit the type."""
    decoded: Object = _object_decoder(type_).decode(body)
    return decoded


def decode_list(body: bytes, type_: type[Object]) -> ObjectList[Object]:
    decoded: ObjectList[Object] = _list_decoder(type_).decode(body)
    return decoded


def decode_event(line: bytes, type_: type[Object]) -> WatchEvent[Object]:
    """One line of a watch. An ERROR is raised as `StatusError`, 410 as `Expired`."""
    try:
        event: WatchEvent[Object] = _event_decoder(type_).decode(line)
    except msgspec.ValidationError:
        return _decode_unusual(line, type_)
    return _decode_unusual(line, type_) if event.type == "ERROR" else event


def _decode_unusual(line: bytes, type_: type[Object]) -> WatchEvent[Object]:
    frame = _frame_decoder.decode(line)
    if frame.type == "ERROR":
        raise error_of(_status_decoder.decode(frame.object))
    if frame.type == "BOOKMARK":
        return WatchEvent(frame.type, type_(metadata=_metadata_decoder.decode(frame.object).metadata))
    return WatchEvent(frame.type, decode_object(bytes(frame.object), type_))


def error_in(response: Response) -> StatusError | None:
    """The failure that a response says, None for a success."""
    if response.status < 400:
        return None
    headers = {
        name.lower(): value if isinstance(value, str) else ", ".join(value) for name, value in response.headers.items()
    }
    try:
        status = _status_decoder.decode(response.body)
    except msgspec.DecodeError:
        status = None
    if status is None or status.kind != "Status" or not status.message:
        error = error_of_text(response.status, response.body.decode(errors="replace"))
        status = error.status
    status.code = response.status
    return error_of(status, headers)
