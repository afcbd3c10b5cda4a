"""Lengths of time in words: `1m30s` of a flag becomes seconds, and an age becomes `2d3h` as kubectl prints it. Pure."""

from __future__ import annotations

from datetime import datetime

from pybernetes.api import duration, time

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


def parse_duration(text: str) -> float:
    """Seconds; ValueError with Go's text. A bare number is seconds, as kubectl takes it for timeouts."""
    return duration.parse(f"{text}s" if text.removeprefix("-").isdecimal() else text)


def human(seconds: float) -> str:
    """An age in at most two units: `45s`, `3m5s`, `17m`, `5h10m`, `2d`, `3y40d`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    for limit, unit, name, lesser, lesser_name in _STEPS:
        if whole < limit:
            return _pair(whole, unit, name, lesser, lesser_name)
    return f"{whole // _YEAR}y"


# Below each limit an age is told in these two units.
_STEPS = (
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)


def _pair(whole: int, unit: int, name: str, lesser: int, lesser_name: str) -> str:
    count, rest = divmod(whole, unit)
    fraction = rest // lesser if lesser else 0
    return f"{count}{name}{fraction}{lesser_name}" if fraction else f"{count}{name}"


def age(text: str | None, now: datetime) -> str:
    """How long ago an API time was; `<unknown>` when it is not set."""
    return human((now - time.parse(text)).total_seconds()) if text else "<unknown>"
