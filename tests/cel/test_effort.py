"""What costs little by upstream's reckoning and much here is bounded all the same."""

from __future__ import annotations

import pytest

from pybernetes.cel import Budget, CompileError, CostExceeded, Environment, types

_NUMBERS = list(range(3000))
_ENVIRONMENT = Environment({"l": types.list_of(types.INT), "s": types.STRING})
_VARIABLES = {"l": _NUMBERS, "s": "x" * 100_000}


def _nested(first: str, step: str, times: int) -> str:
    """`step` applied to the value of the step before, over and over."""
    text = first
    for level in range(times):
        text = f"[{text}].map(x{level}, {step.replace('x', f'x{level}')})[0]"
    return text


_TREE = _nested("[1]", "[x, x]", 40)


@pytest.mark.parametrize(
    "text",
    [
        # Each step is twice as much as the one before.
        _nested("l", "x + x", 25) + ".size() > 0",
        f"{_TREE} == {_TREE}",
        f"{_TREE} in [{_TREE}]",
        f"[{_TREE}].indexOf({_TREE}) == 0",
        f"'%s'.format([{_TREE}]) == ''",
        # Texts that would not fit into any memory.
        "s.replace('', s).size() > 0",
        "l.map(x, s).join().size() > 0",
        "l.map(x, '%s'.format([l.map(y, s)])).size() > 0",
        # Large programs of few characters.
        "l.all(x, 'a'.matches('((a{100}){10}){1,' + string(x % 10) + '}' + string(x)) || true)",
    ],
)
def test_no_expression_takes_all_the_memory_or_time(text: str) -> None:
    program = _ENVIRONMENT.compile(text)
    with pytest.raises(CostExceeded):
        program.evaluate(_VARIABLES)


@pytest.mark.parametrize(
    "text",
    [
        # Each of the macros puts what stands before it in two places.
        "optional.of(l)" + ".optMap(x, x + x)" * 40 + ".hasValue()",
        # The type of each map is twice as long as that of the one before.
        _nested("1", "{x: x}", 25) + " == 1",
    ],
)
def test_no_expression_is_compiled_for_ever(text: str) -> None:
    with pytest.raises(CompileError, match="too"):
        _ENVIRONMENT.compile(text)


def test_usual_work_costs_what_upstream_says() -> None:
    budget = Budget()
    assert _ENVIRONMENT.compile("l == l && (l + l).size() == 6000").evaluate(_VARIABLES, budget) is True
    assert budget.spent == 307
