"""Numbers of a request's query as Go's strconv reads them: ASCII digits, 64 bits. Text in, int or Go's error out."""

from __future__ import annotations

import re

_UNSIGNED = re.compile(r"[0-9]+", re.ASCII)
_SIGNED = re.compile(r"[-+]?[0-9]+", re.ASCII)
# Longer ones are out of range, leading zeros apart; Python would take its time to find out.
_DIGITS_MAX = 25


def parse_uint(text: str) -> int:
    """An unsigned number of 64 bits; ValueError with strconv's text."""
    return _parsed(text, "ParseUint", _UNSIGNED, range(2**64))


def parse_int(text: str) -> int:
    """A signed number of 64 bits; ValueError with strconv's text."""
    return _parsed(text, "ParseInt", _SIGNED, range(-(2**63), 2**63))


def _parsed(text: str, function: str, pattern: re.Pattern[str], allowed: range) -> int:
    if not pattern.fullmatch(text):
        raise ValueError(f'strconv.{function}: parsing "{text}": invalid syntax')
    if len(text) > _DIGITS_MAX or int(text) not in allowed:
        raise ValueError(f'strconv.{function}: parsing "{text}": value out of range')
    return int(text)
