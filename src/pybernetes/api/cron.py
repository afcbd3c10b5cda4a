"""Cron schedules: five fields, names, steps, ranges and the @-words, as the CronJob API takes them. Pure.

The text of a CronJob's schedule goes in; a `Schedule` that knows its next time comes out. Called by the API server,
which refuses what cannot be read, and by the controller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pybernetes.api import duration
from pybernetes.api.turn import spend
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
# A schedule such as 30 February never comes; nobody waits longer than this.
_HORIZON = timedelta(days=5 * 366)
# What reading one term takes, as turns reckon.
_EACH = 5


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
    """ValueError, in the words of upstream's parser, for what is no schedule. A zone before it is passed over."""
    if text.startswith(("TZ=", "CRON_TZ=")) and " " in text:
        text = text.partition(" ")[2].strip()
    if text.startswith("@every "):
        return Schedule(every=_every(text))
    if text.startswith("@") and text not in _WORDS:
        raise ValueError(f"unrecognized descriptor: {text}")
    fields = _WORDS.get(text, text).split()
    if len(fields) != len(_LIMITS):
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = (
        _field(field, place) for place, field in enumerate(fields)
    )
    return Schedule(minutes, hours, days, months, weekdays, any_day, any_weekday)


def _every(text: str) -> float:
    """Whole seconds, at least one."""
    try:
        seconds = duration.parse(text.removeprefix("@every "))
    except ValueError as error:
        raise ValueError(f"failed to parse duration {text}: {error}") from None
    return max(float(int(seconds)), 1.0)


def _field(text: str, place: int) -> tuple[frozenset[int], bool]:
    """The numbers that fit, and whether one of the terms is a plain star."""
    result: set[int] = set()
    is_any = False
    for term in filter(None, text.split(",")):
        spend(_EACH)
        numbers, is_star = _term(term, place)
        result.update(numbers)
        is_any = is_any or is_star
    return frozenset(result), is_any


def _term(term: str, place: int) -> tuple[range, bool]:
    """One of `*`, `5`, `1-5`, `mon-fri`, `*/2`, `5/2` (until the end), `1-5/2`."""
    (low, high), (span, *steps) = _LIMITS[place], term.split("/")
    first, *rest = span.split("-")
    is_star = first in ("*", "?")
    if is_star:
        start, end = low, high
    else:
        start = end = _number(first, place)
        if len(rest) == 1:
            end = _number(rest[0], place)
        elif rest:
            raise ValueError(f"too many hyphens: {term}")
    step = 1
    if len(steps) == 1:
        step = _whole(steps[0])
        end = high if not rest else end
        is_star = is_star and step <= 1
    elif steps:
        raise ValueError(f"too many slashes: {term}")
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {term}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {term}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {term}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {term}")
    return range(start, end + 1, step), is_star


def _number(text: str, place: int) -> int:
    named = _NAMES[place].get(text.lower())
    return named if named is not None else _whole(text)


def _whole(text: str) -> int:
    number = whole_number(text)
    if number is not None:
        return number
    if text[:1] == "-" and (number := whole_number(text[1:])):
        raise ValueError(f"negative number (-{number}) not allowed: {text}")
    raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
