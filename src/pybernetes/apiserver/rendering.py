"""Writes entries in the form that the client accepts: whole objects, metadata only, or rows of a table.

A rendering is made once per request, and one is shared by all watchers that want the same form, so that an event is
encoded once however many hear of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from pybernetes.api.encoding import pretty
from pybernetes.api.kind import Kind
from pybernetes.api.objects import CustomObject, encode, to_builtins
from pybernetes.api.status import bad_request
from pybernetes.api.types.meta_v1 import Status
from pybernetes.apiserver.conversion import convert, storage_kind
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.negotiation import CONTENT_TYPES, Accepted
from pybernetes.apiserver.partial_metadata import partial_metadata
from pybernetes.environment.clock import Clock
from pybernetes.lazy_imports import lazily

with lazily():
    from pybernetes.api import yaml
    from pybernetes.apiserver import messages, protobuf_rendering
    from pybernetes.apiserver.printing import table

# Entries in one piece of a long list: about as many bytes as a connection takes at once.
_PART_ENTRIES = 128
_INCLUDES = ("", "Metadata", "Object", "None")


class Rendering(Protocol):
    """One form of writing entries."""

    @property
    def shared(self) -> Hashable | None:
        """Equal for renderings that write the same events; None for one that cannot be shared among watches."""

    @property
    def content_type(self) -> str: ...

    @property
    def stream_type(self) -> str:
        """The content type of watches."""

    def single(self, entry: Entry) -> bytes: ...

    def listing(self, entries: Iterable[Entry], metadata: dict[str, Any]) -> bytes: ...

    def parts(self, entries: Sequence[Entry], metadata: dict[str, Any]) -> Iterable[bytes]:
        """A list in pieces, for one that is long; an empty piece is a moment for others."""

    def event(self, type_: str, entry: Entry, first: bool) -> bytes:
        """An event as a watch writes it, with its border; `first` on a watch's first one."""

    def bookmark(self, metadata: dict[str, Any]) -> bytes:
        """A BOOKMARK event; `metadata` is that of its object."""

    def error(self, status: Status) -> bytes:
        """An ERROR event, after which a watch ends."""


class _Text:
    """What the forms in JSON and YAML have in common; in watches, an event is a line of JSON."""

    stream_type = CONTENT_TYPES["json"]

    def __init__(self, accepted: Accepted) -> None:
        self._accepted = accepted
        self._is_plain = accepted.media == "json" and not accepted.pretty
        self.content_type = CONTENT_TYPES[accepted.media]

    def _finished(self, body: bytes) -> bytes:
        return body if self._is_plain else finished(body, self._accepted)[0]

    @staticmethod
    def error(status: Status) -> bytes:
        return _line("ERROR", msgspec.json.encode(status))

    @staticmethod
    def _in_parts(empty: bytes, entries: Sequence[Entry], item: Callable[[Entry], dict[str, Any]]) -> Iterator[bytes]:
        """A list in pieces; `empty` is the whole of it, in JSON, with no items at its end."""
        yield empty[:-2]
        for first in range(0, len(entries), _PART_ENTRIES):
            items = msgspec.json.encode([item(entry) for entry in entries[first : first + _PART_ENTRIES]])
            yield (b"," if first else b"") + items[1:-1]
        yield empty[-2:]


def _line(type_: str, obj: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), obj)


class Whole(_Text):
    """Objects as they are stored."""

    def __init__(self, kind: Kind, accepted: Accepted) -> None:
        super().__init__(accepted)
        self._kind = kind
        self._head = f'{{"kind":"{kind.name}","apiVersion":"{kind.api_version}",'.encode()
        self._converts = storage_kind(kind) is not kind
        self.shared: Hashable | None = ("whole", kind.type)

    def _body(self, entry: Entry) -> bytes:
        if not self._converts:
            return entry.body()
        return encode(convert(entry.object, self._kind))[len(self._head) :]

    def single(self, entry: Entry) -> bytes:
        return self._finished(self._whole(entry))

    def _whole(self, entry: Entry) -> bytes:
        return self._head + self._body(entry) if self._converts else entry.encoded()

    def listing(self, entries: Iterable[Entry], metadata: dict[str, Any]) -> bytes:
        return self._finished(self._listing(entries, metadata))

    def _listing(self, entries: Iterable[Entry], metadata: dict[str, Any]) -> bytes:
        if issubclass(self._kind.type, CustomObject):
            return self._custom_listing(entries, metadata)
        head = f'{{"kind":"{self._kind.list_name}","apiVersion":"{self._kind.api_version}","metadata":'.encode()
        pieces: list[bytes | memoryview] = [head, msgspec.json.encode(metadata), b',"items":[']
        border = b"{"
        for entry in entries:
            pieces.append(border)
            border = b",{"
            if self._converts:
                pieces.append(self._body(entry))
            else:
                # Joined below, with all others: the bytes of long lists are copied once.
                pieces.extend(entry.pieces())
        pieces.append(b"]}")
        return b"".join(pieces)

    def parts(self, entries: Sequence[Entry], metadata: dict[str, Any]) -> Iterable[bytes]:
        if not self._is_plain:
            yield self.listing(entries, metadata)
            return
        # The list without items ends in "]}".
        empty = self.listing((), metadata)
        yield empty[:-2]
        is_custom = issubclass(self._kind.type, CustomObject)
        item, border, begin = (self._whole, b",", b"") if is_custom else (self._body, b",{", b"{")
        for first in range(0, len(entries), _PART_ENTRIES):
            if first:
                begin = border
            yield begin + border.join([item(entry) for entry in entries[first : first + _PART_ENTRIES]])
        yield empty[-2:]

    def _custom_listing(self, entries: Iterable[Entry], metadata: dict[str, Any]) -> bytes:
        """Upstream holds lists of custom resources as plain values: every item says what it is."""
        head = f'{{"apiVersion":"{self._kind.api_version}","kind":"{self._kind.list_name}","metadata":'.encode()
        items = b",".join([self._whole(entry) for entry in entries])
        return b'%b%b,"items":[%b]}' % (head, msgspec.json.encode({"continue": "", **metadata}), items)

    def event(self, type_: str, entry: Entry, first: bool) -> bytes:
        return _line(type_, self._whole(entry))

    def bookmark(self, metadata: dict[str, Any]) -> bytes:
        return _line("BOOKMARK", self._head + b'"metadata":%b}' % msgspec.json.encode(metadata))


