"""`"%d of %s".format([1, "x"])`, as the second version of CEL's extension for strings has it. Pure.

Text and values go in, text comes out. `check` says beforehand what is wrong with a call whose text and list of values
stand in the expression; it is called by `literal_rules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pybernetes.cel import types
from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.library.conversions import text_of, type_
from pybernetes.cel.library.strings import quote
from pybernetes.cel.syntax import ListLiteral, MapLiteral, Node
from pybernetes.cel.types import Type
from pybernetes.cel.values import CostExceeded, EvaluationError

LIBRARY = Library()
# Digits after the point unless a clause says how many, and how many it may say.
_DIGITS, _MOST_DIGITS = 6, 100
# What writing a list or a map takes besides its members.
_EACH = 8
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_TIMES = "\u202f×\u202f10"
_NAMES = {"null": "null_type", "timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}
# Texts that stand for numbers that cannot be written.
_UNWRITTEN = ("NaN", "Infinity", "-Infinity")
_STRINGS = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and "
    "timestamps"
)
_HEX = "only integers, byte buffers, and strings can be formatted as hex"
# By the letter of a clause: the kinds of what it takes, and what is said of anything else.
_TAKEN: Mapping[str, tuple[frozenset[str], str]] = {
    "s": (
        frozenset(("list", "map", "int", "uint", "double", "bool", "string", "bytes", "null", "type"))
        | {"timestamp", "duration"},
        _STRINGS,
    ),
    "d": (frozenset(("int", "uint")), "decimal clause can only be used on integers"),
    "f": (frozenset(("double", "string")), "fixed-point clause can only be used on doubles"),
    "e": (frozenset(("double", "string")), "scientific clause can only be used on doubles"),
    "b": (frozenset(("int", "uint", "bool")), "only integers and bools can be formatted as binary"),
    "x": (frozenset(("int", "uint", "string", "bytes")), _HEX),
    "X": (frozenset(("int", "uint", "string", "bytes")), _HEX),
    "o": (frozenset(("int", "uint")), "octal clause can only be used on integers"),
}
Clause = Callable[[str, int | None, int], str]


@LIBRARY.function("string.format(list(dyn)) -> string")
def formatted(text: str, arguments: list[Any]) -> str:
    def clause(letter: str, digits: int | None, index: int) -> str:
        value = arguments[index]
        made = _written(letter, digits, value)
        strain(1 + len(made) // 10)
        return made

    return _interpolated(text, len(arguments), clause)


class _Misfit(EvaluationError):
    """A value that a clause does not take; `node` is where it stands."""

    def __init__(self, text: str, node: Node) -> None:
        super().__init__(text)
        self.node = node


def check(text: str, arguments: Sequence[Node], types_of: Mapping[Node, Type]) -> tuple[str, Node | None] | None:
    """What is wrong with a call, and with which of its values if it is one's fault; None when nothing is."""
    asked = 0

    def clause(letter: str, _digits: int | None, index: int) -> str:
        nonlocal asked
        asked += 1
        misfit = _misfit(letter, arguments[index], types_of)
        if misfit is not None:
            name = _type_name(types_of[misfit])
            raise _Misfit(f"error during formatting: {_TAKEN[letter][1]}, was given {name}", misfit)
        return ""

    try:
        _interpolated(text, len(arguments), clause)
    except _Misfit as error:
        return str(error), error.node
    except EvaluationError as error:
        return str(error), None
    if len(arguments) > asked:
        return f"too many arguments supplied to string.format (expected {asked}, got {len(arguments)})", None
    return None


def _misfit(letter: str, node: Node, types_of: Mapping[Node, Type]) -> Node | None:
    """The node, or the one inside of it, that a clause cannot take."""
    held = types_of[node]
    if held.kind not in _TAKEN[letter][0] and not types.is_dynamic(held):
        return node
    if letter == "s" and isinstance(node, ListLiteral | MapLiteral):
        return next((found for part in node.parts() if (found := _misfit(letter, part, types_of)) is not None), None)
    return None


def _interpolated(text: str, count: int, clause: Clause) -> str:
    parts, place, index = [], 0, 0
    while (at := text.find("%", place)) >= 0:
        parts.append(text[place:at])
        if text.startswith("%%", at):
            parts.append("%")
            place = at + 2
            continue
        if at + 1 == len(text):
            raise EvaluationError("unexpected end of string")
        if index >= count:
            raise EvaluationError(f"index {index} out of range")
        try:
            digits, end = _precision(text, at + 1)
            letter = text[end]
            if letter not in _TAKEN:
                raise EvaluationError(f'unrecognized formatting clause "{letter}"')
        except EvaluationError as error:
            raise EvaluationError(f"could not parse formatting clause: {error}") from None
        parts.append(clause(letter, digits, index))
        place, index = end + 1, index + 1
    parts.append(text[place:])
    return "".join(parts)


