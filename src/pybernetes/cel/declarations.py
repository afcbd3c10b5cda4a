"""Functions that expressions can call: their overloads, declared in lines such as `string.charAt(int) -> string`. Pure.

Libraries declare functions with `Library.function`; the checker resolves calls to overloads, and the compiler calls
their implementations with plain values. An implementation raises EvaluationError when it has no result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pybernetes.cel import types
from pybernetes.cel.types import Type

Implementation = Callable[..., Any]
_Declared = TypeVar("_Declared", bound=Implementation)
_SIGNATURE = re.compile(r"(?:(?P<target>.+)\.)?(?P<name>[\w.@?:!&|<>=+*/%\[\]-]+)\((?P<given>.*)\) -> (?P<result>.+)")
_WORD = re.compile(r"\s*([\w.]+|[(),])")
_PARAMETERS = frozenset(("A", "B", "K", "T", "V"))
# What the names of opaque types begin with.
_OPAQUE = ("kubernetes.", "net.", "optional_type")


@dataclass(frozen=True)
class Overload:
    """One way to call a function; of a member function the first parameter is the target."""

    function: str
    parameters: tuple[Type, ...]
    result: Type
    is_member: bool
    implementation: Implementation

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(parameter.kind for parameter in self.parameters)


class Library:
    """A set of functions, and of names that stand for constants or types."""

    def __init__(self) -> None:
        self.functions: dict[str, list[Overload]] = {}
        self.constants: dict[str, tuple[Type, Any]] = {}

    def function(self, *signatures: str) -> Callable[[_Declared], _Declared]:
        """Declares what it decorates as the implementation of one or more overloads."""

        def declare(implementation: _Declared) -> _Declared:
            for signature in signatures:
                self._add(overload(signature, implementation))
            return implementation

        return declare

    def type_name(self, name: str, held: Type) -> None:
        """Makes a type's name a value, for `type(x) == name`."""
        self.constants[name] = (types.type_of(held), held)

    def _add(self, made: Overload) -> None:
        self.functions.setdefault(made.function, []).append(made)


def joined(libraries: Iterable[Library]) -> Library:
    """One library with all that others have."""
    result = Library()
    for library in libraries:
        for overloads in library.functions.values():
            for made in overloads:
                result._add(made)
        result.constants.update(library.constants)
    return result


def overload(signature: str, implementation: Implementation) -> Overload:
    """The overload that a line declares."""
    match = _SIGNATURE.fullmatch(signature)
    assert match is not None, signature
    name, target = match["name"], match["target"]
    if target is not None and not _is_type(target):
        name, target = f"{target}.{name}", None
    given = _types(match["given"])
    parameters = (*_types(target), *given) if target is not None else tuple(given)
    return Overload(name, parameters, _types(match["result"])[0], target is not None, implementation)


def _is_type(text: str) -> bool:
    word = _WORD.match(text)
    return word is not None and (word[1] in _NAMES or word[1] in _PARAMETERS or word[1].startswith(_OPAQUE))


_NAMES: Mapping[str, Type] = {
    "bool": types.BOOL,
    "int": types.INT,
    "uint": types.UINT,
    "double": types.DOUBLE,
    "string": types.STRING,
    "bytes": types.BYTES,
    "null": types.NULL,
    "dyn": types.DYN,
    "timestamp": types.TIMESTAMP,
    "duration": types.DURATION,
    "list": Type("list"),
    "map": Type("map"),
    "type": Type("type"),
}


def _types(text: str) -> list[Type]:
    """The types in a list such as `int, list(T)`."""
    stack: list[list[Type]] = [[]]
    for word in _WORD.findall(text):
        if word == "(":
            stack.append([])
        elif word == ")":
            inner = tuple(stack.pop())
            outer = stack[-1].pop()
            stack[-1].append(Type(outer.kind, outer.name, inner))
        elif word != ",":
            stack[-1].append(_named(word))
    return stack[0]


def _named(word: str) -> Type:
    if word in _PARAMETERS:
        return types.parameter(word)
    return _NAMES[word] if word in _NAMES else types.opaque(word)
