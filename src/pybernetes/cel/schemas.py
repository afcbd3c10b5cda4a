"""What expressions see of a schema: the CEL type of its values, how large they can be, and the values themselves. Pure.

A schema goes in, a `Declared` comes out; None for what expressions cannot see. Called by `expressions` when a version's
rules are compiled and by `expression_rules` when a definition is checked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pybernetes.api.json_schema import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    Schema,
    additional,
    items,
    properties,
)
from pybernetes.cel import EvaluationError, types
from pybernetes.cel.library.times import parsed_duration, parsed_timestamp
from pybernetes.cel.ranges import Path, Range
from pybernetes.cel.syntax import RESERVED
from pybernetes.cel.types import Type
from pybernetes.cel.values import MapList, SetList

Converter = Callable[[Any], Any]
# The largest request that upstream reckons with.
REQUEST_BYTES = 3 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._/-]*", re.ASCII)
_SYMBOLS = re.compile(r"__|\.|-|/")
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_TEXT: Schema = {"type": "string"}
_METADATA: Schema = {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}}


@dataclass(frozen=True)
class Declared:
    """One schema's values. Sizes are as upstream estimates them: characters, items or entries; bytes of JSON."""

    type: Type
    most: int = 0
    least_bytes: int = 1
    element: Declared | None = None
    fields: Mapping[str, Declared] = field(default_factory=dict)
    # Makes CEL's value of a JSON value; None when they are the same.
    converter: Converter | None = None

    def value(self, document: Any) -> Any:
        """A JSON value as expressions see it; the document itself where nothing has to change."""
        return document if self.converter is None or document is None else self.converter(document)

    def size(self, path: Path) -> Range | None:
        """How large values at a path can be; the first word is the variable."""
        found: Declared | None = self
        for word in path[1:]:
            if found is None:
                return None
            if word in ("@items", "@values"):
                found = found.element
            elif word in ("@keys", "@indices"):
                found = _KEY if found.element is not None and word == "@keys" else None
            else:
                found = found.fields.get(word)
        return Range(0, found.most) if found is not None else None


_KEY = Declared(types.STRING, 0, 2)
_SCALARS = {
    "boolean": Declared(types.BOOL, 0, 4),
    "integer": Declared(types.INT, 0, 1),
    "number": Declared(types.DOUBLE, 0, 1, converter=float),
}


def escaped(name: str) -> str | None:
    """What expressions call a field; None when they cannot name it."""
    if _NAME.fullmatch(name) is None:
        return None
    return f"__{name}__" if name in RESERVED else _SYMBOLS.sub(lambda match: _ESCAPES[match[0]], name)


def declare(schema: Schema, is_root: bool, name: str = "selfType") -> Declared | None:
    """What expressions see of a schema's values; roots and embedded objects have kind, apiVersion and metadata."""
    if schema.get(INT_OR_STRING):
        most = schema.get("maxLength")
        return Declared(types.DYN, REQUEST_BYTES - 2 if most is None else max(most, 0) * 4, 1)
    kind = schema.get("type")
    if kind == "array":
        return _list(schema, name)
    if kind == "object":
        return _map(schema, name) if additional(schema) is not None else _object(schema, is_root, name)
    if kind == "string":
        return _string(schema)
    return _SCALARS.get(str(kind))


def _list(schema: Schema, name: str) -> Declared | None:
    inner = items(schema)
    element = declare(inner, bool(inner.get(EMBEDDED)), f"{name}.@elem") if inner is not None else None
    if element is None:
        return None
    most = schema.get("maxItems")
    count = max(most, 0) if most is not None else (REQUEST_BYTES - 2) // (element.least_bytes + 1)
    converter = _list_converter(schema, element.converter)
    return Declared(types.list_of(element.type), count, 2, element, converter=converter)


def _list_converter(schema: Schema, inner: Converter | None) -> Converter | None:
    kind = schema.get(LIST_TYPE)
    if kind not in ("set", "map"):
        return _each(inner) if inner is not None else None
    each = _each(inner) if inner is not None else list
    if kind == "set":
        return lambda values: SetList(each(values))
    keys = tuple(schema.get(LIST_KEYS) or ())
    return lambda values: MapList(each(values), keys)


