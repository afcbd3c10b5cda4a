"""Finds the type of every part of an expression, and which overloads its calls mean, in the words of Go's CEL. Pure.

A tree and the names it may use go in; a `Checked` comes out, or CompileError. Called by `Environment.compile`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pybernetes.cel import types
from pybernetes.cel.declarations import Library, Overload
from pybernetes.cel.source import Problems
from pybernetes.cel.syntax import (
    Call,
    Comprehension,
    Identifier,
    ListLiteral,
    Literal,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
    dotted,
)
from pybernetes.cel.types import Bindings, ObjectType, TooComplex, Type
from pybernetes.cel.values import Uint

_LITERALS: Mapping[type, Type] = {
    type(None): types.NULL,
    bool: types.BOOL,
    int: types.INT,
    Uint: types.UINT,
    float: types.DOUBLE,
    str: types.STRING,
    bytes: types.BYTES,
}


@dataclass
class Checked:
    """A tree with what was found of its nodes: types, overloads, and names (dotted ones too) with their constants."""

    tree: Node
    types: dict[Node, Type] = field(default_factory=dict)
    overloads: dict[Node, list[Overload]] = field(default_factory=dict)
    names: dict[Node, str] = field(default_factory=dict)
    constants: dict[Node, Any] = field(default_factory=dict)

    @property
    def result(self) -> Type:
        return self.types[self.tree]


def check(tree: Node, variables: Mapping[str, Type], library: Library, problems: Problems) -> Checked:
    """The checked tree; CompileError with all that is wrong."""
    checker = _Checker(variables, library, problems)
    checker.result.tree = tree
    try:
        checker.type_of(tree)
        problems.check()
        found = checker.result.types
        for node, held in found.items():
            found[node] = checker.bindings.resolved(held, unknown_to_dyn=True)
    except TooComplex:
        problems.add(0, "types of the expression are too complex")
        problems.check()
    return checker.result


class _Checker:
    """One check of one expression."""

    def __init__(self, variables: Mapping[str, Type], library: Library, problems: Problems) -> None:
        self._scope: ChainMap[str, Type] = ChainMap({}, dict(variables))
        self._library, self._problems = library, problems
        self._fresh = 0
        self.bindings = Bindings()
        self.result = Checked(Node(0))

    def type_of(self, node: Node) -> Type:
        """Checks a node; its type is remembered."""
        found = self.bindings.resolved(_CHECKS[type(node)](self, node))
        self.result.types[node] = found
        return found

    def literal(self, node: Literal) -> Type:
        return _LITERALS[type(node.value)]

    def identifier(self, node: Identifier) -> Type:
        found = self._lookup(node, node.name)
        if found is None:
            self._undeclared(node, node.name)
            return types.ERROR
        return found

    def _lookup(self, node: Node, name: str) -> Type | None:
        name = name.removeprefix(".")
        found = self._scope.get(name)
        if found is not None:
            self.result.names[node] = name
            return found
        constant = self._library.constants.get(name)
        if constant is None:
            return None
        self.result.constants[node] = constant[1]
        return constant[0]

    def _undeclared(self, node: Node, name: str) -> None:
        self._problems.add(node.position, f"undeclared reference to '{name}' (in container '')")

    def select(self, node: Select) -> Type:
        name = dotted(node)
        if name and (found := self._lookup(node, name)) is not None:
            return found
        target = self.type_of(node.operand)
        if types.is_optional(target):
            held = self._field(node, target.parameters[0], node.field)
            return types.BOOL if node.is_test else types.optional_of(held)
        held = self._field(node, target, node.field)
        if node.is_test:
            return types.BOOL
        return types.optional_of(held) if node.is_optional else held

    def _field(self, node: Select, target: Type, name: str) -> Type:
        if isinstance(target, ObjectType):
            found = target.fields.get(name)
            if found is None:
                self._problems.add(node.position, f"undefined field '{name}'")
                return types.ERROR
            return found
        if target.kind == "map":
            return target.parameters[1]
        if target.kind == "parameter":
            self.bindings.accepts([target], [types.DYN])
            return types.DYN
        if types.is_dynamic(target):
            return types.DYN
        self._problems.add(node.position, f"type '{target}' does not support field selection")
        return types.ERROR

    def call(self, node: Call) -> Type:
        if node.function in ("_[?_]",):
            return self._optional_index(node)
        given = [self.type_of(argument) for argument in node.arguments]
        if node.target is not None:
            qualified = dotted(node.target)
            function = f"{qualified}.{node.function}"
            if qualified and function in self._library.functions:
                node.function, node.target = function, None
            else:
                given.insert(0, self.type_of(node.target))
        overloads = self._library.functions.get(node.function.removeprefix("."))
        if overloads is None:
            self._undeclared(node, node.function)
            return types.ERROR
        return self._resolved(node, overloads, given)

    def _optional_index(self, node: Call) -> Type:
        target, index = (self.type_of(argument) for argument in node.arguments)
        held = target.parameters[0] if types.is_optional(target) else target
        self.result.overloads[node] = []
        if held.kind in ("list", "map"):
            return types.optional_of(held.parameters[-1])
        if types.is_dynamic(held) or held.kind == "parameter":
            return types.optional_of(types.DYN)
        return self._no_match(node, [target, index])

    def _resolved(self, node: Call, overloads: Sequence[Overload], given: list[Type]) -> Type:
        if any(held.kind == "error" for held in given):
            # What is wrong with an argument has been said.
            return types.ERROR
        result: Type | None = None
        matching = []
        for overload in overloads:
            if overload.is_member != (node.target is not None) or len(overload.parameters) != len(given):
                continue
            parameters, own = self._instance(overload)
            if self.bindings.accepts(parameters, given):
                matching.append(overload)
                own = self.bindings.resolved(own)
                result = own if result is None or result == own else types.DYN
        if result is None:
            return self._no_match(node, given)
        self.result.overloads[node] = matching
        return result

    def _instance(self, overload: Overload) -> tuple[list[Type], Type]:
        """Parameters and result for one use of an overload, its type parameters told apart from those of other uses."""
        fresh: dict[str, Type] = {}

        def renewed(name: str) -> Type:
            if name not in fresh:
                fresh[name] = self._variable()
            return fresh[name]

        parameters = [types.freshened(part, renewed) for part in overload.parameters]
        return parameters, types.freshened(overload.result, renewed)

    def _variable(self) -> Type:
        self._fresh += 1
        return types.parameter(f"_var{self._fresh - 1}")

    def _no_match(self, node: Call, given: list[Type]) -> Type:
        shown = [str(self.bindings.resolved(held)) for held in given]
        arguments = ", ".join(shown if node.target is None else shown[1:])
        signature = f"({arguments})" if node.target is None else f"{shown[0]}.({arguments})"
        detail = f"found no matching overload for '{node.function}' applied to '{signature}'"
        self._problems.add(node.position, detail)
        return types.ERROR

    def list_literal(self, node: ListLiteral) -> Type:
        held: Type | None = None
        for index, element in enumerate(node.elements):
            found = self._unwrapped(element, index in node.optional)
            held = self._joined(held, found)
        return types.list_of(held if held is not None else self._variable())

    def map_literal(self, node: MapLiteral) -> Type:
        key: Type | None = None
        value: Type | None = None
        for entry in node.entries:
            assert isinstance(entry.key, Node)
            key = self._joined(key, self.type_of(entry.key))
            value = self._joined(value, self._unwrapped(entry.value, entry.is_optional))
        if key is None or value is None:
            return types.map_of(self._variable(), self._variable())
        return types.map_of(key, value)

    def _unwrapped(self, node: Node, is_optional: bool) -> Type:
        found = self.type_of(node)
        if not is_optional or types.is_dynamic(found):
            return found
        if types.is_optional(found):
            return found.parameters[0]
        expected = types.optional_of(found)
        self._problems.add(node.position, f"expected type '{expected}' but found '{found}'")
        return found

    def _joined(self, before: Type | None, found: Type) -> Type:
        """The type of members of both types; `literal_rules` says later what may not be mixed."""
        if before is None:
            return found
        if self.bindings.accepts([before], [found]):
            return types.most_general(before, found)
        return types.DYN

    def message(self, node: MessageLiteral) -> Type:
        constant = self._library.constants.get(node.name)
        if constant is None:
            self._undeclared(node, node.name)
            for entry in node.entries:
                self.type_of(entry.value)
            return types.ERROR
        held = constant[1]
        if not isinstance(held, ObjectType):
            self._problems.add(node.position, f"'{node.name}' is not a message type")
            return types.ERROR
        for entry in node.entries:
            given = self._unwrapped(entry.value, entry.is_optional)
            wanted = held.fields.get(str(entry.key))
            if wanted is None:
                self._problems.add(entry.position, f"undefined field '{entry.key}'")
            elif not self.bindings.accepts([wanted], [given]):
                detail = f"expected type of field '{entry.key}' is '{wanted}' but provided type is '{given}'"
                self._problems.add(entry.position, detail)
        return held

    def comprehension(self, node: Comprehension) -> Type:
        over = self.type_of(node.range)
        gathered = self.type_of(node.initial)
        own: dict[str, Type] = {}
        if node.variable2:
            own = dict(zip((node.variable, node.variable2), self._pair(node, over), strict=True))
        elif not node.is_bind:
            own = {node.variable: self._single(node, over)}
        self._scope = self._scope.new_child({node.accumulator: gathered})
        self._scope = self._scope.new_child(own)
        self._demand(node.condition, types.BOOL)
        self._demand(node.step, gathered)
        self._scope = self._scope.parents
        result = self.type_of(node.result)
        self._scope = self._scope.parents
        return result

    def _single(self, node: Comprehension, over: Type) -> Type:
        if over.kind in ("list", "map"):
            return over.parameters[0]
        return self._any_range(node, over)

    def _pair(self, node: Comprehension, over: Type) -> tuple[Type, Type]:
        if over.kind == "list":
            return types.INT, over.parameters[0]
        if over.kind == "map":
            return over.parameters[0], over.parameters[1]
        held = self._any_range(node, over)
        return held, held

    def _any_range(self, node: Comprehension, over: Type) -> Type:
        if over.kind == "parameter":
            self.bindings.accepts([over], [types.DYN])
        elif not types.is_dynamic(over):
            detail = f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)"
            self._problems.add(node.range.position, detail)
            return types.ERROR
        return types.DYN

    def _demand(self, node: Node, wanted: Type) -> None:
        found = self.type_of(node)
        if not self.bindings.accepts([wanted], [found]):
            wanted = self.bindings.resolved(wanted)
            self._problems.add(node.position, f"expected type '{wanted}' but found '{found}'")


_CHECKS: Mapping[type[Node], Any] = {
    Literal: _Checker.literal,
    Identifier: _Checker.identifier,
    Select: _Checker.select,
    Call: _Checker.call,
    ListLiteral: _Checker.list_literal,
    MapLiteral: _Checker.map_literal,
    MessageLiteral: _Checker.message,
    Comprehension: _Checker.comprehension,
}