def _precision(text: str, place: int) -> tuple[int | None, int]:
    """The digits that a clause asks for, and the place of its letter."""
    if text[place] != ".":
        return None, place
    end = place + 1
    while end < len(text) and text[end] in "0123456789":
        end += 1
    problem = ""
    digits = text[place + 1 : end]
    if end == len(text):
        problem = "could not find end of precision specifier"
    elif not digits:
        problem = 'error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax'
    elif len(digits) > len(str(_MOST_DIGITS)) or int(digits) > _MOST_DIGITS:
        problem = f"precision exceeds maximum of {_MOST_DIGITS}"
    if problem:
        raise EvaluationError(f"error while parsing precision: {problem}")
    return int(digits), end


def _written(letter: str, digits: int | None, value: Any) -> str:
    held = type_(value)
    kinds, problem = _TAKEN[letter]
    fits = held.kind in kinds
    if fits and letter in "fe" and isinstance(value, str):
        fits = value in _UNWRITTEN
    if not fits:
        raise EvaluationError(f"error during formatting: {problem}, was given {_type_name(held)}")
    try:
        return _WRITERS[letter](value, digits)
    except CostExceeded:
        raise
    except EvaluationError as error:
        raise EvaluationError(f"error during formatting: {error}") from None


def _type_name(held: Type) -> str:
    return held.name or _NAMES.get(held.kind, held.kind)


def _shown(value: Any) -> str:
    """A value by itself: what is inside of lists and maps is written as in an expression."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, dict):
        return _map(value)
    return _type_name(value) if isinstance(value, Type) else text_of(value)


def _list(value: list[Any]) -> str:
    strain(_EACH + len(value))
    return f"[{', '.join(map(_inside, value))}]"


def _map(value: dict[Any, Any]) -> str:
    strain(_EACH + len(value))
    entries = []
    for key, held in value.items():
        if not isinstance(key, str | int):
            raise EvaluationError(f"no formatting function for map key of type {_type_name(type_(key))}")
        entries.append((_inside(key), _inside(held)))
    return "{" + ", ".join(f"{key}:{held}" for key, held in sorted(entries, key=lambda entry: entry[0])) + "}"


def _inside(value: Any) -> str:
    """A member of a list or a map, as an expression would have it."""
    held = type_(value)
    if held.kind not in _TAKEN["s"][0]:
        raise EvaluationError(f"no formatting function for {_type_name(held)}")
    if isinstance(value, float):
        found = f"{value:.{_DIGITS}f}" if math.isfinite(value) else f'"{text_of(value)}"'
    else:
        found = _shown(value)
        if held.kind == "string":
            found = quote(found)
        elif held.kind == "bytes":
            found = f"b{quote(found)}"
        elif held.kind in ("timestamp", "duration"):
            found = f'{held.kind}("{found}")'
    strain(2 + len(found) // 10)
    return found


def _fixed(value: Any, digits: int | None) -> str:
    number = float(value)
    return f"{number:,.{_DIGITS if digits is None else digits}f}" if math.isfinite(number) else _unwritten(number)


def _scientific(value: Any, digits: int | None) -> str:
    """The number of digits is taken for a width: so it is upstream."""
    number = float(value)
    if not math.isfinite(number):
        return _unwritten(number).rjust(digits or 0)
    mantissa, _, exponent = f"{number:.{_DIGITS}e}".partition("e")
    power = f"{'-' if exponent[0] == '-' else ''}{exponent[1:]}"
    return f"{mantissa}{_TIMES}{power.translate(_RAISED)}".rjust(digits or 0)


def _unwritten(number: float) -> str:
    return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"


def _hexadecimal(value: Any, _digits: int | None) -> str:
    if isinstance(value, int):
        return f"{value:x}"
    return (value.encode("utf-8", "replace") if isinstance(value, str) else value).hex()


_WRITERS: Mapping[str, Callable[[Any, int | None], str]] = {
    "s": lambda value, _digits: _shown(value),
    "d": lambda value, _digits: str(int(value)),
    "f": _fixed,
    "e": _scientific,
    "b": lambda value, _digits: f"{int(value):b}",
    "x": _hexadecimal,
    "X": lambda value, digits: _hexadecimal(value, digits).upper(),
    "o": lambda value, _digits: f"{value:o}",
}
