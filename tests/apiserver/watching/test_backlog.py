"""Equal parts for those who are behind."""

from __future__ import annotations

from pybernetes.apiserver.watching.backlog import Backlog


def test_a_watch_alone_may_owe_what_one_watch_may() -> None:
    assert Backlog(total=1000, watch=300).part == 300


def test_the_more_are_behind_the_less_each_may_owe() -> None:
    backlog = Backlog(total=1000, watch=300)
    for audience in "abcde":
        backlog.fall_behind(audience)
    assert backlog.part == 200
    backlog.catch_up("a")
    assert backlog.part == 250


def test_watches_of_one_audience_count_once() -> None:
    backlog = Backlog(total=1000, watch=1000)
    for _ in range(10):
        backlog.fall_behind("a")
    backlog.fall_behind("b")
    assert backlog.part == 500
    for _ in range(10):
        backlog.catch_up("a")
    assert backlog.part == 1000
