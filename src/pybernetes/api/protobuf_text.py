"""JSON text of stored objects to protobuf messages, as `protobuf_writer` writes them, without reading what is known.

Flow: the text of an object and a definition go in; its message comes out. Objects that were made together are alike in
most parts (labels, volumes, tolerations, managers of fields): a part is looked up by its text first, and only parts
that are new are parsed. Called by the API server for lists and watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from pybernetes.api.protobuf_table import EXTENSIONS, INT_OR_STRING, META, QUANTITY
from pybernetes.api.protobuf_writer import INSTANTS, JSON, Encode, Message, encoder_of, field, framed, writer
from pybernetes.api.recent import Recent

# A part that is longer is taken apart, since it rarely comes twice; a shorter one is parsed as fast as it is looked up.
_LONG, _SHORT = 256, 24
_BYTES_MAX = 4 * 1024 * 1024
_RECENT: Recent[tuple[str, int, bytes]] = Recent(_BYTES_MAX)

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_values = msgspec.json.Decoder()
Fields = Mapping[str, msgspec.Raw]
_SCALARS = frozenset({"string", "bool", "int32", "int64", "double", "bytes", QUANTITY, INT_OR_STRING, *INSTANTS})


class _TextMessage:
    """What writes the messages of a definition."""

    def __init__(self, definition: str) -> None:
        self._message: Message = encoder_of(definition)
        self._absent: list[bytes] = []
        self._steps: dict[str, tuple[int, Encode]] = {}
        self._embedded: list[tuple[int, int, _TextMessage]] = []

    def __call__(self, text: bytes) -> bytes:
        return self._of_fields(_fields.decode(text))

    def _of_fields(self, found: Fields) -> bytes:
        if not self._absent:
            self._plan()
        parts = self._absent.copy()
        find = self._steps.get
        for name, raw in found.items():
            step = find(name)
            if step is not None:
                parts[step[0]] = step[1](bytes(raw))
        for place, number, inner in self._embedded:
            parts[place] = field(number, inner._of_fields(found))
        return b"".join(parts)

    def _plan(self) -> None:
        for place, (number, row, absent) in enumerate(self._message.rows()):
            self._absent.append(absent)
            if row.name:
                self._steps[row.name] = place, _text_writer(number, row.type, absent)
            else:
                self._embedded.append((place, number, text_encoder_of(row.type)))


@cache
def text_encoder_of(definition: str) -> _TextMessage:
    """What writes the message of an object's JSON text; KeyError when the definition has no protobuf form."""
    return _TextMessage(definition)


def _text_writer(number: int, type_: str, absent: bytes = b"") -> Encode:
    """What writes a field of JSON text; null is as absent."""
    write = writer(number, type_)

    def parsed(text: bytes) -> bytes:
        value = _values.decode(text)
        return absent if value is None else write(value)

    if type_ in _SCALARS:
        return parsed
    if type_ in JSON:
        return lambda text: absent if text == b"null" else field(number, field(1, text))
    in_parts = _in_parts(number, type_) or parsed

    def known(text: bytes) -> bytes:
        size = len(text)
        if size > _LONG:
            return in_parts(text)
        if size < _SHORT:
            return parsed(text)
        key = type_, number, text
        return _RECENT.get(key) or _RECENT.keep(key, parsed(text), size)

    # No two objects have the same metadata.
    return in_parts if type_ == META + "ObjectMeta" else known


def _in_parts(number: int, type_: str) -> Encode | None:
    """What writes a long field piece by piece; None for what has no pieces."""
    if type_.startswith("[]"):
        item_type = type_[2:]
        if item_type in _SCALARS:
            return None
        item = _text_writer(number, item_type)
        return lambda text: b"".join([item(bytes(raw)) for raw in _items.decode(text)])
    # Schemas of custom resources refer to themselves in several shapes, and are seldom listed.
    if type_.startswith(("{}", EXTENSIONS)) or type_.endswith((".ExtraValue", ".Verbs")):
        return None
    return framed(number, text_encoder_of(type_))
