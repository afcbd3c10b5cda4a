"""Ages and shortened lists, as kubectl's users know them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pybernetes.api.types.meta_v1 import LabelSelector, LabelSelectorRequirement
from pybernetes.apiserver.printing.cells import columns, duration, shortened, shown_labels, shown_selector, since


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (187, "3m7s"),
        (599, "9m59s"),
        (600, "10m"),
        (179 * 60, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (52 * 3600, "2d4h"),
        (8 * 86400 + 3600, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (733 * 86400, "2y3d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_durations_have_at_most_two_units(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


def test_an_absent_time_is_unknown() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert since(None, now) == "<unknown>"
    assert since("2025-12-31T23:59:55Z", now) == "5s"


def test_long_lists_are_shortened() -> None:
    assert shortened(["a", "b", "c"]) == "a,b,c"
    assert shortened(["a", "b", "c", "d", "e"]) == "a,b,c + 2 more..."
    assert shortened([]) == ""


def test_labels_and_selectors() -> None:
    assert shown_labels({"c": "d", "a": "b"}) == "a=b,c=d"
    assert shown_labels({}) == "<none>"
    assert shown_selector(None) == shown_selector(LabelSelector()) == "<none>"
    expression = LabelSelectorRequirement(key="tier", operator="In", values=["b", "a"])
    assert shown_selector(LabelSelector(match_labels={"x": "y"}, match_expressions=[expression])) == "tier in (a,b),x=y"


def test_columns_from_words() -> None:
    name, desired, node = columns("Name", "Desired:integer", "*Node")
    assert (name["format"], name["priority"]) == ("name", 0)
    assert desired["type"] == "integer"
    assert (node["name"], node["priority"]) == ("Node", 1)
