"""The functions of a frame that compiled expressions are made of: reading, selecting, deciding, calling. Pure.

Functions of the parts go in, the function of the whole comes out. Called by the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pybernetes.cel import costs
from pybernetes.cel.declarations import Overload
from pybernetes.cel.frame import Evaluator, Frame
from pybernetes.cel.lazy import Lazy
from pybernetes.cel.matching import Matcher, matcher
from pybernetes.cel.values import NONE, CostExceeded, EvaluationError, Optional, found, no_overload


def constant(value: Any) -> Evaluator:
    return lambda _frame: value


def variable(name: str, cost: int) -> Evaluator:
    def read(frame: Frame) -> Any:
        # As `spend` does it: this is done more often than anything else.
        frame.cost += cost
        if frame.cost > frame.stop:
            frame.pause()
        try:
            value = frame.values[name]
        except KeyError:
            raise EvaluationError(f"no such attribute(s): {name}") from None
        if isinstance(value, EvaluationError):
            raise value
        return value() if isinstance(value, Lazy) else value

    return read


def tested(operand: Evaluator, name: str, is_object: bool) -> Evaluator:
    def test(frame: Frame) -> bool:
        value = operand(frame)
        if isinstance(value, Optional):
            if not value.is_present:
                return False
            value = value.value
        if isinstance(value, list):
            raise _no_index("string")
        if not isinstance(value, dict):
            return False
        # A field that is null is absent; a key of a map is not.
        return value.get(name) is not None if is_object else name in value

    return test


def selected(operand: Evaluator, name: str, is_object: bool) -> Evaluator:
    def select(frame: Frame) -> Any:
        value = operand(frame)
        frame.spend(1)
        if isinstance(value, Optional):
            return _found_inside(value, name, is_object)
        try:
            held = value[name]
        except (KeyError, TypeError, IndexError):
            raise _missing(value, name) from None
        if held is None and is_object:
            raise EvaluationError(f"no such key: {name}")
        return held

    return select


def _missing(value: Any, name: str) -> EvaluationError:
    return _no_index("string") if isinstance(value, list) else EvaluationError(f"no such key: {name}")


def _no_index(kind: str) -> EvaluationError:
    return EvaluationError(f"unsupported index type '{kind}' in list")


def selected_if_present(operand: Evaluator, name: str, is_object: bool) -> Evaluator:
    def select(frame: Frame) -> Any:
        value = operand(frame)
        frame.spend(1)
        return _found_inside(value, name, is_object)

    return select


def _indexed_if_present(operand: Evaluator, index: Evaluator) -> Evaluator:
    def select(frame: Frame) -> Any:
        value, place = operand(frame), index(frame)
        frame.spend(1)
        return _found_inside(value, place, False)

    return select


def _found_inside(value: Any, place: Any, is_object: bool) -> Any:
    """What is at a place of a value, or of what an optional one holds. A field that is null is absent."""
    if isinstance(value, Optional):
        if not value.is_present:
            return NONE
        value = value.value
    held = found(value, place)
    return NONE if is_object and held.value is None else held


def required_optional(value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise EvaluationError(f"cannot initialize optional entry from non-optional value {value}")
    return value


def map_key(value: Any) -> Any:
    if not isinstance(value, str | int | bool | float):
        raise EvaluationError("unsupported key type")
    return value


def shown_key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _and(left: Evaluator, right: Evaluator) -> Evaluator:
    return _logical(left, right, False)


def _or(left: Evaluator, right: Evaluator) -> Evaluator:
    return _logical(left, right, True)


def _logical(left: Evaluator, right: Evaluator, decisive: bool) -> Evaluator:
    """One decisive side settles the matter, even if the other has no value."""

    def decide(frame: Frame) -> bool:
        trouble: EvaluationError | None = None
        for side in (left, right):
            try:
                value = side(frame)
            except CostExceeded:
                raise
            except EvaluationError as error:
                trouble = trouble or error
                continue
            if value is not True and value is not False:
                trouble = trouble or no_overload()
            elif value == decisive:
                return decisive
        if trouble is not None:
            raise trouble
        return not decisive

    return decide


def _conditional(condition: Evaluator, yes: Evaluator, no: Evaluator) -> Evaluator:
    def choose(frame: Frame) -> Any:
        value = condition(frame)
        if value is True:
            return yes(frame)
        if value is False:
            return no(frame)
        raise no_overload()

    return choose


def _not_strictly_false(operand: Evaluator) -> Evaluator:
    def test(frame: Frame) -> bool:
        frame.spend(1)
        try:
            return operand(frame) is not False
        except CostExceeded:
            raise
        except EvaluationError:
            return True

    return test


def direct(overload: Overload, evaluators: Sequence[Evaluator]) -> Evaluator:
    """A call whose overload is known, so that nothing is left to find out."""
    function, cost = overload.implementation, costs.cost_of(overload)
    if len(evaluators) == 1 and cost is None:
        only = evaluators[0]

        def call_one(frame: Frame) -> Any:
            value = only(frame)
            frame.spend(1)
            return function(value)

        return call_one
    if len(evaluators) == 2 and cost is None:
        first, second = evaluators

        def call_two(frame: Frame) -> Any:
            left, right = first(frame), second(frame)
            frame.spend(1)
            return function(left, right)

        return call_two

    def call(frame: Frame) -> Any:
        given = [evaluator(frame) for evaluator in evaluators]
        result = function(*given)
        frame.spend(1 if cost is None else cost(given, result))
        return result

    return call


def dispatched(overloads: Sequence[Overload], evaluators: Sequence[Evaluator]) -> Evaluator:
    """A call whose overload depends on the values."""
    choices = [(_matchers(overload), overload.implementation, costs.cost_of(overload)) for overload in overloads]

    def call(frame: Frame) -> Any:
        given = [evaluator(frame) for evaluator in evaluators]
        for matchers, function, cost in choices:
            if all(match(value) for match, value in zip(matchers, given, strict=True)):
                result = function(*given)
                frame.spend(1 if cost is None else cost(given, result))
                return result
        raise no_overload()

    return call


def _matchers(overload: Overload) -> list[Matcher]:
    # What is wrong with an index or a key is for the list or the map to say.
    parameters = overload.parameters[:1] if overload.function == "_[_]" else overload.parameters
    found = [matcher(parameter) for parameter in parameters]
    return [*found, *[_anything] * (len(overload.parameters) - len(found))]


def _anything(_value: Any) -> bool:
    return True


SPECIAL: Mapping[str, Callable[..., Evaluator]] = {
    "_&&_": _and,
    "_||_": _or,
    "_?_:_": _conditional,
    "@not_strictly_false": _not_strictly_false,
    "_[?_]": _indexed_if_present,
}
