"""Fields of a JSON text that its type does not know, or that occur twice, in the order of the text.

Flow: JSON bytes (or a decoded value) and a definition go in; upstream's lines for `fieldValidation` come out, such as
`unknown field "spec.foo"`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice
from typing import Any

import msgspec

from pybernetes.api import schema
from pybernetes.api.go_text import well_formed

_REMEMBERED_BYTES_MAX = 64 * 1024
_LINES_MAX = 100
_TYPE_META = frozenset({"kind", "apiVersion"})


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its members as they were written, duplicates included."""


_decoder = json.JSONDecoder(object_pairs_hook=_Pairs, strict=False)


def of_json(body: bytes, definition: str) -> list[str]:
    """The lines for a JSON text that is known to parse."""
    if _is_clean(body, definition):
        return []
    try:
        return _told(of_value(_decoder.decode(body.decode("utf-8", "replace")), definition))
    except (ValueError, RecursionError):
        return []


def duplicates(body: bytes) -> list[str]:
    """The lines for what occurs twice in a JSON text that has no type, such as a patch."""
    try:
        if body.count(b'":') - body.count(b'\\":') == _names(msgspec.json.decode(body)):
            return []
        found: list[str] = []
        _plain(_decoder.decode(body.decode("utf-8", "replace")), "", found)
    except (ValueError, RecursionError):
        return []
    return _told(found)


_OPERATION = frozenset({"op", "path", "from", "value"})


