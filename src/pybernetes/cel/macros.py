"""The macros of CEL and of its extensions: calls that become loops, tests and bindings before the check. Pure.

The position, the target and the arguments of a call go in; the node that stands for it comes out, None when the call is
no macro after all, MacroError when it is a wrong one. Called by the parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pybernetes.cel.syntax import (
    ACCUMULATOR,
    Call,
    Comprehension,
    Identifier,
    ListLiteral,
    Literal,
    MapLiteral,
    Node,
    Select,
)

Macro = Callable[[int, Node | None, list[Node]], Node | None]


class MacroError(Exception):
    """A macro that cannot be expanded, with the place of what is wrong."""

    def __init__(self, position: int, text: str) -> None:
        super().__init__(text)
        self.position, self.text = position, text


def _has(position: int, _target: Node | None, arguments: list[Node]) -> Node:
    argument = arguments[0]
    if isinstance(argument, Select) and not argument.is_test and not argument.is_optional:
        return Select(position, argument.operand, argument.field, is_test=True)
    raise MacroError(argument.position, "invalid argument to has() macro")


def _name(node: Node, text: str = "argument must be a simple name") -> str:
    if not isinstance(node, Identifier) or node.name.startswith("."):
        raise MacroError(node.position, text)
    return node.name


class _Loop:
    """What the loops of one macro have in common: their range, variables and place."""

    def __init__(self, position: int, target: Node | None, names: tuple[str, ...]) -> None:
        assert target is not None
        self.position, self.range = position, target
        self.names = (names[0], names[1] if len(names) > 1 else "")

    def gathered(self) -> Identifier:
        return Identifier(self.position, ACCUMULATOR)

    def call(self, function: str, *arguments: Node) -> Call:
        return Call(self.position, function, list(arguments))

    def made(self, initial: Node, condition: Node, step: Node, result: Node | None = None) -> Node:
        held = result if result is not None else self.gathered()
        return Comprehension(self.position, *self.names, self.range, ACCUMULATOR, initial, condition, step, held)

    def literal(self, value: object) -> Literal:
        return Literal(self.position, value)

    def kept(self, condition: Node | None, step: Node) -> Node:
        """`condition ? step : what has been gathered`."""
        return step if condition is None else self.call("_?_:_", condition, step, self.gathered())


def _all(loop: _Loop, test: Node) -> Node:
    condition = loop.call("@not_strictly_false", loop.gathered())
    return loop.made(loop.literal(True), condition, loop.call("_&&_", loop.gathered(), test))


def _exists(loop: _Loop, test: Node) -> Node:
    condition = loop.call("@not_strictly_false", loop.call("!_", loop.gathered()))
    return loop.made(loop.literal(False), condition, loop.call("_||_", loop.gathered(), test))


def _exists_one(loop: _Loop, test: Node) -> Node:
    step = loop.kept(test, loop.call("_+_", loop.gathered(), loop.literal(1)))
    return loop.made(loop.literal(0), loop.literal(True), step, loop.call("_==_", loop.gathered(), loop.literal(1)))


def _listed(loop: _Loop, condition: Node | None, value: Node) -> Node:
    step = loop.call("_+_", loop.gathered(), ListLiteral(loop.position, [value]))
    return loop.made(ListLiteral(loop.position, []), loop.literal(True), loop.kept(condition, step))


def _mapped(loop: _Loop, condition: Node | None, value: Node) -> Node:
    key = Identifier(loop.position, loop.names[0])
    step = loop.call("cel.@mapInsert", loop.gathered(), key, value)
    return loop.made(MapLiteral(loop.position, []), loop.literal(True), loop.kept(condition, step))


def _merged(loop: _Loop, condition: Node | None, value: Node) -> Node:
    step = loop.call("cel.@mapInsert", loop.gathered(), value)
    return loop.made(MapLiteral(loop.position, []), loop.literal(True), loop.kept(condition, step))


def _one_variable(build: Callable[[_Loop, Node], Node]) -> Macro:
    def macro(position: int, target: Node | None, arguments: list[Node]) -> Node:
        return build(_Loop(position, target, (_name(arguments[0]),)), arguments[1])

    return macro


def _two_variables(build: Callable[[_Loop, Node], Node]) -> Macro:
    def macro(position: int, target: Node | None, arguments: list[Node]) -> Node:
        return build(_Loop(position, target, _names(arguments)), arguments[2])

    return macro


def _names(arguments: list[Node]) -> tuple[str, str]:
    names = _name(arguments[0]), _name(arguments[1])
    if names[0] == names[1]:
        raise MacroError(arguments[1].position, f"duplicate variable name: {names[0]}")
    return names


def _transform(build: Callable[[_Loop, Node | None, Node], Node]) -> Macro:
    def macro(position: int, target: Node | None, arguments: list[Node]) -> Node:
        condition = arguments[2] if len(arguments) == 4 else None
        return build(_Loop(position, target, _names(arguments)), condition, arguments[-1])

    return macro


def _map(position: int, target: Node | None, arguments: list[Node]) -> Node:
    loop = _Loop(position, target, (_name(arguments[0], "argument is not an identifier"),))
    return _listed(loop, arguments[1] if len(arguments) == 3 else None, arguments[-1])


def _filter(position: int, target: Node | None, arguments: list[Node]) -> Node:
    name = _name(arguments[0], "argument is not an identifier")
    loop = _Loop(position, target, (name,))
    return _listed(loop, arguments[1], Identifier(arguments[0].position, name))


def _named(position: int, name: str, value: Node, result: Node) -> Comprehension:
    """The result, in which the name stands for the value: a loop over nothing that has gathered it beforehand."""
    nothing, never = ListLiteral(position, []), Literal(position, False)
    return Comprehension(position, "#unused", "", nothing, name, value, never, Identifier(position, name), result, True)


def _bind(position: int, target: Node | None, arguments: list[Node]) -> Node | None:
    """`cel.bind(x, value, result)`."""
    if not isinstance(target, Identifier) or target.name != "cel":
        return None
    name = _name(arguments[0], "cel.bind() variable names must be simple identifiers")
    return _named(position, name, arguments[1], arguments[2])


def _optional(function: str) -> Macro:
    def macro(position: int, target: Node | None, arguments: list[Node]) -> Node:
        """`o.optMap(x, f)`: `f` of the value, if there is one."""
        assert target is not None
        name = _name(arguments[0], f"{function}() variable name must be a simple identifier")
        held = _named(position, name, Call(position, "value", [], target), arguments[1])
        made: Node = Call(position, "optional.of", [held]) if function == "optMap" else held
        none = Call(position, "optional.none", [])
        return Call(position, "_?_:_", [Call(position, "hasValue", [], target), made, none])

    return macro


# By name, number of arguments, and whether they have a target.
Macros = Mapping[tuple[str, int, bool], Macro]
# Not part of what every expression can use.
BINDINGS: Macros = {("bind", 3, True): _bind}
MACROS: Macros = {
    ("has", 1, False): _has,
    ("all", 2, True): _one_variable(_all),
    ("exists", 2, True): _one_variable(_exists),
    ("exists_one", 2, True): _one_variable(_exists_one),
    ("existsOne", 2, True): _one_variable(_exists_one),
    ("map", 2, True): _map,
    ("map", 3, True): _map,
    ("filter", 2, True): _filter,
    ("all", 3, True): _two_variables(_all),
    ("exists", 3, True): _two_variables(_exists),
    ("exists_one", 3, True): _two_variables(_exists_one),
    ("existsOne", 3, True): _two_variables(_exists_one),
    ("transformList", 3, True): _transform(_listed),
    ("transformList", 4, True): _transform(_listed),
    ("transformMap", 3, True): _transform(_mapped),
    ("transformMap", 4, True): _transform(_mapped),
    ("transformMapEntry", 3, True): _transform(_merged),
    ("transformMapEntry", 4, True): _transform(_merged),
    ("optMap", 2, True): _optional("optMap"),
    ("optFlatMap", 2, True): _optional("optFlatMap"),
}
