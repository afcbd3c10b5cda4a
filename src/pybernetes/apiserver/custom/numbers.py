"""JSON of custom resources, its numbers as upstream keeps them: what has no fraction is an integer, however written.

Bytes go in, plain values come out. Called by `reading` for what clients send and by `rules` for what is stored. Clients
that read a field as an integer do not take `1.0`.
"""

from __future__ import annotations

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
