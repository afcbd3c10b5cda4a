"""What expressions cost, as it is estimated before they run and as it is counted while they do."""

from __future__ import annotations

import pytest

from pybernetes.cel import Budget, Environment, InstantiationError, types
from pybernetes.cel.estimates import estimate
from pybernetes.cel.ranges import ENDLESS, Path, Range

_ENVIRONMENT = Environment({"text": types.STRING, "texts": types.list_of(types.STRING), "number": types.INT})
_SIZES = {("text",): Range(0, 100), ("texts",): Range(0, 10), ("texts", "@items"): Range(0, 20)}


@pytest.mark.parametrize(
    ("expression", "least", "most"),
    [
        ("true", 0, 0),
        ("number", 1, 1),
        ("number + 1 > 2", 3, 3),
        # A tenth of the characters that are read, rounded up.
        ("text == text", 3, 12),
        ("text.contains('a')", 1, 11),
        ("text.matches('[a-z]+')", 3, 23),
        ("text + text", 2, 22),
        ("[1, 2, 3]", 10, 10),
        ("{'a': 1}", 30, 30),
        ("number in [1, 2]", 13, 13),
        # Each round tests what has been gathered and gathers more.
        ("texts.all(t, t.size() > 1)", 2, 2 + 10 * 6),
        ("texts.map(t, t.size()).size() > 1", 14, 14 + 10 * 14),
    ],
)
def test_estimates_are_upstreams(expression: str, least: int, most: int) -> None:
    program = _ENVIRONMENT.compile(expression)
    assert estimate(program.checked, _sizes) == Range(least, most)


def _sizes(path: Path) -> Range | None:
    return _SIZES.get(path)


def test_what_nobody_bounds_is_endless() -> None:
    program = _ENVIRONMENT.compile("texts.all(a, texts.all(b, a == b))")
    assert estimate(program.checked, lambda _path: None).most == ENDLESS


@pytest.mark.parametrize(
    "expression",
    [
        "text == 'abc' && number > 3",
        "texts.all(t, t.startsWith('a') || t.size() < 20)",
        "texts.filter(t, t.contains('b')).size() > 0 ? text.upperAscii() == '' : text.split(',').size() == 1",
        "texts.join(',') == text + text.replace('a', 'bb')",
        "texts.exists_one(t, t in texts) || texts[0] == text",
    ],
)
def test_what_is_counted_is_within_what_was_estimated(expression: str) -> None:
    program, budget = _ENVIRONMENT.compile(expression), Budget()
    program.evaluate({"text": "abcabc", "texts": ["a", "b", "abc"], "number": 5}, budget)
    found = estimate(program.checked, _sizes)
    assert found.least <= budget.spent <= found.most


_DATA = {"text": "Pending", "texts": ["a", "b", "c"], "number": 5}


@pytest.mark.parametrize(
    ("expression", "cost"),
    [
        # Literals of literals and conversions of them are made once; looking among them is free.
        ("text in ['Pending', 'Running']", 1),
        ("texts == ['a', 'b', 'c']", 2),
        ("double(5) < 10.0", 1),
        ("texts + ['d'] == [text]", 1 + 1 + 1 + 1 + 10),
        # The names that a branch or an index begins with are passed over.
        ("texts.exists_one(t, t == 'b')", 11),
        ("texts.filter(t, t == 'b').size() == 1", 23),
        ("texts[number - 4] == 'b'", 5),
        ("texts[dyn(number) - 4] == (number > 3 ? text : texts[0])", 8),
    ],
)
def test_what_upstream_passes_over_costs_nothing(expression: str, cost: int) -> None:
    budget = Budget()
    _ENVIRONMENT.compile(expression).evaluate(_DATA, budget)
    assert budget.spent == cost


def test_what_is_made_once_is_never_changed() -> None:
    program = _ENVIRONMENT.compile("texts.map(t, t) + [].map(t, t) + ['x']")
    assert [program.evaluate(_DATA) for _ in range(2)] == [["a", "b", "c", "x"]] * 2


def test_a_conversion_that_fails_is_found_beforehand() -> None:
    with pytest.raises(InstantiationError, match="program instantiation failed: strconv.ParseInt"):
        _ENVIRONMENT.compile("number == int('x')")
