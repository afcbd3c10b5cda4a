"""Reads a plain JSON value into the shape of a type as Go's encoding/json does: nulls vanish, wrong types are named.

Flow: a decoded value that the fast decoder has refused goes in; a cleaned value that it accepts, or `TypeMismatch` with
Go's `json: cannot unmarshal ...` text, comes out.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pybernetes.api import base64_bytes, schema
from pybernetes.api.go_text import json_kind, well_formed
from pybernetes.api.schema import Node

_RANGES = {"int32": 2**31, "int64": 2**63}
_ZEROS: dict[str, Any] = {
    "struct": {},
    "list": [],
    "map": {},
    "bool": False,
    "int32": 0,
    "int64": 0,
    "double": 0.0,
    "quantity": "0",
}


class TypeMismatch(ValueError):
    """A value of the wrong type; the message is Go's."""


class Literal(float):
    """A number with a fraction or an exponent that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> Literal:
        number = super().__new__(cls, text)
        number.text = text
        return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _integer_or_literal(text: str) -> int | Literal:
    """Integers far beyond every type stay as they were written: Python reads them at a price, or not at all."""
    return int(text) if len(text) <= _DIGITS_MAX else Literal(text)


_DIGITS_MAX = 100
_decoder = json.JSONDecoder(
    parse_float=Literal, parse_int=_integer_or_literal, parse_constant=_refuse_constant, strict=False
)
_plain_decoder = json.JSONDecoder(
    parse_int=lambda text: int(text) if len(text) <= _DIGITS_MAX else float(text),
    parse_constant=_refuse_constant,
    strict=False,
)


def parse(body: bytes) -> Any:
    """The JSON value with number literals kept; ValueError or RecursionError when it does not parse."""
    return _mended(_decoder.decode(body.decode("utf-8", "replace")), body)


def parse_plain(body: bytes) -> Any:
    """The JSON value with plain numbers; raises as `parse` does."""
    return _mended(_plain_decoder.decode(body.decode("utf-8", "replace")), body)


def _mended(value: Any, body: bytes) -> Any:
    return _well_formed(value) if b"\\u" in body else value


def _well_formed(value: Any) -> Any:
    """The value with no lone surrogates in its texts: JSON can spell them, nothing else can."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {well_formed(key): _well_formed(child) for key, child in value.items()}
    return [_well_formed(child) for child in value] if isinstance(value, list) else value


def cleaned(value: Any, definition: str) -> dict[str, Any]:
    """`value` without nulls and unknown fields; TypeMismatch when something has the wrong type."""
    name = definition.rpartition(".")[2]
    if not isinstance(value, dict):
        raise TypeMismatch(f"json: cannot unmarshal {json_kind(value)} into Go value of type {_go_name(definition)}")
    return _struct(value, definition, name, "")


def _go_name(definition: str) -> str:
    return ".".join(definition.rsplit(".", 2)[1:])


def _struct(value: dict[str, Any], definition: str, name: str, path: str) -> dict[str, Any]:
    nodes = schema.fields(definition)
    result = {}
    for field, child in value.items():
        if child is None or (node := nodes.get(field)) is None:
            continue
        result[field] = _value(child, node, name, f"{path}.{field}" if path else field)
    return result


def _value(value: Any, node: Node, owner: str, path: str) -> Any:
    """One non-null value; `owner` and `path` are what the message names."""
    if node.type == "any":
        return schemas(value) if node.definition in schema.SCHEMA_UNIONS else _plain(value)
    if node.type == "struct":
        if not isinstance(value, dict):
            _mismatch(json_kind(value), node.go_type, owner, path)
        return _struct(value, node.definition, node.definition.rpartition(".")[2], path)
    if node.item is not None:
        return _container(value, node, owner, path)
    return _scalar(value, node, owner, path)


def _plain(value: Any) -> Any:
    """A free-form value with plain numbers: nobody asks any more how they were written."""
    if isinstance(value, Literal):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    return [_plain(child) for child in value] if isinstance(value, list) else value


def schemas(value: Any) -> Any:
    """A JSON schema or what may stand in its place, cleaned as `cleaned` does; TypeMismatch for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [item if isinstance(item, str) else cleaned(item, schema.JSON_SCHEMA) for item in value]
    if not isinstance(value, dict):
        raise TypeMismatch("boolean or JSON schema expected")
    return cleaned(value, schema.JSON_SCHEMA)


def _container(value: Any, node: Node, owner: str, path: str) -> Any:
    item = node.item
    assert item is not None  # the caller has seen it
    if not isinstance(value, list if node.type == "list" else dict):
        _mismatch(json_kind(value), node.go_type, owner, path)
    if isinstance(value, dict):
        return {key: _item(child, item, owner, path) for key, child in value.items()}
    return [_item(child, item, owner, path) for child in value]


def _item(value: Any, node: Node, owner: str, path: str) -> Any:
    """A list item or map value: null is Go's zero value there."""
    if value is None and node.type != "any":
        return _ZEROS.get(node.type, "")
    return _value(value, node, owner, path)


def _scalar(value: Any, node: Node, owner: str, path: str) -> Any:
    kind = json_kind(value)
    if node.type == "quantity":
        if kind not in ("string", "number"):
            raise TypeMismatch(_QUANTITY_ERROR)
        return value.text if isinstance(value, Literal) else value
    if node.type == "int_or_string":
        return value if kind == "string" else _integer(value, "int32", owner, path)
    if node.type in ("int32", "int64"):
        return _integer(value, node.type, owner, path)
    if kind != {"bool": "bool", "double": "number"}.get(node.type, "string"):
        _mismatch(kind, node.go_type, owner, path)
    if node.type == "bytes":
        return _bytes(value)
    return float(value) if node.type == "double" else value


_QUANTITY_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def _integer(value: Any, type_: str, owner: str, path: str) -> int:
    kind = json_kind(value)
    if kind != "number":
        _mismatch(kind, type_, owner, path)
    if isinstance(value, float) or not -_RANGES[type_] <= value < _RANGES[type_]:
        text = value.text if isinstance(value, Literal) else str(value)
        _mismatch(f"number {text}", type_, owner, path)
    return int(value)


def _bytes(text: str) -> str:
    """Base64 in the one form that the fast decoder takes."""
    try:
        base64_bytes.decode(text)
    except ValueError as error:
        raise TypeMismatch(str(error)) from None
    return text.replace("\n", "").replace("\r", "")


def _mismatch(kind: str, go_type: str, owner: str, path: str) -> NoReturn:
    raise TypeMismatch(f"json: cannot unmarshal {kind} into Go struct field {owner}.{path} of type {go_type}")
