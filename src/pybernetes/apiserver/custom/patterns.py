"""Patterns of schemas: written for Go's engine (RE2), run by Python's. Pure.

A pattern goes in, a compiled one comes out; None for one that only Go's engine understands, which then refuses nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    "[:alnum:]": "a-zA-Z0-9",
    "[:alpha:]": "a-zA-Z",
    "[:blank:]": r" \t",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:space:]": r"\s",
    "[:upper:]": "A-Z",
    "[:word:]": r"\w",
    "[:xdigit:]": "0-9a-fA-F",
}


class PatternError(ValueError):
    """A pattern that is none, with the text of Go's error."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern for `search`; PatternError when it is wrong for both engines."""
    try:
        # In Go \\d, \\w and \\s are ASCII.
        return re.compile(_translated(pattern), re.ASCII)
    except re.error as error:
        if error.msg.startswith(("bad escape", "unknown extension", "global flags")):
            return None
        if error.msg.startswith("unterminated character set"):
            raise PatternError(f"missing closing ]: `{pattern[error.pos or 0 :]}`") from None
        raise PatternError(f"{error.msg}: `{pattern}`") from None


def _translated(pattern: str) -> str:
    for name, held in _CLASSES.items():
        pattern = pattern.replace(name, held)
    pattern = pattern.replace(r"\z", r"\Z")
    # Python's $ also matches before a final newline.
    return re.sub(r"(?<!\\)\$\Z", r"\\Z", pattern)
