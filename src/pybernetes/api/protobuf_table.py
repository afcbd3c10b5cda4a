"""Which field of a message has which number, name and type, and what its zero means: `schema/protobuf.json` as values.

A definition's name goes in; its rows come out. Asked by `protobuf` (bytes to values), `protobuf_writer` (values to
bytes) and `zeros`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"


class Field(NamedTuple):
    """One row: the name in JSON (empty: embedded) and the type, `[]` or `{}` in front.

    What can be nil in Go has an empty `zero`. Everything else is in every protobuf message, zero or not; "omitted"
    and "written" say whether JSON has the zero too.
    """

    name: str
    type: str
    zero: str = ""


@cache
def _table() -> Mapping[str, msgspec.Raw]:
    """Rows as text: few of the hundreds of messages are ever asked for, and all of them parsed are megabytes."""
    text = (resources.files("pybernetes.api") / "schema" / "protobuf.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])


_rows = msgspec.json.Decoder(dict[int, list[str]])


@cache
def fields(definition: str) -> Mapping[int, Field]:
    """The fields of a message by number, ascending; KeyError when it has no protobuf form."""
    rows = _rows.decode(_table()[definition])
    return {number: Field(*rows[number]) for number in sorted(rows)}


def has_message(definition: str) -> bool:
    """Whether a definition has a protobuf form."""
    return definition in _table()


@cache
def omitted_zeros(definition: str) -> frozenset[str]:
    """The fields of an object, by their names in JSON, whose zeros JSON leaves out; none where there is no message."""
    if not has_message(definition):
        return frozenset()
    found: set[str] = set()
    for field in fields(definition).values():
        if not field.name:
            found |= omitted_zeros(field.type)
        elif field.zero == "omitted":
            found.add(field.name)
    return frozenset(found)
