"""Numbers given out once."""

from __future__ import annotations

import pytest

from pybernetes.apiserver.allocation.pool import Owner, Pool, PoolError
from pybernetes.environment.chance import Chance

A, B = Owner("ns/a", "1"), Owner("ns/b", "2")


def pool(shown: set[tuple[Owner, int]], low: int = 10, high: int = 19, static_end: int = 14) -> Pool:
    return Pool(low, high, static_end, lambda owner, number: (owner, number) in shown)


def test_numbers_below_the_static_end_are_drawn_last():
    numbers = pool(set())
    drawn = [numbers.draw(A, Chance(1)) for _ in range(10)]
    assert set(drawn[:6]) == set(range(14, 20))
    assert set(drawn[6:]) == set(range(10, 14))
    with pytest.raises(PoolError, match="range is full"):
        numbers.draw(A, Chance(1))


def test_a_number_is_free_when_its_owner_no_longer_shows_it():
    shown = {(A, 12)}
    numbers = pool(shown)
    numbers.take(12, A)
    numbers.settle(12)
    with pytest.raises(PoolError, match="already allocated"):
        numbers.take(12, B)
    shown.clear()
    numbers.take(12, B)


def test_what_is_under_way_is_kept_and_what_never_came_is_swept_away():
    numbers = pool(set())
    numbers.take(12, A)
    for _ in range(2):
        numbers.sweep()
        assert numbers.is_taken(12)
    numbers.sweep()
    assert not numbers.is_taken(12)


def test_a_late_return_does_not_take_from_the_next_owner():
    numbers = pool({(B, 12)})
    numbers.take(12, B)
    numbers.give_back(12, A.uid)
    assert numbers.is_taken(12)
