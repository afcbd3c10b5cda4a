"""Regular expressions, by RE2 so that they mean what they mean to Go and none takes long. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.values import EvaluationError

LIBRARY = Library()
_COMPILING, _REFUSING = 200, 100_000


@lru_cache(maxsize=1024)
def pattern(text: str) -> Any:
    """The compiled pattern; EvaluationError when it is none."""
    options = re2.Options()
    options.log_errors = False
    # Nobody asks for groups, whose borders would cost as much again for each of them.
    options.never_capture = True
    # A few characters can mean a large program.
    strain(_COMPILING + len(text))
    try:
        found = re2.compile(text, options)
        strain(found.programsize)
        return found
    except re2.error as error:
        strain(_REFUSING)
        shown = error.args[0]
        words = shown.decode(errors="replace") if isinstance(shown, bytes) else str(shown)
        raise EvaluationError(f"error parsing regexp: {words}") from None


@LIBRARY.function("string.matches(string) -> bool", "matches(string, string) -> bool")
def matches(text: str, wanted: str) -> bool:
    return pattern(wanted).search(text) is not None


@LIBRARY.function("string.find(string) -> string")
def find(text: str, wanted: str) -> str:
    """The first match, or nothing."""
    found = pattern(wanted).search(text)
    return found.group(0) if found is not None else ""


@LIBRARY.function("string.findAll(string) -> list(string)")
def find_all(text: str, wanted: str) -> list[str]:
    return [found.group(0) for found in pattern(wanted).finditer(text)]


@LIBRARY.function("string.findAll(string, int) -> list(string)")
def find_some(text: str, wanted: str, most: int) -> list[str]:
    found = find_all(text, wanted)
    return found if most < 0 else found[:most]
