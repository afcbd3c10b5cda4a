"""JSON patch (RFC 6902) with the tolerance of the library that upstream uses.

Flow: the plain value of an object and a list of operations go in; a new value comes out, the inputs unchanged. The
API server answers `PatchError` with its generic 422. Tolerated: `replace` and `copy` of map keys that are not there,
`add` without a value (null), `test` of a missing key against null, negative indices, and a path that starts anyhow.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pybernetes.api.merge_patch import same
from pybernetes.api.objects import copy

# How many bytes of JSON the copies of one patch may add: copies of copies grow fast.
_COPIED_MAX = 3 * 1024 * 1024
# What an int64 has, and some zeros before it.
_DIGITS_MAX = 100


class PatchError(ValueError):
    """An operation that cannot be carried out."""


class TestFailed(PatchError):
    """What a test operation demands is not so."""

    __test__ = False


class _Missing(PatchError):
    """The path leads to nothing."""


def apply(document: Any, operations: list[dict[str, Any]]) -> Any:
    """The document after all operations, in order; PatchError when one of them fails."""
    root = copy(document)
    copied = 0
    for operation in operations:
        if not isinstance(operation, dict):
            raise PatchError(f"operation is no object: {operation!r}")
        if operation.get("op") == "copy":
            copied += len(msgspec.json.encode(_source(root, operation)))
            if copied > _COPIED_MAX:
                raise PatchError(f"copies add {copied} bytes, more than {_COPIED_MAX}")
        root = _applied(root, operation)
    return root


def _applied(root: Any, operation: dict[str, Any]) -> Any:
    kind = operation.get("op")
    path = operation.get("path")
    if not isinstance(path, str):
        raise PatchError("operation has no path")
    if kind in ("add", "replace"):
        return _set(root, path, copy(operation.get("value")), insert=kind == "add")
    if kind == "remove":
        _remove(root, path)
        return root
    if kind == "test":
        if not same(root if path == "" else _get(root, path), operation.get("value")):
            raise TestFailed(f"testing value {path} failed")
        return root
    if kind not in ("move", "copy"):
        raise PatchError(f"unexpected kind: {kind}")
    value = _source(root, operation)
    if kind == "copy":
        return _set(root, path, copy(value), insert=True)
    _remove(root, operation["from"])
    return _set(root, path, value, insert=True)


def _source(root: Any, operation: dict[str, Any]) -> Any:
    source = operation.get("from")
    if not isinstance(source, str):
        raise PatchError(f"{operation.get('op')} operation has no from")
    return _get(root, source)


def _parts(path: str) -> list[str]:
    """The unescaped steps of a pointer, at least one; upstream too skips what stands before the first slash."""
    parts = path.split("/")[1:]
    if not parts:
        raise _Missing(f"missing container: {path}")
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _container(root: Any, parts: list[str]) -> Any:
    """The map or list that holds the last step."""
    found = root
    for part in parts[:-1]:
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list):
            found = found[_index(part, len(found))]
        if not isinstance(found, dict | list):
            raise _Missing(f"missing container: {part}")
    return found


def _index(part: str, length: int, extra: int = 0) -> int:
    """A list position; negative ones count from the end, `extra` allows one past it."""
    digits = part[1:] if part[:1] in ("-", "+") else part
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _DIGITS_MAX:
        raise PatchError(f"index is no number: {part}")
    position = int(part)
    if position < 0:
        position += length + extra
    if not 0 <= position < length + extra:
        raise _Missing(f"index out of bounds: {part}")
    return position


def _get(root: Any, path: str) -> Any:
    """The value at a path; None for a missing map key."""
    parts = _parts(path)
    holder = _container(root, parts)
    if isinstance(holder, dict):
        return holder.get(parts[-1])
    return holder[_index(parts[-1], len(holder))]


def _set(root: Any, path: str, value: Any, insert: bool) -> Any:
    if path == "" and not insert:
        if not isinstance(value, dict | list):
            raise PatchError("only an object or a list can replace the whole document")
        return value
    parts = _parts(path)
    holder = _container(root, parts)
    last = parts[-1]
    if isinstance(holder, dict):
        holder[last] = value
    elif not insert:
        holder[_index(last, len(holder))] = value
    elif last == "-":
        holder.append(value)
    else:
        holder.insert(_index(last, len(holder), extra=1), value)
    return root


def _remove(root: Any, path: str) -> None:
    parts = _parts(path)
    holder = _container(root, parts)
    if isinstance(holder, list):
        del holder[_index(parts[-1], len(holder))]
    elif parts[-1] in holder:
        del holder[parts[-1]]
    else:
        raise _Missing(f"nothing to remove at {path}")
