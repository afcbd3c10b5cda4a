"""Reads an expression: the grammar of CEL by recursive descent, in the words of Go's CEL when it does not fit. Pure.

Text goes in; a tree comes out, macros expanded, or CompileError. Called by `environment.Environment.compile`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pybernetes.api.turn import spend
from pybernetes.cel import literals
from pybernetes.cel.lexer import END, Token, tokens
from pybernetes.cel.macros import MACROS, MacroError, Macros
from pybernetes.cel.source import Problems, Source
from pybernetes.cel.syntax import (
    RESERVED,
    Call,
    Entry,
    Identifier,
    ListLiteral,
    Literal,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
    dotted,
)

_MOST_NESTED = 250
_TOO_NESTED = f"expression recursion limit exceeded: {_MOST_NESTED}"
# Longer than any that upstream takes: its limit counts code points.
_LONGEST = 100_000
_MOST_PARTS = 100_000
# What the compilation of one takes, as turns reckon.
_PART = 50
_SIGNS = ("[", "{", "(", ".", "-", "!", "true", "false", "null")
_KINDS = ("NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES", "IDENTIFIER")
_STARTS = frozenset((*_SIGNS, *_KINDS))
_ELEMENTS = _STARTS | {"?"}
_FIELDS = ("IDENTIFIER", "ESC_IDENTIFIER")
# All that can stand at the place of an operand, in the grammar's order.
_ORDER = ("[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", "true", "false", "null", *_KINDS)
_LEVELS = (("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
# What an operand may be followed by, whatever it stands in.
_OPERATORS = frozenset((*(kind for level in _LEVELS for kind in level), "||", "&&", "?", ".", "["))
_VALUES: Mapping[str, Callable[[str], Any]] = {
    "NUM_INT": literals.integer,
    "NUM_UINT": literals.unsigned,
    "NUM_FLOAT": literals.double,
    "STRING": literals.string,
    "BYTES": literals.byte_string,
    "true": lambda _text: True,
    "false": lambda _text: False,
    "null": lambda _text: None,
}


class _Stop(Exception):
    """The rest cannot be read; what is wrong has been reported."""


def parse(source: Source, macros: Macros = MACROS) -> Node:
    """The tree; CompileError with all that is wrong."""
    problems = Problems(source)
    if len(source.text) > _LONGEST:
        problems.add(0, f"expression code point size exceeds limit: size: {len(source.text)}, limit {_LONGEST}")
        problems.check()
    parser = _Parser(tokens(problems), problems, macros)
    node: Node | None = None
    try:
        node = parser.whole()
    except RecursionError:
        problems.add(0, _TOO_NESTED)
    except _Stop:
        pass
    if node is not None:
        _check_size(node, problems)
    problems.check()
    assert node is not None
    return node


def _check_size(node: Node, problems: Problems) -> None:
    """Reports trees that are too much for whoever walks them later: some macros put their target in two places."""
    levels, deepest, count = [(node, 1)], 0, 0
    while levels and count <= _MOST_PARTS:
        found, depth = levels.pop()
        deepest, count = max(deepest, depth), count + 1
        levels.extend((part, depth + 1) for part in found.parts())
    spend(_PART * count)
    if deepest > _MOST_NESTED:
        problems.add(0, _TOO_NESTED)
    if count > _MOST_PARTS:
        problems.add(0, f"expression is too large: it has more than {_MOST_PARTS} parts")


class _Parser:
    """One reading of one expression."""

    def __init__(self, found: list[Token], problems: Problems, macros: Macros) -> None:
        self._tokens, self._problems, self._macros = found, problems, macros
        self._place = self._depth = 0
        self._instead: tuple[str, ...] = ()
        # What may follow the expressions under way, the innermost last.
        self._ends: list[tuple[str, ...]] = [(END,)]

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self, *kinds: str) -> Token | None:
        token = self._next
        if token.kind in kinds:
            self._place += 1
            return token
        return None

    def _expect(self, kind: str, *instead: str) -> Token:
        """The token that has to come. It, or else one of the others, is told to be expected."""
        token = self._take(kind)
        if token is None:
            follows = _STARTS if kind == ":" else _OPERATORS.union(self._ends[-1])
            wanted = [f"'{each}'" for each in (kind, *instead)]
            extra = self._next.kind != END and self._tokens[self._place + 1].kind in (kind, *instead)
            if self._next.kind in follows and not extra and not instead:
                self._report(f"missing '{kind}' at '{self._next.text}'")
            self._fail(f"{{{', '.join(wanted)}}}" if instead else wanted[0], extra)
        assert token is not None
        return token

    def _report(self, problem: str) -> None:
        self._problems.add(self._next.position, f"Syntax error: {problem}")
        raise _Stop

    def _fail(self, expected: str, extra: bool = False) -> None:
        word = "extraneous" if extra else "mismatched"
        self._report(f"{word} input '{self._next.text}' expecting {expected}")

    def _no_alternative(self, first: Token) -> None:
        """Nothing in the grammar begins with `first` and goes on with what follows."""
        token = self._next
        text = "".join(found.text for found in self._tokens if first.position <= found.position <= token.position)
        shown = text.removesuffix(END) or END
        self._problems.add(token.position, f"Syntax error: no viable alternative at input '{shown}'")
        raise _Stop

    def whole(self) -> Node:
        node = self._expression()
        if self._next.kind != END:
            self._fail(END, extra=self._tokens[self._place + 1].kind == END)
        return node

    def _inner(self, ends: tuple[str, ...], *instead: str) -> Node:
        """An expression within something, where these tokens may follow it."""
        self._ends.append(ends)
        node = self._expression(*instead)
        self._ends.pop()
        return node

    def _expression(self, *instead: str) -> Node:
        """An expression. `instead` are the tokens that could be in its place, for what errors say is expected."""
        self._depth += 1
        self._instead = instead
        if self._depth > _MOST_NESTED:
            self._problems.add(0, _TOO_NESTED)
            raise _Stop
        node = self._chain("||", "_||_", self._conjunction)
        question = self._take("?")
        if question is not None:
            self._ends.append((":",))
            yes = self._chain("||", "_||_", self._conjunction)
            self._ends.pop()
            self._expect(":")
            no = self._expression()
            node = Call(question.position, "_?_:_", [node, yes, no])
        self._depth -= 1
        return node

    def _conjunction(self) -> Node:
        return self._chain("&&", "_&&_", lambda: self._binary(0))

    def _chain(self, operator: str, function: str, part: Callable[[], Node]) -> Node:
        """A chain of one logical operator, as a balanced tree so that long chains stay shallow."""
        terms, places = [part()], []
        while (token := self._take(operator)) is not None:
            places.append(token.position)
            terms.append(part())
        return _balanced(function, terms, places)

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while (token := self._take(*_LEVELS[level])) is not None:
            function = "@in" if token.kind == "in" else f"_{token.kind}_"
            node = Call(token.position, function, [node, self._binary(level + 1)])
        return node

    def _unary(self) -> Node:
        for kind, function in (("!", "!_"), ("-", "-_")):
            first = self._next
            count = 0
            if kind == "-" and first.kind == "-" and self._tokens[self._place + 1].kind in ("NUM_INT", "NUM_FLOAT"):
                break
            while self._take(kind) is not None:
                count += 1
            if count:
                operand = self._member()
                return operand if count % 2 == 0 else Call(first.position, function, [operand])
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        nested = 0
        while (token := self._take(".", "[", "{")) is not None:
            nested += 1
            if nested > _MOST_NESTED:
                self._problems.add(0, _TOO_NESTED)
                raise _Stop
            if token.kind == "{":
                self._place -= 1
                name = dotted(node)
                if not name:
                    return node
                self._place += 1
                node = MessageLiteral(token.position, name, self._entries(fields=True))
            elif token.kind == "[":
                function = "_[?_]" if self._take("?") is not None else "_[_]"
                index = self._inner(("]",))
                self._expect("]")
                node = Call(token.position, function, [node, index])
            else:
                node = self._selected(node, token)
        return node

    def _selected(self, node: Node, dot: Token) -> Node:
        is_optional = self._take("?") is not None
        name = self._take("IDENTIFIER", "ESC_IDENTIFIER", "in") if not is_optional else self._take("IDENTIFIER")
        if name is None or name.kind == "in":
            self._place -= name is not None
            self._no_alternative(dot)
        assert name is not None
        opened = self._take("(") if name.kind == "IDENTIFIER" and not is_optional else None
        if opened is None:
            text = name.text.strip("`")
            return Select(dot.position, node, text, is_optional=is_optional)
        return self._called(opened, name.text, self._arguments(), node)

    def _primary(self) -> Node:
        token = self._next
        if token.kind == "-":
            self._place += 1
            number = self._take("NUM_INT", "NUM_FLOAT")
            if number is None:
                self._fail("{NUM_FLOAT, NUM_INT}")
            assert number is not None
            return self._literal(Token(number.kind, "-" + number.text, token.position))
        if token.kind in _VALUES:
            self._place += 1
            return self._literal(token)
        if token.kind == "(":
            self._place += 1
            node = self._inner((")",))
            self._expect(")")
            return node
        if token.kind == "[":
            self._place += 1
            return self._list(token)
        if token.kind == "{":
            self._place += 1
            return MapLiteral(token.position, self._entries(fields=False))
        return self._named(token)

    def _named(self, token: Token) -> Node:
        dot = self._take(".")
        name = self._take("IDENTIFIER")
        if name is None:
            follows = self._tokens[min(self._place + 1, len(self._tokens) - 1)].kind
            expected = "IDENTIFIER" if dot else self._operands()
            self._fail(expected, extra=follows in _STARTS and token.kind != END)
        assert name is not None
        text = f".{name.text}" if dot else name.text
        opened = self._take("(")
        if opened is not None:
            return self._called(opened, text, self._arguments(), None)
        if name.text in RESERVED:
            self._problems.add(name.position, f"reserved identifier: {name.text}")
        return Identifier(name.position, text)

    def _operands(self) -> str:
        """What an operand can begin with, and what else could stand in its place."""
        before = self._tokens[self._place - 1].kind if self._place else ""
        known = _STARTS | set(self._instead if before in ("(", "[", "{") else ())
        return f"{{{', '.join(kind if kind in _KINDS else repr(kind) for kind in _ORDER if kind in known)}}}"

    def _literal(self, token: Token) -> Node:
        try:
            return Literal(token.position, _VALUES[token.kind](token.text))
        except ValueError as error:
            self._problems.add(token.position, str(error))
            return Literal(token.position, None)

    def _arguments(self) -> list[Node]:
        if self._take(")") is not None:
            return []
        found = [self._inner((",", ")"), ")")]
        while self._take(",") is not None:
            found.append(self._inner((",", ")")))
        self._expect(")")
        return found

    def _is_empty(self, kind: str) -> bool:
        """Whether there is nothing between brackets but, at most, a comma."""
        if self._take(",") is not None:
            self._expect(kind)
            return True
        return self._take(kind) is not None

    def _ended(self, kind: str, begins: frozenset[str]) -> bool:
        """Whether what is between brackets ends here, after an element; a comma may stand before its end."""
        if self._take(",") is None:
            self._expect(kind, ",")
            return True
        if self._next.kind in begins:
            return False
        self._expect(kind)
        return True

    def _list(self, opened: Token) -> Node:
        elements: list[Node] = []
        optional: set[int] = set()
        is_ended = self._is_empty("]")
        while not is_ended:
            if self._take("?") is not None:
                optional.add(len(elements))
            elements.append(self._inner(("]", ","), "]", ",", "?"))
            is_ended = self._ended("]", _ELEMENTS)
        return ListLiteral(opened.position, elements, frozenset(optional))

    def _entries(self, fields: bool) -> list[Entry]:
        found: list[Entry] = []
        is_ended = self._is_empty("}")
        while not is_ended:
            is_optional = self._take("?") is not None
            key: Node | str
            if fields:
                name = self._take(*_FIELDS)
                if name is None:
                    self._fail("IDENTIFIER")
                assert name is not None
                key = name.text.strip("`")
            else:
                key = self._inner((":",), "}", ",", "?")
            colon = self._expect(":")
            found.append(Entry(colon.position, key, self._inner(("}", ",")), is_optional))
            is_ended = self._ended("}", frozenset((*_FIELDS, "?")) if fields else _ELEMENTS)
        return found

    def _called(self, opened: Token, function: str, arguments: list[Node], target: Node | None) -> Node:
        """The call, or what its macro makes of it."""
        macro = self._macros.get((function, len(arguments), target is not None))
        if macro is not None:
            try:
                made = macro(opened.position, target, arguments)
            except MacroError as error:
                self._problems.add(error.position, error.text)
                made = None
            if made is not None:
                return made
        return Call(opened.position, function, arguments, target)


def _balanced(function: str, terms: list[Node], places: list[int]) -> Node:
    if len(terms) == 1:
        return terms[0]
    middle = (len(terms) - 1) // 2 + 1 if len(terms) > 2 else 1
    left = _balanced(function, terms[:middle], places[: middle - 1])
    right = _balanced(function, terms[middle:], places[middle:])
    return Call(places[middle - 1], function, [left, right])
