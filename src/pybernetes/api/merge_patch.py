"""JSON merge patch (RFC 7386): a document's new members, with null for those that go.

Flow: the plain value of an object and a patch go in; a new value comes out, neither input changed.
"""

from __future__ import annotations

from typing import Any


def apply(document: Any, patch: Any) -> Any:
    """The patched document; a patch that is no object replaces the whole. Shares what is unpatched."""
    if not isinstance(patch, dict) or not isinstance(document, dict):
        return _without_nulls(patch)
    result = dict(document)
    for key, value in patch.items():
        held = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(held, dict):
            # A list that takes the place of an object keeps its nulls, as upstream's library has it.
            result[key] = apply(held, value) if isinstance(value, dict) else value
        else:
            result[key] = _without_nulls(value)
    return result


def _without_nulls(value: Any) -> Any:
    """What a patch brings that was not there: its objects, also those in lists, without the members that are null."""
    if isinstance(value, dict):
        return {key: _without_nulls(held) for key, held in value.items() if held is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def diff(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The smallest patch with `apply(old, patch) == new`, for values that hold no nulls."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            inner = diff(before, value)
            if inner:
                patch[key] = inner
        elif key not in old or not same(before, value):
            patch[key] = value
    return patch


def same(first: Any, second: Any) -> bool:
    """Equality of JSON values, where (unlike in Python) `true` is not 1."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(value, second[key]) for key, value in first.items())
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    return bool(first == second)
