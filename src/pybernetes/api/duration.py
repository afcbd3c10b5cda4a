"""Lengths of time as Go writes and reads them: `1h30m`, `1.5s`, `100ms`. Text in, seconds or Go's error out. Pure."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+", re.ASCII)
_UNIT = re.compile(r"[^0-9.]+")
# What Go's int64 of nanoseconds holds.
_SECONDS_MAX = 2**63 / 1e9


def parse(text: str) -> float:
    """Seconds; ValueError with the text of Go's time.ParseDuration."""
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    invalid = ValueError(f'time: invalid duration "{text}"')
    if not rest:
        raise invalid
    seconds, position = 0.0, 0
    while position < len(rest):
        number = _NUMBER.match(rest, position)
        if number is None:
            raise invalid
        unit = _UNIT.match(rest, number.end())
        if unit is None:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit.group() not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit.group()}" in duration "{text}"')
        seconds += float(number.group()) * _UNITS[unit.group()]
        position = unit.end()
    if seconds > _SECONDS_MAX:
        raise invalid
    return sign * seconds
