"""Times and durations: how they are read, and their parts. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pybernetes.cel.declarations import Library
from pybernetes.cel.effort import strain
from pybernetes.cel.values import SECOND, Duration, EvaluationError, Timestamp

LIBRARY = Library()
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
# Bounded, and with one way to read a number, so that long texts cost no more than their length.
_DURATION = re.compile(r"(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_READING = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@LIBRARY.function("timestamp(string) -> timestamp")
def parsed_timestamp(text: str) -> Timestamp:
    """The time that RFC 3339 text says."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise EvaluationError(f'parsing time "{text}": cannot parse as "2006-01-02T15:04:05Z07:00"')
    fraction, sign, hours, minutes = match.groups()[6:]
    try:
        moment = datetime(*(int(part) for part in match.groups()[:6]), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise EvaluationError(f'parsing time "{text}": {error}') from None
    since = moment - _EPOCH
    seconds = since.days * 86400 + since.seconds
    if sign is not None:
        seconds -= (int(hours) * 3600 + int(minutes) * 60) * (1 if sign == "+" else -1)
    return Timestamp(seconds * SECOND + int((fraction or "0").ljust(9, "0")))


@LIBRARY.function("timestamp(timestamp) -> timestamp")
def same_timestamp(moment: Timestamp) -> Timestamp:
    return moment


@LIBRARY.function("timestamp(int) -> timestamp")
def timestamp_of_seconds(seconds: int) -> Timestamp:
    return Timestamp(seconds * SECOND)


@LIBRARY.function("duration(string) -> duration")
def parsed_duration(text: str) -> Duration:
    """The span that text such as `1h30m` says."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return Duration(0)
    place, total = 0, Decimal(0)
    while (match := _DURATION.match(rest, place)) is not None:
        total += Decimal(match[1]) * _UNITS[match[2]]
        place = match.end()
    if not rest or place != len(rest):
        raise EvaluationError(f'time: invalid duration "{text}"')
    return Duration(sign * int(total))


@LIBRARY.function("duration(duration) -> duration")
def same_duration(span: Duration) -> Duration:
    return span


@LIBRARY.function("duration(int) -> duration")
def duration_of_nanoseconds(nanoseconds: int) -> Duration:
    return Duration(nanoseconds)


@lru_cache(128)
def _zone(name: str) -> tzinfo:
    # It may have to be read from a file.
    strain(_READING)
    match = _OFFSET.fullmatch(name)
    if match is not None:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    if name in ("", "UTC"):
        return UTC
    try:
        if _ZONE.fullmatch(name) is not None:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise EvaluationError(f"unknown time zone {name}")


def _local(moment: Timestamp, zone: str) -> datetime:
    try:
        return moment.moment().astimezone(_zone(zone))
    except OverflowError:
        raise EvaluationError("timestamp overflow") from None


def _declare_parts() -> None:
    parts = {
        "getFullYear": lambda moment: moment.year,
        "getMonth": lambda moment: moment.month - 1,
        "getDate": lambda moment: moment.day,
        "getDayOfMonth": lambda moment: moment.day - 1,
        "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
        "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
        "getHours": lambda moment: moment.hour,
        "getMinutes": lambda moment: moment.minute,
        "getSeconds": lambda moment: moment.second,
    }
    for name, part in parts.items():
        LIBRARY.function(f"timestamp.{name}() -> int")(lambda moment, part=part: part(_local(moment, "UTC")))
        LIBRARY.function(f"timestamp.{name}(string) -> int")(lambda moment, zone, part=part: part(_local(moment, zone)))
    for name, unit in (("getHours", "h"), ("getMinutes", "m"), ("getSeconds", "s")):
        LIBRARY.function(f"duration.{name}() -> int")(
            lambda span, unit=unit: int(Decimal(span.nanoseconds) / _UNITS[unit])
        )


_declare_parts()


@LIBRARY.function("timestamp.getMilliseconds() -> int")
def milliseconds(moment: Timestamp) -> int:
    return moment.nanoseconds % SECOND // 10**6


@LIBRARY.function("timestamp.getMilliseconds(string) -> int")
def local_milliseconds(moment: Timestamp, zone: str) -> int:
    _zone(zone)
    return milliseconds(moment)


@LIBRARY.function("duration.getMilliseconds() -> int")
def duration_milliseconds(span: Duration) -> int:
    return int(Decimal(span.nanoseconds) / 10**6)