def of_operations(body: bytes) -> list[str]:
    """The lines for a JSON patch: members that no operation has, and what occurs twice."""
    try:
        operations = _decoder.decode(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return []
    found: list[str] = []
    for index, operation in enumerate(operations if type(operations) is list else []):
        seen: set[str] = set()
        for name, value in operation if isinstance(operation, _Pairs) else []:
            here = f"[{index}].{name}"
            if name not in _OPERATION:
                found.append(f'unknown field "{here}"')
                continue
            if name in seen:
                found.append(f'duplicate field "{here}"')
            seen.add(name)
            _plain(value, here, found)
    return _told(found)


def _told(found: list[str]) -> list[str]:
    """Each line once, and no more than upstream tells of one text."""
    return [well_formed(line) for line in islice(dict.fromkeys(found), _LINES_MAX)]


def _names(value: Any) -> int:
    """How many members all objects of a value have."""
    if isinstance(value, dict):
        return len(value) + sum(map(_names, value.values()))
    return sum(map(_names, value)) if isinstance(value, list) else 0


def _plain(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, child in value:
            here = f"{path}.{name}" if path else name
            if name in seen:
                found.append(f'duplicate field "{here}"')
            seen.add(name)
            _plain(child, here, found)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _plain(child, f"{path}[{index}]", found)


def merged(body: bytes) -> Any:
    """A JSON text as Go reads it into structs and maps: of what occurs twice, objects are merged, else the last counts.

    ValueError for what is no JSON.
    """
    return _folded(_decoder.decode(body.decode("utf-8", "replace")))


def _folded(value: Any) -> Any:
    if isinstance(value, _Pairs):
        result: dict[str, Any] = {}
        for name, child in value:
            _put(result, name, _folded(child))
        return result
    return [_folded(child) for child in value] if isinstance(value, list) else value


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    held = into.get(name)
    if isinstance(held, dict) and isinstance(value, dict):
        for inner, child in value.items():
            _put(held, inner, child)
    else:
        into[name] = value


def likeness(body: bytes, definition: str, name: str) -> bytes | None:
    """Equal for bodies that are equal but for the name, as those of one controller are; None for very long ones."""
    if len(body) > _REMEMBERED_BYTES_MAX:
        return None
    token = f'"{name}"'.encode()
    place = body.find(token) if name else -1
    if place >= 0 and body.find(token, place + 1) < 0:
        # The one place is that of the name, and JSON has no bare zero bytes that could be taken for it.
        body = body[:place] + b"\0" + body[place + len(token) :]
    return hashlib.sha256(definition.encode() + b"\0" + body).digest()


def of_value(value: Any, definition: str) -> list[str]:
    """The lines for a decoded value (dicts hold no duplicates)."""
    found: list[str] = []
    if isinstance(value, dict | _Pairs):
        _struct(value, definition, "", found)
    return list(dict.fromkeys(found))


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    return value if isinstance(value, _Pairs) else value.items()


def _struct(value: Any, definition: str, path: str, found: list[str]) -> None:
    nodes = schema.fields(definition)
    seen: set[str] = set()
    for name, child in _members(value):
        node = nodes.get(name)
        if node is None and (path or name not in _TYPE_META):
            found.append(f'unknown field "{path}{name}"')
            continue
        if name in seen:
            found.append(f'duplicate field "{path}{name}"')
        seen.add(name)
        if node is not None and (node.item is not None or node.type == "struct"):
            _value(child, node, path + name, found)


def _value(value: Any, node: schema.Node, path: str, found: list[str]) -> None:
    """A field that holds a struct, list or map; values of the wrong type are somebody else's concern."""
    if node.type == "struct":
        if isinstance(value, dict | _Pairs):
            _struct(value, node.definition, path + ".", found)
    elif node.type == "list":
        if node.item is not None and isinstance(value, Sequence) and not isinstance(value, str | _Pairs):
            _items(value, node.item, path, found)
    elif isinstance(value, dict | _Pairs) and node.item is not None:
        _map(value, node.item, path, found)


def _items(value: Sequence[Any], item: schema.Node, path: str, found: list[str]) -> None:
    if item.item is None and item.type != "struct":
        return
    for index, child in enumerate(value):
        _value(child, item, f"{path}[{index}]", found)


def _map(value: Any, item: schema.Node, path: str, found: list[str]) -> None:
    seen: set[str] = set()
    for name, child in _members(value):
        if name in seen:
            found.append(f'duplicate field "{path}.{name}"')
        seen.add(name)
        if item.item is not None or item.type == "struct":
            _value(child, item, f"{path}.{name}", found)


# Most bodies have nothing to report. Whether that is so takes a fraction of the time of finding the lines in order:
# every name must be known, and as many names must stand in the text as the decoded value holds.


class _Unknown(Exception):
    """A field that its struct does not have."""


def _is_clean(body: bytes, definition: str) -> bool:
    written = body.count(b'":') - body.count(b'\\":')
    try:
        return written == _counter(definition)(msgspec.json.decode(body))
    # ValueError: bad UTF-8; AttributeError: null, or a null item.
    except (msgspec.DecodeError, ValueError, AttributeError, _Unknown, RecursionError):
        return False


Count = Callable[[Any], int]


@cache
def _counter(definition: str) -> Count:
    """What counts the names in a struct's value, those of its children included; _Unknown for a foreign one."""
    nodes = schema.fields(definition)
    known = frozenset(nodes)
    counters: dict[str, Count] = {}

    def count(value: dict[str, Any]) -> int:
        if not value.keys() <= known:
            raise _Unknown
        total = len(value)
        for name, child in value.items():
            if child.__class__ is dict or child.__class__ is list:
                counter = counters.get(name)
                if counter is None:
                    counter = counters[name] = _node_counter(nodes[name])
                total += counter(child)
        return total

    return count


def _node_counter(node: schema.Node) -> Count:
    if node.type == "struct":
        return _counter(node.definition)
    if node.item is None:
        return _count_all
    if node.item.item is None and node.item.type not in ("struct", "any"):
        return _count_members
    item = _node_counter(node.item)

    def count(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(item, value))
        if isinstance(value, dict):
            return len(value) + sum(map(item, value.values()))
        return 0

    return count


def _count_members(value: Any) -> int:
    return len(value) if isinstance(value, dict) else 0


def _count_all(value: Any) -> int:
    """The names in a free-form value."""
    if isinstance(value, dict):
        return len(value) + sum(map(_count_all, value.values()))
    return sum(map(_count_all, value)) if isinstance(value, list) else 0
