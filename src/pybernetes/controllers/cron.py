"""Cron schedules: five fields, names, steps, ranges and the @-words, as the CronJob API takes them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from pybernetes.api.whole_number import whole_number

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: number + 1 for number, name in enumerate(_MONTHS)},
    dict(zip(_DAYS, range(7), strict=True)),
)
_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_UNITS = {"h": 3600, "m": 60, "s": 1}
# A schedule such as 30 February never comes; nobody waits longer than this.
_HORIZON = timedelta(days=5 * 366)


@dataclass(frozen=True)
class Schedule:
    """When to run; `every` seconds instead of fields for `@every`."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = True  # the day of the month is not restricted
    any_weekday: bool = True
    every: float = 0.0

    def after(self, moment: datetime) -> datetime | None:
        """The first time strictly after the moment, in the moment's zone; None when there is none in years."""
        if self.every:
            return moment.replace(microsecond=0) + timedelta(seconds=self.every)
        when = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = moment + _HORIZON
        while when <= end:
            if when.month not in self.months or not self._day_fits(when):
                when = (when + timedelta(days=1)).replace(hour=0, minute=0)
            elif when.hour not in self.hours:
                when = (when + timedelta(hours=1)).replace(minute=0)
            elif when.minute not in self.minutes:
                when += timedelta(minutes=1)
            else:
                return when
        return None

    def _day_fits(self, when: datetime) -> bool:
        """Both, when one of the two is not restricted; either, when both are."""
        day = when.day in self.days
        weekday = (when.weekday() + 1) % 7 in self.weekdays
        return day and weekday if self.any_day or self.any_weekday else day or weekday


def parse(text: str) -> Schedule:
    """ValueError for what is no schedule."""
    text = text.strip()
    if text.startswith("@every "):
        return Schedule(every=_duration(text.removeprefix("@every ")))
    fields = _WORDS.get(text, text).split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
    minutes, hours, days, months, weekdays = (_field(field, place) for place, field in enumerate(fields))
    return Schedule(minutes, hours, days, months, weekdays, fields[2][0] in "*?", fields[4][0] in "*?")


def _duration(text: str) -> float:
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise ValueError(f"failed to parse duration @every {text}")
    return max(float(sum(float(number) * _UNITS[unit] for number, unit in parts)), 1.0)


def _field(text: str, place: int) -> frozenset[int]:
    result: set[int] = set()
    for part in text.split(","):
        result.update(_range(part, place))
    return frozenset(result)


def _range(part: str, place: int) -> range:
    low, high = _LIMITS[place]
    span, slash, step = part.partition("/")
    if span in ("*", "?"):
        first, last = low, high
    else:
        start, dash, end = span.partition("-")
        first = _number(start, place)
        last = _number(end, place) if dash else high if slash else first
    if place == 4 and last == 7:
        last = 6 if first < 7 else 0
        first = 0 if first == 7 else first
    stride = whole_number(step) if slash else 1
    if not stride or not low <= first <= last <= high:
        raise ValueError(f"failed to parse {part!r}")
    return range(first, last + 1, stride)


def _number(text: str, place: int) -> int:
    named = _NAMES[place].get(text.lower())
    if named is not None:
        return named
    number = whole_number(text)
    if number is None:
        raise ValueError(f"failed to parse int from {text}")
    return number
