"""Makes Python closures of a checked expression, so that evaluating it walks no tree. Pure.

A `Checked` goes in; a function of a `Frame` comes out, which returns the value or raises EvaluationError, and charges
the frame as it goes. Called by `program`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pybernetes.cel import costs
from pybernetes.cel.checker import Checked
from pybernetes.cel.closures import (
    SPECIAL,
    constant,
    direct,
    dispatched,
    map_key,
    required_optional,
    selected,
    selected_if_present,
    shown_key,
    tested,
    variable,
)
from pybernetes.cel.folding import folded
from pybernetes.cel.frame import Evaluator, Frame
from pybernetes.cel.loops import loop
from pybernetes.cel.matching import is_certain
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
    EvaluationError,
    Message,
    contains,
)


def compile_checked(checked: Checked) -> Evaluator:
    """The function that evaluates the whole expression."""
    return _Compiler(checked).compiled(checked.tree)


class _Compiler:
    """One compilation."""

    def __init__(self, checked: Checked) -> None:
        self._checked = checked
        self._constants = folded(checked)
        # Names that are not charged for: upstream's count passes over those that begin a branch or an index.
        self._free: set[Node] = set()

    def compiled(self, node: Node) -> Evaluator:
        if node in self._constants:
            return constant(self._constants[node])
        if node in self._checked.names:
            return variable(self._checked.names[node], 0 if node in self._free else 1)
        made: Evaluator = _COMPILERS[type(node)](self, node)
        return made

    def literal(self, node: Literal) -> Evaluator:
        return constant(node.value)

    def identifier(self, node: Identifier) -> Evaluator:
        return variable(node.name, 0 if node in self._free else 1)

    def select(self, node: Select) -> Evaluator:
        operand = self.compiled(node.operand)
        held = self._checked.types.get(node.operand)
        if held is not None and held.kind == "opaque" and held.parameters:
            held = held.parameters[0]
        is_object = isinstance(held, ObjectType)
        name = held.names.get(node.field, node.field) if isinstance(held, ObjectType) else node.field
        if node.is_test:
            return tested(operand, name, is_object)
        if node.is_optional:
            return selected_if_present(operand, name, is_object)
        return selected(operand, name, is_object)

    def call(self, node: Call) -> Evaluator:
        special = SPECIAL.get(node.function)
        if node.function in _PASSING:
            self._free.update(map(_beginning, node.arguments[1:]))
        if special is not None:
            return special(*(self.compiled(argument) for argument in node.arguments))
        if node.function == "@in" and (found := self._found_among(node)) is not None:
            return found
        if node.function == "_+_" and (appended := self._appended(node)) is not None:
            return appended
        parts = node.arguments if node.target is None else [node.target, *node.arguments]
        evaluators = [self.compiled(part) for part in parts]
        overloads = self._checked.overloads[node]
        certain = all(is_certain(self._checked.types[part]) for part in parts)
        if len(overloads) == 1 and certain:
            return direct(overloads[0], evaluators)
        return dispatched(overloads, evaluators)

    def _found_among(self, node: Call) -> Evaluator | None:
        """Looking for a value among ones that stand in the expression, which costs nothing."""
        wanted, items = node.arguments[0], self._constants.get(node.arguments[1])
        if not isinstance(items, list) or not all(isinstance(item, str | int | float) for item in items):
            return None
        if not items:
            return constant(False)
        value = self.compiled(wanted)
        if not all(isinstance(item, str) for item in items):
            return lambda frame: contains(items, value(frame))
        texts = frozenset(items)

        def find(frame: Frame) -> bool:
            held = value(frame)
            return isinstance(held, str) and held in texts

        return find

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
                elif required_optional(value).is_present:
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
                name = map_key(key(frame))
                held = value(frame)
                if is_optional:
                    if not required_optional(held).is_present:
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
                elif required_optional(held).is_present:
                    made.append((name, held.value))
            frame.spend(costs.MESSAGE_COST)
            return Message(node.name, made)

        return make

    def comprehension(self, node: Comprehension) -> Evaluator:
        initial = node.initial
        if isinstance(initial, ListLiteral | MapLiteral) and initial in self._constants:
            # Made anew each time, since the loop changes it; for nothing, as what is constant is.
            kind: type = list if isinstance(initial, ListLiteral) else dict
            return loop(node, lambda part: (lambda _frame: kind()) if part is initial else self.compiled(part))
        return loop(node, self.compiled)


# Calls that pass over what names cost with which their later arguments begin.
_PASSING = ("_?_:_", "_[_]", "_[?_]")


def _beginning(node: Node) -> Node:
    """The name that a chain of selections and indices begins with; the node itself where it is no chain."""
    while True:
        if isinstance(node, Select) and not node.is_test:
            node = node.operand
        elif isinstance(node, Call) and node.function in ("_[_]", "_[?_]"):
            node = node.arguments[0]
        else:
            return node


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
