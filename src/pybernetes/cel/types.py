"""The types of expressions, how CEL writes them, and when a value of one may stand for another. Pure.

Types are values (compared with `==`); what is learned of type parameters is kept in a `Bindings`. Called by the
checker, and by whoever declares variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pybernetes.api.turn import spend


@dataclass(frozen=True, slots=True)
class Type:
    """`kind` is one of the constants below; `name` tells opaque types, objects and type parameters apart."""

    kind: str
    name: str = ""
    parameters: tuple[Type, ...] = ()

    def __str__(self) -> str:
        word = self.name or _SHOWN.get(self.kind, self.kind)
        return f"{word}({', '.join(map(str, self.parameters))})" if self.parameters else word


@dataclass(frozen=True, slots=True, eq=False)
class ObjectType(Type):
    """An object with known fields; `fields` may be filled in later, so that types can contain themselves.

    `names` are the fields' names in the data, where those differ from what expressions call them.
    """

    fields: dict[str, Type] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and other.kind == "object" and self.name == other.name

    def __hash__(self) -> int:
        return hash(("object", self.name))

    def __str__(self) -> str:
        return self.name


_SHOWN = {"null": "null", "error": "!error!"}

BOOL, INT, UINT, DOUBLE = Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES, NULL, DYN, ERROR = Type("string"), Type("bytes"), Type("null"), Type("dyn"), Type("error")
# As dyn, but for what error texts call it: what only a driver knows.
ANY = Type("any")
TIMESTAMP, DURATION = Type("timestamp"), Type("duration")
TYPE = Type("type")


def list_of(item: Type) -> Type:
    return Type("list", parameters=(item,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", parameters=(key, value))


def type_of(held: Type) -> Type:
    return Type("type", parameters=(held,))


def opaque(name: str, *parameters: Type) -> Type:
    return Type("opaque", name, parameters)


def optional_of(held: Type) -> Type:
    return opaque("optional_type", held)


def parameter(name: str) -> Type:
    return Type("parameter", name)


def object_type(name: str, fields: dict[str, Type], names: Mapping[str, str] | None = None) -> ObjectType:
    return ObjectType("object", name, (), fields, names or {})


def is_optional(held: Type) -> bool:
    return held.kind == "opaque" and held.name == "optional_type"


def is_dynamic(held: Type) -> bool:
    return held.kind in ("dyn", "any", "error")


_NULLABLE = frozenset(("object", "timestamp", "duration", "opaque"))


# Types of types grow with every step of an expression, and twofold with every map.
_MOST_STEPS, _SOME_STEPS = 300_000, 300


class TooComplex(Exception):
    """Types that are too large to reckon with."""


class Bindings:
    """What type parameters have turned out to be."""

    def __init__(self, known: Mapping[Type, Type] | None = None) -> None:
        self.known = dict(known or {})
        self._steps = 0

    def resolved(self, held: Type, unknown_to_dyn: bool = False) -> Type:
        """The type with every known parameter replaced."""
        if held.kind == "parameter":
            found = self.known.get(held)
            if found is not None:
                return self.resolved(found, unknown_to_dyn)
            return DYN if unknown_to_dyn else held
        if not held.parameters:
            return held
        self._steps += 1
        if self._steps % _SOME_STEPS == 0:
            spend(10 * _SOME_STEPS)
            if self._steps > _MOST_STEPS:
                raise TooComplex
        return Type(held.kind, held.name, tuple(self.resolved(part, unknown_to_dyn) for part in held.parameters))

    def accepts(self, wanted: Iterable[Type], given: Iterable[Type]) -> bool:
        """Whether values of `given` may stand where `wanted` are; what that tells of parameters is kept only then."""
        before = dict(self.known)
        if all(self._fits(*pair) for pair in zip(wanted, given, strict=True)):
            return True
        self.known = before
        return False

    def _fits(self, wanted: Type, given: Type) -> bool:
        if wanted.kind == "parameter":
            return self._bind(wanted, given)
        if given.kind == "parameter":
            return self._bind(given, wanted)
        if is_dynamic(wanted) or is_dynamic(given):
            return True
        if given.kind == "null":
            return wanted.kind in _NULLABLE or wanted.kind == "null"
        if wanted.kind == "null":
            return given.kind in _NULLABLE
        if wanted.kind != given.kind or wanted.name != given.name:
            return False
        if wanted.kind == "type":
            return True
        if len(wanted.parameters) != len(given.parameters):
            return False
        return all(self._fits(*pair) for pair in zip(wanted.parameters, given.parameters, strict=True))

    def _bind(self, wanted: Type, given: Type) -> bool:
        if wanted == given:
            return True
        known = self.known.get(wanted)
        if known is not None:
            if not self._fits(known, given):
                return False
            wider = most_general(known, given)
            if wider is not known and not _mentions(self.resolved(wider), wanted):
                self.known[wanted] = wider
            return True
        if _mentions(self.resolved(given), wanted):
            return False
        self.known[wanted] = given
        return True


def most_general(first: Type, second: Type) -> Type:
    """Of two types whose values may stand for one another the one that says less."""
    return first if _says_no_more(first, second) else second


def _says_no_more(first: Type, second: Type) -> bool:
    if is_dynamic(first) or first.kind == "parameter" or second.kind == "null":
        return True
    if is_dynamic(second) or second.kind == "parameter" or first.kind != second.kind or first.name != second.name:
        return False
    if first.kind == "type" or not first.parameters or len(first.parameters) != len(second.parameters):
        return True
    return all(_says_no_more(*pair) for pair in zip(first.parameters, second.parameters, strict=True))


def _mentions(held: Type, wanted: Type) -> bool:
    return held == wanted or any(_mentions(part, wanted) for part in held.parameters)


def freshened(held: Type, fresh: Callable[[str], Type]) -> Type:
    """The type with its parameters replaced by new ones, for one use of an overload."""
    if held.kind == "parameter":
        return fresh(held.name)
    if not held.parameters:
        return held
    return Type(held.kind, held.name, tuple(freshened(part, fresh) for part in held.parameters))
