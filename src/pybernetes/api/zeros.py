"""Zeros that mean "never set": Go leaves the zero of a plain (not pointer) field out of JSON, whoever sent it.

Flow: an object just decoded (private to the caller) goes in, and plain numbers and truth values that are zero become
None in place. Strings are left as they came in JSON; the protobuf decoder drops theirs itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from pybernetes.api import protobuf_table, schema

_MAY_HOLD_ZEROS = re.compile(rb":\s*(?:false|0(?:[.0]*)?)\s*[,}\]]")
_SCALARS = frozenset({"int32", "int64", "double", "bool"})
Visit = Callable[[Any], None]


def may_be_in(body: bytes) -> bool:
    """Whether JSON text holds a zero at all; cheap, so that most bodies are not walked over."""
    return _MAY_HOLD_ZEROS.search(body) is not None


def drop(obj: Any) -> None:
    """Makes the zeros of plain fields of `obj`, a struct of the API, absent."""
    try:
        definition = schema.definition_of(type(obj))
    except KeyError:
        return
    _struct(definition, obj)


def _struct(definition: str, obj: Any) -> None:
    plan = _PLANS.get(definition)
    if plan is None:
        plan = _PLANS[definition] = _plan(definition, type(obj))
    plain, visits = plan
    for attribute in plain:
        if not getattr(obj, attribute):
            setattr(obj, attribute, None)
    for attribute, visit in visits:
        value = getattr(obj, attribute)
        if value:
            visit(value)


Plan = tuple[list[str], list[tuple[str, Visit]]]
_PLANS: dict[str, Plan] = {}


def _plan(definition: str, type_: Any) -> Plan:
    """The plain optional scalars of a struct, and how its other fields are walked over."""
    nodes = schema.fields(definition)
    needed = schema.required(definition)
    omitted = protobuf_table.omitted_zeros(definition)
    plain: list[str] = []
    visits: list[tuple[str, Visit]] = []
    for attribute, wire in zip(type_.__struct_fields__, type_.__struct_encode_fields__, strict=True):
        node = nodes.get(wire)
        if node is None:
            continue
        if node.type in _SCALARS:
            if wire not in needed and wire in omitted:
                plain.append(attribute)
        elif (visit := _visit(node)) is not None:
            visits.append((attribute, visit))
    return plain, visits


def _visit(node: schema.Node) -> Visit | None:
    if node.type == "struct":
        return partial(_visit_struct, node.definition)
    inner = _visit(node.item) if node.item is not None else None
    if inner is None:
        return None
    return partial(_visit_list if node.type == "list" else _visit_map, inner)


def _visit_struct(definition: str, obj: Any) -> None:
    # Free-form parts of a schema are plain values, not structs.
    if hasattr(obj, "__struct_fields__"):
        _struct(definition, obj)


def _visit_list(inner: Visit, items: list[Any]) -> None:
    for item in items:
        inner(item)


def _visit_map(inner: Visit, items: dict[str, Any]) -> None:
    for item in items.values():
        inner(item)
