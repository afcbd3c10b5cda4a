"""Regular expressions, by RE2 so that they mean what they mean to Go and none takes long. Pure."""

from __future__ import annotations

from functools import lru_cache

from pybernetes.api.patterns import Pattern, PatternError, compiled
from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.values import EvaluationError

LIBRARY = Library()
_COMPILING, _REFUSING = 200, 100_000


@lru_cache(maxsize=1024)
def pattern(text: str) -> Pattern:
    """The compiled pattern; EvaluationError when it is none."""
    # A few characters can mean a large program.
    strain(_COMPILING + len(text))
    try:
        found = compiled(text)
    except PatternError as error:
        strain(_REFUSING)
        raise EvaluationError(f"error parsing regexp: {error}") from None
    strain(found.programsize)
    return found


@LIBRARY.function("string.matches(string) -> bool", "matches(string, string) -> bool")
def matches(text: str, wanted: str) -> bool:
    return pattern(wanted).search(text) is not None


@LIBRARY.function("string.find(string) -> string")
def find(text: str, wanted: str) -> str:
    """The first match, or nothing."""
    found = pattern(wanted).search(text)
    return str(found.group(0)) if found is not None else ""


@LIBRARY.function("string.findAll(string) -> list(string)")
def find_all(text: str, wanted: str) -> list[str]:
    return [found.group(0) for found in pattern(wanted).finditer(text)]


@LIBRARY.function("string.findAll(string, int) -> list(string)")
def find_some(text: str, wanted: str, most: int) -> list[str]:
    found = find_all(text, wanted)
    return found if most < 0 else found[:most]
