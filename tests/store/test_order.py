"""Texts stay sorted, however they come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pybernetes.store.order import Order


@given(st.lists(st.lists(st.text(max_size=3), max_size=300), max_size=5))
def test_texts_are_sorted_whenever_they_are_looked_at(batches: list[list[str]]) -> None:
    order, there = Order(), set[str]()
    for batch in batches:
        for text in dict.fromkeys(batch):
            if text in there:
                order.remove(text)
                there.remove(text)
            else:
                order.add(text)
                there.add(text)
        assert len(order) == len(there)
        assert order.texts == sorted(there)


def test_one_among_many_finds_its_place() -> None:
    order = Order(*(f"{number:04}" for number in range(0, 2000, 2)))
    assert order.texts[7] == "0014"
    order.add("0013")
    assert order.texts[6:9] == ["0012", "0013", "0014"]
