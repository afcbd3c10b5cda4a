"""`"%d of %s".format([1, "x"])`. Pure."""

from __future__ import annotations

import math
import re
from typing import Any

from pybernetes.cel.declarations import Library
from pybernetes.cel.library.conversions import text_of
from pybernetes.cel.types import Type
from pybernetes.cel.values import EvaluationError, Timestamp, is_number

LIBRARY = Library()
_CLAUSE = re.compile(r"%(?:(%)|(?:\.(\d+))?(.))", re.DOTALL | re.ASCII)
_MOST_DIGITS = 100


@LIBRARY.function("string.format(list(dyn)) -> string")
def formatted(text: str, arguments: list[Any]) -> str:
    waiting = iter(arguments)
    result, place = [], 0
    for match in _CLAUSE.finditer(text):
        result.append(text[place : match.start()])
        place = match.end()
        result.append("%" if match[1] else _clause(match, waiting))
    result.append(text[place:])
    if text.count("%") and place < len(text) and "%" in text[place:]:
        raise EvaluationError("unexpected end of string")
    return "".join(result)


def _clause(match: re.Match[str], waiting: Any) -> str:
    try:
        value = next(waiting)
    except StopIteration:
        raise EvaluationError("index 0 out of range") from None
    digits = int(match[2]) if match[2] else 6
    if digits > _MOST_DIGITS:
        raise EvaluationError(f"precision exceeds maximum of {_MOST_DIGITS}")
    verb = match[3]
    if verb == "s":
        return shown(value)
    if verb == "d":
        return _integer(value)
    if verb in ("f", "e"):
        return _float(value, verb, digits)
    if verb == "b":
        return _binary(value)
    if verb in ("x", "X"):
        return _hexadecimal(value, verb)
    if verb == "o" and is_number(value) and not isinstance(value, float):
        return f"{value:o}"
    raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')


def shown(value: Any) -> str:
    """A value as `%s` shows it; strings inside of lists and maps are not quoted."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{shown(key)}: {shown(held)}" for key, held in value.items())) + "}"
    if isinstance(value, Type):
        return str(value)
    if isinstance(value, float) and (math.isinf(value) or math.isnan(value)):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return text_of(value) if isinstance(value, str | bytes | bool | int | float | Timestamp) else text_or_type(value)


def text_or_type(value: Any) -> str:
    try:
        return text_of(value)
    except (TypeError, ValueError):
        raise EvaluationError(
            f"string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, "
            f"types, durations, and timestamps, was given {type(value).__name__}"
        ) from None


def _integer(value: Any) -> str:
    if isinstance(value, float) and (math.isinf(value) or math.isnan(value)):
        return shown(value)
    if not is_number(value) or isinstance(value, float):
        raise EvaluationError("decimal clause can only be used on integers")
    return str(int(value))


def _float(value: Any, verb: str, digits: int) -> str:
    if not is_number(value):
        raise EvaluationError("fixed-point clause can only be used on doubles")
    number = float(value)
    if math.isinf(number) or math.isnan(number):
        return shown(number)
    return f"{number:.{digits}{verb}}"


def _binary(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if not is_number(value) or isinstance(value, float):
        raise EvaluationError("only integers and bools can be formatted as binary")
    return f"{value:b}"


def _hexadecimal(value: Any, verb: str) -> str:
    if isinstance(value, str | bytes):
        text = (value.encode() if isinstance(value, str) else value).hex()
        return text.upper() if verb == "X" else text
    if not is_number(value) or isinstance(value, float):
        raise EvaluationError("only integers, byte buffers, and strings can be formatted as hex")
    return f"{value:{verb}}"
