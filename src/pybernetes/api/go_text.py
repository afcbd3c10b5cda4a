"""Text as Go holds it, and plain values as Go's `%v` prints them, for the error texts that carry a whole patch.

Flow: a JSON value goes in, text such as `map[image:nginx name:c]` comes out.
"""

from __future__ import annotations

from typing import Any


def well_formed(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD, as Go reads it; pairs become the character they mean."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def shown(value: Any) -> str:
    """The value as `fmt.Sprintf("%v", value)` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        members = " ".join(f"{key}:{shown(value[key])}" for key in sorted(value))
        return f"map[{members}]"
    if isinstance(value, list):
        return f"[{' '.join(shown(item) for item in value)}]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def json_kind(value: Any) -> str:
    """What Go's JSON errors call a value: object, array, string, bool, number or null."""
    return _JSON_KINDS.get(type(value), "number")


_JSON_KINDS: dict[type, str] = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}
