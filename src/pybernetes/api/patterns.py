"""Patterns of schemas and expressions: the syntax and the engine that Go has for them, RE2, whose time is linear. Pure.

A pattern goes in, a compiled one comes out. Python's own engine would mean other things by some patterns, and a
hostile one could keep it busy for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

import re2

# RE2's words for what is wrong -> those of Go's twin of it.
_GO_WORDS = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "trailing \\": "trailing backslash at end of expression",
}


class PatternError(ValueError):
    """A pattern that is none, with the text of Go's error."""


class Pattern(Protocol):
    """A compiled pattern."""

    programsize: int

    def search(self, text: str) -> Any:
        """The first match anywhere in a text; None when there is none."""

    def finditer(self, text: str) -> Iterable[Any]:
        """All matches."""
        ...


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """The pattern for `search`; PatternError when it is wrong."""
    options = re2.Options()
    options.log_errors = False
    # Nobody asks for groups, whose borders would cost as much again for each of them.
    options.never_capture = True
    try:
        found: Pattern = re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_go_error(error)) from None
    return found


def _go_error(error: Exception) -> str:
    text = error.args[0]
    what, _, where = (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).partition(": ")
    return f"{_GO_WORDS.get(what, what)}: `{where}`" if where else _GO_WORDS.get(what, what)
