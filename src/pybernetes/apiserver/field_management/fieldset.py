"""Sets of field paths, in the very form of FieldsV1: nested dicts keyed by `f:name`, `k:{...}`, `v:...`, `i:0` and `.`.

An empty dict is a member; a dict that holds `.` is a member with members below it. Sets are values: no function changes
what it is given, and parts are shared freely. The empty set is the empty dict at the root.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

Fields = dict[str, Any]
SELF = "."
# The member without members below; never changed.
LEAF: Fields = {}
_ALONE: Fields = {SELF: LEAF}
_SHARED_MAX = 4096
_shared: dict[bytes, Fields] = {}


def is_member(node: Fields) -> bool:
    """Whether the path that leads to a node is itself in the set."""
    return not node or SELF in node


def _opened(node: Fields) -> Fields:
    return node or _ALONE


def _closed(node: Fields) -> Fields:
    return LEAF if len(node) == 1 and SELF in node else node


def union(one: Fields, other: Fields) -> Fields:
    """Paths in either."""
    if not one or one is other:
        return other
    result = dict(one)
    for key, node in other.items():
        mine = result.get(key)
        if mine is None:
            result[key] = node
        elif mine != node:
            result[key] = _closed(union(_opened(mine), _opened(node)))
    return result


def difference(one: Fields, other: Fields) -> Fields:
    """Paths in the first that are not in the second; `one` itself when there are no others."""
    result: Fields | None = None
    for key in one.keys() & other.keys():
        mine, taken = one[key], other[key]
        left: Fields = {}
        if key != SELF:
            opened = _opened(mine)
            left = difference(opened, _opened(taken))
            if left is opened:
                continue
        if result is None:
            result = dict(one)
        if left:
            result[key] = _closed(left)
        else:
            del result[key]
    return one if result is None else result


def intersection(one: Fields, other: Fields) -> Fields:
    """Paths in both."""
    result: Fields = {}
    for key, mine in one.items():
        theirs = other.get(key)
        if theirs is None:
            continue
        if key == SELF:
            result[SELF] = LEAF
        elif both := intersection(_opened(mine), _opened(theirs)):
            result[key] = _closed(both)
    return result


def without_below(one: Fields, excluded: Fields) -> Fields:
    """The paths that neither are members of `excluded` nor lie below one."""
    result: Fields = {}
    for key, node in one.items():
        hidden = excluded.get(key)
        if hidden is None:
            result[key] = node
        elif not is_member(hidden) and (left := without_below(_opened(node), hidden)):
            result[key] = _closed(left)
    return result


def only_below(one: Fields, pattern: Fields) -> Fields:
    """The paths that are members of `pattern` or lie below one; the element `*` of a pattern stands for any."""
    result: Fields = {}
    for key, node in one.items():
        part = pattern.get(key, pattern.get("*"))
        if part is None or key == SELF:
            continue
        if is_member(part):
            result[key] = node
        elif kept := only_below(node, part):
            result[key] = kept
    return result


def has(fields: Fields, *path: str) -> bool:
    """Whether the path of these elements is a member."""
    for element in path:
        if element not in fields:
            return False
        fields = fields[element]
    return is_member(fields)


def paths(fields: Fields, prefix: str = "") -> Iterator[str]:
    """The members as texts such as `.spec.containers[name="c"].image`, members before what is below."""
    ordered = sorted((key for key in fields if key != SELF), key=_order)
    yield from (prefix + shown(key) for key in ordered if is_member(fields[key]))
    for key in ordered:
        if fields[key]:
            yield from paths(fields[key], prefix + shown(key))


def _order(element: str) -> tuple[int, Any]:
    kind, _, rest = element.partition(":")
    if kind == "k":
        pairs = json.loads(rest)
        return 1, [(name, isinstance(pairs[name], str), pairs[name]) for name in sorted(pairs)]
    if kind == "i":
        return 3, int(rest)
    return {"f": 0, "v": 2}[kind], rest


def shown(element: str) -> str:
    """One path element as texts show it: `.name`, `[name="c"]`, `[="x"]`, `[0]`."""
    kind, _, rest = element.partition(":")
    if kind == "f":
        return "." + rest
    if kind == "k":
        pairs = json.loads(rest)
        return "[" + ",".join(f"{name}={_json(pairs[name])}" for name in sorted(pairs)) + "]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"


def key_element(pairs: dict[str, Any]) -> str:
    """The path element of a keyed list's item."""
    return "k:" + _json(dict(sorted(pairs.items())))


def value_element(value: Any) -> str:
    """The path element of a set's item."""
    return "v:" + _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def shared(fields: Fields) -> Fields:
    """The same set, sorted, from a pool: objects of one shape keep one copy of it in memory."""
    encoded = msgspec.json.encode(fields, order="sorted")
    found = _shared.get(encoded)
    if found is None:
        if len(_shared) >= _SHARED_MAX:
            _shared.clear()
        found = _shared[encoded] = msgspec.json.decode(encoded)
    return found


def parse(value: Any) -> Fields:
    """A client's FieldsV1 as a set; ValueError when it is none."""
    if not isinstance(value, dict):
        raise ValueError("FieldsV1 is no object")
    result: Fields = {}
    for key, node in value.items():
        if key == SELF:
            result[SELF] = LEAF
            continue
        below = parse(node)
        result[_canonical(key)] = LEAF if below == _ALONE else below
    return result


def _canonical(element: str) -> str:
    kind, colon, rest = element.partition(":")
    if not colon or kind not in ("f", "k", "v", "i"):
        raise ValueError(f"unknown path element {element!r}")
    if kind == "i":
        return f"i:{int(rest)}"
    if kind == "f":
        return element
    value = msgspec.json.decode(rest)
    if kind == "v":
        return value_element(value)
    if not isinstance(value, dict):
        raise ValueError(f"no key {element!r}")
    return key_element(value)
