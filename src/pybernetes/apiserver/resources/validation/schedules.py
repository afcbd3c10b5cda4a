"""Rules for cron schedules and their time zones: five fields, or a word such as `@daily`."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pybernetes.api import cron
from pybernetes.api.status import FieldError, invalid, required

_ZONE_PART = re.compile(r"[A-Za-z._0-9+-]{1,14}")


def validate_schedule(schedule: str, time_zone: str | None, *, zoned: bool = False) -> list[FieldError]:
    """`zoned` lets schedules name their zone, which older ones were allowed to."""
    path = "spec.schedule"
    if not schedule:
        return [required(path)]
    errors: list[FieldError] = []
    try:
        cron.parse(schedule)
    except ValueError as error:
        errors.append(invalid(path, schedule, str(error)))
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
