"""The forms of `rendering` in protobuf: whole objects of built-in kinds, and the metadata of all.

Lists are bytes around the messages of their entries. Their length stands at their beginning, so that all messages of
a long list are written before its first piece is sent.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Protocol

from pybernetes.api import protobuf_writer, schema
from pybernetes.api.kind import Kind
from pybernetes.api.objects import to_builtins
from pybernetes.api.protobuf_table import META
from pybernetes.api.protobuf_text import text_encoder_of
from pybernetes.api.protobuf_writer import ENVELOPE_END, encode_message, envelope, envelope_head, watch_frame
from pybernetes.api.types.meta_v1 import Status
from pybernetes.apiserver import messages
from pybernetes.apiserver.conversion import convert, storage_kind
from pybernetes.apiserver.entry import Entry
from pybernetes.apiserver.negotiation import CONTENT_TYPES
from pybernetes.apiserver.partial_metadata import TEMPLATE_GENERATION, partial_metadata

# Entries between which others get their turn, and the pieces in which a long list is sent.
_PART_ENTRIES = 32
_PART_BYTES = 256 * 1024
_LIST_META, _PARTIAL, _STATUS = META + "ListMeta", META + "PartialObjectMetadata", META + "Status"


class _Items(Protocol):
    """What the two forms differ in."""

    # apiVersion and kind of an object and of a list.
    object: tuple[str, str]
    list: tuple[str, str]
    # The fields of a list that hold its metadata and its items.
    fields: tuple[int, int]
    definition: str

    @property
    def name(self) -> Hashable: ...

    def message(self, entry: Entry) -> bytes: ...


class WholeItems:
    """Objects of a built-in kind as they are served."""

    fields = (1, 2)

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._converts = storage_kind(kind) is not kind
        self.object = (kind.api_version, kind.name)
        self.list = (kind.api_version, kind.list_name)
        self.definition = schema.definition_of(kind.type)
        self.name: Hashable = ("whole", kind.type)

    def message(self, entry: Entry) -> bytes:
        if self._converts:
            return encode_message(to_builtins(convert(entry.object, self._kind)), self.definition)
        return messages.message(entry, self.definition)


class PartialItems:
    """The metadata of objects of any kind."""

    definition = _PARTIAL

    def __init__(self, version: str) -> None:
        self.object = (f"meta.k8s.io/{version}", "PartialObjectMetadata")
        self.list = (f"meta.k8s.io/{version}", "PartialObjectMetadataList")
        # The fields of the first version were numbered the other way round.
        self.fields = (2, 1) if version == "v1beta1" else (1, 2)
        self.name: Hashable = ("partial", version)

    def message(self, entry: Entry) -> bytes:
        if TEMPLATE_GENERATION.encode() in entry.value:
            return encode_message(partial_metadata(entry, self.object[0]), _PARTIAL)
        # Of the whole object, only what the message has a place for is looked at.
        return text_encoder_of(_PARTIAL)(entry.encoded())


class Protobuf:
    """A rendering in protobuf."""

    content_type = CONTENT_TYPES["protobuf"]
    stream_type = content_type + ";stream=watch"

    def __init__(self, items: _Items) -> None:
        self._items = items
        self.shared: Hashable | None = ("protobuf", items.name)

    def single(self, entry: Entry) -> bytes:
        return envelope(*self._items.object, self._items.message(entry))

    def listing(self, entries: Iterable[Entry], metadata: dict[str, Any]) -> bytes:
        return b"".join(self._pieces([self._items.message(entry) for entry in entries], metadata))

    def parts(self, entries: Sequence[Entry], metadata: dict[str, Any]) -> Iterable[bytes]:
        written: list[bytes] = []
        for first in range(0, len(entries), _PART_ENTRIES):
            written += [self._items.message(entry) for entry in entries[first : first + _PART_ENTRIES]]
            yield b""
        part: list[bytes] = []
        size = 0
        for piece in self._pieces(written, metadata):
            part.append(piece)
            size += len(piece)
            if size > _PART_BYTES:
                yield b"".join(part)
                part, size = [], 0
        yield b"".join(part)

    def _pieces(self, written: Sequence[bytes], metadata: dict[str, Any]) -> Iterable[bytes]:
        """What is joined to a list, a head and a message at a time."""
        first, second = self._items.fields
        about = protobuf_writer.field(first, encode_message(metadata, _LIST_META))
        heads = [protobuf_writer.head(second, len(message)) for message in written]
        size = len(about) + sum(map(len, heads)) + sum(map(len, written))
        yield envelope_head(*self._items.list, size)
        if first < second:
            yield about
        for head, message in zip(heads, written, strict=True):
            yield head
            yield message
        if first > second:
            yield about
        yield ENVELOPE_END

    def event(self, type_: str, entry: Entry, first: bool) -> bytes:
        return watch_frame(type_, self.single(entry))

    def bookmark(self, metadata: dict[str, Any]) -> bytes:
        message = encode_message({"metadata": metadata}, self._items.definition)
        return watch_frame("BOOKMARK", envelope(*self._items.object, message))

    @staticmethod
    def error(status: Status) -> bytes:
        return watch_frame("ERROR", protobuf_writer.encode(to_builtins(status), _STATUS))
