"""The checker itself: it must see what it is there to see."""

from __future__ import annotations

import pytest

from tests.faults.history import Change, History, Listed, problems

ONE, TWO, THREE = Change(2, "a", "1"), Change(3, "b", "2"), Change(4, "a", "3")
GONE = Change(5, "a", "3", deleted=True)


def check(
    *seen: Change,
    acknowledged: tuple[Change, ...] = (),
    final: dict[str, Change] | None = None,
    deleted: tuple[str, int] | None = None,
    listed: Listed | None = None,
) -> list[str]:
    whole = [ONE, TWO, THREE]
    history = History([*acknowledged], {"1", "2", "3"}, [(1, whole), (1, list(seen))])
    history.deleted += [deleted] if deleted else []
    history.lists += [listed] if listed else []
    return problems(history, {"a": THREE, "b": TWO} if final is None else final)


def test_a_true_history_has_no_problems() -> None:
    assert check(ONE, TWO, THREE, acknowledged=(ONE, THREE), listed=Listed(3, 3, {"a": ONE, "b": TWO})) == []


def test_a_deletion_that_was_seen_is_no_problem() -> None:
    history = History([ONE], {"1", "3"}, [(1, [ONE, GONE])], [("a", ONE.revision)], [Listed(5, 0, {})])
    assert problems(history, {}) == []


@pytest.mark.parametrize(
    "found",
    [
        check(ONE, THREE, acknowledged=(TWO,)),  # lost, and acknowledged
        check(ONE, THREE),  # lost by one watch
        check(ONE, TWO, TWO, THREE),  # doubled
        check(TWO, ONE, THREE),  # out of order
        check(ONE, TWO, Change(4, "a", "2")),  # two stories
        check(ONE, TWO, THREE, Change(5, "c", "4")),  # from nowhere
        check(ONE, TWO, THREE, acknowledged=(Change(6, "c", "3"),)),  # never told
        check(ONE, TWO, THREE, final={"b": TWO}),  # the state lost it
        check(ONE, TWO, THREE, final={"a": ONE, "b": TWO}),  # the state is old
        check(ONE, TWO, THREE, acknowledged=(THREE, ONE)),  # an object went back in time
        check(ONE, TWO, THREE, acknowledged=(ONE, Change(2, "c", "2"))),  # a revision twice
        check(ONE, TWO, THREE, deleted=("b", 3)),  # a deletion lost
        check(ONE, TWO, THREE, listed=Listed(3, 0, {"a": ONE})),  # a page lost
        check(ONE, TWO, THREE, listed=Listed(3, 0, {"a": THREE, "b": TWO})),  # a page from later
        check(ONE, TWO, THREE, listed=Listed(3, 4, {"a": ONE, "b": TWO})),  # a list from earlier
    ],
)
def test_what_cannot_be_is_seen(found: list[str]) -> None:
    assert found
