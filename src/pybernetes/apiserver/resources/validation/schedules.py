"""Rules for cron schedules and their time zones: five fields, or a word such as `@daily`."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.whole_number import whole_number

_WORDS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[int, int, list[str], int], ...] = (
    (0, 59, [], 0),
    (0, 23, [], 0),
    (1, 31, [], 0),
    (1, 12, _MONTHS, 1),
    (0, 6, _DAYS, 0),
)
_EVERY = re.compile(r"@every ([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+")
_ZONE_PART = re.compile(r"[A-Za-z._0-9+-]{1,14}")


def validate_schedule(schedule: str, time_zone: str | None, *, zoned: bool = False) -> list[FieldError]:
    """`zoned` lets schedules name their zone, which older ones were allowed to."""
    path = "spec.schedule"
    if not schedule:
        return [required(path)]
    problem = schedule_problem(schedule)
    errors = [invalid(path, schedule, problem)] if problem else []
    if "TZ" in schedule and zoned and time_zone is not None:
        errors.append(invalid(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"))
    if "TZ" in schedule and not zoned:
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(invalid(path, schedule, detail))
    return errors


def validate_zone(zone: str | None) -> list[FieldError]:
    """A name of the IANA database, which the machine knows."""
    path = "spec.timeZone"
    if zone is None:
        return []
    if not zone:
        return [invalid(path, zone, "timeZone must be nil or non-empty string")]
    unknown = [invalid(path, zone, f"unknown time zone {zone}")]
    if any(part in (".", "..") or part.startswith("-") or not _ZONE_PART.fullmatch(part) for part in zone.split("/")):
        return unknown
    if zone.lower() == "local":
        detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        errors = [invalid(path, zone, detail)]
        return errors if zone == "Local" else errors + unknown
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return unknown
    return []


def schedule_problem(schedule: str) -> str:
    """What is wrong with a schedule, in the words of upstream's parser; empty when nothing is."""
    text = re.sub(r"^(CRON_)?TZ=\S+\s+", "", schedule).strip()
    if text.startswith("@"):
        known = text in _WORDS or _EVERY.fullmatch(text)
        return "" if known else f"unrecognized descriptor: {text}"
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
    for part, field in zip(parts, _FIELDS, strict=True):
        for term in part.split(","):
            problem = _term_problem(term, field)
            if problem:
                return problem
    return ""


def _term_problem(term: str, field: tuple[int, int, list[str], int]) -> str:
    low, high, _, _ = field
    span, slash, step = term.partition("/")
    stride = whole_number(step) if slash else 1
    if stride is None:
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    if stride == 0:
        return f"step of range should be a positive number: {term}"
    if span in ("*", "?"):
        return ""
    first, dash, last = span.partition("-")
    numbers = []
    for word in (first, last) if dash else (first,):
        number = _number(word, field)
        if number is None:
            return f'failed to parse int from {word}: strconv.Atoi: parsing "{word}": invalid syntax'
        numbers.append(number)
    if numbers[0] < low:
        return f"beginning of range ({numbers[0]}) below minimum ({low}): {term}"
    if numbers[-1] > high:
        return f"end of range ({numbers[-1]}) above maximum ({high}): {term}"
    if numbers[0] > numbers[-1]:
        return f"beginning of range ({numbers[0]}) beyond end of range ({numbers[-1]}): {term}"
    return ""


def _number(word: str, field: tuple[int, int, list[str], int]) -> int | None:
    _, _, names, offset = field
    if word.lower() in names:
        return names.index(word.lower()) + offset
    return whole_number(word)
