"""Which values a parameter takes, for calls whose types are only known when they run. Pure.

A type goes in; a test for values comes out. Called by the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pybernetes.cel.types import Type
from pybernetes.cel.values import Duration, Opaque, Optional, Timestamp, Uint

Matcher = Callable[[Any], bool]
_TESTS: Mapping[str, Matcher] = {
    "bool": lambda value: value is True or value is False,
    "int": lambda value: type(value) is int,
    "uint": lambda value: type(value) is Uint,
    "double": lambda value: type(value) is float,
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, bytes),
    "null": lambda value: value is None,
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "object": lambda value: isinstance(value, dict),
    "timestamp": lambda value: isinstance(value, Timestamp),
    "duration": lambda value: isinstance(value, Duration),
    "type": lambda value: isinstance(value, Type),
}


def is_certain(held: Type) -> bool:
    """Whether a static type leaves no doubt about what the values are; null may stand where objects are wanted."""
    return held.kind not in ("dyn", "any", "error", "parameter", "null") and all(map(is_certain, held.parameters))


def matcher(parameter: Type) -> Matcher:
    """The test for values of a parameter; of lists and maps the members are looked at too."""
    if parameter.kind == "opaque":
        return _of_opaque(parameter.name)
    if parameter.kind == "list" and parameter.parameters and is_certain(parameter):
        inner = matcher(parameter.parameters[0])
        return lambda value: isinstance(value, list) and all(map(inner, value))
    return _TESTS.get(parameter.kind, lambda _value: True)


def _of_opaque(name: str) -> Matcher:
    if name == "optional_type":
        return lambda value: isinstance(value, Optional)
    return lambda value: isinstance(value, Opaque) and value.type_name == name
