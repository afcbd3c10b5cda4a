from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.api import time


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_times_survive_printing(when: datetime) -> None:
    assert time.parse(time.format_micro(when)) == when
    assert time.parse(time.format(when)) == when.replace(microsecond=0)


def test_normal_forms() -> None:
    assert time.normalized("2020-01-01T00:00:00.9+01:00") == "2019-12-31T23:00:00Z"
    assert time.normalized("2020-01-01T01:00:00.000001+01:00", micro=True) == "2020-01-01T00:00:00.000001Z"


@pytest.mark.parametrize(
    ("text", "micro", "message"),
    [
        ("yesterday", False, '"yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
        ("2020-01-01", False, '"2020-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
        ("2020-13-01T00:00:00Z", False, '"2020-13-01T00:00:00Z": month out of range'),
        ("2020-02-30T00:00:00Z", False, '"2020-02-30T00:00:00Z": day out of range'),
        ("2020-01-01T00:00:00Zx", False, '"2020-01-01T00:00:00Zx": extra text: "x"'),
        (
            "2020-01-01T00:00:00Z",
            True,
            '"2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
        ),
    ],
)
def test_what_is_no_time_is_refused_in_gos_words(text: str, micro: bool, message: str) -> None:
    with pytest.raises(ValueError, match="parsing time") as caught:
        time.normalized(text, micro)
    assert str(caught.value) == f"parsing time {message}"