class Partial(_Text):
    """Only the objects' metadata."""

    def __init__(self, accepted: Accepted) -> None:
        super().__init__(accepted)
        self._version = f"meta.k8s.io/{accepted.version}"
        self.shared: Hashable | None = ("partial", accepted.version)

    def _object(self, entry: Entry) -> dict[str, Any]:
        return partial_metadata(entry, self._version)

    def single(self, entry: Entry) -> bytes:
        return self._finished(msgspec.json.encode(self._object(entry)))

    def listing(self, entries: Iterable[Entry], metadata: dict[str, Any]) -> bytes:
        items = [self._object(entry) for entry in entries]
        listed = {"kind": "PartialObjectMetadataList", "apiVersion": self._version, "metadata": metadata}
        return self._finished(msgspec.json.encode({**listed, "items": items}))

    def parts(self, entries: Sequence[Entry], metadata: dict[str, Any]) -> Iterable[bytes]:
        if not self._is_plain:
            return (self.listing(entries, metadata),)
        return self._in_parts(self.listing((), metadata), entries, self._object)

    def event(self, type_: str, entry: Entry, first: bool) -> bytes:
        return _line(type_, msgspec.json.encode(self._object(entry)))

    def bookmark(self, metadata: dict[str, Any]) -> bytes:
        head = {"kind": "PartialObjectMetadata", "apiVersion": self._version}
        return _line("BOOKMARK", msgspec.json.encode({**head, "metadata": metadata}))


class Table(_Text):
    """Rows with the columns that `kubectl get` shows; `include` is the query's includeObject."""

    def __init__(self, kind: Kind, accepted: Accepted, include: str, clock: Clock) -> None:
        super().__init__(accepted)
        self._kind = kind
        self._version = f"meta.k8s.io/{accepted.version}"
        self._include = include or "Metadata"
        self._printer = table.printer_of(kind)
        self._clock = clock
        # A watch's first table brings the columns, the others do not.
        self.shared: Hashable | None = None

    def _row(self, entry: Entry) -> dict[str, Any]:
        row: dict[str, Any] = self._printer.row(entry.object, self._clock.now())
        if self._include == "Object":
            row["object"] = to_builtins(convert(entry.object, self._kind))
        elif self._include == "None":
            row["object"] = None
        else:
            row["object"] = partial_metadata(entry, self._version)
        return row

    def _table(self, rows: list[dict[str, Any]], metadata: dict[str, Any], columns: bool = True) -> bytes:
        definitions = self._printer.columns if columns else None
        head = {"kind": "Table", "apiVersion": self._version, "metadata": metadata}
        return msgspec.json.encode({**head, "columnDefinitions": definitions, "rows": rows})

    def single(self, entry: Entry) -> bytes:
        # What is stored nowhere has no revision.
        metadata = {"resourceVersion": str(entry.revision)} if entry.revision else {}
        return self._finished(self._table([self._row(entry)], metadata))

    def listing(self, entries: Iterable[Entry], metadata: dict[str, Any]) -> bytes:
        return self._finished(self._table([self._row(entry) for entry in self._sorted(entries)], metadata))

    def parts(self, entries: Sequence[Entry], metadata: dict[str, Any]) -> Iterable[bytes]:
        if not self._is_plain:
            return (self.listing(entries, metadata),)
        return self._in_parts(self._table([], metadata), list(self._sorted(entries)), self._row)

    def _sorted(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        order = self._printer.order
        return sorted(entries, key=lambda entry: order(entry.object)) if order is not None else entries

    def event(self, type_: str, entry: Entry, first: bool) -> bytes:
        return _line(type_, self._table([self._row(entry)], {"resourceVersion": str(entry.revision)}, columns=first))

    def bookmark(self, metadata: dict[str, Any]) -> bytes:
        return _line("BOOKMARK", self._table([], metadata, columns=False))


def rendering_of(kind: Kind, accepted: Accepted, clock: Clock, include: str = "") -> Rendering:
    """The rendering for a request."""
    if accepted.media == "protobuf":
        return protobuf_rendering.Protobuf(
            protobuf_rendering.PartialItems(accepted.version)
            if accepted.form == "partial"
            else protobuf_rendering.WholeItems(kind)
        )
    if accepted.form == "partial":
        return Partial(accepted)
    if accepted.form == "table":
        if include not in _INCLUDES:
            problem = f"includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
            raise bad_request(f"Unable to convert to Table as requested: {problem}")
        return Table(kind, accepted, include, clock)
    return Whole(kind, accepted)


def finished(body: bytes, accepted: Accepted) -> tuple[bytes, str]:
    """JSON of an object that says what it is in the accepted media type, and that type's name."""
    if accepted.media == "protobuf":
        body = messages.body(msgspec.json.decode(body))
    elif accepted.media == "yaml":
        body = yaml.dump(msgspec.json.decode(body)).encode()
    elif accepted.pretty:
        body = pretty(body)
    return body, CONTENT_TYPES[accepted.media]
