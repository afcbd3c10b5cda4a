"""JSON of custom resources, its numbers as upstream keeps and shows them.

What has no fraction is an integer, however written: clients that read a field as an integer do not take `1.0`. Pure.
Called by `reading` for what clients send, by `rules` for what is stored, by `columns` and `strategy` for texts.
"""

from __future__ import annotations

from decimal import Decimal
from math import isinf
from typing import Any

import msgspec

# What an int64 holds; beyond it upstream keeps a double.
_INTEGERS_END = 2.0**63


def _number(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return int(number) if number.is_integer() and abs(number) < _INTEGERS_END else number


_decoder = msgspec.json.Decoder(float_hook=_number)


def decode(document: bytes) -> Any:
    """The value; `msgspec.ValidationError` for numbers too large for a double, `DecodeError` for what is no JSON."""
    return _decoder.decode(document)


def plain(document: Any) -> Any:
    """A copy of a value that may have been read elsewhere, with such numbers."""
    return _decoder.decode(msgspec.json.encode(document))


def text_of(value: Any) -> str:
    """A scalar as columns and selectors show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return go_float(value) if isinstance(value, float) else str(value)


def go_float(number: float) -> str:
    """A float as Go's `%v` prints it."""
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)  # a JSON number is finite
    size = len(digits) + exponent - 1
    if -4 <= size < 6:
        return f"{Decimal(repr(number)).normalize():f}"
    text = "".join(map(str, digits))
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{fraction}e{size:+03d}"
