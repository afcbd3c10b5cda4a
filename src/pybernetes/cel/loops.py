"""Compiled loops: what `all`, `exists`, `map`, `filter` and their kin have become.

A comprehension and the compiler of its parts go in; a function of a frame comes out. Called by the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pybernetes.cel.frame import Evaluator, Frame
from pybernetes.cel.syntax import ACCUMULATOR, Call, Comprehension, Identifier, Literal, Node
from pybernetes.cel.values import CostExceeded, EvaluationError, no_overload

_ABSENT = object()


def loop(node: Comprehension, compiled: Callable[[Node], Evaluator]) -> Evaluator:
    """The loop, or for `is_bind` the one evaluation with one more name."""
    initial, result = compiled(node.initial), compiled(node.result)
    if node.is_bind:
        return _bound(node.accumulator, initial, result)
    if (test := _quantified(node)) is not None:
        return _quantifier(node, compiled(node.range), compiled(test[1]), test[0])
    over, step = compiled(node.range), compiled(node.step)
    # A condition that always holds lets a loop that has failed stop: no later step could mend it.
    condition = None if isinstance(node.condition, Literal) else compiled(node.condition)
    gathered, first, second = node.accumulator, node.variable, node.variable2

    def run(frame: Frame) -> Any:
        items, _count = _items(over(frame), bool(second))
        values = frame.values
        before = [(name, values.get(name, _ABSENT)) for name in (gathered, first, second)]
        values[gathered] = initial(frame)
        try:
            for item in items:
                if second:
                    values[first], values[second] = item
                else:
                    values[first] = item
                if condition is not None and not condition(frame):
                    break
                if _stepped(frame, step, gathered) and condition is None:
                    break
            return result(frame)
        finally:
            _restore(values, before)

    return run


def _quantified(node: Comprehension) -> tuple[bool, Node] | None:
    """What settles the loop that `all` or `exists` has become, and its test; None for other loops."""
    step, decisive = node.step, {"_&&_": False, "_||_": True}
    if not isinstance(step, Call) or step.function not in decisive or not isinstance(node.condition, Call):
        return None
    gathered, test = step.arguments
    is_gathered = isinstance(gathered, Identifier) and gathered.name == ACCUMULATOR
    if not is_gathered or not isinstance(node.result, Identifier) or node.result.name != ACCUMULATOR:
        return None
    return decisive[step.function], test


def _quantifier(node: Comprehension, over: Evaluator, test: Evaluator, decisive: bool) -> Evaluator:
    """`all` and `exists` at the price of the loop that they stand for, without its detours."""
    first, second = node.variable, node.variable2
    # Per item: the test of what has been gathered (for `exists`, of its opposite), and gathering.
    each = 4 if decisive else 3

    def run(frame: Frame) -> bool:
        items, count = _items(over(frame), bool(second))
        values, last = frame.values, count - 1
        before = [(name, values.get(name, _ABSENT)) for name in (first, second)]
        trouble: EvaluationError | None = None
        try:
            for index, item in enumerate(items):
                if second:
                    values[first], values[second] = item
                else:
                    values[first] = item
                frame.spend(each)
                try:
                    found = test(frame)
                except CostExceeded:
                    raise
                except EvaluationError as error:
                    trouble = trouble or error
                    continue
                if found is not True and found is not False:
                    trouble = trouble or no_overload()
                elif found == decisive:
                    frame.spend(1 if index == last else each)
                    return decisive
            frame.spend(1)
        finally:
            _restore(values, before)
        if trouble is not None:
            raise trouble
        return not decisive

    return run


def _stepped(frame: Frame, step: Evaluator, gathered: str) -> bool:
    """Whether a step failed; what failed is what has been gathered then."""
    try:
        frame.values[gathered] = step(frame)
    except CostExceeded:
        raise
    except EvaluationError as error:
        frame.values[gathered] = error
        return True
    return False


def _bound(name: str, value: Evaluator, result: Evaluator) -> Evaluator:
    def run(frame: Frame) -> Any:
        before = [(name, frame.values.get(name, _ABSENT))]
        frame.values[name] = value(frame)
        try:
            return result(frame)
        finally:
            _restore(frame.values, before)

    return run


def _items(value: Any, in_pairs: bool) -> tuple[Iterable[Any], int]:
    """What a loop goes through, and how often; nobody changes the value meanwhile."""
    if isinstance(value, dict):
        return value.items() if in_pairs else value, len(value)
    if isinstance(value, list):
        return enumerate(value) if in_pairs else value, len(value)
    raise no_overload()


def _restore(values: dict[str, Any], before: list[tuple[str, Any]]) -> None:
    for name, value in before:
        if value is _ABSENT:
            values.pop(name, None)
        else:
            values[name] = value