def _each(inner: Converter) -> Converter:
    return lambda values: [None if value is None else inner(value) for value in values]


def _map(schema: Schema, name: str) -> Declared | None:
    inner = additional(schema)
    assert inner is not None
    element = declare(inner, bool(inner.get(EMBEDDED)), f"{name}.@elem")
    if element is None:
        return None
    most = schema.get("maxProperties")
    count = max(most, 0) if most is not None else (REQUEST_BYTES - 2) // (element.least_bytes + 6)
    convert = element.converter
    converter: Converter | None = None
    if convert is not None:
        made = convert

        def converter(held: dict[str, Any]) -> dict[str, Any]:
            return {key: None if value is None else made(value) for key, value in held.items()}

    return Declared(types.map_of(types.STRING, element.type), count, 2, element, converter=converter)


def _object(schema: Schema, is_root: bool, name: str) -> Declared:
    known = dict(properties(schema))
    if is_root:
        known |= {"kind": _TEXT, "apiVersion": _TEXT, "metadata": _METADATA}
    wanted = set(schema.get("required") or ())
    fields: dict[str, Declared] = {}
    names: dict[str, str] = {}
    converters: dict[str, Converter] = {}
    least = 2
    for own, inner in known.items():
        called = escaped(own)
        declared = declare(inner, bool(inner.get(EMBEDDED)), f"{name}.{called}")
        if declared is None:
            continue
        if own in wanted and inner.get("default") is None:
            least += len(own) + declared.least_bytes + 4
        if called is None:
            continue
        fields[called], names[called] = declared, own
        if declared.converter is not None:
            converters[own] = declared.converter
    held = types.object_type(name, {called: found.type for called, found in fields.items()}, names)
    converter = _object_converter(converters) if converters else None
    return Declared(held, 0, least, fields=fields, converter=converter)


def _object_converter(converters: Mapping[str, Converter]) -> Converter:
    def converter(held: dict[str, Any]) -> dict[str, Any]:
        made = dict(held)
        for name, convert in converters.items():
            if made.get(name) is not None:
                made[name] = convert(made[name])
        return made

    return converter


def _string(schema: Schema) -> Declared:
    most, form = schema.get("maxLength"), schema.get("format")
    if form == "byte":
        return Declared(
            types.BYTES, REQUEST_BYTES - 2 if most is None else max(most, 0), 2, converter=_of_text(_decoded)
        )
    if (known := _FORMATS.get(str(form))) is not None:
        return known
    if most is not None:
        return Declared(types.STRING, max(most, 0) * 4, 2)
    if schema.get("enum"):
        return Declared(types.STRING, max(len(str(value).encode()) for value in schema["enum"]), 2)
    return Declared(types.STRING, REQUEST_BYTES - 2, 2)


def _of_text(convert: Callable[[str], Any]) -> Converter:
    """For text only: what a schema says of formats lets lists pass."""

    def converter(value: Any) -> Any:
        if not isinstance(value, str):
            raise EvaluationError("expected string, got []interface {}")
        return convert(value)

    return converter


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise EvaluationError("Invalid base64 formatted string") from None


_FORMATS: Mapping[str, Declared] = {
    "duration": Declared(types.DURATION, 32, 3, converter=_of_text(parsed_duration)),
    "date": Declared(types.TIMESTAMP, 12, 12, converter=_of_text(lambda text: parsed_timestamp(f"{text}T00:00:00Z"))),
    "date-time": Declared(
        types.TIMESTAMP, 32, 21, converter=_of_text(lambda text: parsed_timestamp(text.upper().replace(" ", "T")))
    ),
}


def parts(schema: Schema, declared: Declared | None) -> Iterator[tuple[str, Schema, Declared | None]]:
    """The schemas inside of a schema with what is declared of them, by place: `items`, `properties[x]`."""
    inner, extra = items(schema), additional(schema)
    if inner is not None:
        yield "items", inner, declared and declared.element
    if extra is not None:
        yield "additionalProperties", extra, declared and declared.element
    for name, held in properties(schema).items():
        called = escaped(name)
        if called is None:
            yield f"properties[{name}]", held, declare(held, bool(held.get(EMBEDDED)))
        else:
            yield f"properties[{name}]", held, declared and declared.fields.get(called)
