"""The tree of an expression. Pure values: the parser makes nodes, macros replace some, checker and compiler read them.

`position` is the offset in the source that errors about the node point at. Nodes are told apart by identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# What comprehensions gather their result in; no expression can spell it.
ACCUMULATOR = "@result"
# Words that cannot be names.
RESERVED = frozenset(
    ("as", "break", "const", "continue", "else", "false", "function", "for", "if", "import", "in", "let", "loop")
) | frozenset(("package", "namespace", "null", "return", "true", "var", "void", "while"))


@dataclass(eq=False, slots=True)
class Node:
    """Any expression."""

    position: int

    def parts(self) -> Iterator[Node]:
        """The expressions that this one is made of."""
        return iter(())


@dataclass(eq=False, slots=True)
class Literal(Node):
    """null, bool, int, Uint, float, str or bytes."""

    value: Any


@dataclass(eq=False, slots=True)
class Identifier(Node):
    name: str


@dataclass(eq=False, slots=True)
class Select(Node):
    """`operand.field`, `operand.?field`, or `has(operand.field)`."""

    operand: Node
    field: str
    is_test: bool = False
    is_optional: bool = False

    def parts(self) -> Iterator[Node]:
        yield self.operand


@dataclass(eq=False, slots=True)
class Call(Node):
    """`function(arguments)` or `target.function(arguments)`; operators are functions such as `_+_`."""

    function: str
    arguments: list[Node]
    target: Node | None = None

    def parts(self) -> Iterator[Node]:
        if self.target is not None:
            yield self.target
        yield from self.arguments


@dataclass(eq=False, slots=True)
class ListLiteral(Node):
    """`[a, ?b]`; `optional` holds the indices of the elements with a question mark."""

    elements: list[Node]
    optional: frozenset[int] = frozenset()

    def parts(self) -> Iterator[Node]:
        yield from self.elements


@dataclass(eq=False, slots=True)
class Entry:
    """One `key: value` of a map, or `field: value` of a message."""

    position: int
    key: Node | str
    value: Node
    is_optional: bool = False


@dataclass(eq=False, slots=True)
class MapLiteral(Node):
    entries: list[Entry]

    def parts(self) -> Iterator[Node]:
        for entry in self.entries:
            if isinstance(entry.key, Node):
                yield entry.key
            yield entry.value


@dataclass(eq=False, slots=True)
class MessageLiteral(Node):
    """`Name{field: value}`."""

    name: str
    entries: list[Entry]

    def parts(self) -> Iterator[Node]:
        for entry in self.entries:
            yield entry.value


@dataclass(eq=False, slots=True)
class Comprehension(Node):
    """The one loop that CEL has; macros become it. `variable2` is empty for loops with one variable."""

    variable: str
    variable2: str
    range: Node
    accumulator: str
    initial: Node
    condition: Node
    step: Node
    result: Node
    is_bind: bool = field(default=False)

    def parts(self) -> Iterator[Node]:
        yield from (self.range, self.initial, self.condition, self.step, self.result)


def walk(node: Node) -> Iterator[Node]:
    """A node and all that it is made of."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(found.parts())


def dotted(node: Node) -> str:
    """`a.b.c` for a chain of plain selections from a name; empty for anything else."""
    names: list[str] = []
    while isinstance(node, Select) and not node.is_test and not node.is_optional:
        names.append(node.field)
        node = node.operand
    if not isinstance(node, Identifier):
        return ""
    return ".".join([node.name, *reversed(names)])
