"""Makes Python closures of a checked expression, so that evaluating it walks no tree. Pure.

A `Checked` goes in; a function of a `Frame` comes out, which returns the value or raises EvaluationError, and charges
the frame as it goes. Called by `program`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pybernetes.cel import costs
from pybernetes.cel.checker import Checked
from pybernetes.cel.declarations import Overload
from pybernetes.cel.frame import Evaluator, Frame
from pybernetes.cel.loops import loop
from pybernetes.cel.matching import is_certain, matcher
from pybernetes.cel.syntax import (
    ACCUMULATOR,
    Call,
    Comprehension,
    Identifier,
    ListLiteral,
    Literal,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
)
from pybernetes.cel.types import ObjectType
from pybernetes.cel.values import (
    NONE,
    CostExceeded,
    EvaluationError,
    Message,
    Optional,
    found,
    no_overload,
)


def compile_checked(checked: Checked) -> Evaluator:
    """The function that evaluates the whole expression."""
    return _Compiler(checked).compiled(checked.tree)


class _Compiler:
    """One compilation."""

    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    def compiled(self, node: Node) -> Evaluator:
        if node in self._checked.constants:
            return _constant(self._checked.constants[node])
        if node in self._checked.names:
            return _variable(self._checked.names[node])
        made: Evaluator = _COMPILERS[type(node)](self, node)
        return made

    def literal(self, node: Literal) -> Evaluator:
        return _constant(node.value)

    def identifier(self, node: Identifier) -> Evaluator:
        return _variable(node.name)

    def select(self, node: Select) -> Evaluator:
        operand = self.compiled(node.operand)
        held = self._checked.types.get(node.operand)
        if held is not None and held.kind == "opaque" and held.parameters:
            held = held.parameters[0]
        is_object = isinstance(held, ObjectType)
        name = held.names.get(node.field, node.field) if isinstance(held, ObjectType) else node.field
        if node.is_test:
            return _tested(operand, name, is_object)
        if node.is_optional:
            return _selected_if_present(operand, name)
        return _selected(operand, name, is_object)

    def call(self, node: Call) -> Evaluator:
        special = _SPECIAL.get(node.function)
        if special is not None:
            return special(*(self.compiled(argument) for argument in node.arguments))
        if node.function == "_+_" and (appended := self._appended(node)) is not None:
            return appended
        parts = node.arguments if node.target is None else [node.target, *node.arguments]
        evaluators = [self.compiled(part) for part in parts]
        overloads = self._checked.overloads[node]
        certain = all(is_certain(self._checked.types[part]) for part in parts)
        if len(overloads) == 1 and certain:
            return _direct(overloads[0], evaluators)
        return _dispatched(overloads, evaluators)

    def _appended(self, node: Call) -> Evaluator | None:
        """Adding one value to what a loop has gathered: nobody else sees that list, so it may grow in place."""
        target, added = node.arguments
        is_gathered = isinstance(target, Identifier) and target.name == ACCUMULATOR
        if not is_gathered or not isinstance(added, ListLiteral) or len(added.elements) != 1:
            return None
        value = self.compiled(added.elements[0])

        def append(frame: Frame) -> Any:
            gathered = frame.values[ACCUMULATOR]
            if isinstance(gathered, EvaluationError):
                raise gathered
            held = value(frame)
            frame.spend(2 + costs.LIST_COST)
            gathered.append(held)
            return gathered

        return append

    def list_literal(self, node: ListLiteral) -> Evaluator:
        elements = [self.compiled(element) for element in node.elements]
        optional = node.optional

        def make(frame: Frame) -> list[Any]:
            made = []
            for index, element in enumerate(elements):
                value = element(frame)
                if index not in optional:
                    made.append(value)
                elif _optional(value).is_present:
                    made.append(value.value)
            frame.spend(costs.LIST_COST)
            return made

        return make

    def map_literal(self, node: MapLiteral) -> Evaluator:
        entries = []
        for entry in node.entries:
            assert isinstance(entry.key, Node)
            entries.append((self.compiled(entry.key), self.compiled(entry.value), entry.is_optional))

        def make(frame: Frame) -> dict[Any, Any]:
            made: dict[Any, Any] = {}
            for key, value, is_optional in entries:
                name = _key(key(frame))
                held = value(frame)
                if is_optional:
                    if not _optional(held).is_present:
                        continue
                    held = held.value
                if name in made:
                    raise EvaluationError(f"Failed with repeated key: {shown_key(name)}")
                made[name] = held
            frame.spend(costs.MAP_COST)
            return made

        return make

    def message(self, node: MessageLiteral) -> Evaluator:
        fields = [(str(entry.key), self.compiled(entry.value), entry.is_optional) for entry in node.entries]

        def make(frame: Frame) -> Message:
            made = []
            for name, value, is_optional in fields:
                held = value(frame)
                if not is_optional:
                    made.append((name, held))
                elif _optional(held).is_present:
                    made.append((name, held.value))
            frame.spend(costs.MESSAGE_COST)
            return Message(node.name, made)

        return make

    def comprehension(self, node: Comprehension) -> Evaluator:
        return loop(node, self.compiled)


_COMPILERS: Mapping[type[Node], Callable[[_Compiler, Any], Evaluator]] = {
    Literal: _Compiler.literal,
    Identifier: _Compiler.identifier,
    Select: _Compiler.select,
    Call: _Compiler.call,
    ListLiteral: _Compiler.list_literal,
    MapLiteral: _Compiler.map_literal,
    MessageLiteral: _Compiler.message,
    Comprehension: _Compiler.comprehension,
}


def _constant(value: Any) -> Evaluator:
    return lambda _frame: value


def _variable(name: str) -> Evaluator:
    def read(frame: Frame) -> Any:
        frame.spend(1)
        try:
            value = frame.values[name]
        except KeyError:
            raise EvaluationError(f"no such attribute(s): {name}") from None
        if isinstance(value, EvaluationError):
            raise value
        return value() if isinstance(value, Lazy) else value

    return read


class Lazy:
    """A variable whose value is found when an expression first asks for it."""

    __slots__ = ("_find", "_is_known", "_value")

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find, self._is_known = find, False
        self._value: Any = None

    def __call__(self) -> Any:
        if not self._is_known:
            try:
                self._value = self._find()
            except EvaluationError as error:
                self._value = error
            self._is_known = True
        if isinstance(self._value, EvaluationError):
            raise self._value
        return self._value


def _tested(operand: Evaluator, name: str, is_object: bool) -> Evaluator:
    def test(frame: Frame) -> bool:
        value = operand(frame)
        if isinstance(value, Optional):
            if not value.is_present:
                return False
            value = value.value
        if not isinstance(value, dict):
            raise no_overload()
        # A field that is null is absent; a key of a map is not.
        return value.get(name) is not None if is_object else name in value

    return test


def _selected(operand: Evaluator, name: str, is_object: bool) -> Evaluator:
    def select(frame: Frame) -> Any:
        value = operand(frame)
        frame.spend(1)
        if isinstance(value, Optional):
            return found(value.value, name) if value.is_present else NONE
        try:
            held = value[name]
        except (KeyError, TypeError, IndexError):
            raise _missing(value, name) from None
        if held is None and is_object:
            raise EvaluationError(f"no such key: {name}")
        return held

    return select


def _missing(value: Any, name: str) -> EvaluationError:
    return EvaluationError(f"no such key: {name}") if isinstance(value, dict) else no_overload()


def _selected_if_present(operand: Evaluator, name: str) -> Evaluator:
    def select(frame: Frame) -> Any:
        value = operand(frame)
        frame.spend(1)
        if isinstance(value, Optional):
            if not value.is_present:
                return NONE
            value = value.value
        return found(value, name)

    return select


def _indexed_if_present(operand: Evaluator, index: Evaluator) -> Evaluator:
    def select(frame: Frame) -> Any:
        value, place = operand(frame), index(frame)
        frame.spend(1)
        if isinstance(value, Optional):
            if not value.is_present:
                return NONE
            value = value.value
        return found(value, place)

    return select


def _optional(value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise EvaluationError(f"cannot initialize optional entry from non-optional value {value}")
    return value


def _key(value: Any) -> Any:
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


_SPECIAL: Mapping[str, Callable[..., Evaluator]] = {
    "_&&_": _and,
    "_||_": _or,
    "_?_:_": _conditional,
    "@not_strictly_false": _not_strictly_false,
    "_[?_]": _indexed_if_present,
}


def _direct(overload: Overload, evaluators: Sequence[Evaluator]) -> Evaluator:
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


def _dispatched(overloads: Sequence[Overload], evaluators: Sequence[Evaluator]) -> Evaluator:
    """A call whose overload depends on the values."""
    choices = [
        ([matcher(parameter) for parameter in overload.parameters], overload.implementation, costs.cost_of(overload))
        for overload in overloads
    ]

    def call(frame: Frame) -> Any:
        given = [evaluator(frame) for evaluator in evaluators]
        for matchers, function, cost in choices:
            if all(match(value) for match, value in zip(matchers, given, strict=True)):
                result = function(*given)
                frame.spend(1 if cost is None else cost(given, result))
                return result
        raise no_overload()

    return call
