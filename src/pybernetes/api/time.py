"""Points in time as the API writes them: RFC 3339 in UTC, whole seconds (Time) or six digits (MicroTime).

Flow: text from an object goes in, `datetime` comes out, and back. The clock itself is in `environment`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

LAYOUT = "2006-01-02T15:04:05Z07:00"
MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00"
_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))", re.ASCII
)
_WHOLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_MICRO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_SIX_DIGITS = re.compile(r":\d\d[.,]\d{6}(?:Z|[+-])", re.ASCII)
# The layout's elements as Go names them in errors, with what they match.
_SECONDS = {LAYOUT: [("05", r"\d{2}(?:[.,]\d+)?")], MICRO_LAYOUT: [("05", r"\d{2}"), (".000000", r"[.,]\d{6}")]}
_ELEMENTS = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d{2}"),
    ("-", "-"),
    ("02", r"\d{2}"),
    ("T", "T"),
    ("15", r"\d{1,2}"),
    (":", ":"),
    ("04", r"\d{2}"),
    (":", ":"),
)
_LIMITS = {"01": (1, 12, "month"), "15": (0, 23, "hour"), "04": (0, 59, "minute"), "05": (0, 59, "second")}


def parse(text: str) -> datetime:
    """The aware UTC time; ValueError with Go's wording when it is none."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(parse_error(text, LAYOUT))
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = match.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    zone: timezone = UTC
    try:
        if sign:
            offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
            zone = timezone(offset if sign == "+" else -offset)
        numbers = (int(year), int(month), int(day), int(hour), int(minute), int(second), micro)
        return datetime(*numbers, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(parse_error(text, LAYOUT)) from None


def format(when: datetime) -> str:  # noqa: A001 - reads well as time.format
    """`2006-01-02T15:04:05Z`, the fraction cut off."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def format_micro(when: datetime) -> str:
    """`2006-01-02T15:04:05.000000Z`."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=1024)
def normalized(text: str, micro: bool = False) -> str:
    """The text as the API server stores it; ValueError with Go's wording when it is no time."""
    if (_MICRO if micro else _WHOLE).fullmatch(text):
        parse(text)
        return text
    try:
        when = parse(text)
    except ValueError:
        when = None
    if when is None or (micro and not _SIX_DIGITS.search(text)):
        raise ValueError(parse_error(text, MICRO_LAYOUT if micro else LAYOUT))
    return format_micro(when) if micro else format(when)


def parse_error(text: str, layout: str = LAYOUT) -> str:
    """Go's `parsing time ...` message for a text that is no RFC 3339 time."""
    opening = f'parsing time "{text}"'
    rest = text
    for name, pattern in (*_ELEMENTS, *_SECONDS[layout], ("Z07:00", r"Z|[+-]\d{2}:\d{2}")):
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            return f'{opening} as "{layout}": cannot parse "{rest}" as "{name}"'
        if name in _LIMITS:
            low, high, unit = _LIMITS[name]
            if not low <= int(re.split("[.,]", match.group())[0]) <= high:
                return f"{opening}: {unit} out of range"
        rest = rest[match.end() :]
    if rest:
        return f'{opening}: extra text: "{rest}"'
    return f"{opening}: day out of range"
