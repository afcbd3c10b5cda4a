"""When schedules come next, and what is said of texts that are none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pybernetes.api import cron


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("* * * * *", "2026-01-01T00:00:30", "2026-01-01T00:01"),
        ("*/15 * * * *", "2026-01-01T00:15", "2026-01-01T00:30"),
        ("50/3 * * * *", "2026-01-01T00:53", "2026-01-01T00:56"),
        ("5,,7 * * * *", "2026-01-01T00:05", "2026-01-01T00:07"),
        ("0 9-17/4 * * mon-fri", "2026-01-02T17:30", "2026-01-05T09:00"),
        ("0 0 29 feb *", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 13 * fri", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("0 0 */31 * fri", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("0 0 * * fri", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("@hourly", "2026-01-01T23:59", "2026-01-02T00:00"),
        ("@every 90.7s", "2026-01-01T00:00", "2026-01-01T00:01:30"),
        ("TZ=UTC 0 0 * * *", "2026-01-01T00:00", "2026-01-02T00:00"),
    ],
)
def test_the_next_time(schedule: str, after: str, expected: str) -> None:
    assert cron.parse(schedule).after(at(after)) == at(expected)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("", "expected exactly 5 fields, found 0: []"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("70/5 * * * *", "beginning of range (70) beyond end of range (59): 70/5"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/2/3 * * * *", "too many slashes: */2/3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("@never", "unrecognized descriptor: @never"),
        ("@every day", 'failed to parse duration @every day: time: invalid duration "day"'),
    ],
)
def test_what_is_no_schedule(schedule: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        cron.parse(schedule)
    assert str(error.value) == said


def test_a_schedule_that_never_comes() -> None:
    assert cron.parse("0 0 30 feb *").after(at("2026-01-01T00:00")) is None
